"""PyTorch: a tensor over the rows' own memory, and no frame in between."""

from typing import Any

import numpy as np
import pandas as pd

from mooring.modelserver.flavours.input import matrix_maker
from mooring.modelserver.flavours.predictor import Candidate
from mooring.modelserver.rows import Array, Layout, Rows, Shape


def candidates(module: Any, method: str, layout: Layout) -> list[Candidate]:
    """For modules on the processor that take one tensor."""
    import torch

    matrix = matrix_maker(layout)
    parameter = next(iter(module.parameters()), None) if isinstance(module, torch.nn.Module) else None
    if matrix is None or method != "predict" or parameter is None or parameter.device.type != "cpu":
        return []
    is_table = layout.shape is not Shape.TENSORS

    def ask(rows: Rows) -> Any:
        array = _writable(matrix(rows), is_table)
        with torch.inference_mode():
            answer = module(torch.from_numpy(array)).numpy()
        return pd.DataFrame(answer) if is_table else answer

    return [Candidate("pytorch", ask)]


def _writable(array: Array, is_table: bool) -> Array:
    """PyTorch knows no read-only memory, and a module may write into its input. Tables lie as pandas lays them."""
    if is_table:
        return np.array(array, dtype=np.float32, order="F")
    return array if array.flags.writeable else array.copy()
