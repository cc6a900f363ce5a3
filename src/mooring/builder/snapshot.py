"""The registry at one moment, in three questions, however many models there are."""

from collections import defaultdict
from collections.abc import Iterable

from mooring.builder.mlflow import RegistryClient
from mooring.builder.registry import PRODUCTION, Entry, ModelVersion
from mooring.builder.writeback import STATUS, STOPPED

_MARKED = f"tags.`{PRODUCTION}` LIKE '%'"  # also the empty value
_REPORTED = f"tags.`{STATUS}` != '{STOPPED}'"  # MLflow: only those that have the tag at all


def read_registry(registry: RegistryClient) -> dict[str, Entry]:
    """All registered models by name. Raises MlflowError; there is no half of a snapshot."""
    models = registry.models()
    marked = _by_name(registry.versions(_MARKED))
    reported = _by_name(registry.versions(_REPORTED))
    return {model.name: Entry(model, tuple(marked[model.name]), tuple(reported[model.name])) for model in models}


def _by_name(versions: Iterable[ModelVersion]) -> defaultdict[str, list[ModelVersion]]:
    grouped: defaultdict[str, list[ModelVersion]] = defaultdict(list)
    for version in versions:
        grouped[version.name].append(version)
    return grouped
