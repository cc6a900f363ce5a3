"""`ModelInfer`'s messages: bytes to typed arrays, predictions to bytes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from mooring.modelserver.errors import InvalidInput, NotFound
from mooring.modelserver.grpc.messages import Message, message
from mooring.modelserver.inference import Columnar, Form, Inference
from mooring.modelserver.protocols.array_rows import rows_of
from mooring.modelserver.protocols.fitting import fitted
from mooring.modelserver.protocols.identity import ModelIdentity
from mooring.modelserver.protocols.oip import OipCall
from mooring.modelserver.protocols.oip_answer import wanted
from mooring.modelserver.protocols.oip_request import OipRequest, Output, add_tensor, known_params
from mooring.modelserver.protocols.outputs import named_arrays
from mooring.modelserver.protocols.raw_tensors import from_raw, objects, to_raw
from mooring.modelserver.protocols.tensors import DTYPES, Array, checked_shape, datatype_of, shaped, to_tensor
from mooring.modelserver.protocols.texts import decoded, has_many_texts
from mooring.modelserver.rows import Layout
from mooring.modelserver.schema import Signature

_CONTENTS: Mapping[str, str] = {
    "BOOL": "bool_contents",
    **{f"INT{bits}": "int_contents" for bits in (8, 16, 32)},
    **{f"UINT{bits}": "uint_contents" for bits in (8, 16, 32)},
    "INT64": "int64_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
"""Which field carries the values of a type, when they are not raw."""


@dataclass(frozen=True, slots=True)
class GrpcReader:
    """Reads the serialised requests of `ModelInfer`."""

    identity: ModelIdentity
    signature: Signature
    layout: Layout | None = None

    def columnar(self, body: bytes) -> Columnar | None:
        """The tensors as rows; None for whatever the general way has to decide."""
        if has_many_texts(body):
            return None
        try:
            request = self._read(body)
        except (InvalidInput, NotFound):
            return None
        rows = None if request.params else rows_of(request.arrays, self.layout, self.signature)
        return None if rows is None else Columnar(rows, self._encoder(request))

    def call(self, body: bytes) -> OipCall:
        """Raises InvalidInput, and NotFound for another model or version."""
        request = self._read(body)
        arrays = request.arrays if self.signature.inputs is None else fitted(request.arrays, self.signature)
        return OipCall(Inference(Form.ARRAYS, arrays, request.params), self._encoder(request))

    def check(self, name: str, version: str) -> None:
        """Raises NotFound unless this is the model that is served; no version means any."""
        if name != self.identity.name or version not in ("", self.identity.version or ""):
            raise NotFound(f"no such model or version here: this server has model '{self.identity.name}'")

    def _read(self, body: bytes) -> OipRequest:
        request = parsed("ModelInferRequest", body)
        self.check(request.model_name, request.model_version)
        parameters = _values(request.parameters)
        raw = list(request.raw_input_contents)
        wants_raw = bool(raw) or parameters.get("binary_data_output") is True
        outputs = tuple(_output(output, wants_raw) for output in request.outputs)
        return OipRequest(
            arrays=_arrays(request, raw, self.signature),
            params=known_params(parameters, self.signature),
            id=request.id or None,
            outputs=outputs or None,
            wants_raw=wants_raw or any(output.is_raw for output in outputs),
        )

    def _encoder(self, request: OipRequest) -> Callable[[Any], bytes]:
        return lambda prediction: _answer(prediction, request, self.identity, self.signature)


def parsed(name: str, body: bytes) -> Message:
    """A message of this name. Raises InvalidInput when the bytes are none."""
    try:
        return message(name).FromString(body)
    except DecodeError:
        raise InvalidInput(f"the request is not a {name}") from None


def _arrays(request: Message, raw: list[bytes], signature: Signature) -> dict[str, Array]:
    if raw and len(raw) != len(request.inputs):
        raise InvalidInput(f"there are {len(request.inputs)} inputs and {len(raw)} raw_input_contents")
    if not request.inputs:
        raise InvalidInput("'inputs' must have at least one tensor")
    arrays: dict[str, Array] = {}
    for at, tensor in enumerate(request.inputs):
        if raw and tensor.HasField("contents"):
            raise InvalidInput(f"input '{tensor.name}': it has both contents and raw_input_contents")
        array = from_raw(tensor.name, tensor.datatype, list(tensor.shape), raw[at]) if raw else _contents(tensor)
        is_text = array.dtype.kind == "O"
        add_tensor(arrays, tensor.name, decoded(tensor.name, array, signature) if is_text else array)
    return arrays


def _contents(tensor: Message) -> Array:
    field = _CONTENTS.get(tensor.datatype)
    if field is None:
        hint = " (FP16 and BF16 only travel raw)" if tensor.datatype in ("FP16", "BF16") else ""
        raise InvalidInput(
            f"input '{tensor.name}': datatype {tensor.datatype!r:.60} is not one of {', '.join(_CONTENTS)}{hint}"
        )
    shape = checked_shape(tensor.name, list(tensor.shape))
    values = getattr(tensor.contents, field)
    if len(values) != int(np.prod(shape, dtype=object)):
        raise InvalidInput(f"input '{tensor.name}': shape {shape!r:.100} does not fit {len(values)} values in {field}")
    flat = objects(values) if field == "bytes_contents" else _narrowed(tensor, np.array(values))
    return shaped(tensor.name, flat, shape)


def _narrowed(tensor: Message, values: Array) -> Array:
    """Small integers travel as 32 bits."""
    narrow = values.astype(DTYPES[tensor.datatype])
    if narrow.dtype.kind in "iu" and not np.array_equal(narrow, values):
        raise InvalidInput(f"input '{tensor.name}': a value does not fit {tensor.datatype}")
    return narrow


def _values(parameters: Message) -> dict[str, Any]:
    return {name: getattr(value, value.WhichOneof("choice") or "bool_param") for name, value in parameters.items()}


def _output(output: Message, wants_raw: bool) -> Output:
    parameters = _values(output.parameters)
    if "classification" in parameters:
        raise InvalidInput(
            f"output {output.name!r:.60}: classification is not possible here: ask for the tensor itself"
        )
    return Output(output.name, parameters.get("binary_data", wants_raw) is True)


def _answer(prediction: Any, request: OipRequest, identity: ModelIdentity, signature: Signature) -> bytes:
    """Raw values for whoever sent or wants raw ones: an answer is all of the one or all of the other kind."""
    response = message("ModelInferResponse")(
        model_name=identity.name, model_version=identity.version or "", id=request.id or ""
    )
    arrays = named_arrays(prediction, signature.outputs)
    for name, array, _ in wanted(arrays, request.outputs, all_raw=request.wants_raw):
        tensor = response.outputs.add(name=name, datatype=datatype_of(array.dtype), shape=array.shape)
        if request.wants_raw:
            response.raw_output_contents.append(to_raw(array))
        else:
            getattr(tensor.contents, _CONTENTS[tensor.datatype]).extend(_plain(name, array))
    serialised: bytes = response.SerializeToString()
    return serialised


def _plain(name: str, array: Array) -> list[Any]:
    if datatype_of(array.dtype) != "BYTES":
        return list(array.reshape(-1).tolist())
    if array.dtype.kind == "M":
        return [text.encode() for text in to_tensor(name, array)["data"]]
    values = array.reshape(-1).tolist()
    return [v if isinstance(v, bytes) else b"" if v is None else str(v).encode() for v in values]
