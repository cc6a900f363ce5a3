"""Where a git repository lies: behind https, http or ssh, or in a folder, written so that git reads it in one way only.

git runs a program for `ext::…` and takes what begins with a hyphen for an option, ssh does the latter with hosts. So
only what is known to be harmless is let through. Credentials are not: a url is listed, and ends up in logs.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

LONGEST = 1024
FORMS = "https://host/path, http://host/path, ssh://[user@]host/path or user@host:path"
LOCAL = "file"
"""The scheme of a repository in a folder of this machine: `file:///path` or `/path`. The operator says which."""
_HOST = r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"
_PORT = r"(?::(?P<port>[0-9]{1,5}))?"
_USER = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}"
_PATH = r"(?P<path>(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})+)"
_WITH_SCHEME = re.compile(rf"(?P<scheme>https?|ssh)://(?:{_USER}@)?{_HOST}{_PORT}/{_PATH}")
_LIKE_SCP = re.compile(rf"{_USER}@{_HOST}:/?{_PATH}")
_FILE_SCHEME = "file://"
_HIGHEST_PORT = 65535


@dataclass(frozen=True)
class GitUrl:
    """A url that was checked. `path` is as it was written, without a slash at its beginning.

    A local one has no host, and its path is the folder's: absolute, with nothing left to decode.
    """

    text: str
    scheme: str
    host: str
    path: str
    port: int | None = None

    @property
    def repository(self) -> str:
        """What the repository is called: the last part of the path, without `.git`."""
        path = self.path.rstrip("/").removesuffix("/.git").rpartition("/")[2]
        return (path if self.scheme == LOCAL else unquote(path)).removesuffix(".git")


def parse(url: str) -> GitUrl:
    """Raises ValueError, saying what is wrong; the url is not repeated, because it may hold a password."""
    if not 0 < len(url) <= LONGEST:
        raise ValueError(f"has {len(url)} characters; 1 to {LONGEST} are allowed")
    if url.startswith(("/", _FILE_SCHEME)):
        return _local(url)
    _refuse_credentials(url)
    match = _WITH_SCHEME.fullmatch(url) or _LIKE_SCP.fullmatch(url)
    if match is None:
        raise ValueError(f"is no url of a git repository: write {FORMS}, other letters than ASCII as %XX")
    found = match.groupdict()
    port = int(found["port"]) if found.get("port") else None
    if port is not None and port not in range(1, _HIGHEST_PORT + 1):
        raise ValueError(f"names a port outside of 1 to {_HIGHEST_PORT}")
    _refuse_odd_path(found["path"])
    return GitUrl(url, found.get("scheme") or "ssh", found["host"].lower(), found["path"], port)


def comparison_key(url: str) -> str:
    """Equal for urls of the same repository: case and slashes at the end do not matter (in a folder, case does)."""
    if url.startswith(("/", _FILE_SCHEME)):
        return _folder(url).rstrip("/")
    return url.lower().rstrip("/")


def place(url: str) -> str:
    """Equal for all urls of one repository: over https or ssh, on any port, with and without `.git`.

    Two repositories may share it (two servers on one host): good for saying what may have changed. Raises ValueError.
    """
    parsed = parse(url)
    if parsed.scheme == LOCAL:
        return parsed.path.rstrip("/")
    path = unquote(parsed.path).lower().rstrip("/").removesuffix(".git").rstrip("/")
    return f"{parsed.host}/{path}"


def _local(url: str) -> GitUrl:
    folder = _folder(url)
    if not folder.startswith("/"):
        raise ValueError("names a host together with file://: write file:///path")
    _refuse_odd_path(folder[1:])
    return GitUrl(url, LOCAL, "", folder)


def _folder(url: str) -> str:
    return unquote(url.removeprefix(_FILE_SCHEME)) if url.startswith(_FILE_SCHEME) else url


def _refuse_credentials(url: str) -> None:
    scheme, separator, rest = url.partition("://")
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    user, at, _ = authority.rpartition("@")
    if separator and at and (scheme.lower() != "ssh" or ":" in user):
        raise ValueError("holds a user name or a password: give them as username and password, a url can be listed")


def _refuse_odd_path(path: str) -> None:
    decoded = unquote(unquote(path))
    if not decoded.isprintable() or "\\" in decoded:
        raise ValueError("has a path with a control character or a backslash")
    parts = decoded.rstrip("/").split("/")
    if path.startswith(":") or any(part in ("", ".", "..") or part.startswith("-") for part in parts):
        raise ValueError("has a path with an empty part, '.', '..', or a part that begins with a hyphen")
