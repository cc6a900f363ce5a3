"""Image references: a strict grammar, because they come from templates and end in a command line."""

import re
from dataclasses import dataclass

from mooring.runtimes.base import ImageError

_LONGEST = 512
_HUB = "docker.io"
_HOST = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]{1,5})?"
)
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Reference:
    """Where an image is: never a transport, an option or a path. `short`: its template named no registry."""

    host: str
    path: str
    tag: str
    digest: str
    short: bool

    @property
    def full(self) -> str:
        """With registry, and tag or digest: what it stands for is nobody's to choose."""
        return f"{self.host}/{self.path}{self._version}"

    @property
    def made_here(self) -> str:
        """What podman calls an image of this name that was built or imported on this machine."""
        return f"localhost/{self.path.removeprefix('library/')}{self._version}"

    @property
    def _version(self) -> str:
        return f"@{self.digest}" if self.digest else f":{self.tag}"


def parse(image: str) -> Reference:
    """As docker and Kubernetes read it. Raises ImageError."""
    if len(image) > _LONGEST:
        raise ImageError(f"an image reference of {len(image)} characters is too long: {_LONGEST} at most")
    rest, at, digest = image.partition("@")
    first, slash, others = rest.partition("/")
    has_host = bool(slash) and (set(first) & set(".:") or first == "localhost")
    host, rest = (first, others) if has_host else (_HUB, rest)
    path, colon, tag = rest.partition(":")
    found = Reference(host, path, tag or "latest", digest, not has_host)
    sound = bool(at) <= bool(_DIGEST.fullmatch(digest)) and bool(colon) <= bool(_TAG.fullmatch(tag))
    if not (sound and _HOST.fullmatch(host) and _PATH.fullmatch(path)):
        raise ImageError(
            f"{image!r} is no image reference: write [REGISTRY/]NAME[:TAG] or [REGISTRY/]NAME@sha256:DIGEST"
        )
    if host == _HUB and "/" not in path:
        return Reference(host, f"library/{path}", found.tag, digest, found.short)
    return found
