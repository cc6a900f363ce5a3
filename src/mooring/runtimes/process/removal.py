"""Removing a folder that a replica could write to."""

import os
import shutil
from pathlib import Path


def remove(folder: Path) -> None:
    """Out of sight in one step, then removed; what an earlier attempt left is removed too. Raises OSError."""
    hidden = folder.with_name(f".forgotten-{folder.name}")
    if hidden.exists():
        _remove(hidden)
    folder.rename(hidden)
    _remove(hidden)


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except PermissionError:
        _unlock(folder)
        shutil.rmtree(folder)


def _unlock(folder: Path) -> None:
    """Programs make read-only folders, whose content even their owner cannot remove."""
    folder.chmod(0o700)
    for parent, names, _ in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            if not path.is_symlink():
                path.chmod(0o700)
