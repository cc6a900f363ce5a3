"""Predictions in MLflow's protocol. Imported once there is a model, as it needs NumPy and MLflow."""

from mooring.modelserver.columnar.decoder import decoder_of
from mooring.modelserver.columnar.layout import layout_of
from mooring.modelserver.endpoints.predicting import Desk, Predicting, ReaderOf
from mooring.modelserver.endpoints.streams import Streaming
from mooring.modelserver.http import JSON, Request, Response
from mooring.modelserver.inference import Reader
from mooring.modelserver.protocols import npy, scoring
from mooring.modelserver.protocols.answers import accepted
from mooring.modelserver.protocols.content_type import media_type
from mooring.modelserver.routes import Endpoint, Routes
from mooring.modelserver.schema import Signature
from mooring.modelserver.streaming import can_stream

_TABLES = (scoring.CSV, scoring.PARQUET)


def scoring_routes(desk: Desk) -> Routes:
    """`/invocations`, and the version of MLflow."""
    version = desk.plane.model.mlflow_version.encode()
    reader_of, model = _reader_of(desk.plane.model.signature), desk.plane.model
    invocations = (
        Streaming(desk, desk.plane.streaming(), reader_of) if can_stream(model) else Predicting(desk, reader_of)
    )
    return {"/invocations": {"POST": invocations}, "/version": {"GET": constant(version)}}


def json_reader(signature: Signature, *, are_names_optional: bool = False) -> Reader:
    """Of MLflow's JSON bodies; with optional names as KServe's first protocol has them."""
    return scoring.ScoringReader(JSON, signature, decoder_of(signature, are_names_optional=are_names_optional))


def _reader_of(signature: Signature) -> ReaderOf:
    plain = json_reader(signature)
    tables: dict[str, Reader] = {kind: scoring.ScoringReader(kind, signature) for kind in _TABLES}
    arrays = {kind: npy.NpyReader(signature, layout_of(signature)) for kind in npy.KINDS}
    readers: dict[str, Reader] = {JSON: plain, **tables, **arrays}
    kinds = tuple(readers)

    def reader_of(request: Request) -> Reader:
        content_type, accept = request.header(b"content-type"), request.header(b"accept")
        reader = plain if content_type == JSON else readers[media_type(content_type, kinds)]
        return reader if accept is None else accepted(accept, reader, signature)

    return reader_of


def constant(body: bytes) -> Endpoint:
    """Always the same answer, written once."""
    response = Response(body)

    async def endpoint(_: Request) -> Response:
        return response

    return endpoint
