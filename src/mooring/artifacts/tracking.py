"""What an MLflow server knows about where models lie. Its REST API; MLflow itself is not imported."""

from typing import Any
from urllib.parse import quote

from mooring.artifacts.errors import ArtifactError, ModelMissing, SourceAway
from mooring.http_session import HttpSession, NoAnswer, Repeats, Reply
from mooring.mlflow_access import EndlessListing, mlflow_access, pages

_API = "/api/2.0/mlflow"
_REPEATS = Repeats(count=2, first_seconds=0.1)


class TrackingServer:
    """Questions to one server; each raises ModelMissing, SourceAway or ArtifactError."""

    def __init__(self, uri: str, *, timeout_seconds: float) -> None:
        access = mlflow_access()
        self._http = HttpSession(
            uri.rstrip("/"),
            auth=access.auth,
            verify=access.verify,
            timeout_seconds=timeout_seconds,
            repeats=_REPEATS,
        )

    def close(self) -> None:
        self._http.close()

    def version_location(self, name: str, version: str) -> str:
        params = {"name": name, "version": version}
        return _text(self._get("/model-versions/get-download-uri", params), "artifact_uri")

    def aliased_version(self, name: str, alias: str) -> str:
        answer = self._get("/registered-models/alias", {"name": name, "alias": alias})
        return _text(answer, "model_version", "version")

    def latest_version(self, name: str, stage: str | None) -> str:
        """The newest version, of a stage if one is given."""
        body = {"name": name} | ({"stages": [stage]} if stage else {})
        versions = self._post("/registered-models/get-latest-versions", body).get("model_versions") or []
        if not versions:
            where = f" in stage {stage}" if stage else ""
            raise ModelMissing(f"registered model {name} has no version{where}")
        return str(max(int(version["version"]) for version in versions))

    def logged_model_location(self, model_id: str) -> str:
        answer = self._get(f"/logged-models/{quote(model_id, safe='')}", {})
        return _text(answer, "model", "info", "artifact_uri")

    def run_location(self, run_id: str, path: str) -> str:
        """A logged model of that name when the run has one (MLflow 3 keeps them apart), else the run's own folder."""
        info = self._get("/runs/get", {"run_id": run_id}).get("run", {}).get("info", {})
        name, _, rest = path.partition("/")
        found = self._logged_by(run_id, str(info.get("experiment_id", "")), name) if name else None
        base, below = (found, rest) if found else (_text(info, "artifact_uri"), path)
        return f"{base.rstrip('/')}/{below}".rstrip("/")

    def _logged_by(self, run_id: str, experiment_id: str, name: str) -> str | None:
        if "'" in name:  # such a name can be no logged model's, and would end the filter's quotes
            return None
        search = {"experiment_ids": [experiment_id], "filter": f"name = '{name}'"}
        try:
            for page in pages(lambda token: self._post("/logged-models/search", search | {"page_token": token})):
                for model in page.get("models") or []:
                    if model.get("info", {}).get("source_run_id") == run_id:
                        return _text(model, "info", "artifact_uri")
        except EndlessListing as error:
            raise SourceAway(str(error)) from error
        return None

    def _get(self, path: str, params: dict[str, str]) -> dict[str, Any]:
        return self._ask("GET", path, params=params)

    def _post(self, path: str, body: object) -> dict[str, Any]:
        return self._ask("POST", path, body=body)

    def _ask(
        self, method: str, path: str, *, params: dict[str, str] | None = None, body: object = None
    ) -> dict[str, Any]:
        try:
            # A POST here is a search: asking again changes nothing.
            reply = self._http.send(method, _API + path, params=params, body=body, repeatable=True)
        except NoAnswer as error:
            raise SourceAway(f"the MLflow server does not answer: {error}") from error
        document = _document(reply)
        if not reply.ok:
            raise _refusal(reply, document)
        return document


def _document(reply: Reply) -> dict[str, Any]:
    try:
        document = reply.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise SourceAway(f"the MLflow server answers {reply.status} with something that is not its API")
    return document


def _refusal(reply: Reply, document: dict[str, Any]) -> ArtifactError:
    reason = str(document.get("message") or document.get("error_code") or reply.status)
    # A missing alias is INVALID_PARAMETER_VALUE there.
    if reply.status == 404 or (reply.status == 400 and "not found" in reason):
        return ModelMissing(f"the MLflow server says: {reason}")
    if reply.status >= 500 or reply.status == 429:
        return SourceAway(f"the MLflow server fails: {reason}")
    return ArtifactError(f"the MLflow server refuses ({reply.status}): {reason}")


def _text(document: dict[str, Any], *path: str) -> str:
    value: Any = document
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, str) or not value:
        raise SourceAway(f"the MLflow server's answer has no {'.'.join(path)}")
    return value
