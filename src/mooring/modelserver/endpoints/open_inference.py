"""The Open Inference Protocol over REST: metadata, predictions, and Triton's list of models."""

from dataclasses import replace

import orjson

from mooring import __version__
from mooring.modelserver.columnar.layout import layout_of
from mooring.modelserver.endpoints.health import model_paths
from mooring.modelserver.endpoints.inference import constant
from mooring.modelserver.endpoints.predicting import Desk, Predicting, ReaderOf
from mooring.modelserver.errors import UnsupportedMediaType
from mooring.modelserver.http import JSON, Request
from mooring.modelserver.inference import Reader
from mooring.modelserver.protocols.content_type import media_type
from mooring.modelserver.protocols.identity import ModelIdentity
from mooring.modelserver.protocols.oip import OipReader, model_metadata
from mooring.modelserver.protocols.oip_answer import RAW
from mooring.modelserver.routes import Endpoint, Routes
from mooring.modelserver.schema import Signature

_SERVER_METADATA = {"name": "mooring", "version": __version__, "extensions": ["binary_tensor_data", "model_repository"]}


def open_inference_routes(identity: ModelIdentity, signature: Signature, desk: Desk) -> Routes:
    """All but the probes, which are answered before there is a model."""
    metadata = constant(orjson.dumps(model_metadata(identity, signature)))
    infer = Predicting(desk, _reader_of(OipReader(identity, signature, layout_of(signature))))
    routes: dict[str, dict[str, Endpoint]] = {
        "/v2": {"GET": constant(orjson.dumps(_SERVER_METADATA))},
        "/v2/models": {"GET": constant(orjson.dumps({"models": [identity.name]}))},
        "/v2/repository/index": {"POST": constant(orjson.dumps([_listed(identity)]))},
    }
    for path in model_paths(identity.name, identity.version):
        routes[path] = {"GET": metadata}
        routes[f"{path}/infer"] = {"POST": infer}
    return routes


def _reader_of(plain: OipReader) -> ReaderOf:
    def reader_of(request: Request) -> Reader:
        length = request.header(b"inference-header-content-length")
        kind = media_type(request.header(b"content-type"), (JSON, RAW))
        if length is None and kind == RAW:
            raise UnsupportedMediaType(f"{RAW} needs the header 'inference-header-content-length': where the JSON ends")
        return plain if length is None else replace(plain, header_length=length)

    return reader_of


def _listed(identity: ModelIdentity) -> dict[str, str]:
    return {"name": identity.name, "version": identity.version or "", "state": "READY", "reason": ""}
