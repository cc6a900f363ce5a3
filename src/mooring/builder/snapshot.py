"""The registry at one moment, in four questions, however many models there are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mooring.builder.mlflow import RegistryClient
from mooring.builder.registry import PRODUCTION, Entry, ModelVersion
from mooring.builder.writeback import STATUS, STOPPED

_MARKED = f"tags.`{PRODUCTION}` LIKE '%'"  # also the empty value
_REPORTED = f"tags.`{STATUS}` != '{STOPPED}'"  # MLflow: only those that have the tag at all


@dataclass(frozen=True)
class Snapshot:
    """All registered models by name, and which registry it is (None: that cannot be told)."""

    identity: str | None
    models: Mapping[str, Entry]


def read_registry(registry: RegistryClient) -> Snapshot:
    """Raises MlflowError; there is no half of a snapshot."""
    # Asked before the models: if the registry changes in between, an empty one must not pass for the one before
    # in the rounds to come.
    identity = registry.identity()
    models = registry.models()
    marked = _by_name(registry.versions(_MARKED))
    reported = _by_name(registry.versions(_REPORTED))
    entries = (Entry(model, tuple(marked[model.name]), tuple(reported[model.name])) for model in models)
    return Snapshot(identity, {entry.model.name: entry for entry in entries})


def _by_name(versions: Iterable[ModelVersion]) -> defaultdict[str, list[ModelVersion]]:
    grouped: defaultdict[str, list[ModelVersion]] = defaultdict(list)
    for version in versions:
        grouped[version.name].append(version)
    return grouped
