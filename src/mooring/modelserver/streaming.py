"""Models that answer piece by piece: `predict_stream`, asked for one piece at a time.

Each piece is a job of its own for the worker. So a stream holds no thread while its reader is slow, other requests get
their turn in between, and nothing is made that nobody has room for.
"""

import contextvars
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mooring.modelserver.columnar.encoder import as_mlflow_writes
from mooring.modelserver.model import LoadedModel

_END = object()


def can_stream(model: LoadedModel) -> bool:
    """Whether it was logged with a `predict_stream` of its own."""
    return getattr(model.pyfunc, "_predict_stream_fn", None) is not None


def streamed(model: LoadedModel) -> LoadedModel:
    """The same model, with streams for predictions: input and errors are judged by the same rules."""
    return replace(model, pyfunc=_Opening(model.pyfunc))


class Stream:
    """The pieces of one answer, each as JSON. Made with the first, so that most errors come before any answer.

    Used from one thread at a time, but for `close`.
    """

    def __init__(self, pieces: Iterator[Any]) -> None:
        """Blocks until the first piece is there; raises whatever the model raises."""
        self._pieces = pieces
        # MLflow sets variables of the context while it iterates, and takes them back in the end: in the same one.
        self._context = contextvars.copy_context()
        self._turn = threading.Lock()
        self._is_over = False
        self._first = self._advanced()

    def next(self) -> bytes | None:
        """The next piece; None after the last. Blocks, and raises whatever the model raises."""
        piece, self._first = self._first, None
        if piece is None:
            piece = self._advanced()
        return None if piece is _END else as_mlflow_writes(piece)

    def close(self) -> None:
        """Nobody wants more: the model's generator ends, now or as soon as it has made what it is making."""
        self._is_over = True
        if self._turn.acquire(blocking=False):
            try:
                self._context.run(getattr(self._pieces, "close", _nothing))
            finally:
                self._turn.release()

    def _advanced(self) -> Any:
        with self._turn:
            piece = self._context.run(next, self._pieces, _END)
        if self._is_over:
            self.close()
        return piece


class _Opening:
    """In the place of a `PyFuncModel`."""

    def __init__(self, pyfunc: Any) -> None:
        self._pyfunc = pyfunc

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Stream:
        return Stream(iter(self._pyfunc.predict_stream(data, params=params)))


def _nothing() -> None:
    """An iterator that is no generator has nothing to end."""
