"""What fetched the model is not for the model's code; how many threads its libraries use is set before they load."""

from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, Schema

from tests.modelserver.conftest import Replica

CODE = """
import os
import mlflow

AT_IMPORT = dict(os.environ)

class Nosy(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        import threadpoolctl
        pools = {pool["num_threads"] for pool in threadpoolctl.threadpool_info()}
        seen = {name: AT_IMPORT.get(name) or os.environ.get(name) for name in model_input["name"]}
        seen["pools"] = sorted(pools)
        return [str(seen.get(name)) for name in model_input["name"]]

mlflow.models.set_model(Nosy())
"""
SECRETS = {
    "AICORE_CLIENT_SECRET": "s1", "AICORE_CLIENT_ID": "s2", "DESTINATION_CLIENT_SECRET": "s3",
    "MOORING_ENCRYPTION_KEY": "s4", "MLFLOW_TRACKING_TOKEN": "s5", "MLFLOW_TRACKING_PASSWORD": "s6",
    "AWS_SECRET_ACCESS_KEY": "s7", "AWS_ACCESS_KEY_ID": "s8", "AWS_SESSION_TOKEN": "s9",
    "GOOGLE_APPLICATION_CREDENTIALS": "s10", "AZURE_STORAGE_CONNECTION_STRING": "s11",
    "MLFLOW_REGISTRY_URI": "http://me:s12@registry", "OTEL_EXPORTER_OTLP_HEADERS": "authorization=s13",
}  # fmt: skip
OTHERS = {"MODEL_FLAVOUR": "vanilla", "AWS_REGION": "eu-central-1", "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}


@pytest.fixture(scope="module")
def nosy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nosy")
    (folder / "code.py").write_text(CODE)
    signature = ModelSignature(Schema([ColSpec("string", "name")]), Schema([ColSpec("string")]))
    mlflow.pyfunc.save_model(
        str(folder / "m"), python_model=str(folder / "code.py"), signature=signature, pip_requirements=[]
    )
    return folder / "m"


def _seen(server: Replica, *names: str) -> list[str]:
    body = {"dataframe_records": [{"name": name} for name in names]}
    answer: list[str] = server.until_ready().http.post("/invocations", json=body).json()["predictions"]
    return answer


def test_the_models_code_sees_no_credentials(nosy: Path, replica: Callable[..., Replica]) -> None:
    server = replica(nosy, env={**SECRETS, **OTHERS}, fresh=True)
    assert _seen(server, *SECRETS) == ["None"] * len(SECRETS)
    assert _seen(server, *OTHERS) == list(OTHERS.values())
    assert _seen(server, "OMP_NUM_THREADS", "pools") == ["1", "[1]"]
    assert "hidden from the model: AICORE_CLIENT_ID" in server.stderr()
    assert not [value for value in SECRETS.values() if f"{value} " in server.stderr()]


def test_the_operator_may_show_some_and_allow_more_threads(nosy: Path, replica: Callable[..., Replica]) -> None:
    server = replica(nosy, "--keep-env", "AWS_SECRET_ACCESS_KEY", "--threads", "2", env=SECRETS, fresh=True)
    assert _seen(server, "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID") == ["s7", "None"]
    assert _seen(server, "OMP_NUM_THREADS", "pools") == ["2", "[2]"]
