"""LitServe: lists in and out, batches of arrays between."""

import os
from typing import Any

import litserve
import numpy as np

from bench.serving.apps.settings import Array, Settings


class Api(litserve.LitAPI):
    """Batches are concatenated here, as the rows of one request are many."""

    def setup(self, _device: str) -> None:
        self._predict = Settings.read().load()
        self._dtype = Settings.read().dtype

    def decode_request(self, request: dict[str, Any]) -> Array:
        return np.asarray(request["input"], self._dtype)

    def batch(self, inputs: list[Array]) -> tuple[Array, list[int]]:
        return np.concatenate(inputs), [len(each) for each in inputs]

    def predict(self, x: Any) -> Any:
        return (self._predict(x[0]), x[1]) if isinstance(x, tuple) else self._predict(x)

    def unbatch(self, output: tuple[Array, list[int]]) -> list[Array]:
        predictions, sizes = output
        return np.split(predictions, np.cumsum(sizes)[:-1])

    def encode_response(self, output: Array) -> dict[str, Any]:
        return {"output": output.tolist()}


if __name__ == "__main__":
    settings = Settings.read()
    litserve.LitServer(
        Api(max_batch_size=settings.batch or 1, batch_timeout=settings.wait_ms / 1000),
        accelerator="cpu",
        workers_per_device=settings.workers,
        timeout=60,
        fast_queue=os.environ.get("BENCH_FAST_QUEUE") == "1",
    ).run(host="127.0.0.1", port=settings.port, generate_client_file=False, log_level="warning")
