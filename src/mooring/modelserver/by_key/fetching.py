"""Where features come from: a folder, a URI, or the run that made the model."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mooring.modelserver.options import ServeOptions

_logger = logging.getLogger("mooring.modelserver")

_FOLDER = "features"


@dataclass(frozen=True)
class RunFacts:
    """What the run that made a model says about it."""

    run_id: str
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    """Without MLflow's own."""


@dataclass(frozen=True)
class Fetched:
    """`features` is a local folder; None when there are none."""

    features: Path | None = None
    run: RunFacts | None = None


def fetch(options: ServeOptions, folder: Path) -> Fetched:
    """What the options ask for, downloaded into `folder`. Raises whatever the download raises.

    A run without `features/` is fine: the model is then not asked by key.
    """
    if options.run_id is None and options.features is None:
        return Fetched()
    folder = folder / "run"
    folder.mkdir(exist_ok=True)
    features = _from_uri(options.features, folder) if options.features else None
    if options.run_id is None:
        return Fetched(features)
    from mlflow import MlflowClient

    client = MlflowClient()
    facts = _facts(options.run_id, client.get_run(options.run_id).data)
    return Fetched(features or _from_run(client, options.run_id, folder), facts)


def _from_run(client: Any, run_id: str, folder: Path) -> Path | None:
    if client.list_artifacts(run_id, _FOLDER):
        return Path(client.download_artifacts(run_id, _FOLDER, str(folder)))
    _logger.warning("run %s holds no %s/: the model is not asked by key", run_id, _FOLDER)
    return None


def _from_uri(uri: str, folder: Path) -> Path:
    if Path(uri).is_dir():
        return Path(uri).resolve()
    from mlflow.artifacts import download_artifacts

    return Path(download_artifacts(artifact_uri=uri, dst_path=str(folder)))


def _facts(run_id: str, data: Any) -> RunFacts:
    tags = {name: value for name, value in data.tags.items() if not name.startswith("mlflow.")}
    return RunFacts(run_id, dict(data.params), dict(data.metrics), tags)
