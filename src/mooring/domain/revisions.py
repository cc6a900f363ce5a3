"""A revision: a deployment rendered with one configuration. What it runs never changes."""

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class RevisionState(Enum):
    """The life of a revision."""

    STARTING = "starting"  # wanted, no requests yet
    SERVING = "serving"  # gets the requests
    STANDBY = "standby"  # served before; kept for a moment, in case its successor fails
    DRAINING = "draining"  # finishes what it has, then ends
    FAILED = "failed"  # could not serve
    RETIRED = "retired"  # nothing of it runs any more


@dataclass(frozen=True)
class ModelServerSpec:
    """A logged model behind our model server.

    `model_uri` as MLflow understands it; `model_name` is safe in a URL; `resource_plan` names its size.
    """

    model_uri: str
    model_name: str
    model_version: str
    resource_plan: str

    def to_json(self) -> dict[str, Any]:
        """As kept in the store."""
        return {"kind": "model-server", **asdict(self)}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "ModelServerSpec":
        """Back from the store. Raises ValueError for a kind that this version does not know."""
        facts = dict(document)
        if facts.pop("kind", None) != "model-server":
            raise ValueError(f"unknown kind of revision: {document.get('kind')!r}")
        return cls(**facts)
