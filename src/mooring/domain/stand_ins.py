"""What runs instead of an image on a machine without a container engine, and for which images."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_HUB = ("docker.io/library/", "index.docker.io/library/", "docker.io/", "index.docker.io/")


@dataclass(frozen=True)
class StandIn:
    """A local folder in place of an image.

    `folder` is what is seen as `path` inside, read-only. `requirements` is a file in it (pip's format) that says what
    is installed; None: `requirements.txt` when there is one. `command` is run when a template names none. `python` is
    a version, or the path of an interpreter; None: the one that Mooring runs on.
    """

    folder: Path
    path: str = "/app/src"
    requirements: str | None = None
    command: tuple[str, ...] = ()
    python: str | None = None


class StandIns:
    """The stand-ins by image. One whose image has no tag stands for all tags."""

    def __init__(self, given: Mapping[str, StandIn]) -> None:
        self._by_image = {_normal(image): stand_in for image, stand_in in given.items()}

    def find(self, image: str) -> StandIn | None:
        """That of exactly this image comes first."""
        return next((self._by_image[name] for name in _names(_normal(image)) if name in self._by_image), None)


def _names(image: str) -> Iterator[str]:
    yield image
    without_digest = image.partition("@")[0]
    yield without_digest
    name = _without_tag(without_digest)
    if name == without_digest:
        yield f"{name}:latest"
    yield name


def _normal(image: str) -> str:
    """Docker's own abbreviations, taken back to the shortest form."""
    image = image.strip()
    prefix = next((prefix for prefix in _HUB if image.startswith(prefix)), "")
    return image.removeprefix(prefix)


def _without_tag(image: str) -> str:
    """A colon before the last slash is that of a registry's port."""
    head, slash, name = image.rpartition("/")
    return f"{head}{slash}{name.partition(':')[0]}"
