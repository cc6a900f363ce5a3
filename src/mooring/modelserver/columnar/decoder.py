"""JSON bodies of `/invocations` (and KServe's v1) to rows."""

from collections.abc import Callable

from mooring.modelserver.columnar.bodies import are_objects_quicker
from mooring.modelserver.columnar.layout import is_numeric, layout_of
from mooring.modelserver.columnar.numeric import NumericDecoder
from mooring.modelserver.columnar.values import ValueDecoder
from mooring.modelserver.rows import Rows
from mooring.modelserver.schema import Signature

Decode = Callable[[bytes], Rows | None]
"""A body's rows under the model's layout. None for all that MLflow's own rules have to decide; never an exception."""


def decoder_of(signature: Signature, *, are_names_optional: bool = False) -> Decode:
    """Compiled for one model. With `are_names_optional`, rows in `inputs` and `instances` may come without names."""
    layout = layout_of(signature)
    if layout is None:
        return _nothing
    values = ValueDecoder(layout, signature, are_names_optional=are_names_optional).decode
    if not is_numeric(layout):
        return values
    numbers = NumericDecoder(layout, signature, are_names_optional=are_names_optional).decode
    return lambda body: (None if are_objects_quicker(body) else numbers(body)) or values(body)


def _nothing(_: bytes) -> Rows | None:
    return None
