"""Small networks, where PyTorch and Keras are installed (they are not in the lock: their builds are gigabytes)."""

import os
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
from mlflow.models import ModelSignature, infer_signature
from mlflow.types.schema import Schema, TensorSpec

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras
import torch

from tests.modelserver.flavour_models import NUMBERS

_TENSOR = ModelSignature(
    Schema([TensorSpec(np.dtype("float32"), (-1, 6))]), Schema([TensorSpec(np.dtype("float32"), (-1, 2))])
)


def _pytorch(folder: Path, signature: ModelSignature) -> None:
    net = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2)).eval()
    mlflow.pytorch.save_model(net, str(folder), signature=signature, pip_requirements=[], serialization_format="pickle")


def _keras(folder: Path) -> None:
    layers = [keras.Input((6,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dropout(0.5)]
    mlflow.keras.save_model(
        keras.Sequential([*layers, keras.layers.Dense(2)]), str(folder), signature=_TENSOR, pip_requirements=[]
    )


SAVERS: dict[str, Callable[[Path], None]] = {
    "pytorch-tensor": lambda folder: _pytorch(folder, _TENSOR),
    "pytorch-table": lambda folder: _pytorch(folder, infer_signature(NUMBERS, np.zeros((1, 2), np.float32))),
    "keras": _keras,
}
