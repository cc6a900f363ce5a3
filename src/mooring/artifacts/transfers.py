"""Artifacts on their way between object stores and folders of this machine: what executions and servers need.

An `ai://<store>/<path>` names one object, or all objects below a prefix. Errors are `mooring.artifacts.errors`: those
that may pass (SourceAway, NoRoom, TookTooLong), and those that will not.
"""

from pathlib import Path
from typing import Protocol

from mooring.domain.object_stores import StoreAccess


class Transfers(Protocol):
    """Fetches and stores. Every call is slow: not for a transaction. Usable from many threads."""

    def fetch(self, group: str, access: StoreAccess | None, key: str, target: Path, *, unpack: bool = True) -> None:
        """Put what lies at `key` to `target`, which does not exist yet: complete, or not at all.

        One object becomes a file, the objects below `key/` become a folder with the same relative names. `unpack`: an
        object that is a tar.gz becomes the folder or file that was packed. `access` None is the installation's own
        store. Raises ArtifactError: NotThere when there is neither an object nor anything below the prefix, and so on.
        """

    def store(self, group: str, access: StoreAccess | None, key: str, source: Path, *, pack: bool) -> None:
        """Store a file or folder at `key`: as it is (a folder as the objects below `key/`), or packed as one tar.gz.

        What lay there before is replaced. Links inside a folder that lead out of it are refused. Raises ArtifactError.
        """

    def exists(self, group: str, access: StoreAccess | None, key: str) -> bool:
        """Whether there is an object, or anything below `key/`. Raises ArtifactError."""

    def remove(self, group: str, access: StoreAccess | None, key: str) -> None:
        """Remove the object at `key`, and everything below `key/`; nothing there is fine. Raises ArtifactError."""
