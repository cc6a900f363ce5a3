"""Repositories in folders are read where the operator allows it; nothing of theirs leads elsewhere or acts."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mooring.gitops.access import RepositoryAccess
from mooring.gitops.errors import GitError
from mooring.gitops.program import GitProgram
from mooring.gitops.repositories import Repositories
from tests.git_server import Repo
from tests.templates.samples import SERVING

_NOBODY = 65534


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """What the operator allows."""
    made = tmp_path / "allowed"
    made.mkdir()
    return made


@pytest.fixture
def reader(tmp_path: Path, folders: Path) -> Iterator[Repositories]:
    home = tmp_path / "home"
    home.mkdir()
    access = RepositoryAccess(folders=[folders])
    yield Repositories(home, GitProgram(home, seconds=30, most_bytes=100_000_000), access)
    access.close()


def _new(folder: Path) -> Repo:
    folder.mkdir(parents=True)
    repo = Repo(folder, str(folder))
    repo.git("init", "--quiet", "--initial-branch=main")
    repo.commit({"templates/serve.yaml": SERVING})
    return repo


@pytest.fixture
def repo(folders: Path) -> Repo:
    return _new(folders / "team" / "models")


@pytest.fixture
def secret(tmp_path: Path) -> Repo:
    """Somebody else's, which we could read."""
    return _new(tmp_path / "secret")


def _names(reader: Repositories, url: Path | str) -> list[str]:
    return [item.name for item in reader.read(str(url), "main", "templates", None)[1]]


def test_every_way_to_name_one(reader: Repositories, repo: Repo, folders: Path) -> None:
    repo.git("clone", "--quiet", "--bare", ".", str(folders / "bär e.git"))
    repo.git("clone", "--quiet", "--bare", ".", str(folders / 'od"d#%41'))
    (folders / "link").symlink_to(repo.folder)
    for url in (
        repo.folder,
        f"{repo.folder}/",
        repo.folder / ".git",
        f"file://{repo.folder}",
        folders / "bär e.git",
        f"file://{folders}/b%C3%A4r%20e.git",
        folders / 'od"d#%41',
        folders / "link",
    ):
        assert _names(reader, url) == ["greeter"], url


def test_what_is_pushed_is_seen(reader: Repositories, repo: Repo) -> None:
    assert _names(reader, repo.folder) == ["greeter"]
    repo.commit({"templates/serve.yaml": None, "templates/other.yaml": SERVING.replace("greeter", "other")})
    assert _names(reader, repo.folder) == ["other"]


def test_commits_and_tags_are_read_as_elsewhere(reader: Repositories, repo: Repo) -> None:
    first = repo.git("rev-parse", "HEAD")
    repo.git("tag", "v1")
    repo.commit({"templates/serve.yaml": None})
    for revision in ("v1", first, first[:10]):
        assert reader.read(str(repo.folder), revision, "templates", None)[0] == first


@pytest.mark.parametrize("elsewhere", ["{secret}", "/etc", "{allowed}x", "{allowed}/../secret", "{allowed}/nowhere/x"])
def test_what_lies_elsewhere_is_refused(
    reader: Repositories, repo: Repo, secret: Repo, folders: Path, elsewhere: str
) -> None:
    secret.git("clone", "--quiet", ".", f"{folders}x")
    url = elsewhere.format(secret=secret.folder, allowed=folders)
    with pytest.raises(GitError, match=r"git_folders|'\.\.'|no git repository"):
        _names(reader, url)


def test_without_the_operators_word_none_is_read(tmp_path: Path, repo: Repo) -> None:
    home = tmp_path / "home"
    home.mkdir()
    strict = Repositories(home, GitProgram(home, seconds=30, most_bytes=1_000_000))
    with pytest.raises(GitError, match=r"setting git_folders \(MOORING_GIT_FOLDERS\)"):
        _names(strict, repo.folder)


def _the_folder(repo: Repo, secret: Path) -> None:
    repo.folder.rename(repo.folder.with_name("away"))
    repo.folder.symlink_to(secret)


def _the_git_folder(repo: Repo, secret: Path) -> None:
    (repo.folder / ".git").rename(repo.folder / "away")
    (repo.folder / ".git").symlink_to(secret / ".git")


def _a_git_file(repo: Repo, secret: Path) -> None:
    (repo.folder / ".git").rename(repo.folder / "away")
    (repo.folder / ".git").write_text(f"gitdir: {secret}/.git\n")


def _a_common_folder(repo: Repo, secret: Path) -> None:
    (repo.folder / ".git" / "commondir").write_text(f"{secret}/.git\n")


def _the_objects(repo: Repo, secret: Path) -> None:
    (repo.folder / ".git" / "objects").rename(repo.folder / "away")
    (repo.folder / ".git" / "objects").symlink_to(secret / ".git" / "objects")


def _a_pack(repo: Repo, secret: Path) -> None:
    Repo(secret, "").git("gc", "--quiet")
    for file in (secret / ".git/objects/pack").iterdir():
        (repo.folder / ".git/objects/pack" / file.name).symlink_to(file)


def _a_branch(repo: Repo, secret: Path) -> None:
    branch = repo.folder / ".git/refs/heads/main"
    branch.unlink()
    branch.symlink_to(secret / ".git/refs/heads/main")


def _borrowed_objects(repo: Repo, secret: Path) -> None:
    (repo.folder / ".git/objects/info/alternates").write_text(f"{secret}/.git/objects\n")


def _one_inside(repo: Repo, secret: Path) -> None:
    subprocess.run(["cp", "-r", str(secret / ".git"), str(repo.folder / ".git" / ".git")], check=True)


@pytest.mark.parametrize(
    "lead",
    [
        _the_folder,
        _the_git_folder,
        _a_git_file,
        _a_common_folder,
        _the_objects,
        _a_pack,
        _a_branch,
        _borrowed_objects,
        _one_inside,
    ],
)
def test_nothing_of_it_leads_elsewhere(
    reader: Repositories, repo: Repo, secret: Repo, lead: Callable[[Repo, Path], None]
) -> None:
    (secret.folder / "templates/serve.yaml").write_text(SERVING.replace("greeter", "secret"))
    secret.commit({})
    lead(repo, secret.folder)
    with pytest.raises(GitError) as refused:
        _names(reader, repo.folder)
    assert "git:" not in str(refused.value), "it was refused before git saw it"


@pytest.mark.parametrize("name", ["config", "config.worktree"])
@pytest.mark.parametrize(
    "text",
    [
        "[include]\n\tpath = {file}\n",
        "[INCLUDE]path={file}",
        "[core] [iNcLuDe] path = {file}\n",
        '[includeIf "gitdir:/**"]\n\tpath = {file}\n',
        '[INCLUDEIF "onbranch:main"]\r\npath = "{file}"\r\n',
        "\ufeff[include]\npath = {file}\n",
    ],
)
def test_its_configuration_takes_in_no_other_file(
    reader: Repositories, repo: Repo, tmp_path: Path, name: str, text: str
) -> None:
    """Git would complain of a file that is there and of none that is not: that tells which are."""
    for file in (tmp_path / "there", tmp_path / "nowhere"):
        (tmp_path / "there").write_text("no configuration [")
        _append(repo.folder / ".git" / name, "\n" + text.format(file=file))
        with pytest.raises(GitError, match=rf"its {name} has \[include\] or \[includeIf\] in it"):
            _names(reader, repo.folder)


def _append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8", newline="") as opened:
        opened.write(text)


@pytest.mark.parametrize("name", ["config", "config.worktree", "packed-refs", "refs/heads/other", "objects/info/packs"])
def test_nobody_waits_at_a_pipe_of_it(reader: Repositories, repo: Repo, name: str) -> None:
    place = repo.folder / ".git" / name
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    with pytest.raises(GitError, match=f"{name} in its git folder is a pipe or a device: remove it"):
        _names(reader, repo.folder)


def test_a_configuration_has_an_end(reader: Repositories, repo: Repo) -> None:
    _append(repo.folder / ".git" / "config", "# " + "x" * 1_100_000 + "\n")
    with pytest.raises(GitError, match="its config has more than 1048576 bytes"):
        _names(reader, repo.folder)


_SETTINGS = {
    "uploadpack.packObjectsHook": "{mark}.sh",
    "core.fsmonitor": "{mark}.sh",
    "core.sshCommand": "{mark}.sh",
    "core.gitProxy": "{mark}.sh",
    "core.alternateRefsCommand": "{mark}.sh",
    "core.hooksPath": "{folder}/hooks",
    "core.pager": "{mark}.sh",
    "core.askPass": "{mark}.sh",
    "credential.helper": "!{mark}.sh",
    "gpg.program": "{mark}.sh",
    "filter.evil.smudge": "{mark}.sh",
    "protocol.allow": "always",
    "protocol.ext.allow": "always",
    "uploadpack.allowAnySHA1InWant": "true",
}


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A file that is only there when something of the repository was run."""
    path = tmp_path / "mark"
    script = path.with_name("mark.sh")
    script.write_text(f'#!/bin/sh\ntouch {path}\nexec "$@"\n')
    script.chmod(0o755)
    return path


def test_neither_its_settings_nor_its_hooks_act(reader: Repositories, repo: Repo, mark: Path) -> None:
    hooks = repo.folder / ".git" / "hooks"
    for name in ("post-upload-pack", "pre-auto-gc", "reference-transaction", "post-checkout", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (hooks / name).chmod(0o755)
    for name, value in _SETTINGS.items():
        repo.git("config", name, value.format(mark=mark, folder=repo.folder / ".git"))
    mark.unlink(missing_ok=True)
    assert _names(reader, repo.folder) == ["greeter"]
    assert not mark.exists()
    repo.git("config", "protocol.file.allow", "never")
    assert _names(reader, repo.folder) == ["greeter"], "what it forbids is not its to forbid, either"


@pytest.mark.parametrize("remote", ["file", "ext"])
def test_what_it_has_left_out_is_not_fetched_for_it(
    reader: Repositories, repo: Repo, mark: Path, remote: str, secret: Repo
) -> None:
    """A partial clone names a program by which its missing objects are got: as us, if we let it."""
    blob = repo.git("rev-parse", "HEAD:templates/serve.yaml")
    (repo.folder / ".git/objects" / blob[:2] / blob[2:]).unlink()
    for name, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.partialCloneFilter": "blob:none",
        "remote.origin.url": str(secret.folder) if remote == "file" else f"ext::{mark}.sh",
        "remote.origin.uploadpack": f"{mark}.sh git-upload-pack",
        "protocol.ext.allow": "always",
        "protocol.file.allow": "always",
    }.items():
        repo.git("config", name, value)
    with pytest.raises(GitError):
        _names(reader, repo.folder)
    assert not mark.exists()


def test_submodules_are_names_and_nothing_else(reader: Repositories, repo: Repo, secret: Repo) -> None:
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(secret.folder), "templates/sub")
    repo.commit({})
    assert _names(reader, repo.folder) == ["greeter"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to another user")
def test_a_repository_of_another_user_is_read_and_that_one_only(
    reader: Repositories, repo: Repo, folders: Path, tmp_path: Path
) -> None:
    other = _new(folders / "other")
    for repository in (repo, other):
        subprocess.run(["chown", "-R", str(_NOBODY), str(repository.folder)], check=True)
    assert _names(reader, repo.folder) == ["greeter"]
    trusted = reader.access.way_to(str(repo.folder)).trusted
    assert trusted == repo.folder / ".git"


def test_no_repository_is_told_in_words(reader: Repositories, folders: Path) -> None:
    (folders / "empty").mkdir()
    (folders / "file").write_text("x")
    (folders / "bundle").write_text("# v2 git bundle\n")
    for name in ("empty", "file", "bundle", "nowhere"):
        with pytest.raises(GitError, match=r"there is no git repository in the folder .*git init"):
            _names(reader, folders / name)
