"""What a model registry holds, as far as deploying is concerned: read once per round, then only looked at."""

from collections.abc import Mapping
from dataclasses import dataclass, field

PRODUCTION = "production"
"""The alias or the version tag that asks for a version to be served."""


@dataclass(frozen=True)
class ModelVersion:
    """One version; `ready` is false while MLflow still registers it, or could not."""

    name: str
    version: int
    stage: str = "None"
    ready: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RegisteredModel:
    """`newest` holds the newest version of each stage."""

    name: str
    aliases: Mapping[str, int] = field(default_factory=dict)
    newest: tuple[ModelVersion, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """One registered model with the versions that matter.

    `marked`: those with the tag, whatever its value; `reported`: those about which the registry says, by our tags,
    anything but STOPPED.
    """

    model: RegisteredModel
    marked: tuple[ModelVersion, ...] = ()
    reported: tuple[ModelVersion, ...] = ()

    def tags_of(self, version: int) -> Mapping[str, str] | None:
        """The version's tags, if it was read."""
        for each in (*self.reported, *self.marked, *self.model.newest):
            if each.version == version:
                return each.tags
        return None
