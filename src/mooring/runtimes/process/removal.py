"""Removing a folder that a replica could write to."""

from pathlib import Path

from mooring.files import remove_tree


def remove(folder: Path) -> None:
    """Out of sight in one step, then removed; what an earlier attempt left is removed too. Raises OSError."""
    finish(folder)
    hidden = _hidden(folder)
    folder.rename(hidden)
    remove_tree(hidden)


def finish(folder: Path) -> None:
    """Remove what an earlier attempt left. Raises OSError."""
    if _hidden(folder).exists():
        remove_tree(_hidden(folder))


def _hidden(folder: Path) -> Path:
    return folder.with_name(f".forgotten-{folder.name}")
