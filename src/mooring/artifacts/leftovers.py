"""What those who died in the middle of a download have left behind."""

import shutil
from pathlib import Path

from mooring.artifacts.locks import if_free


def clear_leftovers(staging: Path, locks: Path, held: str) -> None:
    """Remove what is staged (`<key>-<anything>`) under the key whose lock we hold, or under one that nobody holds.

    A model of 10 GB that is never asked for again would otherwise take its place for ever.
    """
    for leftover in staging.glob("*-*"):
        key = leftover.name.partition("-")[0]
        if key == held:
            _remove(leftover)
            continue
        with if_free(locks / key) as free:
            if free:
                _remove(leftover)


def _remove(leftover: Path) -> None:
    # Not reported: it is in nobody's way but the disk's, and the next download tries again.
    shutil.rmtree(leftover, ignore_errors=True)
