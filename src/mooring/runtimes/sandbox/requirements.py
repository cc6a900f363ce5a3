"""The requirements of a stand-in: a file of its folder, whose lines lead to nothing outside of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from mooring.domain.stand_ins import StandIn
from mooring.runtimes.base import ImageError

_DEFAULT = "requirements.txt"
_LARGEST_BYTES = 1 << 20
_SHOWN = 80
_CONTINUED = re.compile(r"\\\r?\n")
_COMMENT = re.compile(r"(^|\s)#.*")
_OTHER_FILES = re.compile(r"(-r|-c|-e|--requirements?\b|--constraints?\b|--editable\b)")
_PATH = re.compile(r"(?:^|[\s=@,'\"]|-f)(file:[^\s'\"]*|~?/[^\s'\"]*|\.{1,2}(?:/[^\s'\"]*|(?=\s|$)))")
_INNER = re.compile(r"[^\s=@:/]+/[^\s]*\.\.[^\s]*")


def find(stand_in: StandIn) -> Path | None:
    """The file, None when there is none. Raises ImageError."""
    path = stand_in.folder / (stand_in.requirements or _DEFAULT)
    if not path.is_file():
        if stand_in.requirements:
            raise ImageError(f"{path} is not there: correct `requirements` of the stand-in, or leave it out")
        return None
    if not path.resolve().is_relative_to(stand_in.folder.resolve()):
        raise ImageError(f"{path} leads out of the stand-in's folder: put a file of its own there")
    return path


def read(path: Path, folder: Path) -> bytes:
    """Its content. Raises ImageError, also for a line that is not used here."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ImageError(f"{path} is larger than {_LARGEST_BYTES >> 20} MiB")
        content = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror}") from error
    for line in _lines(content.decode(errors="replace")):
        if problem := _problem(line, folder):
            raise ImageError(f"{path} cannot be used: the line {line[:_SHOWN]!r} {problem}")
    return content


def _lines(text: str) -> Iterator[str]:
    for line in _CONTINUED.sub(" ", text).splitlines():
        if words := _COMMENT.sub("", line).strip():
            yield words


def _problem(line: str, folder: Path) -> str:
    if _OTHER_FILES.match(line):
        return "names other requirements (-r, -c, -e): write all of them into this file"
    for found in (*_PATH.findall(line), *_INNER.findall(line)):
        if not _lies_in(found, folder):
            return "leads out of the stand-in's folder: put the package into the folder, or take it from an index"
    return ""


def _lies_in(path: str, folder: Path) -> bool:
    plain = unquote(re.sub(r"^file:(//(localhost)?(?=/))?", "", path)).partition("[")[0].partition("#")[0]
    if plain.startswith("~") or "\0" in plain:
        return False
    return (folder / plain).resolve().is_relative_to(folder.resolve())
