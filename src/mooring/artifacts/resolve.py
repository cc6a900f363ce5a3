"""From a model URI, as people write it, to the concrete place where the model lies."""

import re
from dataclasses import dataclass

from mooring.artifacts.errors import UnusableUri
from mooring.artifacts.source import Source, source_of
from mooring.artifacts.tracking import TrackingServer

_LOGGED_MODEL = re.compile(r"m-[0-9a-f]{32}")
_LONGEST_CHAIN = 5
"""A version can be registered from another model's URI, and so on; not for ever."""


@dataclass(frozen=True)
class Resolver:
    """`server` may be absent when no MLflow server is configured; folders and object stores still resolve."""

    tracking_uri: str | None
    server: TrackingServer | None

    def resolve(self, uri: str) -> Source:
        """Raises ArtifactError: UnusableUri, ModelMissing or SourceAway."""
        location = uri
        for _ in range(_LONGEST_CHAIN):
            if location.startswith("models:/"):
                location = self._model(location)
            elif location.startswith("runs:/"):
                location = self._run(location)
            else:
                return source_of(location, self.tracking_uri)
        raise UnusableUri(f"{uri}: leads from model to model without end")

    def _model(self, uri: str) -> str:
        server = self._server(uri)
        rest = uri.removeprefix("models:/").strip("/")
        if _LOGGED_MODEL.fullmatch(rest):
            return server.logged_model_location(rest)
        name, slash, suffix = rest.rpartition("/")
        if not slash:
            name, at, alias = rest.rpartition("@")
            if not (at and name and alias):
                raise _not_a_model(uri)
            return server.version_location(name, server.aliased_version(name, alias))
        if not name or "/" in name:  # MLflow allows no slash in a name
            raise _not_a_model(uri)
        if not suffix.isdecimal():
            suffix = server.latest_version(name, None if suffix == "latest" else suffix)
        return server.version_location(name, suffix)

    def _run(self, uri: str) -> str:
        run_id, _, path = uri.removeprefix("runs:/").strip("/").partition("/")
        if not run_id or not path:
            raise UnusableUri(f"{uri}: not of the form runs:/<run id>/<path>")
        return self._server(uri).run_location(run_id, path)

    def _server(self, uri: str) -> TrackingServer:
        if self.server is None:
            raise UnusableUri(f"{uri}: no MLflow server (http or https) is configured (--mlflow-uri)")
        return self.server


def is_fixed(uri: str) -> bool:
    """Whether it leads to the same place tomorrow: a version, a logged model or a run; not an alias or a stage."""
    rest = uri.removeprefix("models:/").strip("/")
    by_number = rest.rpartition("/")[2].isdecimal() or _LOGGED_MODEL.fullmatch(rest) is not None
    return uri.startswith("runs:/") or (uri.startswith("models:/") and by_number)


def _not_a_model(uri: str) -> UnusableUri:
    return UnusableUri(f"{uri}: not of the form models:/<name>/<version>, models:/<name>@<alias> or models:/m-<id>")
