"""What to serve, from the environment: the variables that DPM360's Service Builder sets for its model wrapper."""

import os
from collections.abc import Mapping, MutableMapping

from mooring.modelserver.options import ServeOptions

_NEEDS_TRACKING = ("runs:", "models:", "mlflow-artifacts:")
_TRACKING = "MLFLOW_TRACKING_URI"


class Incomplete(Exception):
    """The environment does not say what to serve; the text is one line that names the variables."""


def options_from(environ: MutableMapping[str, str] = os.environ) -> ServeOptions:
    """The model of these variables, on all addresses, as a container's only program. Raises Incomplete.

    `MLFLOW_TRACKING_URI` is set to `MODEL_REGISTRY_API` where only that is given. `MLFLOW_S3_ENDPOINT_URL`, `AWS_*`
    and MLflow's own variables are read by MLflow.
    """
    found = _Variables(environ)
    name, source = found.needed("MODEL_NAME"), found.needed("MODEL_SOURCE")
    port, run_id = found.port("PORT"), found.optional("MODEL_RUN_ID")
    registry = found.optional(_TRACKING) or found.optional("MODEL_REGISTRY_API")
    if registry is None and (run_id or (source or "").startswith(_NEEDS_TRACKING)):
        found.wrong.append(f"{_TRACKING} is not set, and MODEL_SOURCE or MODEL_RUN_ID needs it")
    if name is not None and not _fits_a_path(name):
        found.wrong.append("MODEL_NAME cannot be a part of a URL: use letters, digits, '-', '_' and '.'")
    if found.wrong:
        raise Incomplete("; ".join(found.wrong))
    if registry is not None:
        environ[_TRACKING] = registry.rstrip("/").removesuffix("/api/2.0/mlflow")
    return ServeOptions(
        model_uri=source or "", name=name, version=_version(found.optional("MODEL_VERSION")), run_id=run_id,
        host="0.0.0.0", port=port, insecure=True,  # noqa: S104 - in a container, the cluster decides who reaches it
    )  # fmt: skip


class _Variables:
    """Reads variables, and collects what is wrong with them, so that all of it is told at once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.wrong: list[str] = []

    def optional(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def needed(self, name: str) -> str | None:
        value = self.optional(name)
        if value is None:
            self.wrong.append(f"{name} is not set")
        return value

    def port(self, name: str) -> int:
        text = self.optional(name) or str(ServeOptions.port)
        if not text.isdecimal() or not 0 <= int(text) <= 65535:
            self.wrong.append(f"{name} is not a port number")
            return ServeOptions.port
        return int(text)


def _fits_a_path(name: str) -> bool:
    return name.isascii() and name.strip(".") != "" and all(letter.isalnum() or letter in "-_." for letter in name)


def _version(text: str | None) -> str | None:
    # Service Builder writes `version-3`; everywhere else the version of a registered model is a number.
    return text.removeprefix("version-") if text else None
