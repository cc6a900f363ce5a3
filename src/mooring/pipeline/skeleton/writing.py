"""Writes the files of a new project, and none that is there already."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from mooring.pipeline.refused import Refused

_ENDING = ".tmpl"
_READABLE = 0o644


@dataclass(frozen=True)
class Written:
    """Names of files, relative to the project's folder."""

    new: tuple[str, ...]
    kept: tuple[str, ...]
    """Those that were there already, whatever is in them."""


def project_files(name: str, scenario: str) -> Mapping[str, str]:
    """Content by name, for a project of this name and scenario."""
    values = {"@NAME@": name, "@SCENARIO@": scenario, "@IMAGE@": f"registry.example.com/{name}"}
    return {
        str(path).removesuffix(_ENDING): _filled(entry.read_text("utf-8"), values)
        for path, entry in _walk(files(__package__) / "project", PurePosixPath())
        if path.name.endswith(_ENDING)
    }


def write_project(folder: Path, name: str, scenario: str) -> Written:
    """Each file appears complete; one that is there stays as it is. Raises Refused (no folder) and OSError."""
    if folder.exists() and not folder.is_dir():
        raise Refused(f"{folder} is a file: give the folder in which the project is to lie")
    new: list[str] = []
    kept: list[str] = []
    for path, content in sorted(project_files(name, scenario).items()):
        (new if _write(folder / path, content) else kept).append(path)
    return Written(tuple(new), tuple(kept))


def _walk(folder: Traversable, at: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, at / entry.name)
        else:
            yield at / entry.name, entry


def _filled(text: str, values: Mapping[str, str]) -> str:
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text


def _write(path: Path, content: str) -> bool:
    """False when there is something of this name; a link that leads nowhere counts as well."""
    if path.is_symlink() or path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(content)
        Path(temporary).chmod(_READABLE)
        # A link fails where a rename would overwrite what somebody has made meanwhile.
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    finally:
        Path(temporary).unlink()
    return True
