"""Destinations: where one points, as far as we lead there ourselves, and which moves it has made."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any, Self
from urllib.parse import urlsplit

MOST_MOVES = 20
_OURS = re.compile(
    r"/v2/inference/deployments/(?P<id>[A-Za-z0-9_.-]{4,64})(?P<path>(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)/*"
)


class Level(Enum):
    """Whose a destination is. Both belong to the installation; of two with one name, the instance's is found."""

    INSTANCE = "instance"
    SUBACCOUNT = "subaccount"


@dataclass(frozen=True)
class Place:
    """Somewhere below a deployment's URL: `path` is empty, or begins with a slash and ends without one."""

    deployment_id: str
    path: str = ""


@dataclass(frozen=True)
class Pointer:
    """Where `/destinations/{name}` leads: `percent` of the requests to the canary, the others to the target.

    Copies of `mirror_percent` of the target's requests go to the mirror as well; its answers are dropped. All three
    are deployments of one resource group, and `path` is the same below each of them.
    """

    resource_group: str
    deployment_id: str
    path: str = ""
    canary_id: str | None = None
    percent: int = 0
    mirror_id: str | None = None
    mirror_percent: int = 100

    def without_canary(self) -> Self:
        """The same with all requests for the target."""
        return replace(self, canary_id=None, percent=0)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self | None:
        """None for a destination that leads out of here."""
        return cls(**fields) if fields else None


@dataclass(frozen=True)
class Move:
    """It pointed to `url` from `since` (RFC 3339) on; `by` is the client that moved it."""

    url: str
    since: str
    by: str

    def to_json(self) -> dict[str, str]:
        return {"URL": self.url, "Since": self.since, "By": self.by}

    @classmethod
    def from_json(cls, fields: Mapping[str, str]) -> Self:
        return cls(fields["URL"], fields["Since"], fields["By"])


def place_in(url: str) -> Place | None:
    """The place that a URL of ours names, by whichever host we are reached; None for all other URLs.

    Whether there is such a deployment is another question.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    found = _OURS.fullmatch(parts.path)
    if parts.scheme not in ("http", "https") or found is None or parts.query or parts.fragment:
        return None
    return Place(found["id"], found["path"])


def moved(moves: Sequence[Move], latest: Move) -> list[Move]:
    """The moves with one more, newest first; none when it points there already. The oldest are forgotten."""
    if moves and moves[0].url == latest.url:
        return list(moves)
    return [latest, *moves][:MOST_MOVES]
