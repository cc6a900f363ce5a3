"""Fetches the model from Databricks (or any MLflow server) and looks whether it can be served."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from mooring.compat.errors import CompatError
from mooring.compat.kyma.configuration import Configuration

_SECONDS = 1800
_VERSION = re.compile(r"[0-9]{1,2}\.[0-9]{1,2}")
_DATABRICKS = (
    ".databricks.com",
    ".azuredatabricks.net",
    ".databricks.us",
    ".databricks.azure.us",
    ".databricks.azure.cn",
)
_INHERITED = (
    "PATH", "HOME", "TMPDIR", "LANG", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy",
    "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_PROFILE", "AWS_CONFIG_FILE", "MLFLOW_S3_ENDPOINT_URL",
)  # fmt: skip


@dataclass(frozen=True)
class StagedModel:
    """A model on this disk, as MLflow logged it."""

    folder: Path
    python_version: str
    has_requirements: bool


def fetch_model(configuration: Configuration, folder: Path) -> StagedModel:
    """Into `folder`, which is there and empty. Raises CompatError, with MLflow's own reason."""
    command = [sys.executable, "-m", "mlflow", "artifacts", "download"]
    arguments = ["--artifact-uri", configuration.model_uri, "--dst-path", str(folder)]
    try:
        done = subprocess.run(
            [*command, *arguments],
            env=_environment(configuration),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CompatError(f"{configuration.model_uri} was not here after {_SECONDS} s: is the network slow?") from None
    if done.returncode != 0:
        reason = _reason(done.stderr).replace(configuration.access_token.get_secret_value(), "***")
        raise CompatError(f"{configuration.model_uri} cannot be fetched from {configuration.url}: {reason}")
    return _look_at(folder, configuration.model_uri)


def _environment(configuration: Configuration) -> dict[str, str]:
    """Of a process of its own: the user's .databrickscfg stays as it is, and the token is in no argument."""
    token, url = configuration.access_token.get_secret_value(), configuration.url.rstrip("/")
    is_databricks = (urlsplit(url).hostname or "").endswith(_DATABRICKS)
    return {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        "DATABRICKS_HOST": url,
        "DATABRICKS_TOKEN": token,
        "MLFLOW_TRACKING_URI": "databricks" if is_databricks else url,
        "MLFLOW_TRACKING_TOKEN": token,
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        # MLflow's own are seven, minutes in all, of which nobody is told.
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    }


def _reason(output: str) -> str:
    """The last line that says something: before it stands a traceback."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1][:1000] if lines else "no reason given"


def _look_at(folder: Path, uri: str) -> StagedModel:
    found = next((path.parent for path in (folder / "MLmodel", *folder.glob("*/MLmodel")) if path.is_file()), None)
    if found is None:
        raise CompatError(f"{uri} is no MLflow model: it has no file MLmodel")
    flavors = _mapping(_yaml(found / "MLmodel").get("flavors"))
    if "python_function" not in flavors:
        raise CompatError(f"{uri} has no flavor python_function, but {', '.join(map(str, flavors)) or 'none'}")
    version = _python_version(_mapping(flavors["python_function"]), _yaml(found / "python_env.yaml"))
    return StagedModel(found, version, (found / "requirements.txt").is_file())


def _python_version(flavor: Mapping[str, object], environment: Mapping[str, object]) -> str:
    """Such as 3.11; the one that runs here when the model does not say. It goes into a Dockerfile: only digits."""
    said = _VERSION.match(str(flavor.get("python_version") or environment.get("python") or ""))
    return said.group() if said else f"{sys.version_info.major}.{sys.version_info.minor}"


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _yaml(path: Path) -> dict[str, object]:
    try:
        document = yaml.safe_load(path.read_bytes())
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return {}
    return _mapping(document)
