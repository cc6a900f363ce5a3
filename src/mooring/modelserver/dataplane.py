"""The one place where a request meets the model, whatever protocol it came in."""

import asyncio
import logging
import traceback
from collections.abc import Callable
from typing import Any

from mlflow.exceptions import MlflowException

from mooring.modelserver import refusal
from mooring.modelserver.delivery import Delivery
from mooring.modelserver.doubt import doubtful_value
from mooring.modelserver.errors import DeadlineExceeded, InvalidInput, ModelFailed, ServingError, describe
from mooring.modelserver.http import Request
from mooring.modelserver.inference import Call, Inference
from mooring.modelserver.model import LoadedModel
from mooring.modelserver.suspicion import Suspicion
from mooring.modelserver.worker import Worker

_logger = logging.getLogger("mooring.modelserver")

_COMPLAINTS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
"""What a model without a signature raises when it is given something that it was not made for."""


class DataPlane:
    """Checks, predicts and judges failures. Decoding, prediction and encoding run in the worker's threads."""

    def __init__(self, model: LoadedModel, worker: Worker, suspicion: Suspicion | None = None) -> None:
        self.model = model
        self._worker = worker
        self._suspicion = suspicion

    async def infer(self, decode: Callable[[], Call], request: Request, *, deadline_seconds: float) -> bytes:
        """The body of the answer.

        Raises ServingError: InvalidInput, ModelFailed, Unavailable, DeadlineExceeded, DiedPredicting.
        """
        try:
            async with asyncio.timeout(deadline_seconds):
                return await self._worker.run(lambda: self._answer_once(decode, request), request.id)
        except TimeoutError:
            raise DeadlineExceeded(
                "the model did not answer in time: send fewer rows, or allow more seconds per request"
            ) from None

    def _answer_once(self, decode: Callable[[], Call], request: Request) -> bytes:
        delivery = Delivery.of(request.headers) if self._suspicion else None
        if self._suspicion is None or delivery is None:
            return self._answer(decode, request.id)
        # Reading a body can kill as well (a Parquet file that unpacks to more than the memory).
        return self._suspicion.run(delivery, lambda: self._answer(decode, request.id))

    def _answer(self, decode: Callable[[], Call], request_id: str) -> bytes:
        call = decode()
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
        except (Exception, SystemExit) as error:
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
