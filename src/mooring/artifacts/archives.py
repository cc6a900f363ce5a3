"""tar.gz archives: packed the same for the same content, unpacked within limits and never out of their folder.

As Argo does it: what is packed is the root entry of its archive, and an archive with one root entry becomes that entry,
whatever its name is; one with several becomes a folder with all of them.
"""

import gzip
import os
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from mooring.artifacts.contents import Source, is_executable, opened
from mooring.artifacts.deadline import Deadline
from mooring.artifacts.errors import DamagedArchive
from mooring.artifacts.unpacking import ArchiveLimits, ForwardReader, Unpacking

_LEVEL = 1
_SAMPLE_BYTES = 1 << 20
_WORTH_IT = 0.9
"""Weights hardly get any smaller, and then it is 20 times as quick not to try: a run waits for it."""
_MAGIC = b"\x1f\x8b\x08"
_HEADER_BYTES = 512
_BROKEN = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, OverflowError, RecursionError)


def is_packed(path: Path) -> bool:
    """Whether it begins as a tar.gz does; its name says nothing. Raises OSError for what cannot be read."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            return False
        file.seek(0)
        try:
            header = gzip.GzipFile(fileobj=file).read(_HEADER_BYTES)
            tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        except _BROKEN:
            return False
    return True


def pack(source: Source, name: str, target: Path, deadline: Deadline) -> None:
    """All of the source below `name`, into a new file. Raises Unstorable, TookTooLong, OSError."""
    with (
        target.open("xb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=_level(source), mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        for folder in _folders_of(source):
            archive.addfile(_entry(f"{name}/{folder}".rstrip("/"), folder=True))
        for relative, path in sorted(source.files.items()):
            deadline.left()
            _add(archive, f"{name}/{relative}".rstrip("/"), path, source)


def unpack(archive: Path, target: Path, limits: ArchiveLimits, deadline: Deadline, *, root_kept: bool = False) -> None:
    """Make the target, which is not there yet, of what was packed; `root_kept` makes it a folder with it instead.

    Works in a folder beside the target, which belongs to the caller, who also removes what a failure leaves. Raises
    UnsafeContent, DamagedArchive, TookTooLong, OSError.
    """
    folder = target.with_name(f"{target.name}.unpacked")
    folder.mkdir(mode=0o755)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        unpacking = Unpacking(descriptor, limits)
        with _soundness():
            _read(archive, unpacking, limits, deadline)
        unpacking.make_links()
    finally:
        os.close(descriptor)
    stripped = _placed(folder, target, root_kept=root_kept)
    unpacking.check_links(target, stripped)


def _read(archive: Path, unpacking: Unpacking, limits: ArchiveLimits, deadline: Deadline) -> None:
    with archive.open("rb") as file, gzip.GzipFile(fileobj=file) as packed:
        reader = ForwardReader(cast("IO[bytes]", packed), archive.stat().st_size, limits, deadline)
        with tarfile.open(fileobj=cast("IO[bytes]", reader), mode="r:") as members:
            for member in members:
                unpacking.take(member, reader)
        reader.drain()  # its checksum is at the end


@contextmanager
def _soundness() -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise DamagedArchive(f"the archive cannot be unpacked, {type(error).__name__}: store it again") from error


def _placed(folder: Path, target: Path, *, root_kept: bool) -> int:
    """How many names of each member were left out."""
    roots = list(folder.iterdir())
    if root_kept or len(roots) != 1:
        folder.rename(target)
        return 0
    roots[0].rename(target)
    folder.rmdir()
    return 1


def _level(source: Source) -> int:
    """By the largest file's beginning: the same for the same content."""
    sizes = {name: path.stat().st_size for name, path in source.files.items()}
    if not sizes:
        return _LEVEL
    with opened(source.files[max(sizes, key=lambda name: (sizes[name], name))], source) as descriptor:
        sample = os.pread(descriptor, _SAMPLE_BYTES, 0)
    return _LEVEL if len(zlib.compress(sample, _LEVEL)) <= _WORTH_IT * len(sample) else 0


def _folders_of(source: Source) -> list[str]:
    """Also those with files in them; none of a file."""
    found = {"", *source.empty_folders} if not source.is_file else set()
    for name in (*source.files, *source.empty_folders):
        parts = name.split("/")
        found |= {"/".join(parts[:depth]) for depth in range(1, len(parts))}
    return sorted(found)


def _add(archive: tarfile.TarFile, name: str, path: Path, source: Source) -> None:
    with opened(path, source) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
        entry = _entry(name, executable=is_executable(descriptor))
        entry.size = os.fstat(descriptor).st_size
        archive.addfile(entry, file)


def _entry(name: str, *, folder: bool = False, executable: bool = False) -> tarfile.TarInfo:
    """Without times, owners and other modes: the same content is the same archive."""
    entry = tarfile.TarInfo(name)
    entry.type = tarfile.DIRTYPE if folder else tarfile.REGTYPE
    entry.mode = 0o755 if folder or executable else 0o644
    return entry
