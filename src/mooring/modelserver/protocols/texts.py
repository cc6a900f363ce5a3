"""Values of BYTES tensors that came as bytes, brought into the form in which JSON would have carried them."""

import base64

from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.protocols.raw_tensors import objects
from mooring.modelserver.protocols.tensors import Array
from mooring.modelserver.schema import Signature

_MANY_BYTES = 128 * 1024


def decoded(name: str, array: Array, signature: Signature) -> Array:
    """Text as `str`, and base64 for a column of binary data, which is how MLflow's own rules take it.

    Raises InvalidInput for what is not UTF-8.
    """
    values: list[bytes] = array.reshape(-1).tolist()
    if name in _binary_names(signature):
        return objects([base64.b64encode(value).decode() for value in values]).reshape(array.shape)
    return objects([_text(name, at, value) for at, value in enumerate(values)]).reshape(array.shape)


def _binary_names(signature: Signature) -> set[str]:
    return {field.name or f"input-{at}" for at, field in enumerate(signature.inputs or ()) if field.type == "binary"}


def _text(name: str, at: int, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise InvalidInput(
            f"input '{name}', value {at}: it is not UTF-8 text, and the model has no binary column here"
        ) from None


def has_many_texts(body: bytes, head: int | None = None) -> bool:
    """Whether a body with raw tensors may hold too many texts for the event loop, made one by one.

    By the type's name, which stands as it is in JSON and in gRPC's messages. `head`: how long the JSON is, as looking
    through all values of an image takes longer than a small model.
    """
    return len(body) > _MANY_BYTES and body.find(b"BYTES", 0, head) >= 0
