"""Entries of a cache: folders whose time of modification is that of their last use."""

import os
from pathlib import Path


def touch(entry: Path) -> bool:
    """Mark it as used now; False when it is not there."""
    try:
        os.utime(entry)
    except FileNotFoundError:
        return False
    return True
