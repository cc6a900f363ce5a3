"""What of a repository is read: a branch, a tag or a commit, in the form that git has for names (git check-ref-format).

What can be written here can be given to git as an argument: it is no option, no range and no expression.
"""

import re

LONGEST_BYTES = 255
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")


def check(revision: str) -> str:
    """The revision, when it is one. Raises ValueError, saying what is wrong."""
    size = len(revision.encode("utf-8", "surrogatepass"))
    if not 0 < size <= LONGEST_BYTES:
        raise ValueError(f"has {size} bytes; 1 to {LONGEST_BYTES} are allowed")
    if not revision.isprintable() or _FORBIDDEN.search(revision) or revision == "@":
        raise ValueError("is no name of a branch, a tag or a commit: blanks, .., //, @{ and ~^:?*[\\ are not allowed")
    if revision.startswith(("-", "/")) or revision.endswith(("/", ".")):
        raise ValueError("is no name of a branch, a tag or a commit: it begins with - or /, or ends with / or a dot")
    if any(part.startswith(".") or part.endswith(".lock") for part in revision.split("/")):
        raise ValueError("is no name of a branch, a tag or a commit: a part begins with a dot or ends with .lock")
    return revision
