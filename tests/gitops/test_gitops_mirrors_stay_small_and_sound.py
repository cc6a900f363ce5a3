"""What was fetched is kept while somebody reads it, does not grow with every push, and is replaced when broken."""

import fcntl
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mooring.gitops import mirror
from mooring.gitops.errors import GitError
from mooring.gitops.program import GitProgram
from mooring.gitops.repositories import Repositories
from tests.git_server import GitServer, Repo
from tests.templates.samples import SERVING, WORKFLOW


def _names(reader: Repositories, repo: Repo, revision: str = "main") -> list[str]:
    return [item.name for item in reader.read(repo.url, revision, "templates", None)[1]]


def _mirror(reader: Repositories) -> Path:
    (found,) = (path for path in reader.folder.iterdir() if path.is_dir())
    return found


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_what_nobody_reads_any_more_is_removed(reader: Repositories, server: GitServer) -> None:
    kept, gone = server.new("kept"), server.new("gone")
    for repo in (kept, gone):
        repo.commit({"templates/serve.yaml": SERVING})
        assert _names(reader, repo) == ["greeter"]
    before = {path.name for path in reader.folder.iterdir()}
    reader.keep_only({(kept.url, "main")})
    left = {path.name for path in reader.folder.iterdir()}
    assert len(before) == 4
    assert len(left) == 2, "a mirror and its lock"
    assert left < before
    assert _names(reader, kept) == ["greeter"]
    assert _names(reader, gone) == ["greeter"], "whoever comes back gets it anew"


def test_revisions_that_nobody_reads_any_more_go(reader: Repositories, repo: Repo) -> None:
    first = repo.commit({"templates/serve.yaml": SERVING})
    repo.git("branch", "old")
    repo.commit({"templates/train.yaml": WORKFLOW})
    for revision in ("main", "old", first[:10]):
        _names(reader, repo, revision)
    refs = _mirror(reader) / "refs" / "mooring"
    assert len([path for path in refs.rglob("*") if path.is_file()]) == 5
    reader.keep_only({(repo.url, "main"), (repo.url, first[:10])})
    assert len([path for path in refs.rglob("*") if path.is_file()]) == 4
    reader.keep_only({(repo.url, "main")})
    assert len([path for path in refs.rglob("*") if path.is_file()]) == 1
    assert _names(reader, repo) == ["greeter", "trainer"] or _names(reader, repo) == ["trainer", "greeter"]
    assert _names(reader, repo, first[:10]) == ["greeter"]


def test_a_commit_stays_when_its_branch_goes(reader: Repositories, repo: Repo) -> None:
    repo.commit({"other": "x"})
    repo.git("checkout", "--quiet", "-b", "feature")
    commit = repo.commit({"templates/serve.yaml": SERVING})
    repo.git("checkout", "--quiet", "main")
    assert _names(reader, repo, commit[:10]) == ["greeter"]
    repo.git("branch", "--delete", "--force", "feature")
    assert _names(reader, repo, commit[:10]) == ["greeter"]


@pytest.mark.parametrize(("limit", "value"), [("_MOST_PACKS", 4), ("_SMALL_BYTES", 300_000)])
def test_a_history_that_is_rewritten_again_and_again_does_not_pile_up(
    reader: Repositories, repo: Repo, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    for name in ("_MOST_PACKS", "_SMALL_BYTES"):
        monkeypatch.setattr(mirror, name, value if name == limit else 1_000_000_000)
    repo.commit({"templates/serve.yaml": SERVING, "data.bin": "x"})
    largest = 0
    for _ in range(20):
        (repo.folder / "data.bin").write_bytes(os.urandom(100_000))
        repo.git("add", "--all")
        repo.git("commit", "--quiet", "--amend", "--message", "other")
        assert _names(reader, repo) == ["greeter"]
        largest = max(largest, _bytes(_mirror(reader) / "objects"))
    assert largest < 900_000, "of two million that were pushed"


def test_a_repository_that_grew_too_large_is_refused_and_not_kept(repo: Repo, reader: Repositories) -> None:
    repo.commit({"templates/serve.yaml": SERVING})
    small = Repositories(reader.folder, GitProgram(reader.folder, seconds=30, most_bytes=1_000_000), reader.access)
    with pytest.raises(GitError, match="larger than allowed"):  # noqa: PT012 - which one does not matter
        for number in range(5):
            (repo.folder / f"{number}.bin").write_bytes(os.urandom(400_000))
            repo.commit({})
            _names(small, repo)
    assert _bytes(reader.folder) < 1_100_000


def _truncate_pack(folder: Path) -> None:
    (pack,) = folder.glob("objects/pack/*.pack")
    pack.chmod(0o600)
    os.truncate(pack, pack.stat().st_size // 2)


def _flip_bytes_of_pack(folder: Path) -> None:
    (pack,) = folder.glob("objects/pack/*.pack")
    pack.chmod(0o600)
    content = bytearray(pack.read_bytes())
    content[200:-200] = bytes(len(content) - 400)
    pack.write_bytes(content)


def _lose_index(folder: Path) -> None:
    (index,) = folder.glob("objects/pack/*.idx")
    index.unlink()


def _lose_objects(folder: Path) -> None:
    for file in folder.glob("objects/pack/*"):
        file.unlink()


def _garble_refs(folder: Path) -> None:
    for ref in (folder / "refs" / "mooring").rglob("*"):
        if ref.is_file():
            ref.write_bytes(b"\0" * 41)


def _garble_settings(folder: Path) -> None:
    (folder / "config").write_bytes(b"\0\1\2[")


def _garble_head(folder: Path) -> None:
    (folder / "HEAD").write_bytes(b"\0" * 20)


@pytest.mark.parametrize(
    "damage",
    [
        _truncate_pack,
        _flip_bytes_of_pack,
        _lose_index,
        _lose_objects,
        _garble_refs,
        _garble_settings,
        _garble_head,
    ],
)
def test_what_a_power_cut_has_damaged_is_fetched_anew_at_once(
    reader: Repositories, repo: Repo, damage: Callable[[Path], None]
) -> None:
    many = {f"templates/t{n}.yaml": SERVING.replace("greeter", f"greeter{n}") for n in range(120)}
    repo.commit(dict(many))
    assert len(_names(reader, repo)) == 120
    damage(_mirror(reader))
    assert len(_names(reader, repo)) == 120
    repo.commit({"templates/another.yaml": WORKFLOW})
    assert len(_names(reader, repo)) == 121


def test_a_server_that_is_away_costs_nothing_that_was_fetched(
    reader: Repositories, repo: Repo, server: GitServer
) -> None:
    repo.commit({"templates/serve.yaml": SERVING})
    _names(reader, repo)
    before = sorted(path.name for path in _mirror(reader).rglob("*"))
    server.broken = True
    with pytest.raises(GitError):
        _names(reader, repo)
    assert sorted(path.name for path in _mirror(reader).rglob("*")) == before


def test_a_folder_that_is_not_there_is_no_damage(reader: Repositories, repo: Repo) -> None:
    repo.commit({"other": "x"})
    with pytest.raises(GitError, match="is no folder"):
        _names(reader, repo)
    fetched = _mirror(reader).stat().st_ino
    with pytest.raises(GitError, match="is no folder"):
        _names(reader, repo)
    assert _mirror(reader).stat().st_ino == fetched


def test_who_reads_for_ever_keeps_nobody_waiting_for_ever(reader: Repositories, repo: Repo) -> None:
    repo.commit({"templates/serve.yaml": SERVING})
    assert _names(reader, repo) == ["greeter"]
    (lock,) = reader.folder.glob("*.lock")
    hurried = replace(reader, git=replace(reader.git, seconds=0.1))
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(TimeoutError, match="another control plane has been reading"):
            _names(hurried, repo)
    assert _names(reader, repo) == ["greeter"]
