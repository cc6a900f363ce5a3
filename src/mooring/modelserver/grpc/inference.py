"""`inference.GRPCInferenceService`: state, metadata, and predictions, one at a time or in a stream."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc

from mooring import __version__
from mooring.modelserver.errors import ServingError, Unavailable
from mooring.modelserver.grpc.calls import Context, Surroundings
from mooring.modelserver.grpc.messages import Message, message
from mooring.modelserver.grpc.status import details_of
from mooring.modelserver.http import Request

if TYPE_CHECKING:
    from mooring.modelserver.grpc.model import GrpcModel

SERVICE = "inference.GRPCInferenceService"
EXTENSIONS = ("binary_tensor_data",)


class InferenceService:
    """Answers from the moment that the server listens; predicts once `model` is set (from any thread)."""

    def __init__(self, name: str, around: Surroundings, why_not_ready: Callable[[], str | None]) -> None:
        """`why_not_ready` is None when it is ready, else the reason."""
        self._name = name
        self._around = around
        self._why_not_ready = why_not_ready
        self._is_over = asyncio.Event()
        self.model: GrpcModel | None = None

    def handlers(self) -> Any:
        """For gRPC's server: requests and answers are bytes here, so that large ones are read in another thread."""
        unary = {
            "ServerLive": self._live,
            "ServerReady": self._ready,
            "ModelReady": self._model_ready,
            "ServerMetadata": self._server_metadata,
            "ModelMetadata": self._model_metadata,
            "RepositoryIndex": self._index,
            "ModelInfer": self._infer,
        }
        methods = {
            name: grpc.unary_unary_rpc_method_handler(partial(self._around.unary, f"/{SERVICE}/{name}", answer))
            for name, answer in unary.items()
        }
        methods["ModelStreamInfer"] = grpc.stream_stream_rpc_method_handler(self._stream)
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    def end(self) -> None:
        """Streams end once what they were asked last is answered."""
        self._is_over.set()

    async def _live(self, _: Request, __: bytes, ___: float) -> bytes:
        return _serialised("ServerLiveResponse", live=True)

    async def _ready(self, _: Request, __: bytes, ___: float) -> bytes:
        return _serialised("ServerReadyResponse", ready=self._why_not_ready() is None)

    async def _model_ready(self, _: Request, body: bytes, __: float) -> bytes:
        if self.model:
            self.model.asked_for("ModelReadyRequest", body)
        return _serialised("ModelReadyResponse", ready=self._why_not_ready() is None)

    async def _server_metadata(self, _: Request, __: bytes, ___: float) -> bytes:
        return _serialised("ServerMetadataResponse", name="mooring", version=__version__, extensions=EXTENSIONS)

    async def _model_metadata(self, _: Request, body: bytes, __: float) -> bytes:
        return self._loaded().metadata(body)

    async def _index(self, _: Request, __: bytes, ___: float) -> bytes:
        reason = self._why_not_ready()
        state = {"state": "UNAVAILABLE", "reason": reason} if reason else {"state": "READY"}
        return _serialised("RepositoryIndexResponse", models=[{"name": self._name, **state}])

    async def _infer(self, request: Request, body: bytes, seconds: float) -> bytes:
        return await self._loaded().infer(request, body, seconds)

    async def _stream(self, bodies: AsyncIterator[bytes], context: Context) -> None:
        """One after the other, so that answers keep the order; a refused one does not end the stream."""
        async for body in self._until_over(bodies):
            answer = await self._around.outcome(f"/{SERVICE}/ModelStreamInfer", self._infer, body, context)
            # Whoever does not read must not hold an answer for ever.
            async with asyncio.timeout(self._around.request_seconds):
                await context.write(_in_stream(answer))

    async def _until_over(self, bodies: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Each request, until the client has no more, or the server is to end: a stream at rest must not hold it."""
        over = asyncio.ensure_future(self._is_over.wait())
        try:
            while True:
                following = asyncio.ensure_future(anext(bodies, None))
                await asyncio.wait((following, over), return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    following.cancel()
                    return
                if (body := following.result()) is None:
                    return
                yield body
        finally:
            over.cancel()

    def _loaded(self) -> "GrpcModel":
        if self.model is None:
            raise Unavailable("the model is still loading: try again in a moment")
        return self.model


def _in_stream(answer: bytes | ServingError) -> bytes:
    if isinstance(answer, ServingError):
        return _serialised("ModelStreamInferResponse", error_message=details_of(answer))
    return _serialised("ModelStreamInferResponse", infer_response=answer)


def _serialised(name: str, /, **fields: Any) -> bytes:
    built: Message = message(name)(**fields)
    content: bytes = built.SerializeToString()
    return content
