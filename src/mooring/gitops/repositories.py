"""From a repository's url to the templates in one of its folders."""

import fcntl
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mooring.domain.gitops import Credentials
from mooring.gitops.credentials import handed_over
from mooring.gitops.errors import GitError
from mooring.gitops.folder import read_folder
from mooring.gitops.mirror import Mirror
from mooring.gitops.program import GitProgram
from mooring.templates.found_template import FoundTemplate


@dataclass(frozen=True)
class Repositories:
    """Reads repositories; what was fetched of each is kept in a folder of ours, so that the next fetch is short."""

    folder: Path
    git: GitProgram

    def read(
        self, url: str, revision: str, path: str, credentials: Credentials | None
    ) -> tuple[str, list[FoundTemplate]]:
        """The commit that the revision is now, and all templates below the path (empty: the root).

        Raises GitError in words for whoever set the repository up, TimeoutError, OSError.
        """
        mirror_folder = self.folder / hashlib.sha256(url.encode()).hexdigest()[:32]
        with self._alone(mirror_folder), handed_over(credentials, home=self.folder) as environment:
            mirror = Mirror(mirror_folder, replace(self.git, environment=environment))
            try:
                commit = mirror.fetch(url, revision)
                return commit, read_folder(mirror, commit, path)
            except GitError as error:
                if not _is_damaged(error):
                    raise
                shutil.rmtree(mirror_folder)  # cut off by a full disk, say; the next look fetches it anew
                raise GitError("what was fetched of the repository before is damaged: it is fetched anew") from error

    @contextmanager
    def _alone(self, mirror_folder: Path) -> Iterator[None]:
        """Nobody else fetches into the same folder meanwhile."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with mirror_folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _is_damaged(error: GitError) -> bool:
    return any(
        sign in str(error)
        for sign in ("bad object", "unable to read", "corrupt", "not a git repository", "loose object")
    )
