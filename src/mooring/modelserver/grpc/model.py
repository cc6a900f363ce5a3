"""The served model as gRPC's calls see it. Imported once there is one, as it needs NumPy and pandas."""

from typing import TYPE_CHECKING

from mooring.modelserver.grpc.messages import message
from mooring.modelserver.grpc.reading import GrpcReader, parsed
from mooring.modelserver.http import Request
from mooring.modelserver.memory import Reclaimer
from mooring.modelserver.protocols.oip import model_metadata

if TYPE_CHECKING:
    from mooring.modelserver.dataplane import DataPlane


class GrpcModel:
    """Predictions and metadata of one model."""

    def __init__(self, plane: "DataPlane", reader: GrpcReader, reclaimer: Reclaimer) -> None:
        self._plane = plane
        self._reader = reader
        self._reclaimer = reclaimer
        metadata = model_metadata(reader.identity, reader.signature)
        self._metadata: bytes = message("ModelMetadataResponse")(**metadata).SerializeToString()

    def asked_for(self, name: str, body: bytes) -> None:
        """Raises NotFound unless a message of this name asks for this model, and InvalidInput when it is none."""
        request = parsed(name, body)
        self._reader.check(request.name, request.version)

    def metadata(self, body: bytes) -> bytes:
        """The answer to `ModelMetadata`."""
        self.asked_for("ModelMetadataRequest", body)
        return self._metadata

    async def infer(self, request: Request, body: bytes, seconds: float) -> bytes:
        """The answer to `ModelInfer`."""
        self._plane.room.take(len(body))
        try:
            answer = await self._plane.infer(self._reader, body, request, deadline_seconds=seconds)
            return answer if isinstance(answer, bytes) else answer.body
        finally:
            self._plane.room.give_back(len(body))
            self._reclaimer.note(len(body))
