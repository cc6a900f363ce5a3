"""`--safe-formats-only`: nothing that runs code when it is loaded is loaded, whatever the model says about itself."""

import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
import yaml
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression

from mooring.modelserver.errors import LoadFailed
from mooring.modelserver.formats import refuse_code
from mooring.modelserver.model import load
from tests.modelserver.conftest import Replica
from tests.modelserver.flavour_models import FLAGS, MATRIX, NUMBERS


class Bomb:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return os.mkdir, (str(self._path),)


@pytest.fixture
def skops(tmp_path: Path) -> Path:
    model = LogisticRegression().fit(NUMBERS, FLAGS)
    signature = infer_signature(NUMBERS, model.predict(NUMBERS))
    mlflow.sklearn.save_model(
        model, str(tmp_path / "m"), signature=signature, serialization_format="skops", pip_requirements=[]
    )
    return tmp_path / "m"


def test_skops_is_loaded(skops: Path) -> None:
    assert load(str(skops), skops.parent, safe_only=True).predict(NUMBERS.head(2), None).shape == (2,)


def test_a_pickle_is_refused_before_it_runs(skops: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (skops / "model.pkl").write_bytes(pickle.dumps(Bomb(mark)))
    _change(skops, "sklearn", serialization_format="pickle", pickled_model="model.pkl")
    _change(skops, "python_function", model_path="model.pkl")
    with pytest.raises(LoadFailed, match=r"model\.pkl is in the format pickle.*as skops.*--safe-formats-only"):
        load(str(skops), tmp_path, safe_only=True)
    assert not mark.exists()
    with pytest.raises(AttributeError):  # and by default it is loaded: the operator's registry is trusted
        load(str(skops), tmp_path).predict(NUMBERS.head(2), None)
    assert mark.exists()


def test_the_server_says_why_it_ends(skops: Path, replica: Callable[..., Replica]) -> None:
    _change(skops, "sklearn", serialization_format="cloudpickle")
    server = replica(skops, "--safe-formats-only")
    assert server.process.wait(60) == 3
    assert "is in the format cloudpickle, which runs code when it is loaded" in server.stderr().splitlines()[-1]


@pytest.mark.parametrize(
    ("flavour", "changes", "says"),
    [
        ("sklearn", {"serialization_format": "cloudpickle"}, "cloudpickle"),
        ("sklearn", {"skops_trusted_types": ["posix.system"]}, "posix.system"),
        ("sklearn", {"code": "code"}, "code is Python code"),
        ("python_function", {"code": "code"}, "code is Python code"),
        ("python_function", {"loader_module": "os"}, "loaded by os"),
        ("python_function", {"loader_module": "mlflow.pyfunc.model"}, "loaded by mlflow.pyfunc.model"),
        ("python_function", {"loader_module": "mlflow.pytorch"}, "loaded by mlflow.pytorch"),
        ("python_function", {"loader_module": None}, "loaded by None"),
        ("python_function", {"data": "inner/model.skops"}, "a folder of their own"),
        ("python_function", {"model_path": "../model.skops"}, "a folder of their own"),
    ],
)
def test_what_a_model_says_of_itself_does_not_make_it_safe(
    skops: Path, flavour: str, changes: dict[str, Any], says: str
) -> None:
    refuse_code(skops)
    _change(skops, flavour, **changes)
    with pytest.raises(LoadFailed, match=says):
        refuse_code(skops)


def test_a_second_description_is_refused(skops: Path) -> None:
    (skops / "inner").mkdir()
    (skops / "inner" / "MLmodel").write_text("flavors: {}")
    with pytest.raises(LoadFailed, match="second MLmodel"):
        refuse_code(skops)


@pytest.mark.parametrize(
    ("loader", "flavour", "says"),
    [
        ("xgboost", {"data": "model.ubj", "model_class": "xgboost.core.Booster"}, None),
        ("xgboost", {"data": "model.ubj", "model_class": "xgboost.os.system"}, "xgboost.os.system"),
        ("xgboost", {"data": "model.pkl", "model_class": "xgboost.sklearn.XGBRegressor"}, "may be a pickle"),
        ("lightgbm", {"data": "model.lgb", "model_class": "lightgbm.basic.Booster"}, None),
        ("lightgbm", {"data": "model.pkl", "model_class": "lightgbm.sklearn.LGBMClassifier"}, "cloudpickle"),
        ("catboost", {"data": "model.cb", "save_format": "cbm"}, None),
        ("catboost", {"data": "model.cb", "save_format": "python"}, "format python"),
        ("onnx", {"data": "model.onnx", "providers": ["CUDAExecutionProvider", "CPUExecutionProvider"]}, None),
        ("onnx", {"data": "model.onnx", "providers": [["TensorrtExecutionProvider", {"plugin": "x.so"}]]}, "provider"),
        ("onnx", {"data": "model.onnx", "onnx_session_options": {"extra_session_config": {}}}, "session"),
        ("statsmodels", {"data": "model.statsmodels"}, "loaded by mlflow.statsmodels"),
    ],
)
def test_each_library_has_its_safe_formats(
    tmp_path: Path, loader: str, flavour: dict[str, Any], says: str | None
) -> None:
    pyfunc = {"loader_module": f"mlflow.{loader}", "data": flavour["data"]}
    (tmp_path / "MLmodel").write_text(yaml.safe_dump({"flavors": {"python_function": pyfunc, loader: flavour}}))
    if says is None:
        refuse_code(tmp_path)
        return
    with pytest.raises(LoadFailed, match=says):
        refuse_code(tmp_path)


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        ({"class_name": "Dense", "module": "keras.layers", "config": {"activation": "relu"}}, None),
        ({"class_name": "Lambda", "module": "keras.layers", "config": {}}, "keras.layers.Lambda"),
        ({"class_name": "__lambda__", "config": {"value": "4wAAAA=="}}, "__lambda__"),
        ({"class_name": "function", "module": "builtins", "config": "eval"}, "builtins.function"),
        ({"class_name": "run", "module": "subprocess", "config": {}}, "subprocess.run"),
    ],
)
def test_keras_layers_are_keras_own(tmp_path: Path, layer: dict[str, Any], says: str | None) -> None:
    pyfunc = {"loader_module": "mlflow.keras", "data": "data"}
    flavours = {"python_function": pyfunc, "keras": {"data": "data"}}
    (tmp_path / "MLmodel").write_text(yaml.safe_dump({"flavors": flavours}))
    (tmp_path / "data").mkdir()
    with zipfile.ZipFile(tmp_path / "data" / "model.keras", "w") as file:
        file.writestr("config.json", json.dumps({"class_name": "Sequential", "module": "keras", "layers": [layer]}))
    if says is None:
        refuse_code(tmp_path)
        return
    with pytest.raises(LoadFailed, match=says):
        refuse_code(tmp_path)


@pytest.mark.parametrize("text", ["", "flavors: 3", "[1]", "{", "flavors: {python_function: 1}"])
def test_a_broken_description_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "MLmodel").write_text(text)
    with pytest.raises(LoadFailed):
        refuse_code(tmp_path)


def test_real_models_of_other_libraries_are_loaded(tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost", reason="XGBoost is missing")
    model = xgboost.XGBRegressor(n_estimators=2).fit(NUMBERS, MATRIX[:, 0])
    mlflow.xgboost.save_model(model, str(tmp_path / "m"), pip_requirements=[])
    answer = load(str(tmp_path / "m"), tmp_path, safe_only=True).predict(NUMBERS, None)
    assert np.array_equal(answer, model.predict(NUMBERS))


def _change(model: Path, flavour: str, **changes: Any) -> None:
    described = yaml.safe_load((model / "MLmodel").read_text())
    described["flavors"][flavour].update(changes)
    (model / "MLmodel").write_text(yaml.safe_dump(described))
