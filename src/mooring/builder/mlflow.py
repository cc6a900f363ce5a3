"""MLflow's registry by its REST API. MLflow itself, 150 MB and 1.3 s of import, is not needed for it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from mooring.builder.registry import ModelVersion, RegisteredModel
from mooring.http_session import HttpSession, NoAnswer, Repeats, Reply
from mooring.mlflow_access import EndlessListing, mlflow_access, pages

_API = "/api/2.0/mlflow"
_PAGE = 1000
_DEFAULT_EXPERIMENT = "0"
_PROMPT_TAG = "mlflow.prompt.is_prompt"
_REPEATS = Repeats(count=2, first_seconds=0.1)


class MlflowError(Exception):
    """`status` is 0 when there was no answer; `away` when trying again later may help."""

    def __init__(self, status: int, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    @property
    def away(self) -> bool:
        return self.status in (0, 429) or self.status >= 500


class RegistryClient:
    """One MLflow server. Safe to use from several threads. Every method raises MlflowError.

    Credentials and certificates come from MLflow's own environment variables (`mlflow_access`).
    """

    def __init__(
        self, uri: str, *, timeout_seconds: float = 15.0, transport: httpx.BaseTransport | None = None
    ) -> None:
        access = mlflow_access()
        self._http = HttpSession(
            uri.rstrip("/"),
            auth=access.auth,
            verify=access.verify,
            transport=transport,
            timeout_seconds=timeout_seconds,
            repeats=_REPEATS,
        )

    def close(self) -> None:
        self._http.close()

    def identity(self) -> str | None:
        """What tells this server's database from any other, at whatever address; None when it cannot be told.

        MLflow names none, but makes its default experiment together with the database: the moment (ms) of that.
        Where the registry's database is another one than the experiments', it is the latter's.
        """
        try:
            answer = self._ask("GET", "/experiments/get", params={"experiment_id": _DEFAULT_EXPERIMENT})
        except MlflowError as error:
            if error.status == 0:
                raise
            return None  # purged, hidden from us, or made by something that is MLflow's registry only
        experiment = answer.get("experiment")
        made = experiment.get("creation_time") if isinstance(experiment, dict) else None
        return str(made) if made else None

    def models(self) -> list[RegisteredModel]:
        """All registered models, with aliases, tags and the newest version of each stage; no prompts."""
        found = self._pages("/registered-models/search", "registered_models", {})
        models = [_model(each) for each in found]
        return [model for model in models if model.tags.get(_PROMPT_TAG, "").lower() != "true"]

    def versions(self, tag_filter: str) -> list[ModelVersion]:
        """All versions, of any model, for which MLflow's filter on tags holds."""
        params = {"filter": tag_filter}
        return [_version(each) for each in self._pages("/model-versions/search", "model_versions", params)]

    def version(self, name: str, version: int) -> ModelVersion:
        params = {"name": name, "version": str(version)}
        return _version(self._ask("GET", "/model-versions/get", params=params)["model_version"])

    def set_version_tag(self, name: str, version: int, key: str, value: str) -> None:
        body = {"name": name, "version": str(version), "key": key, "value": value}
        self._ask("POST", "/model-versions/set-tag", body=body)

    def delete_version_tag(self, name: str, version: int, key: str) -> None:
        """Nothing happens when there is no such tag."""
        body = {"name": name, "version": str(version), "key": key}
        self._ask("DELETE", "/model-versions/delete-tag", body=body)

    def set_model_tag(self, name: str, key: str, value: str) -> None:
        self._ask("POST", "/registered-models/set-tag", body={"name": name, "key": key, "value": value})

    def delete_model_tag(self, name: str, key: str) -> None:
        """Nothing happens when there is no such tag."""
        self._ask("DELETE", "/registered-models/delete-tag", body={"name": name, "key": key})

    def webhooks(self) -> list[dict[str, Any]]:
        """As MLflow shows them: `webhook_id`, `name`, `url`, `events`, `status`; never the secret."""
        return list(self._pages("/webhooks", "webhooks", {}))

    def create_webhook(self, name: str, url: str, events: Sequence[Mapping[str, str]], secret: str) -> dict[str, Any]:
        """`events` are objects with `entity` and `action`, in upper case."""
        body = {"name": name, "url": url, "events": list(events), "secret": secret, "status": "ACTIVE"}
        return dict(self._ask("POST", "/webhooks", body=body, repeatable=False)["webhook"])

    def update_webhook(self, webhook_id: str, url: str, events: Sequence[Mapping[str, str]], secret: str) -> None:
        body = {"url": url, "events": list(events), "secret": secret, "status": "ACTIVE"}
        self._ask("PATCH", f"/webhooks/{webhook_id}", body={"webhook_id": webhook_id, **body})

    def test_webhook(self, webhook_id: str) -> dict[str, Any]:
        """Makes MLflow deliver an example now; `success`, `response_status`, `error_message`."""
        answer = self._ask("POST", f"/webhooks/{webhook_id}/test", body={"webhook_id": webhook_id})
        return dict(answer["result"])

    def delete_webhook(self, webhook_id: str) -> None:
        self._ask("DELETE", f"/webhooks/{webhook_id}", body={"webhook_id": webhook_id})

    def _pages(self, path: str, key: str, params: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        def ask(token: str) -> dict[str, Any]:
            paging = {"page_token": token} if token else {}
            return self._ask("GET", path, params={**params, "max_results": _PAGE, **paging})

        try:
            for page in pages(ask):
                yield from page.get(key) or []
        except EndlessListing as error:
            raise MlflowError(502, f"GET {path}: {error}") from error

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: object = None,
        repeatable: bool = True,
    ) -> dict[str, Any]:
        try:
            reply = self._http.send(method, _API + path, params=params, body=body, repeatable=repeatable)
        except NoAnswer as error:
            raise MlflowError(0, f"MLflow does not answer: {error}") from error
        return _document(method, path, reply)


def _document(method: str, path: str, reply: Reply) -> dict[str, Any]:
    try:
        document = reply.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        # A proxy's error page, say, or an MLflow too old to know the call.
        status = reply.status if reply.status >= 400 else 502
        raise MlflowError(status, f"{method} {path}: MLflow answers {reply.status} without JSON")
    if not reply.ok:
        code = str(document.get("error_code", ""))
        raise MlflowError(reply.status, f"{method} {path}: {document.get('message') or code}", code=code)
    return document


def _tags(document: Mapping[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in document.get("tags", [])}


def _model(document: Mapping[str, Any]) -> RegisteredModel:
    return RegisteredModel(
        name=document["name"],
        aliases={alias["alias"]: int(alias["version"]) for alias in document.get("aliases", [])},
        newest=tuple(_version(each) for each in document.get("latest_versions", [])),
        tags=_tags(document),
    )


def _version(document: Mapping[str, Any]) -> ModelVersion:
    return ModelVersion(
        name=document["name"],
        version=int(document["version"]),
        stage=document.get("current_stage") or "None",
        ready=document.get("status", "READY") == "READY",
        tags=_tags(document),
    )
