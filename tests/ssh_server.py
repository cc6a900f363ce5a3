"""Real git over real ssh: OpenSSH's own server on the loopback interface, which lets git in and nothing else."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAM = shutil.which("sshd") or shutil.which("/usr/sbin/sshd")
MISSING = "OpenSSH's server is not on this machine: `apt-get install openssh-server`"
_START_SECONDS = 15.0
_PRIVILEGE_SEPARATION = Path("/run/sshd")


@dataclass
class SshServer:
    """`key` opens it, as the user `user`; `stranger` does not. What it was asked for lies in `log`."""

    folder: Path
    port: int

    @property
    def user(self) -> str:
        return pwd.getpwuid(os.getuid()).pw_name

    @property
    def key(self) -> str:
        return (self.folder / "client").read_text()

    @property
    def stranger(self) -> str:
        return (self.folder / "stranger").read_text()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def url(self, repository: Path) -> str:
        return f"ssh://{self.user}@127.0.0.1:{self.port}{repository}"

    def change_host_key(self) -> None:
        """As somebody else would have it who answers at this address. Takes effect at the next start."""
        _make_key(self.folder / "host")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Answers for as long as the block runs."""
        with (self.folder / "log").open("a") as log:
            arguments = [str(PROGRAM), "-D", "-e", "-f", str(self.folder / "config")]
            process = subprocess.Popen(arguments, stderr=log)
        try:
            self._wait(process)
            yield
        finally:
            process.terminate()
            process.wait(10)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + _START_SECONDS
        while True:
            assert process.poll() is None, self.log
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                    assert connection.recv(4) == b"SSH-"
                return
            except OSError:
                assert time.monotonic() < until, self.log
                time.sleep(0.02)


def new_server(folder: Path) -> SshServer:
    """One that is not running yet."""
    folder.mkdir()
    for name in ("host", "client", "stranger"):
        _make_key(folder / name)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    if os.getuid() == 0:
        _PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
    only_git = 'case "$SSH_ORIGINAL_COMMAND" in git-upload-pack*) eval "$SSH_ORIGINAL_COMMAND";; *) exit 1;; esac'
    script = folder / "only-git"
    script.write_text(
        f"#!/bin/sh\nexport GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'\n{only_git}\n"
    )
    script.chmod(0o755)
    authorised = (folder / "client.pub").read_text()
    (folder / "authorised").write_text(f'restrict,command="{script}" {authorised}')
    settings = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "authorised",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "prohibit-password",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "LogLevel": "VERBOSE",
    }
    (folder / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    (folder / "log").touch()
    return SshServer(folder, port)


def _make_key(path: Path) -> None:
    for old in (path, path.with_suffix(".pub")):
        old.unlink(missing_ok=True)
    made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", str(path)]
    subprocess.run(made, check=True, capture_output=True)
