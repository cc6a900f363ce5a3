"""The one place where a request meets the model, whatever protocol it came in."""

import asyncio
import logging
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from mlflow.exceptions import MlflowException

from mooring.modelserver import refusal
from mooring.modelserver.batching.batcher import Batcher, late
from mooring.modelserver.batching.ticket import Answer, Outcome, Ticket
from mooring.modelserver.delivery import Delivery
from mooring.modelserver.doubt import doubtful_value
from mooring.modelserver.errors import InvalidInput, ModelFailed, ServingError, Unavailable, describe
from mooring.modelserver.flavours.predictor import Predictor
from mooring.modelserver.http import Request
from mooring.modelserver.inference import Inference, Reader
from mooring.modelserver.metrics import Metrics
from mooring.modelserver.model import LoadedModel
from mooring.modelserver.observer import Observer
from mooring.modelserver.room import Room
from mooring.modelserver.streaming import streamed
from mooring.modelserver.suspicion import Suspicion
from mooring.modelserver.worker import Worker

_logger = logging.getLogger("mooring.modelserver")

T = TypeVar("T")

_COMPLAINTS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
"""What a model without a signature raises when it is given something that it was not made for."""


_LARGE_BYTES = 1024 * 1024
"""A body from this size on is read in a thread, and gains nothing from company."""


class DataPlane:
    """Two ways to the model. A request that its protocol can read as typed rows waits for company in the batcher and
    is predicted natively. Every other one, and every one that fails there, is decoded, predicted and encoded by itself
    in the worker's threads, by MLflow's own rules.
    """

    def __init__(
        self,
        model: LoadedModel,
        worker: Worker,
        suspicion: Suspicion | None = None,
        *,
        predictor: Predictor | None = None,
        batcher: Batcher | None = None,
        observer: Observer | None = None,
        room: Room | None = None,
    ) -> None:
        """`predictor` and `batcher` both or none: without them there is only the general way."""
        self.model = model
        self.batcher = batcher
        self._predictor = predictor
        self._worker = worker
        self._suspicion = suspicion
        self._observer = observer or Observer(Metrics())
        self.room = room or Room(sys.maxsize, self._observer.metrics.refused)

    async def infer(self, reader: Reader, body: bytes, request: Request, *, deadline_seconds: float) -> Answer:
        """The answer, or only its body.

        Raises ServingError: InvalidInput, ModelFailed, Unavailable, DeadlineExceeded, DiedPredicting.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        try:
            ticket = self.begin(reader, body, request, loop.time() + deadline_seconds, lambda _, o: _fulfil(future, o))
        except Unavailable as refused:
            self._observer.metrics.refused(refused.reason)
            raise
        if ticket is None:
            arrived = time.perf_counter()
            return await self.step(
                lambda: self._answer_alone(reader, body, request, arrived), request, deadline_seconds
            )
        try:
            outcome = await future
        except asyncio.CancelledError:
            ticket.drop()
            raise
        request.waited, request.predicted = ticket.waited, ticket.predicted
        if isinstance(outcome, ServingError):
            raise outcome
        return outcome

    def begin(
        self,
        reader: Reader,
        body: bytes,
        request: Request,
        deadline: float,
        on_settled: Callable[[Ticket, Outcome], None],
    ) -> Ticket | None:
        """Have it predicted in a batch, if that can be done; None when nothing was begun. Raises Unavailable."""
        if self.batcher is None or len(body) >= _LARGE_BYTES:
            return None
        delivery = self._delivery(request)
        # Whoever has been there when a replica died gets no company.
        columnar = None if delivery and delivery.is_repeated else reader.columnar(body)
        if columnar is None or columnar.rows.count == 0:
            return None
        ticket = Ticket(
            request.id, columnar.rows, columnar.encode, lambda: self._answer(reader, body, request.id), on_settled,
            size=len(body), arrived=time.perf_counter(), deadline=deadline,
            name=delivery.request if delivery else None,
        )  # fmt: skip
        self.batcher.submit(ticket)
        return ticket

    def streaming(self) -> "DataPlane":
        """A plane of the same threads and rules, whose predictions are streams."""
        return DataPlane(streamed(self.model), self._worker, self._suspicion, observer=self._observer, room=self.room)

    async def step(self, work: Callable[[], T], request: Request, seconds: float) -> T:
        """A piece of a prediction, in the worker's threads. Raises what it raises, Unavailable, DeadlineExceeded."""
        try:
            async with asyncio.timeout(seconds):
                return await self._worker.run(work, request.id)
        except TimeoutError:
            raise late() from None

    def _delivery(self, request: Request) -> Delivery | None:
        return Delivery.of(request.headers) if self._suspicion else None

    def _answer_alone(self, reader: Reader, body: bytes, request: Request, arrived: float) -> Answer:
        begun = time.perf_counter()
        try:
            return self._answer_once(reader, body, request)
        finally:
            request.waited, request.predicted = begun - arrived, time.perf_counter() - begun
            self._observer.batch(None, 1, request.waited, request.predicted)

    def _answer_once(self, reader: Reader, body: bytes, request: Request) -> Answer:
        def answer() -> Answer:
            return self._answer_natively(reader, body, request.id) or self._answer(reader, body, request.id)

        delivery = self._delivery(request)
        # Reading a body can kill as well (a Parquet file that unpacks to more than the memory).
        return self._suspicion.run(delivery, answer) if self._suspicion and delivery else answer()

    def _answer_natively(self, reader: Reader, body: bytes, request_id: str) -> Answer | None:
        """The columnar way without company; None where the general way has to decide. A small body has tried it."""
        columnar = reader.columnar(body) if self._predictor and len(body) >= _LARGE_BYTES else None
        if columnar is None or columnar.rows.count == 0 or self._predictor is None:
            return None
        try:
            return columnar.encode(self._predictor.predict(columnar.rows))
        except BaseException as error:  # noqa: BLE001 - models raise what they like
            _logger.debug("request %s: %r", request_id, error)
            return None

    def _answer(self, reader: Reader, body: bytes, request_id: str) -> Answer:
        call = reader.call(body)
        prediction = self.predict(call.inference, request_id)
        try:
            return call.encode(prediction)
        except ServingError:
            raise
        except Exception as error:
            raise _failed(
                f"the model's answer cannot be written in this protocol: {describe(error)}", request_id
            ) from error

    def predict(self, inference: Inference, request_id: str) -> Any:
        """What the model returns. Raises InvalidInput and ModelFailed. Blocks."""
        data = self._converted(inference)
        # MLflow fills in defaults in place: the caller's object is left alone.
        params: Any = dict(inference.params) if isinstance(inference.params, dict) else inference.params
        try:
            return self.model.predict(data, params)
        except MlflowException as error:
            if error.get_http_status_code() >= 500:
                raise _failed(f"the model failed: {describe(error)}", request_id) from error
            raise self._refused(error, inference) from error
        except BaseException as error:  # `exit()`, a cancellation of its own: a thread of ours is not to end of it
            raise self._blame(error, data, request_id) from error

    def _converted(self, inference: Inference) -> Any:
        try:
            return self.model.convert(inference)
        except ServingError:
            raise
        except Exception as error:  # MLflow, pandas and NumPy raise what they like about a bad body
            raise self._refused(error, inference) from error

    def _refused(self, error: Exception, inference: Inference) -> InvalidInput:
        return refusal.explain(error, inference, self.model.signature, self.model.input_schema)

    def _blame(self, error: BaseException, data: Any, request_id: str) -> ServingError:
        """Whose fault it is: the model's, unless the input is doubtful or nobody could have checked it."""
        if doubt := doubtful_value(data, self.model.signature):
            doubt.message += f"; the model cannot work with that ({describe(error)[:200]})"
            return doubt
        if self.model.signature.inputs is None and isinstance(error, _COMPLAINTS):
            return InvalidInput(
                f"the model did not take the input: {describe(error)} (it was logged without a signature, "
                "so nothing is known about what it expects)"
            )
        return _failed(f"the model failed: {describe(error)}", request_id)


def _failed(message: str, request_id: str) -> ModelFailed:
    """The traceback is for the log only, under the id that the caller sees."""
    _logger.error("request %s: %s\n%s", request_id, message, traceback.format_exc())
    return ModelFailed(message)


def _fulfil(future: "asyncio.Future[Outcome]", outcome: Outcome) -> None:
    if not future.done():
        future.set_result(outcome)
