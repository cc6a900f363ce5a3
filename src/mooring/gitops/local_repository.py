"""A repository in a folder of this machine: one that the operator allows, and that consists of nothing else's files.

Whoever may write there must not have us read for them what they cannot read: a link, a work tree that lies elsewhere,
objects that are borrowed. What their configuration says is git's to ignore (`GitProgram`); this is about files.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from mooring.gitops.errors import GitError

_MOST_FILES = 1_000_000
_WITHOUT_EFFECT = frozenset({"hooks", "worktrees", "modules", "lfs", "logs"})
"""Folders of a repository that nobody reads who fetches from it."""
_ELSEWHERE = (
    ("commondir", "it is a work tree of another repository: name that one"),
    (".git", "there is another repository in its git folder: remove it"),
    (
        "objects/info/alternates",
        "it borrows objects of another repository: let it have its own with `git repack -a -d`, "
        "then remove objects/info/alternates",
    ),
)


def git_folder(path: Path, folders: Sequence[Path]) -> Path:
    """Where git keeps the repository that lies at a path, links resolved. Raises GitError in words."""
    try:
        found = _inside(path, folders)
        own = found / ".git"
        git = _inside(own, folders) if os.path.lexists(own) else found
        _refuse_what_is_elsewhere(path, git)
    except OSError as error:
        raise GitError(f"the repository {path} cannot be read: {error.strerror or error}") from None
    return git


def _inside(path: Path, folders: Sequence[Path]) -> Path:
    # Whether it exists is nobody's business outside of the folders, so that is not told there.
    real = path.resolve()
    if not any(real.is_relative_to(folder.resolve()) for folder in folders):
        raise GitError(
            f"the folder {path} is not, or does not lead, below one that the operator lists in the setting git_folders "
            "(MOORING_GIT_FOLDERS)"
        )
    return real


def _refuse_what_is_elsewhere(path: Path, git: Path) -> None:
    if git.is_file() and git != path.resolve():
        raise GitError(f"the repository {path} is a work tree or a submodule of another one: name that one")
    if not (git / "HEAD").is_file() or not (git / "objects").is_dir():
        raise GitError(f"there is no git repository in the folder {path}: make one with `git init`, or correct the url")
    for name, problem in _ELSEWHERE:
        if os.path.lexists(git / name):
            raise GitError(f"the repository {path} cannot be read: {problem}")
    for link in _links(path, git):
        if not link.resolve().is_relative_to(git):
            raise GitError(
                f"the repository {path} cannot be read: {link.relative_to(git)} in its git folder is a link that leads "
                "out of it: put the file itself there"
            )


def _links(path: Path, git: Path) -> Iterator[Path]:
    seen = 0
    for folder, folders, files in os.walk(git):
        if folder == str(git):
            folders[:] = [name for name in folders if name not in _WITHOUT_EFFECT]
        seen += len(files)
        if seen > _MOST_FILES:
            raise GitError(f"the repository {path} has more than {_MOST_FILES} files: pack it with `git gc`")
        yield from (Path(folder, name) for name in (*folders, *files) if Path(folder, name).is_symlink())
