# ruff: noqa: PTH105, PTH110 (pathlib would cost each shim a megabyte)
"""Small files in the replica's folder (the shim's working folder) that are complete or absent."""

import os

_RESERVED_BYTES = 8192


def exists(name: str) -> bool:
    """Whether there is a file of this name."""
    return os.path.exists(name)


def write(name: str, content: bytes) -> None:
    """Write beside the target, then rename over it. Raises OSError."""
    reserve(name)
    write_reserved(name, content)


def reserve(name: str) -> None:
    """Take the disk space of a small file now, so that writing it later succeeds on a full disk. Raises OSError."""
    descriptor = _open(name)
    try:
        os.posix_fallocate(descriptor, 0, _RESERVED_BYTES)
    finally:
        os.close(descriptor)


def write_reserved(name: str, content: bytes) -> None:
    """Write into what `reserve` took, then publish it under its name. Raises OSError."""
    descriptor = _open(name)
    try:
        os.pwrite(descriptor, content[:_RESERVED_BYTES], 0)
        os.ftruncate(descriptor, min(len(content), _RESERVED_BYTES))
    finally:
        os.close(descriptor)
    os.replace(f".{name}", name)


def _open(name: str) -> int:
    return os.open(f".{name}", os.O_WRONLY | os.O_CREAT, 0o600)
