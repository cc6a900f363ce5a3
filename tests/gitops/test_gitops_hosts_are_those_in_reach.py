"""A repository's url cannot make us call what only this machine can reach, whichever way it is tried."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mooring.domain.gitops import Credentials
from mooring.gitops.access import RepositoryAccess
from mooring.gitops.errors import GitError
from mooring.gitops.program import GitProgram
from mooring.gitops.repositories import Repositories
from mooring.network.reach import Reach
from tests.git_server import GitServer, Repo, serving
from tests.templates.samples import SERVING

HOSTS = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3", "localhost", "2130706433", "0x7f.1", "169.254.169.254",
    "100.100.100.200", "168.63.129.16", "[::1]", "[::]", "[fe80::1]", "[::ffff:127.0.0.1]", "[64:ff9b::a9fe:a9fe]",
    "[fd00:ec2::254]",
]  # fmt: skip


@dataclass
class Listener:
    """Somebody who listens on this machine, and sends callers on when told to."""

    port: int = 0
    redirect: str | None = None
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    state = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            state.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(302 if state.redirect else 404)
            if state.redirect:
                self.send_header("Location", state.redirect)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_CONNECT = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield state
        server.shutdown()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Addresses of names, as a DNS of the test's own has them: each question takes one, the last one stays."""
    known: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *more: object, **options: object) -> object:
        answers = known.get(host, [host])
        return real(answers.pop(0) if len(answers) > 1 else answers[0], *more, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


def _reader(tmp_path: Path, access: RepositoryAccess) -> Repositories:
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    return Repositories(home, GitProgram(home, seconds=20, most_bytes=10_000_000), access)


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Repositories]:
    """As it is without a word of the operator's."""
    access = RepositoryAccess()
    yield _reader(tmp_path, access)
    access.close()


@pytest.mark.parametrize("host", HOSTS)
def test_this_machine_and_what_it_alone_sees_are_refused(strict: Repositories, listener: Listener, host: str) -> None:
    forms = ["http://{}:{}/r.git", "https://{}:{}/r.git", "ssh://git@{}:{}/r.git"]
    for url in [form.format(host, listener.port) for form in forms] + [f"git@{host}:r.git"]:
        with pytest.raises(GitError, match=r"only this machine sees. The operator can allow it .*MOORING_GIT_HOSTS"):
            strict.read(url, "main", "", Credentials("robot", "s3cret-word"))
    assert listener.asked == []


def test_a_private_network_is_in_reach() -> None:
    access = RepositoryAccess()
    try:
        assert access.way_to("https://10.1.2.3/r.git").place == "https://10.1.2.3/r.git"
    finally:
        access.close()


def test_a_listed_host_is_reached(reader: Repositories, repo: Repo, server: GitServer) -> None:
    repo.commit({"templates/serve.yaml": SERVING})
    server.username, server.password = "robot", "right"
    found = reader.read(repo.url, "main", "templates", Credentials("robot", "right"))[1]
    assert [item.name for item in found] == ["greeter"]


def test_a_name_that_gets_another_address_leads_nowhere_else(
    strict: Repositories, listener: Listener, names: dict[str, list[str]]
) -> None:
    names["rebound.test"] = ["10.255.255.1", "127.0.0.1"]
    with pytest.raises(GitError):
        strict.read(f"http://rebound.test:{listener.port}/r.git", "main", "", None)
    assert listener.asked == []
    assert names["rebound.test"] == ["127.0.0.1"], "it was looked up a second time, and that was seen"


def test_a_redirect_is_not_followed(reader: Repositories, listener: Listener, repo: Repo) -> None:
    repo.commit({"templates/serve.yaml": SERVING})
    listener.redirect = f"{repo.url}/info/refs?service=git-upload-pack"
    with pytest.raises(GitError, match="has moved: register it under its new url"):
        reader.read(f"http://127.0.0.1:{listener.port}/r.git", "main", "", Credentials("robot", "s3cret-word"))


def test_ssh_is_given_the_address_that_was_checked(names: dict[str, list[str]]) -> None:
    names["git.test"] = ["127.0.0.1"]
    access = RepositoryAccess(Reach(["git.test"]))
    try:
        with socket.create_server(("127.0.0.1", 0)) as host:
            port = host.getsockname()[1]
            options = access.way_to(f"ssh://git@git.test:{port}/r.git").ssh_options
    finally:
        access.close()
    assert options == {"Hostname": "127.0.0.1", "HostKeyAlias": f"[git.test]:{port}"}


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of 127.0.0.1, signed by itself, together with its key."""
    made = tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=git.test", "-addext", "subjectAltName=IP:127.0.0.1"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(made)]
    subprocess.run(["openssl", "req", "-x509", *kind, *subject, *files], check=True, capture_output=True)
    return made


def test_https_goes_the_same_way_and_certificates_count(
    reader: Repositories, tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    root = tmp_path / "secure"
    root.mkdir()
    with serving(root, context) as server:
        repo = server.new()
        repo.commit({"templates/serve.yaml": SERVING})
        server.username, server.password = "robot", "right"
        with pytest.raises(GitError, match="host cannot be trusted"):
            reader.read(repo.url, "main", "templates", Credentials("robot", "right"))
        assert server.requests == [], "nobody is told a password who cannot prove who they are"
        monkeypatch.setenv("GIT_SSL_CAINFO", str(certificate))
        found = reader.read(repo.url, "main", "templates", Credentials("robot", "right"))[1]
        assert [item.name for item in found] == ["greeter"]


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("name", ["http_proxy", "all_proxy"])
@pytest.mark.usefixtures("no_proxies")
def test_the_operators_proxy_decides(
    strict: Repositories, listener: Listener, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, f"http://127.0.0.1:{listener.port}")
    with pytest.raises(GitError):
        strict.read("http://git.only-the-proxy-knows.test/r.git", "main", "", None)
    assert listener.asked[0].startswith("http://git.only-the-proxy-knows.test/r.git/info/refs")
    assert not any(header.startswith("proxy-auth") for header in listener.headers[0])


@pytest.mark.usefixtures("no_proxies")
def test_what_goes_past_the_operators_proxy_is_checked(
    strict: Repositories, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(GitError, match="MOORING_GIT_HOSTS"):
        strict.read(f"http://127.0.0.1:{listener.port}/r.git", "main", "", None)
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.delenv("http_proxy")
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{listener.port}")
    with pytest.raises(GitError, match="MOORING_GIT_HOSTS"):
        strict.read(f"http://127.0.0.1:{listener.port}/r.git", "main", "", None)
    assert listener.asked == []


@pytest.mark.usefixtures("no_proxies")
def test_the_way_out_is_nobody_elses(reader: Repositories, listener: Listener) -> None:
    with pytest.raises(GitError) as refused:
        reader.read(f"http://127.0.0.1:{listener.port}/r.git", "main", "", None)
    way = reader.access.way_to(f"http://127.0.0.1:{listener.port}/r.git")
    proof = way.environment["http_proxy"].rpartition("@")[0].rpartition(":")[2]
    assert len(proof) > 30
    assert proof not in f"{refused.value} {way!r}"
    assert not any(name.startswith("proxy-") for name in listener.headers[0])
