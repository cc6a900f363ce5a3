"""Names that come from elsewhere (an object store's listing, an archive) and are to be paths below a folder of ours."""

from mooring.artifacts.errors import UnsafeContent, UnusableUri

_LONGEST_PART_BYTES = 255
_LONGEST_NAME_BYTES = 1024
_DEEPEST = 64
_BACKSLASH = "\\"


def trouble_with(name: str) -> str | None:
    """What is wrong with it as a relative path in plain form; None when nothing is."""
    parts = name.split("/")
    if name.startswith("/"):
        return "is absolute"
    if any(part in ("", ".", "..") for part in parts):
        return "has a part that is empty, '.' or '..'"
    if any(character < " " or character in (_BACKSLASH, "\x7f") for character in name):
        return "has a backslash or a control character in it"
    try:
        longest = max(len(part.encode()) for part in parts)
    except UnicodeEncodeError:
        return "is not UTF-8"
    if longest > _LONGEST_PART_BYTES or len(name.encode()) > _LONGEST_NAME_BYTES or len(parts) > _DEEPEST:
        return f"is too long (a part may have {_LONGEST_PART_BYTES} bytes, all {_LONGEST_NAME_BYTES}) or too deep"
    return None


def checked_name(name: str, where: str) -> str:
    """The name, when it is a plain relative path. Raises UnsafeContent.

    Refused rather than cleaned: whoever gives such names is broken or hostile, and two of them could become one.
    """
    if trouble := trouble_with(name):
        raise UnsafeContent(f"{where} has something named {name[:200]!r}, which {trouble}: nothing was kept")
    return name


def checked_key(key: str) -> str:
    """The key of an object or of a prefix, without the slash at its end. Raises UnusableUri."""
    plain = key.removesuffix("/")
    if plain and (trouble := trouble_with(plain)):
        raise UnusableUri(f"the path {key[:200]!r} in an object store {trouble}: give it a plain one")
    return plain
