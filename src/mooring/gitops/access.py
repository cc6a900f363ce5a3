"""How git gets to a repository, and to no machine or folder that it has no business with.

Over http, git is sent through a proxy of ours that checks each connection. ssh is told an address that has been
checked, together with the name under which the host's key is remembered. A folder has to be one of the operator's.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import getproxies, proxy_bypass

from mooring.domain import git_urls
from mooring.domain.git_urls import GitUrl
from mooring.gitops import local_repository
from mooring.gitops.errors import GitError
from mooring.network.guard import Guard
from mooring.network.reach import OutOfReach, Reach

_PORTS = {"http": 80, "https": 443, "ssh": 22}
_PROXY_NAMES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@dataclass(frozen=True)
class Way:
    """What git is given for a repository: its place, variables, options for ssh, a folder to trust."""

    place: str
    environment: Mapping[str, str] = field(repr=False)
    ssh_options: Mapping[str, str] = field(default_factory=dict)
    trusted: Path | None = None


class RepositoryAccess:
    """Hosts are those within `reach`, local repositories those below `folders`. `close` it."""

    def __init__(self, reach: Reach | None = None, folders: Sequence[Path] = ()) -> None:
        self._reach = reach or Reach()
        self._folders = tuple(folders)
        self._guard = Guard(self._reach)

    def close(self) -> None:
        """No repository is reached over http any more."""
        self._guard.close()

    def way_to(self, url: str) -> Way:
        """Raises GitError in words, OSError."""
        try:
            parsed = git_urls.parse(url)
        except ValueError as error:
            raise GitError(f"the url {error}") from None
        if parsed.scheme == git_urls.LOCAL:
            return self._to_folder(parsed)
        return self._over_ssh(parsed) if parsed.scheme == "ssh" else self._over_http(parsed)

    def _to_folder(self, url: GitUrl) -> Way:
        folder = local_repository.git_folder(Path(url.path), self._folders)
        return Way(str(folder), {"GIT_ALLOW_PROTOCOL": "file"}, trusted=folder)

    def _over_http(self, url: GitUrl) -> Way:
        allowed = {"GIT_ALLOW_PROTOCOL": url.scheme}
        if _has_operators_proxy(url):
            return Way(url.text, allowed)  # which decides, and may know names that we do not
        with _told(url):
            self._reach.addresses(url.host.strip("[]"), url.port or _PORTS[url.scheme])
        proxy = dict.fromkeys(_PROXY_NAMES, self._guard.proxy_url())
        none_without = {"no_proxy": "", "NO_PROXY": "", "GIT_HTTP_PROXY_AUTHMETHOD": "basic"}
        return Way(url.text, {**allowed, **proxy, **none_without})

    def _over_ssh(self, url: GitUrl) -> Way:
        host, port = url.host.strip("[]"), url.port or _PORTS["ssh"]
        with _told(url), self._reach.connect(host, port) as reached:
            address = str(reached.getpeername()[0])
        known_as = host if port == _PORTS["ssh"] else f"[{host}]:{port}"
        return Way(url.text, {"GIT_ALLOW_PROTOCOL": "ssh"}, {"Hostname": address, "HostKeyAlias": known_as})


@contextmanager
def _told(url: GitUrl) -> Iterator[None]:
    """Troubles on the way to a host, in words for whoever set the repository up."""
    try:
        yield
    except OutOfReach as error:
        raise GitError(
            f"the repository's host cannot be used: {error}. The operator can allow it with the setting git_hosts "
            "(MOORING_GIT_HOSTS)"
        ) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise GitError(f"the repository's host {url.host} cannot be reached: {reason}") from None


def _has_operators_proxy(url: GitUrl) -> bool:
    known = getproxies()
    return (url.scheme in known or "all" in known) and not proxy_bypass(url.host)
