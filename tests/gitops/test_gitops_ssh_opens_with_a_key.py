"""Over ssh, a repository opens with the key that was given for it, at the host that was seen first."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mooring.domain.gitops import Credentials
from mooring.gitops.access import RepositoryAccess
from mooring.gitops.errors import GitError
from mooring.gitops.program import GitProgram
from mooring.gitops.repositories import Repositories
from tests.git_server import Repo
from tests.ssh_server import MISSING, PROGRAM, SshServer, new_server
from tests.templates.samples import SERVING

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)


@pytest.fixture
def ssh(tmp_path: Path) -> SshServer:
    return new_server(tmp_path / "ssh")


@pytest.fixture
def running(ssh: SshServer) -> Iterator[SshServer]:
    with ssh.running():
        yield ssh


@pytest.fixture
def good(repo: Repo) -> Repo:
    repo.commit({"templates/serve.yaml": SERVING})
    return repo


def _names(reader: Repositories, url: str, user: str, key: str) -> list[str]:
    return [item.name for item in reader.read(url, "main", "templates", Credentials(user, key))[1]]


@pytest.mark.parametrize("shape", ["as it is", "windows", "without an end", "escaped"])
def test_a_key_opens_the_door(running: SshServer, reader: Repositories, good: Repo, shape: str) -> None:
    key = {
        "as it is": running.key,
        "windows": running.key.replace("\n", "\r\n"),
        "without an end": running.key.rstrip("\n"),
        "escaped": running.key.replace("\n", "\\n"),
    }[shape]
    assert _names(reader, running.url(good.folder), "", key) == ["greeter"]


def test_the_user_is_that_of_the_credentials_else_of_the_url(
    running: SshServer, reader: Repositories, good: Repo
) -> None:
    nobody = running.url(good.folder).replace(f"{running.user}@", "no-such-user@")
    assert _names(reader, nobody, running.user, running.key) == ["greeter"]
    with pytest.raises(GitError, match="does not take this key"):
        _names(reader, nobody, "", running.key)


def test_the_short_form_of_a_url_means_port_22(access: RepositoryAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def connect(_reach: object, host: str, port: int) -> None:
        asked.append((host, port))
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr("mooring.network.reach.Reach.connect", connect)
    with pytest.raises(GitError, match=r"git.example cannot be reached: Connection refused"):
        access.way_to("git@git.example:team/models.git")
    assert asked == [("git.example", 22)]


@pytest.mark.parametrize("given", ["stranger", "word", "nothing"])
def test_another_key_does_not_open_it(running: SshServer, reader: Repositories, good: Repo, given: str) -> None:
    credentials = {
        "stranger": Credentials(running.user, running.stranger),
        "word": Credentials(running.user, "s3cret-word"),
        "nothing": None,
    }[given]
    with pytest.raises(GitError, match="does not take this key: give one that it knows with PATCH") as refused:
        reader.read(running.url(good.folder), "main", "templates", credentials)
    assert "s3cret-word" not in str(refused.value)
    assert "PRIVATE KEY" not in str(refused.value)


def test_neither_the_keys_nor_the_settings_of_the_operator_are_used(
    running: SshServer, reader: Repositories, good: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(tmp_path / "agent")], stdout=subprocess.PIPE, text=True)
    try:
        assert agent.stdout
        agent.stdout.readline()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        subprocess.run(["ssh-add", "-q", str(running.folder / "client")], check=True)
        monkeypatch.setenv("GIT_SSH_COMMAND", f"ssh -i {running.folder / 'client'}")
        with pytest.raises(GitError, match="does not take this key"):
            _names(reader, running.url(good.folder), running.user, "")
    finally:
        agent.terminate()
        agent.wait(10)


def test_another_host_behind_the_same_name_is_refused(ssh: SshServer, reader: Repositories, good: Repo) -> None:
    url = ssh.url(good.folder)
    with ssh.running():
        assert _names(reader, url, "", ssh.key) == ["greeter"]
    ssh.change_host_key()
    with ssh.running():
        with pytest.raises(GitError, match="shows another key than before: check it, then let the operator remove"):
            _names(reader, url, "", ssh.key)
        known = reader.folder / "known_hosts"
        subprocess.run(
            ["ssh-keygen", "-q", "-f", str(known), "-R", f"[127.0.0.1]:{ssh.port}"], check=True, capture_output=True
        )
        assert _names(reader, url, "", ssh.key) == ["greeter"]


def test_nothing_of_the_key_is_left(running: SshServer, reader: Repositories, good: Repo) -> None:
    assert _names(reader, running.url(good.folder), "", running.key) == ["greeter"]
    secret = running.key.splitlines()[2]
    assert subprocess.run(["grep", "-rF", secret, reader.folder], capture_output=True).stdout == b""
    assert not list(reader.folder.glob("git-*"))


def test_a_key_that_a_killed_control_plane_has_left_is_removed(reader: Repositories) -> None:
    left = reader.folder / "git-abc"
    left.mkdir()
    (left / "key").write_text("x")
    reader.clean()
    assert not left.exists()


def test_a_host_that_says_nothing_costs_a_deadline(tmp_path: Path, access: RepositoryAccess) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        home = tmp_path / "home"
        home.mkdir()
        reader = Repositories(home, GitProgram(home, seconds=1, most_bytes=1_000_000), access)
        with pytest.raises(TimeoutError, match="did not finish within 1 s"):
            reader.read(f"ssh://git@127.0.0.1:{silent.getsockname()[1]}/x", "main", "", None)


def test_what_is_not_there_is_named(running: SshServer, reader: Repositories, good: Repo, tmp_path: Path) -> None:
    with pytest.raises(GitError, match="there is no repository at this url"):
        _names(reader, running.url(tmp_path / "nowhere"), "", running.key)
    with pytest.raises(GitError, match="'nope' cannot be resolved"):
        reader.read(running.url(good.folder), "nope", "templates", Credentials("", running.key))


@pytest.mark.parametrize(
    "url",
    [
        "ssh://-oProxyCommand=touch%20{mark}/x",
        "ssh://git@-oProxyCommand=touch%20{mark}/x",
        "-oProxyCommand=touch {mark}:x",
        "git@-oProxyCommand=touch {mark}:x",
        "ssh://git@127.0.0.1:{port}/`touch {mark}`",
        "ssh://git@127.0.0.1:{port}/$(touch {mark})",
        "ssh://git@127.0.0.1:{port}/'$(touch%20{mark})'",
        "ssh://git@127.0.0.1:{port}/x;touch%20{mark}",
    ],
)
def test_no_url_runs_anything_here_or_there(
    running: SshServer, reader: Repositories, good: Repo, tmp_path: Path, url: str
) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(GitError):
        _names(reader, url.format(mark=mark, port=running.port), running.user, running.key)
    assert not mark.exists()


@pytest.mark.parametrize("user", ["-oProxyCommand=touch {mark}", "x -oProxyCommand=touch\t{mark}", '"', "a b"])
def test_no_user_is_more_than_a_name(
    running: SshServer, reader: Repositories, good: Repo, tmp_path: Path, user: str
) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(GitError):
        _names(reader, running.url(good.folder), user.format(mark=mark), running.key)
    assert not mark.exists()
