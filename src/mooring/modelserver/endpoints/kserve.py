"""KServe's first protocol: the models, their state, and `:predict`."""

import orjson

from mooring.modelserver.endpoints.inference import constant
from mooring.modelserver.endpoints.predicting import Desk, Predicting
from mooring.modelserver.http import JSON, Request
from mooring.modelserver.inference import Reader
from mooring.modelserver.protocols.content_type import media_type
from mooring.modelserver.routes import Routes


def kserve_routes(name: str, reader: Reader, desk: Desk) -> Routes:
    """The state of the model is a probe's, and answered elsewhere."""

    def reader_of(request: Request) -> Reader:
        media_type(request.header(b"content-type"), (JSON,))
        return reader

    return {
        "/v1/models": {"GET": constant(orjson.dumps({"models": [name]}))},
        f"/v1/models/{name}:predict": {"POST": Predicting(desk, reader_of)},
    }
