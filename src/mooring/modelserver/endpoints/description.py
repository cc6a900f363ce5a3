"""`api/openapi.json`: what there is, described."""

from typing import TYPE_CHECKING, Any

import orjson

from mooring.modelserver.by_key.fetching import RunFacts
from mooring.modelserver.errors import ServingError
from mooring.modelserver.http import Request, Response
from mooring.modelserver.made_example import made_example
from mooring.modelserver.openapi import KeyedData, Model, openapi_document
from mooring.modelserver.options import ServeOptions
from mooring.modelserver.protocols import scoring
from mooring.modelserver.routes import Routes

if TYPE_CHECKING:
    from mooring.modelserver.by_key.records import Records
    from mooring.modelserver.dataplane import DataPlane


def description_routes(
    plane: "DataPlane", options: ServeOptions, records: "Records | None", run: RunFacts | None
) -> Routes:
    """The document, written once."""
    signature, own = plane.model.signature, plane.model.example
    described = Model(
        options.model_name, options.model_version, signature, own or _made(plane), is_example_made=own is None,
        keyed=_keyed(records) if records else None, run=run, needs_token=bool(options.token_file),
    )  # fmt: skip
    response = Response(orjson.dumps(openapi_document(described)))

    async def endpoint(_: Request) -> Response:
        return response

    return {"/api/openapi.json": {"GET": endpoint}}


def _made(plane: "DataPlane") -> dict[str, Any] | None:
    """A body to begin with; without a signature, only one that the model answers."""
    body = made_example(plane.model.signature, plane.model.raw())
    if body is None or plane.model.signature.inputs is not None:
        return body
    try:
        call = scoring.decode(orjson.dumps(body), scoring.JSON, plane.model.signature)
        call.encode(plane.predict(call.inference, "made-example"))
    except ServingError:
        return None
    return body


def _keyed(records: "Records") -> KeyedData:
    from mooring.modelserver.by_key.question import example

    return KeyedData(records.contract.index, example(records), records.contract.categories)
