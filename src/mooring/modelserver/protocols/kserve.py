"""KServe's first protocol, `:predict`: `instances` or `inputs` in, `predictions` out, all in JSON.

These are forms of MLflow's protocol as well, and read as there. What MLflow does not take: instances that are rows
without names, for a model whose columns have names. They take the signature's names, in its order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.inference import Call, Columnar, Reader
from mooring.modelserver.protocols.json_body import parse_object
from mooring.modelserver.protocols.plain_rows import from_plain_rows
from mooring.modelserver.protocols.scoring import ScoringCall, from_json
from mooring.modelserver.schema import Signature

_KEYS = ("instances", "inputs")


@dataclass(frozen=True, slots=True)
class KserveReader:
    """Reads the bodies of `:predict`."""

    scoring: Reader
    """Of the JSON bodies of `/invocations`."""
    signature: Signature

    def columnar(self, body: bytes) -> Columnar | None:
        """As in MLflow's protocol."""
        return self.scoring.columnar(body)

    def call(self, body: bytes) -> Call:
        """Raises InvalidInput."""
        document = parse_object(body)
        keys = [key for key in _KEYS if key in document]
        if len(keys) != 1:
            raise InvalidInput("the body must have one of the keys instances and inputs")
        if self._are_nameless(document[keys[0]]):
            return ScoringCall(from_plain_rows(_renamed(document, keys[0]), self.signature))
        return ScoringCall(
            from_json({key: document[key] for key in document if key in (*_KEYS, "params")}, self.signature)
        )

    def _are_nameless(self, rows: Any) -> bool:
        is_named_table = self.signature.is_named and not self.signature.is_tensor
        return is_named_table and isinstance(rows, list) and bool(rows) and all(isinstance(row, list) for row in rows)


def _renamed(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {"data": document[key]} | ({"params": document["params"]} if "params" in document else {})
