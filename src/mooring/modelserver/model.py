"""A loaded model: what it promises (signature, example) and its `predict`."""

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import mlflow.artifacts
import mlflow.pyfunc
from mlflow.types.schema import Schema
from mlflow.version import VERSION

from mooring.modelserver import rules
from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.example import example_body
from mooring.modelserver.formats import refuse_code
from mooring.modelserver.inference import Form, Inference
from mooring.modelserver.requirements import differences
from mooring.modelserver.schema import Signature

_logger = logging.getLogger("mooring.modelserver")


@dataclass(frozen=True)
class LoadedModel:
    """Thread-safe as far as the model itself is."""

    pyfunc: mlflow.pyfunc.PyFuncModel
    signature: Signature
    input_schema: Schema | None
    """MLflow's own object for the inputs, for its own rules."""
    example: dict[str, Any] | None
    """The model's input example as a body for `/invocations`."""
    parses_input: bool
    """False when the model takes the value of `inputs` as it is and checks it with its own type hints."""
    mlflow_version: str = VERSION

    def convert(self, inference: Inference) -> Any:
        """Input as `predict` wants it. Raises InvalidInput, and what MLflow, pandas and NumPy raise."""
        if self.parses_input or inference.form is Form.PLAIN:
            return rules.convert(inference, self.input_schema)
        if inference.form is Form.INPUTS:
            return inference.data
        raise InvalidInput("the model checks its input by its own type hint: send it as the value of 'inputs'")

    def predict(self, data: Any, params: dict[str, Any] | None) -> Any:
        """Signature enforcement and prediction. Raises MlflowException for input that does not fit it."""
        return self.pyfunc.predict(data, params=params)

    def raw(self) -> object:
        """The object of the model's own library; None where there is none (a model that is Python code)."""
        try:
            return self.pyfunc.get_raw_model()
        except NotImplementedError:
            return None


def load(
    uri: str, folder: Path, *, safe_only: bool = False, before_code: Callable[[], None] | None = None
) -> LoadedModel:
    """Load any MLflow model; what is not local is downloaded into `folder` and has to stay there.

    A local folder is used where it is, and nothing is written into it. `safe_only` refuses formats that run code when
    they are loaded; `before_code` is called before anything of the model is imported. Raises LoadFailed, and whatever
    the download, MLflow and the model's libraries raise.
    """
    local = _local_folder(uri) or Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder)))
    if safe_only:
        refuse_code(local)
    if before_code:
        before_code()
    _keep_compiled_code_out(local)
    if different := differences(local):
        _logger.warning("the model was logged with other libraries: %s", "; ".join(different))
    pyfunc = mlflow.pyfunc.load_model(str(local), suppress_warnings=True)
    metadata = pyfunc.metadata
    return LoadedModel(
        pyfunc=pyfunc,
        signature=Signature.parse(metadata.signature.to_dict() if metadata.signature else None),
        input_schema=metadata.get_input_schema(),
        example=example_body(local, metadata.saved_input_example_info),
        parses_input=not metadata._is_signature_from_type_hint(),
    )


def _local_folder(uri: str) -> Path | None:
    parts = urlsplit(uri)
    is_file_uri = parts.scheme == "file" and parts.netloc in ("", "localhost")
    path = Path(unquote(parts.path) if is_file_uri else uri)
    return path.resolve() if path.is_dir() else None


def _keep_compiled_code_out(folder: Path) -> None:
    """Python would write `__pycache__` beside a model's own code, into a folder that is not ours to change.

    Switched off for the whole process, as code may be imported as late as in `predict`.
    """
    if next(folder.rglob("*.py"), None):
        sys.dont_write_bytecode = True
