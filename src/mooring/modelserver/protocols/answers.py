"""Answers to `/invocations` in the form that the caller asks for by `accept`: JSON, CSV, or one array."""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd

from mooring.modelserver.errors import NotAcceptable
from mooring.modelserver.http import JSON, Response
from mooring.modelserver.inference import Call, Columnar, Inference, Reader
from mooring.modelserver.preferences import preferred
from mooring.modelserver.protocols import npy
from mooring.modelserver.protocols.outputs import named_arrays
from mooring.modelserver.protocols.tensors import Array
from mooring.modelserver.schema import Signature

CSV = "text/csv"


@dataclass(frozen=True, slots=True)
class Answering:
    """A reader whose answers are written in another form than its own."""

    reader: Reader
    write: Callable[[Any], Response]

    def columnar(self, body: bytes) -> Columnar | None:
        """As the reader's."""
        read = self.reader.columnar(body)
        return None if read is None else Columnar(read.rows, self.write)

    def call(self, body: bytes) -> Call:
        """As the reader's."""
        return _Written(self.reader.call(body).inference, self.write)


@dataclass(frozen=True, slots=True)
class _Written:
    inference: Inference
    encode: Callable[[Any], Response]


def accepted(accept: str | None, reader: Reader, signature: Signature) -> Reader:
    """The reader, its answers in the form that `accept` prefers. Raises NotAcceptable when we have none of those."""
    if accept is None or accept in ("*/*", JSON):
        return reader
    chosen = preferred(accept, (JSON, *_WRITERS))
    if chosen is None:
        raise NotAcceptable(f"an answer can be {', '.join((JSON, *_WRITERS))}, and 'accept' takes none of them")
    if chosen == JSON:
        return reader
    write = _WRITERS[chosen]
    return Answering(reader, lambda prediction: Response(write(prediction, signature), content_type=chosen))


def _csv(prediction: Any, signature: Signature) -> bytes:
    """A line of names, and a line per row; a column of several values becomes as many columns."""
    columns: dict[str, list[Any]] = {}
    for name, array in named_arrays(prediction, signature.outputs).items():
        if array.ndim > 2:
            raise NotAcceptable(f"output '{name}' has shape {list(array.shape)}, which is no table: ask for JSON")
        flat = array.reshape(len(array), -1) if array.ndim else array.reshape(1, 1)
        names = [name] if flat.shape[1] == 1 else [f"{name}.{at}" for at in range(flat.shape[1])]
        columns |= zip(names, _cells(flat), strict=True)
    if len({len(column) for column in columns.values()}) > 1:
        raise NotAcceptable("the outputs differ in their numbers of rows, so they are no table: ask for JSON")
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def _cells(table: Array) -> list[list[Any]]:
    values = np.datetime_as_string(table) if table.dtype.kind == "M" else table
    return [["" if value is None else value for value in column] for column in values.T.tolist()]


def _npy(prediction: Any, _: Signature) -> bytes:
    if isinstance(prediction, dict) and len(prediction) == 1:
        (prediction,) = prediction.values()
    if isinstance(prediction, pd.DataFrame | pd.Series):
        prediction = prediction.to_numpy()
    try:
        array = np.asarray(prediction)
        if array.dtype.kind == "O" and array.size and all(isinstance(value, str) for value in array.flat):
            array = array.astype(str)
        return npy.write(array)
    except ValueError:
        raise NotAcceptable("the model's answer is not one array of numbers or texts: ask for JSON") from None


_WRITERS: Mapping[str, Callable[[Any, Signature], bytes]] = {npy.NPY: _npy, CSV: _csv}
