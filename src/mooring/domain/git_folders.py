"""A folder inside of a repository, as a path from its root."""

LONGEST_BYTES = 1024


def check(path: str) -> str:
    """The path, when it leads to a folder inside. Raises ValueError, saying what is wrong."""
    size = len(path.encode("utf-8", "surrogatepass"))
    if not 0 < size <= LONGEST_BYTES:
        raise ValueError(f"has {size} bytes; 1 to {LONGEST_BYTES} are allowed, and '.' is the repository itself")
    if not path.isprintable() or "\\" in path:
        raise ValueError("holds a control character or a backslash: join folders with /")
    if path.startswith(("/", "-", ":")):
        raise ValueError("begins with /, - or a colon: write it from the repository's root on, as in models/templates")
    if ".." in path.split("/"):
        raise ValueError("holds '..': it may not lead out of the repository")
    return path


def comparison_key(path: str) -> str:
    """Equal for paths of the same folder; empty for the repository itself."""
    return "/".join(part for part in path.split("/") if part not in ("", "."))
