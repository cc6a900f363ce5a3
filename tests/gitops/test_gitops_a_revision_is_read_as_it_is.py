"""Branches, tags and commits of a real git server are read; links, submodules and other files are not."""

import os
import subprocess
from pathlib import Path

import pytest

from mooring.domain.gitops import Credentials
from mooring.gitops.access import RepositoryAccess
from mooring.gitops.errors import GitError
from mooring.gitops.mirror import Mirror
from mooring.gitops.program import GitProgram
from mooring.gitops.repositories import Repositories
from tests.git_server import GitServer, Repo
from tests.templates.samples import SERVING, WORKFLOW


def _names(reader: Repositories, repo: Repo, revision: str, path: str = "templates") -> list[str]:
    return [item.name for item in reader.read(repo.url, revision, path, None)[1]]


def test_every_way_to_name_a_revision(reader: Repositories, repo: Repo) -> None:
    first = repo.commit({"templates/serve.yaml": SERVING})
    repo.git("tag", "v1")
    repo.git("tag", "--annotate", "--message", "x", "v1-annotated")
    repo.git("branch", "feature/one")
    second = repo.commit({"templates/train.yml": WORKFLOW})
    for revision in ("v1", "v1-annotated", "feature/one", first, first[:9], "refs/tags/v1"):
        commit, found = reader.read(repo.url, revision, "templates", None)
        assert (commit, [item.name for item in found]) == (first, ["greeter"]), revision
    for revision in ("main", "HEAD", second):
        assert _names(reader, repo, revision) == ["greeter", "trainer"], revision


def test_history_that_was_rewritten_is_followed(reader: Repositories, repo: Repo) -> None:
    repo.commit({"templates/serve.yaml": SERVING})
    repo.commit({"templates/train.yaml": WORKFLOW})
    assert _names(reader, repo, "main") == ["greeter", "trainer"]
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    repo.git("commit", "--quiet", "--amend", "--message", "other")
    assert _names(reader, repo, "main") == ["greeter"]


def test_only_plain_files_of_the_folder_are_read(reader: Repositories, repo: Repo, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text(WORKFLOW)
    repo.commit({"templates/deep/serve.yaml": SERVING, "other/train.yaml": WORKFLOW, "templates/train.txt": WORKFLOW})
    (repo.folder / "templates/link.yaml").symlink_to(outside)
    (repo.folder / "templates/up").symlink_to("..")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},templates/sub.yaml")
    repo.commit({})
    assert _names(reader, repo, "main") == ["greeter"]
    assert _names(reader, repo, "main", "") == ["trainer", "greeter"]


def test_what_is_broken_is_told_by_file(reader: Repositories, repo: Repo) -> None:
    repo.commit({"t/a.yaml": "a: [", "t/b.yaml": SERVING.replace("image:", "imago:"), "t/c.yaml": "x" * 2_000_000})
    problems = {item.file: item.problem for item in reader.read(repo.url, "main", "t", None)[1]}
    assert "cannot be read as YAML: line 2" in problems["a.yaml"]
    assert "image: is required" in problems["b.yaml"]
    assert problems["c.yaml"] == "is larger than 1 MiB"


@pytest.mark.parametrize(
    ("revision", "path", "problem"),
    [
        ("nope", "templates", "'nope' cannot be resolved"),
        ("deadbeef", "templates", "'deadbeef' cannot be resolved"),
        ("main", "nowhere", "the path 'nowhere' is no folder"),
        ("main", "templates/serve.yaml", "is no folder"),
    ],
)
def test_what_is_not_there_is_named(reader: Repositories, repo: Repo, revision: str, path: str, problem: str) -> None:
    repo.commit({"templates/serve.yaml": SERVING})
    with pytest.raises(GitError, match=problem):
        reader.read(repo.url, revision, path, None)


def test_credentials_open_the_door_and_show_up_nowhere(
    server: GitServer, reader: Repositories, repo: Repo, tmp_path: Path
) -> None:
    repo.commit({"templates/serve.yaml": SERVING})
    server.username, server.password = "robot", "s3cret-token"
    with pytest.raises(GitError, match="asks for credentials"):
        reader.read(repo.url, "main", "templates", None)
    with pytest.raises(GitError, match="does not take these credentials") as refused:
        reader.read(repo.url, "main", "templates", Credentials("robot", "wr0ng-token"))
    assert "wr0ng-token" not in str(refused.value)
    _, found = reader.read(repo.url, "main", "templates", Credentials("robot", "s3cret-token"))
    assert [item.name for item in found] == ["greeter"]
    kept = subprocess.run(["grep", "-r", "s3cret-token", reader.folder], capture_output=True)
    assert kept.stdout == b""


@pytest.mark.parametrize(
    "url", ["ext::sh -c 'touch {0}'", "file://{1}", "{1}", "--upload-pack=touch {0}", "git://127.0.0.1/x"]
)
def test_a_url_that_slipped_through_runs_nothing(reader: Repositories, repo: Repo, url: str, tmp_path: Path) -> None:
    repo.commit({"templates/serve.yaml": SERVING})
    mark = tmp_path / "mark"
    with pytest.raises(GitError):
        Mirror(reader.folder / "direct", reader.git).fetch(url.format(mark, repo.folder), "main")
    assert not mark.exists()


def test_a_server_that_hangs_costs_a_deadline(tmp_path: Path, access: RepositoryAccess) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        home = tmp_path / "home"
        home.mkdir()
        reader = Repositories(home, GitProgram(home, seconds=1, most_bytes=1_000_000), access)
        with pytest.raises(TimeoutError, match="did not finish within 1 s"):
            reader.read(f"http://127.0.0.1:{silent.getsockname()[1]}/x", "main", "", None)


def test_a_repository_that_is_too_large_is_refused(repo: Repo, tmp_path: Path, access: RepositoryAccess) -> None:
    (repo.folder / "large.bin").write_bytes(os.urandom(3_000_000))
    repo.commit({"templates/serve.yaml": SERVING})
    home = tmp_path / "home"
    home.mkdir()
    reader = Repositories(home, GitProgram(home, seconds=30, most_bytes=1_000_000), access)
    with pytest.raises(GitError, match="larger than allowed"):
        reader.read(repo.url, "main", "templates", None)


def test_what_was_fetched_and_damaged_is_fetched_anew(reader: Repositories, repo: Repo) -> None:
    repo.commit({"templates/serve.yaml": SERVING})
    assert _names(reader, repo, "main") == ["greeter"]
    (mirror,) = (path for path in reader.folder.iterdir() if path.is_dir())
    for kept in mirror.rglob("*"):
        if kept.is_file() and "objects" in kept.parts:
            kept.chmod(0o600)
            kept.write_bytes(b"damaged")
    for _ in range(2):
        try:
            assert _names(reader, repo, "main") == ["greeter"]
        except GitError:
            continue
    assert _names(reader, repo, "main") == ["greeter"]
