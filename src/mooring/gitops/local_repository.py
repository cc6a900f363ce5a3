"""A repository in a folder of this machine: one that the operator allows, and that consists of nothing else's files.

Whoever may write there must not have us read for them what they cannot read: a link, a work tree that lies elsewhere,
objects that are borrowed, a configuration that takes in other files. What else it says is git's to ignore
(`GitProgram`); this is about files.
"""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

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

_ENDLESS = (stat.S_ISFIFO, stat.S_ISCHR, stat.S_ISBLK)
"""Reading from these may never end. (A socket cannot be opened as a file; git itself has one for its monitor.)"""
_CONFIGURATIONS = ("config", "config.worktree")
_LARGEST_CONFIGURATION = 1_048_576
_INCLUDES = re.compile(rb"\[\s*include", re.IGNORECASE)
"""Wherever it stands, also where it is no section (in a comment, say): nobody needs to read it as git does."""


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
    for entry in _entries(path, git):
        _refuse_what_is_no_file(path, git, entry)
    for name in _CONFIGURATIONS:
        _refuse_includes(path, git / name)


def _refuse_what_is_no_file(path: Path, git: Path, entry: Path) -> None:
    try:
        mode = entry.lstat().st_mode
    except FileNotFoundError:
        return  # somebody works there
    if stat.S_ISLNK(mode):
        if not entry.resolve().is_relative_to(git):
            raise GitError(
                f"the repository {path} cannot be read: {entry.relative_to(git)} in its git folder is a link that "
                "leads out of it: put the file itself there"
            )
    elif any(is_one(mode) for is_one in _ENDLESS):
        raise GitError(
            f"the repository {path} cannot be read: {entry.relative_to(git)} in its git folder is a pipe or a device: "
            "remove it"
        )


def _refuse_includes(path: Path, configuration: Path) -> None:
    """Git would say of any file whether it is there, and wait for ever at a pipe."""
    try:
        with _opened(configuration) as file:
            text = file.read(_LARGEST_CONFIGURATION + 1)
    except FileNotFoundError:
        return
    if len(text) > _LARGEST_CONFIGURATION:
        raise GitError(
            f"the repository {path} cannot be read: its {configuration.name} has more than {_LARGEST_CONFIGURATION} "
            "bytes: remove from it what is not needed"
        )
    if _INCLUDES.search(text):
        raise GitError(
            f"the repository {path} cannot be read: its {configuration.name} has [include] or [includeIf] in it, which "
            "take in other files: write their settings there, or remove it"
        )


def _opened(file: Path) -> IO[bytes]:
    """Without waiting, whatever it has become meanwhile."""
    return os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")


def _entries(path: Path, git: Path) -> Iterator[Path]:
    seen = 0
    for folder, folders, files in os.walk(git):
        if folder == str(git):
            folders[:] = [name for name in folders if name not in _WITHOUT_EFFECT]
        seen += len(files)
        if seen > _MOST_FILES:
            raise GitError(f"the repository {path} has more than {_MOST_FILES} files: pack it with `git gc`")
        yield from (Path(folder, name) for name in (*folders, *files))
