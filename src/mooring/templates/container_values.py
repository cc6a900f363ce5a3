"""Single values in the fields of a container, once their placeholders are filled."""

import posixpath
import re
from collections.abc import Sequence

from mooring.templates.errors import TemplateError
from mooring.templates.trees import Scalar, Tree, kind_of, sequence, text

_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)
_LARGEST = 2**31 - 1
_SHOWN = 80
_HANDED_OVER = "that a program can be given: pass large values in files (an input artifact, or the volume of a secret)"
_LONGEST_PATH = 1024
_LONGEST_NAME = 255
_DEEPEST = 64
LONGEST_TEXT_BYTES = 124 << 10
"""Linux gives a program no longer argument or variable than 128 KiB, in which a variable's name has to fit, too."""
_MOST_BYTES = 1 << 20
_MOST_TEXTS = 4000
"""Of arguments and of variables: all are handed over at once, for which there is a limit, too."""


def shown(value: str) -> str:
    """A value in an error: quoted, and not at any length."""
    return repr(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…")


def flag(tree: Tree | None, path: str, *, default: bool = False) -> bool:
    """True or false, also in quotes (a placeholder may stand there). Raises TemplateError."""
    found = text(tree, path)
    if not found:
        return default
    if found.lower() not in ("true", "false"):
        raise TemplateError(path, f"is {shown(found)}; true or false is needed")
    return found.lower() == "true"


def number(tree: Tree | None, path: str, *, least: int = 0, most: int = _LARGEST) -> int | None:
    """A whole number, also in quotes; None when it is absent. Raises TemplateError."""
    found = text(tree, path)
    if not found:
        return None
    if not _NUMBER.fullmatch(found) or not least <= int(found) <= most:
        raise TemplateError(path, f"is {shown(found)}; a whole number from {least} to {most} is needed")
    return int(found)


def words(tree: Tree | None, path: str) -> tuple[str, ...] | None:
    """A list of texts, each as it was written; None when there are none, as in Kubernetes. Raises TemplateError."""
    found = tuple(_word(item, f"{path}[{i}]") for i, item in enumerate(sequence(tree, path)))
    return found or None


def without_nul(value: str, path: str) -> str:
    """No process can be given a text that holds a zero byte. Raises TemplateError."""
    if "\0" in value:
        raise TemplateError(path, "holds a zero byte, which no program can be given")
    return value


def short_enough(value: str, path: str) -> str:
    """What a program can be given as an argument or variable. Raises TemplateError."""
    if _size(value) > LONGEST_TEXT_BYTES:
        raise TemplateError(path, f"is longer than the {LONGEST_TEXT_BYTES} bytes {_HANDED_OVER}")
    return value


def refuse_too_much(texts: Sequence[str], path: str) -> None:
    """For all arguments, or all variables, of one program. Raises TemplateError."""
    if len(texts) > _MOST_TEXTS:
        raise TemplateError(path, f"has {len(texts)} entries; {_MOST_TEXTS} are allowed: pass many values in a file")
    if sum(map(_size, texts)) > _MOST_BYTES:
        raise TemplateError(path, f"comes to more than the {_MOST_BYTES} bytes {_HANDED_OVER}")


def absolute_path(value: str, path: str) -> str:
    """A path inside the container, in its shortest form. Raises TemplateError."""
    if not value.startswith("/") or _is_odd(value):
        raise TemplateError(path, f"is {shown(value)}; an absolute path without '..' and ':' is needed")
    _refuse_long(value, path)
    return "/" + posixpath.normpath(value).lstrip("/")


def relative_path(value: str, path: str) -> str:
    """A path below a folder, in its shortest form. Raises TemplateError."""
    if value.startswith("/") or _is_odd(value):
        raise TemplateError(path, f"is {shown(value)}; a relative path without '..' and ':' is needed")
    _refuse_long(value, path)
    return posixpath.normpath(value)


def _size(value: str) -> int:
    return len(value.encode(errors="surrogatepass"))


def _word(tree: Tree, path: str) -> str:
    if not isinstance(tree, Scalar):
        raise TemplateError(path, f"has to be a text, this is {kind_of(tree)}")
    return without_nul(tree.text, path)


def _is_odd(value: str) -> bool:
    return ".." in value.split("/") or ":" in value or not value.isprintable() or "\\" in value


def _refuse_long(value: str, path: str) -> None:
    """Below a folder of ours it has to be a path that the kernel takes."""
    parts = value.split("/")
    if (
        len(value.encode()) > _LONGEST_PATH
        or len(parts) > _DEEPEST
        or any(len(part.encode()) > _LONGEST_NAME for part in parts)
    ):
        limits = f"{_LONGEST_PATH} bytes, {_DEEPEST} names of {_LONGEST_NAME} bytes each"
        raise TemplateError(path, f"is {shown(value)}, which is too long: {limits} are allowed")
