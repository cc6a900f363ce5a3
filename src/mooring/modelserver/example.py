"""The input example that was logged with a model, as a body for `/invocations`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def example_body(folder: Path, info: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """From the folder of a model and the `saved_input_example_info` of its MLmodel; None when there is none.

    MLflow keeps a ready body since 2.13; from older models it is made of the example itself. Raises OSError and
    ValueError when the files are not what the MLmodel says.
    """
    if not info:
        return None
    if name := info.get("serving_input_path"):
        body: dict[str, Any] = json.loads((folder / name).read_text())
        return body
    content = json.loads((folder / info["artifact_path"]).read_text())
    if not info.get("params"):
        return _body(info["type"], content)
    body_without = _body(info["type"], content["inputs"])
    return body_without and {**body_without, "params": content["params"]}


def _body(kind: str, content: Any) -> dict[str, Any] | None:
    match kind:
        case "dataframe":
            return {"dataframe_split": content}
        case "ndarray" if isinstance(content, dict) and content.keys() <= {"inputs", "instances"}:
            return content
        case "ndarray" | "json_object":
            return {"inputs": content}
        case _:  # a sparse matrix has no body for `/invocations`
            return None
