"""Files of projects, and what a server holds for them."""

import json
from pathlib import Path
from typing import Any

from mooring.client.artifacts import Artifact
from mooring.client.configurations import Configuration
from mooring.client.deployments import Deployment
from mooring.client.executions import Execution
from mooring.client.scenarios import Executable
from mooring.pipeline.project import Project, read

SCENARIO = "demo-scenario"
EXECUTABLES = {
    (SCENARIO, "train"): Executable.model_validate(
        {
            "id": "train",
            "deployable": False,
            "parameters": [{"name": "epochs"}, {"name": "seed", "default": "1"}],
            "inputArtifacts": [{"name": "rows"}],
            "outputArtifacts": [{"name": "weights", "kind": "model"}],
        }
    ),
    (SCENARIO, "serve"): Executable.model_validate(
        {
            "id": "serve",
            "deployable": True,
            "parameters": [{"name": "greeting", "default": "hi"}],
            "inputArtifacts": [{"name": "weights"}],
        }
    ),
}


def configuration(name: str, executable: str, inputs: list[str], **parameters: str) -> dict[str, Any]:
    return {
        "name": name,
        "scenario_id": SCENARIO,
        "executable_id": executable,
        "parameter_bindings": [{"key": key, "value": value} for key, value in parameters.items()],
        "input_artifact_bindings": [{"key": key} for key in inputs],
    }


def document(*, greeting: str = "hi", epochs: str = "3", **more: Any) -> dict[str, Any]:
    """A training and a server of what it makes."""
    return {
        "artifacts": [
            {"key": "rows", "name": "rows", "kind": "dataset", "url": "ai://default/rows", "scenario_id": SCENARIO}
        ],
        "executions": [{"configuration": configuration("training", "train", ["rows"], epochs=epochs)}],
        "deployments": [{"configuration": configuration("server", "serve", ["weights"], greeting=greeting)}],
        **more,
    }


def project(folder: Path, content: object, stage: str | None = None, **env: str) -> Project:
    """The content (text, or what becomes JSON) read from a file."""
    file = folder / "config.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
    return read(file, stage, env)


# --- what a server holds once the document above has been deployed ---


def rows(id_: str = "a-rows") -> Artifact:
    return Artifact(id=id_, name="rows", kind="dataset", url="ai://default/rows", scenario_id=SCENARIO)


def found_configuration(
    id_: str, name: str, executable: str, inputs: dict[str, str], **parameters: str
) -> Configuration:
    return Configuration.model_validate(
        {
            "id": id_,
            "name": name,
            "scenarioId": SCENARIO,
            "executableId": executable,
            "parameterBindings": [{"key": key, "value": value} for key, value in parameters.items()],
            "inputArtifactBindings": [{"key": key, "artifactId": value} for key, value in inputs.items()],
        }
    )


def training_configuration(id_: str = "c-train", epochs: str = "3", artifact: str = "a-rows") -> Configuration:
    return found_configuration(id_, "training", "train", {"rows": artifact}, epochs=epochs)


def server_configuration(id_: str = "c-serve", greeting: str = "hi", weights: str = "a-e1") -> Configuration:
    return found_configuration(id_, "server", "serve", {"weights": weights}, greeting=greeting)


def execution(id_: str = "e1", status: str = "COMPLETED", configuration_id: str = "c-train", **more: Any) -> Execution:
    made = Artifact(id=f"a-{id_}", name="weights", kind="model", url=f"ai://default/{id_}/weights")
    return Execution(
        id=id_,
        configuration_id=configuration_id,
        configuration_name="training",
        scenario_id=SCENARIO,
        executable_id="train",
        status=status,
        output_artifacts=(made,) if status == "COMPLETED" else (),
        **more,
    )


def deployment(id_: str = "d1", status: str = "RUNNING", configuration_id: str = "c-serve", **more: Any) -> Deployment:
    return Deployment.model_validate(
        {
            "id": id_,
            "configuration_id": configuration_id,
            "configuration_name": "server",
            "scenario_id": SCENARIO,
            "executable_id": "serve",
            "status": status,
            "deployment_url": f"http://x/v2/inference/deployments/{id_}",
        }
        | more
    )
