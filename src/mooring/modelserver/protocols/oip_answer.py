"""What a model returned, as an answer of the Open Inference Protocol: JSON, with raw tensors behind it on demand."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.http import Response
from mooring.modelserver.protocols.oip_request import OipRequest, Output
from mooring.modelserver.protocols.outputs import named_arrays
from mooring.modelserver.protocols.raw_tensors import to_raw
from mooring.modelserver.protocols.tensors import Array, datatype_of, to_tensor
from mooring.modelserver.schema import Field

RAW = "application/octet-stream"


def answer(prediction: Any, request: OipRequest, names: Mapping[str, str], fields: Sequence[Field]) -> bytes | Response:
    """All outputs, or those asked for; a `Response` when some are raw, as that needs headers.

    Raises InvalidInput for an output that the model does not have.
    """
    document: dict[str, Any] = dict(names)
    if request.id is not None:
        document["id"] = request.id
    tensors, pieces = [], []
    for name, array, is_raw in wanted(named_arrays(prediction, fields), request.outputs, all_raw=request.wants_raw):
        if is_raw:
            pieces.append(to_raw(array))
            tensors.append(_head(name, array, len(pieces[-1])))
        else:
            tensors.append(to_tensor(name, array))
    text = orjson.dumps({**document, "outputs": tensors}, option=orjson.OPT_SERIALIZE_NUMPY)
    if not pieces:
        return text
    headers = (("inference-header-content-length", str(len(text))),)
    return Response(b"".join((text, *pieces)), content_type=RAW, headers=headers)


def wanted(
    arrays: Mapping[str, Array], outputs: Sequence[Output] | None, *, all_raw: bool
) -> Iterator[tuple[str, Array, bool]]:
    """Name, values and whether they travel raw, in the order asked for. Raises InvalidInput for an unknown name."""
    for output in [Output(name, all_raw) for name in arrays] if outputs is None else outputs:
        if output.name not in arrays:
            raise InvalidInput(f"output {output.name!r:.60} does not exist: use {', '.join(arrays)}")
        yield output.name, arrays[output.name], output.is_raw


def _head(name: str, array: Array, size: int) -> dict[str, Any]:
    return {
        "name": name,
        "shape": list(array.shape),
        "datatype": datatype_of(array.dtype),
        "parameters": {"binary_data_size": size},
    }
