"""Real git over real HTTP: git's own server program behind a small web server on the loopback interface."""

import base64
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

BACKEND = "/usr/lib/git-core/git-http-backend"


@dataclass
class Repo:
    """A repository that tests push to, and its url."""

    folder: Path
    url: str

    def git(self, *arguments: str) -> str:
        """Run git in a work tree of the repository."""
        identity = {
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@b",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@b",
        }
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, files: dict[str, str | None]) -> str:
        """Write files (None removes one), commit them, and return the commit."""
        for name, content in files.items():
            path = self.folder / name
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")
        return self.git("rev-parse", "HEAD")


@dataclass
class GitServer:
    """What is served, to whom; `requests` are the paths that were asked for."""

    root: Path
    url: str = ""
    username: str | None = None
    password: str = ""
    broken: bool = False
    requests: list[str] = field(default_factory=list)

    def new(self, name: str = "templates") -> Repo:
        """A new repository with a branch `main`."""
        folder = self.root / name
        folder.mkdir()
        repo = Repo(folder, f"{self.url}/{name}/.git")
        repo.git("init", "--quiet", "--initial-branch=main")
        return repo


@contextmanager
def serving(root: Path, tls: ssl.SSLContext | None = None) -> Iterator[GitServer]:
    """Serve the repositories below a folder, over https when there is a certificate."""
    served = GitServer(root)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

        def _answer(self, body: bytes) -> None:
            served.requests.append(self.path)
            if served.broken:
                self._send(503, {}, b"")
            elif not _may_enter(served, self.headers.get("Authorization", "")):
                self._send(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
            else:
                self._send(*_backend(served, self.command, self.path, dict(self.headers.items()), body))

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    served.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _may_enter(served: GitServer, authorization: str) -> bool:
    if served.username is None:
        return True
    expected = base64.b64encode(f"{served.username}:{served.password}".encode()).decode()
    return authorization == f"Basic {expected}"


def _backend(
    served: GitServer, method: str, target: str, headers: dict[str, str], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(target)
    environment = {
        "GIT_PROJECT_ROOT": str(served.root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "REQUEST_METHOD": method,
        "CONTENT_TYPE": headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": headers.get("Git-Protocol", ""),
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    done = subprocess.run([BACKEND], input=body, env=environment, capture_output=True, check=True)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    answered = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    return int(answered.pop("Status", "200").split()[0]), answered, content
