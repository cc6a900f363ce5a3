"""`deploy_to_kyma`: read, check, resolve, stage. Building, pushing and applying come with Kubernetes support."""

import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, overload

from mooring import __version__
from mooring.compat.errors import CompatError, NotYetPossible
from mooring.compat.kyma.cluster import read_cluster
from mooring.compat.kyma.configuration import Configuration, read_configuration
from mooring.compat.kyma.images import UNKNOWN_ACCOUNT, image_of
from mooring.compat.kyma.manifests import PORT, Manifest, as_yaml, manifests
from mooring.compat.kyma.models import StagedModel, fetch_model


@dataclass(frozen=True)
class Staged:
    """All that a deployment consists of, before anything has been built or changed. `print(…)` shows it."""

    endpoint: str
    image: str
    pull_secret: str
    dockerfile: str
    manifests: list[Manifest] = field(repr=False)
    notes: tuple[str, ...] = ()
    """What the rest still has to find out."""

    def __str__(self) -> str:
        notes = "".join(f"# note: {note}\n" for note in self.notes)
        dockerfile = "".join(f"#   {line}\n" for line in self.dockerfile.splitlines())
        return (
            f"# endpoint: {self.endpoint}\n# image: {self.image}\n{notes}# Dockerfile:\n{dockerfile}"
            f"---\n{as_yaml(self.manifests)}"
        )


@overload
def deploy_to_kyma(
    databricks_config_path: Path | str, *, dry_run: Literal[True], folder: Path | str | None = None
) -> Staged: ...
@overload
def deploy_to_kyma(
    databricks_config_path: Path | str, *, dry_run: Literal[False] = False, folder: Path | str | None = None
) -> str: ...
def deploy_to_kyma(
    databricks_config_path: Path | str, *, dry_run: bool = False, folder: Path | str | None = None
) -> Staged | str:
    """Serve a model of Databricks' MLflow on SAP Kyma; returns its endpoint, `https://<name>.<domain>/invocations`.

    The configuration file has fedml-databricks' keys (docs/compat.md). With `dry_run` it returns what would be
    built and applied; in `folder`, if one is given, lie then the build's context (`context/`) and `manifests.yaml`.
    Without `dry_run` everything is checked and then refused with NotYetPossible: building, pushing and applying come
    with Kubernetes support. Raises CompatError.
    """
    configuration = read_configuration(databricks_config_path)
    with tempfile.TemporaryDirectory(prefix="mooring-kyma-") as temporary:
        fetched = Path(temporary) / "model"
        fetched.mkdir()
        described = _staged(configuration, None)  # what can be refused without the network is refused first
        model = fetch_model(configuration, fetched)
        staged = _staged(configuration, model, tag=described.image.rpartition(":")[2])
        if folder is not None:
            _keep(Path(folder).expanduser(), staged, model)
    if dry_run:
        return staged
    raise NotYetPossible(
        f"{configuration.service_name} is checked and ready to be built as {staged.image}, but building, pushing and "
        "applying come with Kubernetes support: call with dry_run=True to see what it would be"
    )


def _staged(configuration: Configuration, model: StagedModel | None, tag: str = "") -> Staged:
    cluster = read_cluster(configuration.kubeconfig)
    image = image_of(configuration, tag or str(time.time_ns() // 1_000_000))
    notes = [f"the pull secret {image.pull_secret} is made from the registry's credentials when the image is pushed"]
    if image.registry.startswith(f"{UNKNOWN_ACCOUNT}."):
        notes.append(f"{UNKNOWN_ACCOUNT} stands for the AWS account of the profile, which AWS is asked for")
    if not configuration.overwrite:
        notes.append("a deployment of this name is left alone, unless OVERWRITE_SERVICE is true")
    return Staged(
        endpoint=f"https://{configuration.service_name}.{cluster.domain}/invocations",
        image=image.reference,
        pull_secret=image.pull_secret,
        dockerfile=_dockerfile(model, configuration.service_name) if model else "",
        manifests=manifests(configuration.service_name, cluster, image, configuration.replicas),
        notes=tuple(notes),
    )


def _dockerfile(model: StagedModel, name: str) -> str:
    requirements = (
        "RUN pip install --no-cache-dir -r /opt/ml/model/requirements.txt\n" if model.has_requirements else ""
    )
    return (
        f"FROM python:{model.python_version}-slim\n"
        "COPY model/ /opt/ml/model/\n"
        f"{requirements}"
        f"RUN pip install --no-cache-dir mooring=={__version__}\n"
        "USER 65534:65534\n"
        "ENV HOME=/tmp\n"
        f"EXPOSE {PORT}\n"
        f'CMD ["mooring", "serve", "/opt/ml/model", "--name", "{name}", "--host", "0.0.0.0", "--port", "{PORT}"]\n'
    )


def _keep(folder: Path, staged: Staged, model: StagedModel) -> None:
    context = folder / "context"
    if context.exists():
        raise CompatError(f"{context} is there already: remove it, or give another folder")
    shutil.copytree(model.folder, context / "model")
    (context / "Dockerfile").write_text(staged.dockerfile)
    (folder / "manifests.yaml").write_text(as_yaml(staged.manifests))
