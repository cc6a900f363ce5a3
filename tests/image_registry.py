"""A real image registry on the loopback interface: Debian's docker-registry, over TLS, with a user and a password."""

import datetime
import ipaddress
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "puller", "never-to-be-shown-either"
SKIPPED = "docker-registry is not on this machine: `make setup` installs it on Debian"
_HTPASSWD = f"{USER}:$2b$04$A3L1txE1jq/E0UYkIGOJ8u5Hq13UYzLo2TqZvRq.l778mv8Nea.ju\n"
_SECONDS = 20.0


def program() -> str | None:
    return shutil.which("docker-registry")


@dataclass(frozen=True)
class ImageRegistry:
    """`host` as image references name it; `certificates` is a folder with the authority that clients have to trust."""

    host: str
    certificates: Path

    @property
    def pull_options(self) -> tuple[str, ...]:
        return "--cert-dir", str(self.certificates)

    @property
    def push_options(self) -> tuple[str, ...]:
        return *self.pull_options, "--creds", f"{USER}:{PASSWORD}"


@contextmanager
def running(folder: Path) -> Iterator[ImageRegistry]:
    """Listens on a port of its own until the end."""
    found = program()
    assert found
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    certificates = folder / "certificates"
    certificates.mkdir(parents=True)
    _certify(certificates)
    (folder / "htpasswd").write_text(_HTPASSWD)
    (folder / "config.yml").write_text(_configuration(folder, host))
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([found, "serve", str(folder / "config.yml")], stdout=log, stderr=log)
    try:
        _wait(host, server, folder / "log")
        yield ImageRegistry(host, certificates)
    finally:
        server.kill()
        server.wait(_SECONDS)


def _configuration(folder: Path, host: str) -> str:
    return f"""
version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: "{folder}/images"}}}}
http: {{addr: "{host}", tls: {{certificate: "{folder}/server.pem", key: "{folder}/server.key"}}}}
auth: {{htpasswd: {{realm: images, path: "{folder}/htpasswd"}}}}
"""


def _wait(host: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    unchecked = ssl._create_unverified_context()
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            urllib.request.urlopen(f"https://{host}/v2/", timeout=2, context=unchecked)
        except urllib.error.HTTPError:
            return  # it wants to know who asks
        except OSError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)


def _certify(certificates: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (certificates.parent / "server.pem").write_bytes(pem)
    (certificates / "ca.crt").write_bytes(pem)
    (certificates.parent / "server.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
