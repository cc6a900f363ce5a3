"""Tag → first good prediction, PATCH → new version, lost requests, and the memory of the idle system."""

import statistics
import time
import uuid
from dataclasses import dataclass
from typing import Any

import httpx

from bench.system import MeasuredInstallation, installation, memory_mib, process_family, seconds_until
from bench.tables import Row, print_table
from demo.traffic import Traffic

_TAG_RUNS = 5
_CHANGES = 10
_CLIENTS = 8
_LEAST_REQUESTS = 20_000
_ROWS = [{"x": float(n), "y": float(n) / 2} for n in range(1, 17)]


@dataclass(frozen=True)
class Versions:
    """A registered model with two versions that answer differently."""

    name: str
    answers: dict[str, list[float]]


def main() -> None:
    """Everything in one installation with its own MLflow."""
    with installation("--with-mlflow") as mooring:
        headers = mooring.headers()
        print_table("Idle system, one deployment-free installation", *_memory(mooring))
        model = register(mooring)
        print_table("Main job", *_tag_to_url(mooring, headers), *_patch_under_traffic(mooring, model, headers))
        print_table("The same with one deployment", *_memory(mooring))


def register(mooring: MeasuredInstallation) -> Versions:
    """Two scikit-learn regressions on two columns."""
    import mlflow
    import pandas as pd
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    mlflow.set_tracking_uri(mooring.mlflow_url)
    name, frame, answers = f"bench-{uuid.uuid4().hex[:6]}", pd.DataFrame(_ROWS), {}
    for number in (1, 2):
        pipeline = make_pipeline(StandardScaler(), LinearRegression()).fit(frame, frame["x"] * number + 1)
        with mlflow.start_run():
            mlflow.sklearn.log_model(pipeline, name="model", registered_model_name=name, input_example=frame.head(2))
        answers[str(number)] = [float(value) for value in pipeline.predict(frame)]
    return Versions(name, answers)


def _tag_to_url(mooring: MeasuredInstallation, headers: dict[str, str]) -> list[Row]:
    seconds = []
    for _ in range(_TAG_RUNS):
        model = register(mooring)
        url = f"{mooring.url}/models/{model.name}/invocations"
        _mark(mooring, model.name, "1")
        seconds.append(seconds_until(lambda url=url: _answers(url, headers)))  # type: ignore[misc]
        _unmark(mooring, model.name, "1")
        seconds_until(lambda url=url: not _answers(url, headers))  # type: ignore[misc]
    return [Row("tag set → first good prediction", _spread(seconds), f"median of {_TAG_RUNS}, aim < 6 s")]


def _patch_under_traffic(mooring: MeasuredInstallation, model: Versions, headers: dict[str, str]) -> list[Row]:
    api = _Api(mooring, headers, model.name)
    url = f"{api.deploy('1')}/invocations"
    seconds_until(lambda: _answers(url, headers))
    token = headers["Authorization"].removeprefix("Bearer ")
    seconds = []
    with Traffic(url, token, _ROWS, model.answers, _CLIENTS) as traffic:
        for change in range(_CHANGES):
            version = str(2 - change % 2)
            configuration = api.configure(version)
            began = time.perf_counter()
            api.patch(configuration)
            traffic.wait_for(version, requests=1, timeout_seconds=60)
            seconds.append(time.perf_counter() - began)
            traffic.wait_for(version, requests=_LEAST_REQUESTS // _CHANGES, timeout_seconds=120)
    tally = traffic.tally
    return [
        Row("PATCH → new version answering", _spread(seconds), f"median of {_CHANGES}, {_CLIENTS} clients calling"),
        Row("requests failed meanwhile", f"{len(tally.failures)} of {tally.requests:,}", "aim 0 of at least 20,000"),
    ]


class _Api:
    """A deployment that no mark in the registry is about, so that only we change it."""

    def __init__(self, mooring: MeasuredInstallation, headers: dict[str, str], model: str) -> None:
        self._http = httpx.Client(base_url=f"{mooring.url}/v2/lm", headers=headers, timeout=30)
        self._model = model
        self._deployment = ""

    def deploy(self, version: str) -> str:
        body = {"configurationId": self.configure(version)}
        self._deployment = str(self._http.post("/deployments", json=body).raise_for_status().json()["id"])
        return f"{str(self._http.base_url).removesuffix('/lm/')}/inference/deployments/{self._deployment}"

    def configure(self, version: str) -> str:
        values = {"modelUri": f"models:/{self._model}/{version}", "modelName": f"{self._model}-direct"}
        body: dict[str, Any] = {
            "name": "bench",
            "scenarioId": "mooring",
            "executableId": "model-server",
            "parameterBindings": [{"key": key, "value": value} for key, value in values.items()],
        }
        return str(self._http.post("/configurations", json=body).raise_for_status().json()["id"])

    def patch(self, configuration: str) -> None:
        answer = self._http.patch(f"/deployments/{self._deployment}", json={"configurationId": configuration})
        answer.raise_for_status()


def _memory(mooring: MeasuredInstallation) -> list[Row]:
    rows = []
    for process in mooring.processes():
        family = process_family(process["pid"]) if process["name"] == "mlflow" else [process["pid"]]
        measured = [memory_mib(pid) for pid in family]
        pss, private = (sum(column) for column in zip(*measured, strict=True))
        rows.append(Row(process["name"], f"{pss:.0f} MiB PSS", f"{private:.0f} MiB private, {len(family)} process(es)"))
    return rows


def _registry(mooring: MeasuredInstallation) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(mooring.mlflow_url)


def _mark(mooring: MeasuredInstallation, name: str, version: str) -> None:
    _registry(mooring).set_model_version_tag(name, version, "production", "true")


def _unmark(mooring: MeasuredInstallation, name: str, version: str) -> None:
    _registry(mooring).delete_model_version_tag(name, version, "production")


def _answers(url: str, headers: dict[str, str]) -> bool:
    return httpx.post(url, json={"dataframe_records": _ROWS[:1]}, headers=headers, timeout=30).is_success


def _spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"
