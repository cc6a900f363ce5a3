"""What is asked in the Open Inference Protocol, read from JSON, or from JSON with raw tensors behind it."""

from dataclasses import dataclass
from typing import Any

from mooring.modelserver.columnar.tensors import read_tensors
from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.protocols.json_body import parse_object
from mooring.modelserver.protocols.raw_tensors import from_raw
from mooring.modelserver.protocols.tensors import DTYPES, Array, to_array
from mooring.modelserver.protocols.texts import decoded
from mooring.modelserver.schema import Signature


@dataclass(frozen=True, slots=True)
class Output:
    """One output that is asked for."""

    name: str
    is_raw: bool


@dataclass(frozen=True, slots=True)
class OipRequest:
    """One request, its tensors by name as they were sent."""

    arrays: dict[str, Array]
    params: dict[str, Any] | None
    id: str | None
    outputs: tuple[Output, ...] | None
    """None for all."""
    wants_raw: bool
    """Whether outputs that are not named travel as raw bytes."""


def read(body: bytes, header_length: str | None, signature: Signature) -> OipRequest:
    """`header_length` is the header `inference-header-content-length`: where the JSON ends. Raises InvalidInput."""
    length = len(body) if header_length is None else json_length(header_length, len(body))
    quick = read_tensors(body, DTYPES) if length == len(body) else None
    request = quick[0] if quick else parse_object(body if length == len(body) else body[:length])
    parameters = _parameters(request, "the request")
    wants_raw = parameters.get("binary_data_output") is True
    return OipRequest(
        arrays=quick[1] if quick else _arrays(request, memoryview(body)[length:], signature),
        params=known_params(parameters, signature),
        id=_optional_text(request, "id"),
        outputs=_outputs(request, wants_raw),
        wants_raw=wants_raw,
    )


def known_params(given: dict[str, Any], signature: Signature) -> dict[str, Any] | None:
    """Those of the request's parameters that the model knows; others are the protocol's own or mean nothing."""
    return {p.name: given[p.name] for p in signature.params if p.name in given} or None


def add_tensor(arrays: dict[str, Array], name: str, array: Array) -> None:
    """Raises InvalidInput for a second tensor of one name."""
    if name in arrays:
        raise InvalidInput(f"input '{name}' is there twice")
    arrays[name] = array


def json_length(text: str, size: int) -> int:
    """Of the header, for a body of so many bytes. Raises InvalidInput."""
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(size)) or int(text) > size:
        raise InvalidInput(f"inference-header-content-length is {text!r:.40}, and the body has {size} bytes")
    return int(text)


def _arrays(request: dict[str, Any], raw: memoryview, signature: Signature) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    at = 0
    for number, item in enumerate(_objects(request, "inputs")):
        name = item.get("name")
        if not isinstance(name, str):
            raise InvalidInput(f"inputs[{number}]: 'name' must be a string")
        size = _raw_size(name, item)
        if size is None:
            add_tensor(arrays, name, to_array(name, item.get("datatype"), item.get("shape"), item.get("data")))
            continue
        if size > len(raw) - at:
            raise InvalidInput(f"input '{name}': binary_data_size is {size}, and {len(raw) - at} bytes are left")
        add_tensor(arrays, name, _raw_array(name, item, raw[at : at + size], signature))
        at += size
    if not arrays:
        raise InvalidInput("'inputs' must have at least one tensor")
    if at != len(raw):
        raise InvalidInput(f"{len(raw) - at} bytes are left over after the last input's binary data")
    return arrays


def _raw_array(name: str, item: dict[str, Any], raw: memoryview, signature: Signature) -> Array:
    array = from_raw(name, item.get("datatype"), item.get("shape"), raw)
    return decoded(name, array, signature) if array.dtype.kind == "O" else array


def _raw_size(name: str, item: dict[str, Any]) -> int | None:
    size = _parameters(item, f"input '{name}'").get("binary_data_size")
    if size is None:
        return None
    if type(size) is not int or size < 0:
        raise InvalidInput(f"input '{name}': binary_data_size must be a whole number")
    if "data" in item:
        raise InvalidInput(f"input '{name}': it has both data and binary_data_size")
    return size


def _outputs(request: dict[str, Any], wants_raw: bool) -> tuple[Output, ...] | None:
    if not request.get("outputs"):
        return None
    return tuple(_output(item, wants_raw) for item in _objects(request, "outputs"))


def _output(item: dict[str, Any], wants_raw: bool) -> Output:
    name = str(item.get("name"))
    parameters = _parameters(item, f"output {name!r:.60}")
    if "classification" in parameters:
        raise InvalidInput(f"output {name!r:.60}: classification is not possible here: ask for the tensor itself")
    return Output(name, parameters.get("binary_data", wants_raw) is True)


def _objects(request: dict[str, Any], key: str) -> list[dict[str, Any]]:
    items = request.get(key)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise InvalidInput(f"'{key}' must be a list of objects")
    return items


def _parameters(item: dict[str, Any], where: str) -> dict[str, Any]:
    given = item.get("parameters") or {}
    if not isinstance(given, dict):
        raise InvalidInput(f"'parameters' of {where} must be an object")
    return given


def _optional_text(request: dict[str, Any], key: str) -> str | None:
    value = request.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidInput(f"'{key}' must be a string")
    return value
