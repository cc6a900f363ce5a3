"""A registered model as a data scientist makes it: logged from code, with signature and input example."""

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

_CODE = """
import mlflow, numpy

class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        {load}
    def predict(self, context, model_input: list[float], params=None):
        return numpy.asarray(model_input, dtype=float) * {factor}

mlflow.models.set_model(Model())
"""
ROW = {"inputs": [1.0, 2.0]}


@dataclass(frozen=True)
class RegisteredModel:
    """A model of its own in the registry. Version n multiplies by the factor that it was made with."""

    mlflow_url: str
    folder: Path
    name: str

    @classmethod
    def create(cls, mlflow_url: str, folder: Path) -> "RegisteredModel":
        return cls(mlflow_url, folder, f"probe-{uuid.uuid4().hex[:8]}")

    def new_version(self, factor: int, *, load: str = "pass") -> str:
        import mlflow

        code = self.folder / f"{self.name}-{factor}.py"
        code.write_text(_CODE.format(factor=factor, load=load))
        mlflow.set_tracking_uri(self.mlflow_url)
        with mlflow.start_run():
            logged = mlflow.pyfunc.log_model(
                name="model",
                python_model=str(code),
                registered_model_name=self.name,
                pip_requirements=["mlflow", "numpy"],
            )
        return str(logged.registered_model_version)

    @property
    def client(self) -> Any:
        from mlflow import MlflowClient

        return MlflowClient(self.mlflow_url)

    def mark(self, version: str, value: str = "true") -> None:
        self.client.set_model_version_tag(self.name, version, "production", value)

    def unmark(self, version: str) -> None:
        self.client.delete_model_version_tag(self.name, version, "production")

    def unmark_all(self) -> None:
        found = self.client.get_registered_model(self.name)
        for alias in found.aliases:
            self.client.delete_registered_model_alias(self.name, alias)
        for version in self.client.search_model_versions(f"name='{self.name}'"):
            self.client.delete_model_version_tag(self.name, version.version, "production")

    def tags(self, version: str) -> dict[str, str]:
        return dict(self.client.get_model_version(self.name, version).tags)

    def model_tags(self) -> dict[str, str]:
        return dict(self.client.get_registered_model(self.name).tags)


def served_factor(url: str, headers: dict[str, str]) -> float | None:
    """Which version answers at the URL (its factor), or None."""
    try:
        answer = httpx.post(url, json=ROW, headers=headers, timeout=30)
    except httpx.TransportError:
        return None
    return float(answer.json()["predictions"][0]) if answer.status_code == httpx.codes.OK else None
