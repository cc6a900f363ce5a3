"""Whether a model that nobody asks for is to be undeployed: only on evidence, and only once it has lasted."""

import logging
import time
from collections.abc import Collection
from enum import Enum

from mooring.builder.sightings import Sightings
from mooring.builder.snapshot import Snapshot

_log = logging.getLogger("mooring.builder")

_KEPT = (
    "model %s is not in the registry, and this is not known to be the registry that it was in: what runs serves on. "
    "If it is to end, stop and delete its deployment by the AI API"
)


class Absence(Enum):
    """Why a model is not wanted."""

    UNMARKED = "the registry has it, without a mark"
    DELETED = "the registry that had it has it no more"
    UNEXPLAINED = "the registry does not have it, and may be another one: moved, or back with an empty database"


class Removals:
    """Seconds until a model is undeployed: without a mark `unmarked_seconds`, deleted `deleted_seconds`.

    One that is missing for no known reason stays. For one thread.
    """

    def __init__(self, sightings: Sightings, *, unmarked_seconds: float, deleted_seconds: float) -> None:
        self._sightings = sightings
        self._due_after = {Absence.UNMARKED: unmarked_seconds, Absence.DELETED: deleted_seconds}
        self._snapshot = Snapshot(None, {})
        self._since: dict[str, tuple[Absence, float]] = {}

    def look(self, snapshot: Snapshot, *, wanted: Collection[str], deployed: Collection[str]) -> None:
        """The newest state of the registry, the models with a mark in it, and those that have deployments of ours."""
        self._snapshot = snapshot
        self._since = {model: each for model, each in self._since.items() if model in deployed and model not in wanted}
        seen = {model for model in snapshot.models if model in deployed or model in wanted}
        self._sightings.note(seen, snapshot.identity, keep=deployed)

    def due(self, model: str) -> bool:
        """Whether this model, deployed and not wanted, is to be undeployed now."""
        absence = self._absence(model)
        if model not in self._since or self._since[model][0] is not absence:
            self._since[model] = absence, time.monotonic()
            if absence is Absence.UNEXPLAINED:
                _log.warning(_KEPT, model)
        waited = time.monotonic() - self._since[model][1]
        return absence in self._due_after and waited >= self._due_after[absence]

    def restart_clocks(self) -> None:
        """Time in which nobody could look does not count."""
        self._since = {model: (absence, time.monotonic()) for model, (absence, _) in self._since.items()}

    def _absence(self, model: str) -> Absence:
        if model in self._snapshot.models:
            return Absence.UNMARKED
        seen_here = self._sightings.was_in(model, self._snapshot.identity)
        return Absence.DELETED if seen_here else Absence.UNEXPLAINED
