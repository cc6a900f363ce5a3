"""The Open Inference Protocol, version 2, over REST: JSON bodies, and tensors as raw bytes behind the JSON.

A column of the signature is a tensor of shape [n, 1] (or [n]); names and data types follow MLServer's mapping, so
that clients written for its MLflow runtime work unchanged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.http import Response
from mooring.modelserver.inference import Columnar, Form, Inference
from mooring.modelserver.protocols.array_rows import rows_of
from mooring.modelserver.protocols.fitting import COLUMN_DATATYPES, fitted
from mooring.modelserver.protocols.identity import ModelIdentity
from mooring.modelserver.protocols.oip_answer import answer
from mooring.modelserver.protocols.oip_request import OipRequest, json_length, read
from mooring.modelserver.protocols.tensors import datatype_of
from mooring.modelserver.protocols.texts import has_many_texts
from mooring.modelserver.rows import Layout
from mooring.modelserver.schema import Field, Signature

PLATFORM = "mlflow_pyfunc"


@dataclass(frozen=True, slots=True)
class OipCall:
    """One call of `infer`, to be answered the general way."""

    inference: Inference
    encode: Callable[[Any], bytes | Response]


@dataclass(frozen=True, slots=True)
class OipReader:
    """Reads the calls of `infer`."""

    identity: ModelIdentity
    signature: Signature
    layout: Layout | None = None
    """None when the model has no columnar way."""
    header_length: str | None = None
    """Where the JSON of this request ends and raw tensors begin, as its header says it."""

    def columnar(self, body: bytes) -> Columnar | None:
        """The tensors as rows; None for whatever the general way has to decide."""
        try:
            if self.header_length is not None and has_many_texts(body, json_length(self.header_length, len(body))):
                return None
            request = read(body, self.header_length, self.signature)
        except InvalidInput:
            return None
        rows = None if request.params else rows_of(request.arrays, self.layout, self.signature)
        return None if rows is None else Columnar(rows, self._encoder(request))

    def call(self, body: bytes) -> OipCall:
        """Raises InvalidInput."""
        request = read(body, self.header_length, self.signature)
        arrays = request.arrays if self.signature.inputs is None else fitted(request.arrays, self.signature)
        return OipCall(Inference(Form.ARRAYS, arrays, request.params), self._encoder(request))

    def _encoder(self, request: OipRequest) -> Callable[[Any], bytes | Response]:
        return lambda prediction: answer(prediction, request, self.identity.names(), self.signature.outputs)


def model_metadata(identity: ModelIdentity, signature: Signature) -> dict[str, Any]:
    """Name, versions, platform, and the tensors that go in and come out."""
    versions = {"versions": [identity.version]} if identity.version else {}
    return {
        "name": identity.name,
        **versions,
        "platform": PLATFORM,
        "inputs": [_metadata(f, f"input-{at}") for at, f in enumerate(signature.inputs or ())],
        "outputs": [_metadata(f, f"output-{at}") for at, f in enumerate(signature.outputs)],
    }


def _metadata(field: Field, default_name: str) -> dict[str, Any]:
    name = field.name or default_name
    if field.dtype is not None:
        return {"name": name, "datatype": datatype_of(np.dtype(field.dtype)), "shape": list(field.shape)}
    return {"name": name, "datatype": COLUMN_DATATYPES.get(field.type, "BYTES"), "shape": [-1, 1]}
