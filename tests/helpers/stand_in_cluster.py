"""A stand-in for a Kubernetes cluster: an API server that runs each job's container as a process in an empty folder.

It answers what the executor plugin asks, as a real server would as far as is known, and keeps what it was asked for.
No image is pulled: a container has the environment that the test gives.
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

SECRETS = re.compile(r"/api/v1/namespaces/lab/secrets(?:/([^/]+))?")
PODS = re.compile(r"/api/v1/namespaces/lab/pods(?:/([^/]+)(/log)?)?")
JOBS = re.compile(r"/apis/batch/v1/namespaces/lab/jobs(?:/([^/]+)(/status)?)?")


class RefusedError(Exception):
    """An answer other than success: HTTP status and reason."""


@dataclass
class Pod:
    """One job with its only pod."""

    name: str
    spec: dict[str, Any]
    folder: Path
    exit_code: int | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def container(self) -> dict[str, Any]:
        return self.spec["containers"][0]

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def kill(self) -> None:
        """What happens to a pod whose node is lost, or whose job is deleted."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)

    def refuse_invalid(self) -> None:
        """What a real API server finds wrong with a pod."""
        names = [volume["name"] for volume in self.spec["volumes"]]
        mounted = [mount["name"] for mount in self.container["volumeMounts"]]
        if len(set(names)) != len(names) or not set(mounted) <= set(names):
            raise RefusedError(422, "volumes: each has a name of its own, and a mount names one of them")
        given = self.container["resources"]
        for name, amount in given["requests"].items():
            # "Limit must be set for non overcommitable resources": all but CPU, memory and disk
            if "/" in name and given.get("limits", {}).get(name) != amount:
                raise RefusedError(422, f"{name}: no limit")

    def description(self) -> dict[str, Any]:
        """The pod as the API shows it."""
        state = {} if self.exit_code is None else {"terminated": {"exitCode": self.exit_code}}
        status = {"name": self.container["name"], "image": self.container["image"], "imageID": "", "ready": False}
        return {
            "metadata": {"name": f"{self.name}-pod"},
            "status": {"containerStatuses": [status | {"restartCount": 0, "state": state}]},
        }


@dataclass
class Cluster:
    """``folder``: pods and volumes lie there. ``environment``: what the image sets. ``cpus``: pods that run at once."""

    folder: Path
    environment: dict[str, str]
    cpus: int = 2
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    pods: dict[str, Pod] = field(default_factory=dict)
    every_pod: list[Pod] = field(default_factory=list)

    def __enter__(self) -> Cluster:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.workers = ThreadPoolExecutor(self.cpus)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        for pod in self.every_pod:
            pod.kill()
        self.workers.shutdown(cancel_futures=True)

    def kubeconfig(self) -> Path:
        """A file that points the client here. JSON is YAML."""
        address = f"http://127.0.0.1:{self.server.server_port}"
        told = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
            "clusters": [{"name": "here", "cluster": {"server": address}}],
            "users": [{"name": "me", "user": {"token": "none"}}],
        }
        path = self.folder / "kubeconfig"
        path.write_text(json.dumps(told))
        return path

    def volume(self, claim: str) -> Path:
        """The folder that a claim stands for."""
        folder = self.folder / "volumes" / claim
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def submit(self, body: dict[str, Any]) -> dict[str, Any]:
        """Take a job and run its pod as soon as there is room."""
        name = body["metadata"]["name"]
        pod = Pod(name, body["spec"]["template"]["spec"], self.folder / "pods" / name)
        pod.refuse_invalid()
        self.pods[name] = pod
        self.every_pod.append(pod)
        self.workers.submit(self.execute, pod)
        return body

    def execute(self, pod: Pod) -> None:
        """The container as a process. Mounts below its working directory are links, the directory itself is new."""
        work = pod.folder / "work"
        home = pod.folder / "home"
        home.mkdir(parents=True)
        work.mkdir()
        claims = {one["name"]: one.get("persistentVolumeClaim") for one in pod.spec["volumes"]}
        for mount in pod.container["volumeMounts"]:
            if claim := claims[mount["name"]]:
                volume = self.volume(claim["claimName"])
                (work / Path(mount["mountPath"]).relative_to(pod.container["workingDir"])).symlink_to(volume)
        told = {}
        for one in pod.container["env"]:
            secret = one["valueFrom"]["secretKeyRef"]
            told[one["name"]] = base64.b64decode(self.secrets[secret["name"]][secret["key"]]).decode()
        with pod.log.open("w") as log:
            pod.process = subprocess.Popen(
                [*pod.container["command"], *pod.container["args"]],
                cwd=work,
                env=self.environment | {"HOME": str(home)} | told,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            status = pod.process.wait()
        pod.exit_code = status if status >= 0 else 128 - status

    def job(self, name: str) -> dict[str, Any]:
        """A job's status."""
        if name not in self.pods:
            raise RefusedError(404, "no such job")
        code = self.pods[name].exit_code
        count = {} if code is None else {"succeeded" if code == 0 else "failed": 1}
        return {"metadata": {"name": name}, "status": count or {"active": 1}}


def handler(cluster: Cluster) -> type[BaseHTTPRequestHandler]:
    """The API of a cluster."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status: int, body: Any, kind: str = "application/json") -> None:
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def respond(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length) or "{}")
            url = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            try:
                self.answer(200, self.found(url.path, query, body))
            except RefusedError as refusal:
                status, reason = refusal.args
                self.answer(status, {"kind": "Status", "status": "Failure", "message": reason, "code": status})

        do_GET = do_POST = do_DELETE = respond  # noqa: N815

        def found(self, path: str, query: dict[str, str], body: dict[str, Any]) -> Any:
            match self.command, path:
                case "POST", _ if SECRETS.fullmatch(path):
                    cluster.secrets[body["metadata"]["name"]] = body["data"]
                    return body
                case "DELETE", _ if found := SECRETS.fullmatch(path):
                    del cluster.secrets[found[1]]
                case "POST", _ if JOBS.fullmatch(path):
                    return cluster.submit(body)
                case "GET", _ if found := JOBS.fullmatch(path):
                    return cluster.job(found[1])
                case "DELETE", _ if found := JOBS.fullmatch(path):
                    if (pod := cluster.pods.pop(found[1], None)) is None:
                        raise RefusedError(404, "no such job")
                    pod.kill()
                case "GET", _ if (found := PODS.fullmatch(path)) and found[2]:
                    # A container that is never restarted has no previous one, of which a real server could tell.
                    if query.get("previous"):
                        raise RefusedError(400, "previous terminated container not found")
                    return cluster.pods[found[1].removesuffix("-pod")].log.read_text()
                case "GET", _ if PODS.fullmatch(path):
                    name = query["labelSelector"].removeprefix("job-name=")
                    pod = cluster.pods.get(name)
                    started = pod and pod.log.exists()
                    return {"items": [pod.description()] if started else []}
                case "DELETE", _ if PODS.fullmatch(path):
                    pass
                case _:
                    raise RefusedError(404, f"{self.command} {path}")
            return {"status": "Success"}

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
