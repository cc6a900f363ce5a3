"""From a repository's url to the templates in one of its folders."""

import fcntl
import hashlib
import logging
import os
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from mooring.domain.gitops import Credentials
from mooring.gitops.access import RepositoryAccess
from mooring.gitops.credentials import FOLDERS, handed_over
from mooring.gitops.errors import GitError, Unclear
from mooring.gitops.folder import read_folder
from mooring.gitops.mirror import Mirror
from mooring.gitops.program import GitProgram
from mooring.templates.found_template import FoundTemplate

_LOOK_AGAIN_SECONDS = 0.05
_logger = logging.getLogger("mooring.gitops")


@dataclass(frozen=True)
class Repositories:
    """Reads repositories; what was fetched of each is kept in a folder of ours, so that the next fetch is short."""

    folder: Path
    git: GitProgram
    access: RepositoryAccess = field(default_factory=RepositoryAccess)

    @property
    def longest_seconds(self) -> float:
        """How long git may take to read a repository: what is damaged is fetched twice."""
        return 2 * self.git.seconds

    def read(
        self, url: str, revision: str, path: str, credentials: Credentials | None
    ) -> tuple[str, list[FoundTemplate]]:
        """The commit that the revision is now, and all templates below the path (empty: the root).

        Raises GitError in words for whoever set the repository up, TimeoutError, OSError.
        """
        mirror_folder = self._mirror_of(url)
        way = self.access.way_to(url)
        with self._alone(mirror_folder), handed_over(way, credentials, home=self.folder) as environment:
            until = time.monotonic() + self.longest_seconds
            mirror = Mirror(mirror_folder, replace(self.git, environment=environment, until=until))
            was_there = mirror_folder.exists()
            try:
                found = self._read(mirror, way.place, revision, path)
            except Unclear:
                if not was_there or not mirror.is_damaged():
                    raise
                _logger.warning("what was fetched of %s is damaged: it is fetched anew", url)
                shutil.rmtree(mirror_folder)
                found = self._read(mirror, way.place, revision, path)
            self._tidy(mirror, mirror_folder)
            return found

    def keep_only(self, sources: Collection[tuple[str, str]]) -> None:
        """Remove what was fetched of anything but these urls and revisions. Raises OSError."""
        revisions: dict[Path, set[str]] = {}
        for url, revision in sources:
            revisions.setdefault(self._mirror_of(url), set()).add(revision)
        for lock in sorted(self.folder.glob("*.lock")):
            mirror_folder = lock.with_suffix("")
            with self._alone(mirror_folder):
                if mirror_folder in revisions:
                    self._forget_revisions(mirror_folder, revisions[mirror_folder])
                else:
                    if mirror_folder.exists():
                        shutil.rmtree(mirror_folder)
                    lock.unlink()

    def clean(self) -> None:
        """Remove what a killed predecessor has left behind, credentials among it. Nobody may be reading."""
        for left in self.folder.glob(f"{FOLDERS}*"):
            shutil.rmtree(left)

    def _mirror_of(self, url: str) -> Path:
        return self.folder / hashlib.sha256(url.encode()).hexdigest()[:32]

    def _read(self, mirror: Mirror, place: str, revision: str, path: str) -> tuple[str, list[FoundTemplate]]:
        commit = mirror.fetch(place, revision)
        return commit, read_folder(mirror, commit, path)

    def _forget_revisions(self, mirror_folder: Path, but: Collection[str]) -> None:
        try:
            Mirror(mirror_folder, self.git).forget_revisions(but)
        except (GitError, TimeoutError) as error:  # the next fetch finds out whether it is damaged
            _logger.warning("what was fetched once cannot be looked through: %s", error)

    def _tidy(self, mirror: Mirror, mirror_folder: Path) -> None:
        """A rewritten history leaves things behind with every push."""
        try:
            mirror.tidy(self.git.most_bytes)
        except (GitError, TimeoutError) as error:
            _logger.warning("what was fetched cannot be tidied up, it is fetched anew next time: %s", error)
            shutil.rmtree(mirror_folder)

    @contextmanager
    def _alone(self, mirror_folder: Path) -> Iterator[None]:
        """Nobody else fetches into the same folder meanwhile. Raises TimeoutError when they do not come to an end."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = mirror_folder.with_suffix(".lock")
        until = time.monotonic() + self.longest_seconds
        while True:
            with path.open("w") as lock:
                if _taken(lock) and _is_still(path, lock):
                    yield
                    return
            if time.monotonic() >= until:
                raise TimeoutError(
                    f"another control plane has been reading this repository for {self.longest_seconds:g} s: "
                    "it is tried again later"
                )
            time.sleep(_LOOK_AGAIN_SECONDS)


def _taken(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(path: Path, lock: IO[str]) -> bool:
    """Whether it was not removed while we waited for it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(lock.fileno()))
    except FileNotFoundError:
        return False
