"""A server of files on this machine that misbehaves on request, for the tests of downloads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

PAGE = b"<html>Please log in</html>"


class Base(str):
    """The server's address, and what was asked of it so far (paths without the first slash)."""

    asked: list[str]


@contextlib.contextmanager
def serve(folder: Path, faults: Mapping[str, list[str]] | None = None) -> Iterator[Base]:
    """Serve ``folder`` on a free port and give the address, without a slash at its end.

    ``faults``: by path below the folder, one fault per request, then the file as it is. "truncate" breaks off in
    the middle, "corrupt" changes the last byte, "stall" falls silent in the middle, "404" and "503" are answers,
    "page" leads to a page of HTML, "encoded" calls the file's packing an encoding.
    """
    left = {path: list(kinds) for path, kinds in (faults or {}).items()}
    asked: list[str] = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(self.path).lstrip("/")
            asked.append(path)
            fault = left[path].pop(0) if left.get(path) else ""
            file = folder / path
            if fault in ("404", "503") or not (file.is_file() or path == "page"):
                return self.send_error(int(fault or 404))
            if fault == "page":
                self.send_response(302)
                self.send_header("Location", "/page")
                return self.end_headers()
            content = PAGE if path == "page" else file.read_bytes()
            if fault == "corrupt":
                content = content[:-1] + bytes([content[-1] ^ 1])
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            if fault == "encoded":
                self.send_header("Content-Encoding", "x-gzip")
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if fault in ("truncate", "stall") else content)
            if fault == "stall":
                over.wait()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    base = Base(f"http://127.0.0.1:{server.server_port}")
    base.asked = asked
    try:
        yield base
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()
