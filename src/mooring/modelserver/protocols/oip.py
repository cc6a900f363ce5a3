"""The Open Inference Protocol, version 2, REST with JSON bodies.

A column of the signature is a tensor of shape [n, 1] (or [n]); names and data types follow MLServer's mapping, so
that clients written for its MLflow runtime work unchanged.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.inference import Form, Inference
from mooring.modelserver.protocols.fitting import COLUMN_DATATYPES, fitted
from mooring.modelserver.protocols.json_body import parse_object
from mooring.modelserver.protocols.outputs import named_arrays
from mooring.modelserver.protocols.tensors import Array, datatype_of, to_array, to_tensor
from mooring.modelserver.schema import Field, Signature

PLATFORM = "mlflow_pyfunc"


@dataclass(frozen=True)
class ModelIdentity:
    """How the model is called in answers."""

    name: str
    version: str | None

    def names(self) -> dict[str, str]:
        """`model_name` and, where there is one, `model_version`."""
        return {"model_name": self.name} | ({"model_version": self.version} if self.version else {})


@dataclass(frozen=True, slots=True)
class OipCall:
    """One call of `infer`."""

    inference: Inference
    identity: ModelIdentity
    signature: Signature
    request_id: str | None
    requested: tuple[str, ...] | None
    """Names of the outputs that are wanted; None for all."""

    def encode(self, prediction: Any) -> bytes:
        """All outputs, or those asked for. Raises InvalidInput for an output that the model does not have."""
        arrays = named_arrays(prediction, self.signature.outputs)
        unknown = set(self.requested or ()) - arrays.keys()
        if unknown:
            raise InvalidInput(f"output {sorted(unknown)[0]!r:.60} does not exist: use {', '.join(arrays)}")
        wanted = arrays if self.requested is None else self.requested
        answer: dict[str, Any] = self.identity.names()
        if self.request_id is not None:
            answer["id"] = self.request_id
        answer["outputs"] = [to_tensor(name, arrays[name]) for name in wanted]
        return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def decode(body: bytes, identity: ModelIdentity, signature: Signature) -> OipCall:
    """Raises InvalidInput."""
    request = parse_object(body)
    arrays = dict(_input(item, number) for number, item in enumerate(_objects(request, "inputs")))
    if not arrays:
        raise InvalidInput("'inputs' must have at least one tensor")
    if signature.inputs is not None:
        arrays = fitted(arrays, signature)
    return OipCall(
        inference=Inference(Form.ARRAYS, arrays, _params(request, signature)),
        identity=identity,
        signature=signature,
        request_id=_optional_text(request, "id"),
        requested=_requested(request),
    )


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


def _objects(request: dict[str, Any], key: str) -> list[dict[str, Any]]:
    items = request.get(key)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise InvalidInput(f"'{key}' must be a list of objects")
    return items


def _input(item: dict[str, Any], number: int) -> tuple[str, Array]:
    name = item.get("name")
    if not isinstance(name, str):
        raise InvalidInput(f"inputs[{number}]: 'name' must be a string")
    return name, to_array(name, item.get("datatype"), item.get("shape"), item.get("data"))


def _requested(request: dict[str, Any]) -> tuple[str, ...] | None:
    if not request.get("outputs"):
        return None
    return tuple(str(item.get("name")) for item in _objects(request, "outputs"))


def _optional_text(request: dict[str, Any], key: str) -> str | None:
    value = request.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidInput(f"'{key}' must be a string")
    return value


def _params(request: dict[str, Any], signature: Signature) -> dict[str, Any] | None:
    """Those of the request's parameters that the model knows; others are the protocol's own or mean nothing."""
    given = request.get("parameters") or {}
    if not isinstance(given, dict):
        raise InvalidInput("'parameters' must be an object")
    return {p.name: given[p.name] for p in signature.params if p.name in given} or None
