"""Predictions and what describes them. Imported once there is a model, as its protocols need NumPy and MLflow."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from mooring import __version__
from mooring.modelserver.dataplane import DataPlane
from mooring.modelserver.endpoints.health import model_paths
from mooring.modelserver.errors import SlowBody
from mooring.modelserver.http import Request, Response
from mooring.modelserver.inference import Call
from mooring.modelserver.memory import Reclaimer
from mooring.modelserver.openapi import Model, openapi_document
from mooring.modelserver.options import ServeOptions
from mooring.modelserver.protocols import oip, scoring
from mooring.modelserver.protocols.content_type import media_type, refuse_encoding
from mooring.modelserver.routes import Endpoint, Routes

_SERVER_METADATA = {"name": "mooring", "version": __version__, "extensions": []}


@dataclass(frozen=True)
class InferenceEndpoints:
    """The endpoints of one model."""

    plane: DataPlane
    options: ServeOptions
    reclaimer: Reclaimer

    def routes(self) -> Routes:
        """All of them; documents that never change are written once, here."""
        identity = oip.ModelIdentity(self.options.model_name, self.options.model_version)
        signature = self.plane.model.signature
        metadata = orjson.dumps(oip.model_metadata(identity, signature))
        described = Model(identity.name, identity.version, signature, self.plane.model.example)
        routes: dict[str, dict[str, Endpoint]] = {
            "/invocations": {"POST": self._invocations},
            "/version": {"GET": _constant(self.plane.model.mlflow_version.encode())},
            "/v2": {"GET": _constant(orjson.dumps(_SERVER_METADATA))},
            "/api/openapi.json": {"GET": _constant(orjson.dumps(openapi_document(described)))},
        }
        for path in model_paths(identity.name, identity.version):
            routes[path] = {"GET": _constant(metadata)}
            routes[f"{path}/infer"] = {"POST": self._infer(identity)}
        return routes

    async def _invocations(self, request: Request) -> Response:
        signature, content_type = self.plane.model.signature, request.header(b"content-type")
        return await self._run(request, lambda body: scoring.decode(body, content_type, signature))

    def _infer(self, identity: oip.ModelIdentity) -> Endpoint:
        signature = self.plane.model.signature

        async def endpoint(request: Request) -> Response:
            media_type(request.header(b"content-type"), ("application/json",))
            return await self._run(request, lambda body: oip.decode(body, identity, signature))

        return endpoint

    async def _run(self, request: Request, decode: Callable[[bytes], Call]) -> Response:
        refuse_encoding(request.header(b"content-encoding"))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.options.request_seconds
        body = await self._body(request)
        try:
            answer = await self.plane.infer(lambda: decode(body), request, deadline_seconds=deadline - loop.time())
        finally:
            self.reclaimer.note(len(body))
        return Response(answer)

    async def _body(self, request: Request) -> bytes:
        try:
            async with asyncio.timeout(self.options.request_seconds):
                return await request.body(self.options.max_request_bytes)
        except TimeoutError:
            raise SlowBody(
                f"the body did not arrive within {self.options.request_seconds:g} s",
                headers=(("connection", "close"),),
            ) from None


def _constant(body: bytes) -> Endpoint:
    response = Response(body)

    async def endpoint(_: Request) -> Response:
        return response

    return endpoint
