"""A repository's objects on this machine: fetched, and read without ever being checked out.

Nothing of a repository becomes a file, a link or a program here: trees and blobs are read as git keeps them.
"""

import hashlib
import re
import signal
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mooring.gitops.errors import GitError, TooMuch, Unclear
from mooring.gitops.program import GitProgram

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_ALL = ("+refs/heads/*:refs/mooring/heads/*", "+refs/tags/*:refs/mooring/tags/*")
_OF_ALL = ("refs/mooring/heads/", "refs/mooring/tags/")
_OF_REVISIONS = "refs/mooring/revisions/"
_MOST_PACKS = 10
"""Each fetch leaves one behind."""
_SMALL_BYTES = 16 * 1024 * 1024
_FETCH = ("fetch", "--force", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--quiet")
_NOT_BY_ITSELF = ("remote ref", "not our ref", "unadvertised object")
_MOST_READ_BYTES = 64 * 1024 * 1024
"""Of a listing (half a million files), or of the files that are read."""
_LEFT_BY_THE_KILLED = ("*.lock", "gc.pid", "objects/pack/tmp_*", "objects/pack/.tmp-*", "objects/??/tmp_obj_*")
_PLAIN_FILES = frozenset({"100644", "100755", "100664"})


@dataclass(frozen=True)
class TreeFile:
    """A file of a commit: its path below the folder that was asked for, its object, its size in bytes."""

    path: str
    object_id: str
    size: int


class Mirror:
    """A bare repository in a folder of ours."""

    def __init__(self, folder: Path, git: GitProgram) -> None:
        self._folder = folder
        self._git = git

    def fetch(self, url: str, revision: str) -> str:
        """The commit that a branch, a tag or an abbreviated commit is now. Raises GitError, TimeoutError.

        `url` and `revision` were checked by `mooring.domain.git_urls` and `git_revisions`.
        """
        self._prepare()
        kept = _ref_of(revision)
        try:
            self._run(*_FETCH, "--depth=1", "--", url, f"+{revision}:{kept}")
            return self._commit(kept)
        except GitError as error:
            if not _COMMIT.fullmatch(revision) or not any(sign in str(error) for sign in _NOT_BY_ITSELF):
                raise _in_words(error, revision) from None
        # A commit that no server hands out by itself: fetch what it may be a part of.
        try:
            self._run(*_FETCH, "--prune", *self._deepen(), "--", url, *_ALL)
        except GitError as error:
            raise _in_words(error, revision) from None
        try:
            commit = self._commit(revision)
        except GitError:
            raise GitError(f"the revision {revision!r} cannot be resolved: no branch or tag leads to it") from None
        self._run("update-ref", "--no-deref", "--end-of-options", kept, commit)  # it stays when its branch goes
        return commit

    def files(self, commit: str, folder: str) -> list[TreeFile]:
        """The plain files below a folder (empty: the root); links and submodules are not followed.

        Raises GitError when there is no such folder.
        """
        tree = f"{commit}:{folder}"
        try:
            listed = self._read("ls-tree", "-r", "-z", "-l", "--full-tree", "--end-of-options", tree)
        except TooMuch:
            raise GitError(
                f"the path {folder or '.'!r} holds too many files to be listed: name a smaller one"
            ) from None
        except GitError:
            raise Unclear(f"the path {folder or '.'!r} is no folder of the repository at {commit[:12]}") from None
        return [file for line in listed.split(b"\0") if line for file in _file(line)]

    def contents(self, files: Sequence[TreeFile]) -> Iterator[tuple[TreeFile, bytes]]:
        """What the files hold, in their order."""
        asked = "".join(f"{file.object_id}\n" for file in files).encode()
        try:
            answer = memoryview(self._read("cat-file", "--batch", stdin=asked) if files else b"")
        except GitError as error:
            raise Unclear(str(error)) from None
        for file in files:
            head, _, _ = bytes(answer[:200]).partition(b"\n")
            if head.endswith(b" missing"):
                raise Unclear(f"the object {file.object_id} is missing")
            size = int(head.split()[2])
            start = len(head) + 1
            yield file, bytes(answer[start : start + size])
            answer = answer[start + size + 1 :]

    def is_damaged(self) -> bool:
        """Whether something is missing or cannot be read (a full disk, a power cut). Raises TimeoutError."""
        try:
            self._run("fsck", "--connectivity-only", "--no-dangling", "--no-progress")
        except GitError:
            return True
        return False

    def tidy(self, most_bytes: int) -> None:
        """Give up what is no longer asked for, if that is a lot by now. Raises GitError, TimeoutError."""
        packs, size = self._amount()
        added = size - max(packs, default=0)  # to the largest pack, which is what was there when it was last tidied up
        if len(packs) > _MOST_PACKS or added > max(_SMALL_BYTES, size // 2) or size > most_bytes:
            self._run("gc", "--quiet", "--prune=now")
            if self._amount()[1] > most_bytes:
                raise TooMuch("the repository is larger than allowed")

    def forget_revisions(self, but: Collection[str]) -> None:
        """Of the revisions that were fetched once, only these are still wanted. Raises GitError, TimeoutError."""
        if not (self._folder / "HEAD").exists():
            return
        known = self._run("for-each-ref", "--format=%(refname)").decode().split()
        kept = {_ref_of(revision) for revision in but}
        history = _OF_ALL if any(map(_COMMIT.fullmatch, but)) else ()
        gone = [name for name in known if name not in kept and not name.startswith(history)]
        for name in gone:
            self._run("update-ref", "--no-deref", "-d", "--end-of-options", name)

    def _amount(self) -> tuple[list[int], int]:
        """How large the packs are, and all of what was fetched, in bytes."""
        sizes = {path: path.stat().st_size for path in (self._folder / "objects").rglob("*") if path.is_file()}
        packs = [size for path, size in sizes.items() if path.suffix == ".pack"]
        return packs, sum(sizes.values())

    def _prepare(self) -> None:
        if not (self._folder / "HEAD").exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            self._run("init", "--bare", "--quiet", "--template=", "--end-of-options", ".")
        # Nobody else is here. Their locks would keep us out for good, and half a repository is a lot of disk.
        for pattern in _LEFT_BY_THE_KILLED:
            for left in self._folder.rglob(pattern):
                left.unlink(missing_ok=True)

    def _deepen(self) -> tuple[str, ...]:
        return ("--unshallow",) if (self._folder / "shallow").exists() else ()

    def _commit(self, name: str) -> str:
        return self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").decode().strip()

    def _run(self, *arguments: str) -> bytes:
        return self._git.run(arguments, folder=self._folder)

    def _read(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        return self._git.run(arguments, folder=self._folder, stdin=stdin, most_bytes=_MOST_READ_BYTES)


def _ref_of(revision: str) -> str:
    """Under which name it is kept: one for each, so that what several applications read is fetched in small pieces."""
    return _OF_REVISIONS + hashlib.sha256(revision.encode()).hexdigest()[:32]


def _file(line: bytes) -> Iterator[TreeFile]:
    facts, _, path = line.partition(b"\t")
    mode, kind, object_id, size = facts.decode("ascii").split()
    if kind == "blob" and mode in _PLAIN_FILES:
        yield TreeFile(path.decode(errors="replace"), object_id, int(size))


_UNTRUSTED = (
    "the certificate of the repository's host cannot be trusted: correct it there, or let the operator name its "
    "authority with GIT_SSL_CAINFO"
)
_WORDS = (
    (
        "couldn't find remote ref",
        "the revision {revision!r} cannot be resolved: there is no such branch, tag or commit",
    ),
    ("Authentication failed", "the repository does not take these credentials: change them with PATCH"),
    ("could not read Username", "the repository asks for credentials: give them with PATCH"),
    (
        "Permission denied (",
        "the repository's host does not take this key: give one that it knows with PATCH, the private key as password",
    ),
    ("Permission denied", "git may not read the repository's files: let its owner give the right to"),
    (
        "Host key verification failed",
        "the repository's host shows another key than before: check it, then let the operator remove the known one "
        "(`ssh-keygen -f repositories/known_hosts -R HOST` in Mooring's home)",
    ),
    ("Connection closed by", "the repository's host does not speak ssh, or does not want to"),
    ("Could not resolve host", "the repository's host cannot be found"),
    ("SSL certificate problem", _UNTRUSTED),
    ("server certificate verification failed", _UNTRUSTED),
    ("fsck error", "the repository holds something that git refuses, because it could do harm or is damaged"),
    ("redirect", "the repository has moved: register it under its new url"),
    ("returned error: 30", "the repository has moved: register it under its new url"),
    ("returned error: 403", "the repository may not be read with these credentials: change them with PATCH"),
    ("does not appear to be a git repository", "there is no repository at this url"),
    ("epository not found", "there is no repository at this url, or it is hidden from these credentials"),
    ("' not found", "there is no repository at this url, or it is hidden from these credentials"),
    ("exceeds", "the repository is larger than allowed"),
    (f"died of signal {int(signal.SIGXFSZ)}", "the repository is larger than allowed"),
)


def _in_words(error: GitError, revision: str) -> GitError:
    complaint = str(error)
    for theirs, ours in _WORDS:
        if theirs in complaint:
            return GitError(f"{ours.format(revision=revision)} (git: {complaint})")
    return Unclear(f"the repository cannot be read (git: {complaint})")
