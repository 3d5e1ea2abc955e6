"""Run a step in a process forked from one that has already imported torch, matplotlib and their like.

    python workflow/scripts/warm.py workflow/scripts/train.py --plan ...

Importing them costs more than many steps of the embedded edition. The first call starts a server
that imports the heavy libraries (never our own code) and forks a fresh process for every step; the
step gets this call's arguments, environment, folder and files, and dies with it. The server ends by
itself when nothing has asked for a while. A step that wants several threads or that meets any
trouble on the way is simply run as `python <step>`. LOSSPROOF_WARM=0 switches the server off.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

# torch._dynamo: the first optimiser of a process imports it.
LIBRARIES = (
    "torch",
    "torch.func",
    "torch._dynamo",
    "torchvision.models",
    "safetensors.torch",
    "scipy.special",
    "torchattacks",
    "pyautoattack",
    "foolbox",
    "loss_landscapes",
    "scipy.stats",
    "sklearn.manifold",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_pdf",
)
IDLE_SECONDS = float(os.environ.get("LOSSPROOF_WARM_IDLE", "15"))
START_SECONDS = 60.0
LENGTH_BYTES = 8


def address() -> Path:
    """The server's socket: one per user, interpreter and checkout, in a folder that only the user can enter."""
    folder = Path(tempfile.gettempdir()) / f"lossproof-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        raise PermissionError(f"{folder} is not ours alone")
    known = "\0".join([sys.executable, sys.version, str(Path(__file__).resolve())])
    return folder / f"{hashlib.sha256(known.encode()).hexdigest()[:16]}.sock"


def connect(path: Path) -> socket.socket:
    """A connection to the server, which is started where none answers."""

    def attempt() -> socket.socket | None:
        channel = socket.socket(socket.AF_UNIX)
        try:
            channel.connect(str(path))
            return channel
        except OSError:
            channel.close()
            return None

    if channel := attempt():
        return channel
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if channel := attempt():
            return channel
        server = subprocess.Popen(
            [sys.executable, __file__, "--serve", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and server.poll() is None:
            if channel := attempt():
                return channel
            time.sleep(0.02)
    raise ConnectionError("the server did not start")


def ask(channel: socket.socket, command: list[str]) -> int:
    """Have the server run ``command`` (a script and its arguments); its exit status."""
    with channel:
        request = json.dumps({"command": command, "folder": os.getcwd(), "environment": dict(os.environ)}).encode()
        socket.send_fds(channel, [len(request).to_bytes(LENGTH_BYTES, "big")], [0, 1, 2])
        channel.sendall(request)
        answer = channel.recv(1)
        # No answer: the step's process was killed.
        return answer[0] if answer else 1


def work(channel: socket.socket) -> None:
    """In the forked process: become the step, and end with its status."""
    status = 1
    try:
        head, files, _, _ = socket.recv_fds(channel, LENGTH_BYTES, 3)
        length, request = int.from_bytes(head, "big"), b""
        while len(request) < length:
            request += channel.recv(length - len(request))
        asked = json.loads(request)
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        threading.Thread(target=die_with, args=(channel,), daemon=True).start()
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        sys.argv = asked["command"]
        # The step's own folder takes the place of this script's, as if it had been run directly.
        paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        sys.path[:1] = [str(Path(sys.argv[0]).resolve().parent), *(p for p in paths if p and p not in sys.path)]
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115
        runpy.run_path(sys.argv[0], run_name="__main__")
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
        channel.sendall(bytes([status & 0xFF]))
    os._exit(status & 0xFF)


def die_with(channel: socket.socket) -> None:
    """End this process when whoever asked for it is gone."""
    channel.recv(1)
    os._exit(128 + signal.SIGTERM)


def serve(path: Path) -> None:
    """Import the libraries, then fork a process per request until nothing has asked for a while."""
    for library in LIBRARIES:
        with contextlib.suppress(ImportError):
            __import__(library)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(64)
    children: set[int] = set()
    last, closing = time.monotonic(), False
    while True:
        ready, _, _ = select.select([listener], [], [], 0.5)
        children = {child for child in children if os.waitpid(child, os.WNOHANG)[0] == 0}
        if ready:
            channel, _ = listener.accept()
            child = os.fork()
            if child == 0:
                listener.close()
                work(channel)
            channel.close()
            children.add(child)
        if ready or children:
            last = time.monotonic()
        elif closing:
            return
        elif time.monotonic() - last > IDLE_SECONDS:
            # Whoever connected before this is still served in one more round; who comes later starts anew.
            path.unlink(missing_ok=True)
            closing = True


def main() -> None:
    if sys.argv[1:2] == ["--serve"]:
        serve(Path(sys.argv[2]))
        return
    command = sys.argv[1:]
    if not command or command[0] in ("-h", "--help"):
        print(__doc__)
        return
    single = os.environ.get("OMP_NUM_THREADS", "1") == "1"
    if single and os.environ.get("LOSSPROOF_WARM", "1") != "0" and sys.platform == "linux":
        # Every library of the server sees one thread, as the step would.
        os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        try:
            channel = connect(address())
        except OSError as error:
            print(f"no warm process ({error}); starting a fresh one", file=sys.stderr)
        else:
            sys.exit(ask(channel, command))
    os.execv(sys.executable, [sys.executable, *command])


if __name__ == "__main__":
    main()
