"""Which files of a model run code when they are loaded. Decided before any library sees them.

What is known to be data is allowed, everything else refused: the policy is the operator's (`--safe-formats-only`), and
nothing that a model says about itself makes it safe.
"""

import json
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from mooring.modelserver.errors import LoadFailed

Flavour = Mapping[str, Any]

_HARMLESS = {
    "collections.OrderedDict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRanker",
    "lightgbm.sklearn.LGBMRegressor",
}
"""What MLflow itself asks skops to trust for LightGBM: their state is numbers and LightGBM's own text."""
_KERAS = re.compile(
    r"keras(\.(src\.)?(models|layers|initializers|regularizers|constraints|activations|optimizers|losses|metrics"
    r"|dtype_policies|ops)(\..*)?)?"
)

_PYFUNC = "python_function"
_ELSE = "log it again as {other}, or serve it without --safe-formats-only if you trust whoever made it"


def refuse_code(folder: Path) -> None:
    """Raises LoadFailed when loading the model in this folder could run code, and what cannot be told apart from it."""
    flavours = _flavours(folder)
    pyfunc = flavours.get(_PYFUNC, {})
    loader = str(pyfunc.get("loader_module"))
    _refuse_detours(folder, pyfunc)
    # On the path of imports, before all libraries.
    if code := next((flavour["code"] for flavour in flavours.values() if flavour.get("code")), None):
        raise _unsafe(f"{code} is Python code that comes with the model", "a model of its library alone")
    check = _CHECKS.get(loader)
    if check is None:
        raise _unsafe(f"the model is loaded by {loader}, of which nothing is known to be safe", "ONNX, say")
    check(folder, flavours.get(loader.removeprefix("mlflow."), {}))


def _flavours(folder: Path) -> dict[str, Flavour]:
    try:
        described = yaml.safe_load((folder / "MLmodel").read_text())
        return {name: flavour for name, flavour in described["flavors"].items() if isinstance(flavour, dict)}
    except (OSError, ValueError, yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        raise LoadFailed(f"{folder / 'MLmodel'} cannot be read: {error}") from error


def _refuse_detours(folder: Path, pyfunc: Flavour) -> None:
    """What is read here has to be what MLflow reads: it also looks beside the data for another description."""
    places = [pyfunc[key] for key in ("data", "model_path") if pyfunc.get(key) is not None]
    if sum(1 for _ in folder.rglob("MLmodel")) != 1 or any(Path(str(place)).name != place for place in places):
        raise _unsafe("the model's data lie in a folder of their own or have a second MLmodel", "MLflow does it")


def _unsafe(what: str, other: str) -> LoadFailed:
    return LoadFailed(f"{what}: {_ELSE.format(other=other)}")


def _sklearn(folder: Path, flavour: Flavour) -> None:
    del folder
    file, kind = flavour.get("pickled_model", "the model"), flavour.get("serialization_format", "pickle")
    if kind != "skops":
        raise _unsafe(f"{file} is in the format {kind}, which runs code when it is loaded", "skops")
    if trusted := set(map(str, flavour.get("skops_trusted_types") or ())) - _HARMLESS:
        raise _unsafe(
            f"{file} asks for trust in types that skops does not know to be safe ({', '.join(sorted(trusted))})", "ONNX"
        )


def _xgboost(folder: Path, flavour: Flavour) -> None:
    del folder
    name = str(flavour.get("model_class", "xgboost.core.Booster"))
    if not re.fullmatch(r"xgboost\.(core\.Booster|sklearn\.XGB[A-Za-z]+)", name):
        raise _unsafe(f"the model is made by {name}, which is not a model of XGBoost's", "one of XGBoost itself")
    _with_suffix(flavour, ".ubj", ".json", ".xgb")


def _lightgbm(folder: Path, flavour: Flavour) -> None:
    if flavour.get("model_class", "lightgbm.basic.Booster") != "lightgbm.basic.Booster":
        _sklearn(folder, {"pickled_model": flavour.get("data"), "serialization_format": "cloudpickle", **flavour})
    else:
        _with_suffix(flavour, ".lgb", ".txt")


def _catboost(folder: Path, flavour: Flavour) -> None:
    del folder
    if flavour.get("save_format") not in ("cbm", "json"):
        raise _unsafe(f"{flavour.get('data')} is in the format {flavour.get('save_format')}", "cbm or json")


def _onnx(folder: Path, flavour: Flavour) -> None:
    del folder
    known = {"CPUExecutionProvider", "CUDAExecutionProvider", None}
    if not known.issuperset(name if isinstance(name, str) else "" for name in flavour.get("providers") or ()):
        raise _unsafe("the model names an execution provider with options of its own", "ONNX for the processor")
    if flavour.get("onnx_session_options"):
        raise _unsafe("the model sets options of its ONNX session, which may load libraries", "ONNX without them")
    _with_suffix(flavour, ".onnx")


def _keras(folder: Path, flavour: Flavour) -> None:
    data = folder / str(flavour.get("data", "model"))
    for file in [*data.glob("*.keras"), *data.parent.glob(f"{data.name}.keras")]:
        layers = json.loads(zipfile.ZipFile(file).read("config.json"))
        if foreign := next(_foreign_layers(layers), None):
            raise _unsafe(f"{file.name} holds {foreign}, which runs code of its own", "a model of Keras's own layers")
        return
    raise _unsafe(f"{data.name} is not in the .keras format", "a .keras file")


def _foreign_layers(config: Any) -> Any:
    """Names of the layers and functions in a Keras configuration that are not Keras's own."""
    if isinstance(config, dict):
        name, module = config.get("class_name"), config.get("module")
        is_keras = module is None or bool(_KERAS.fullmatch(str(module)))
        if name is not None and (name in ("Lambda", "__lambda__", "function") or not is_keras):
            yield f"{module or ''}.{name}".strip(".")
        config = list(config.values())
    if isinstance(config, list):
        for part in config:
            yield from _foreign_layers(part)


def _with_suffix(flavour: Flavour, *known: str) -> None:
    file = str(flavour.get("data"))
    if Path(file).suffix not in known:
        raise _unsafe(f"{file} may be a pickle, which runs code when it is loaded", f"a {known[0]} file")


_CHECKS: Mapping[str, Callable[[Path, Flavour], None]] = {
    "mlflow.sklearn": _sklearn,
    "mlflow.xgboost": _xgboost,
    "mlflow.lightgbm": _lightgbm,
    "mlflow.catboost": _catboost,
    "mlflow.onnx": _onnx,
    "mlflow.keras": _keras,
}
"""By pyfunc's loader. PyTorch and statsmodels save pickles; TensorFlow's graphs may read and write files."""
