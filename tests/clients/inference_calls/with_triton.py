"""`python -m tests.clients.inference_calls.with_triton HTTP GRPC`: Triton's public clients."""

import asyncio
import queue
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tritonclient.grpc as triton_grpc
import tritonclient.grpc.aio as triton_aio
import tritonclient.http as triton_http
from tritonclient.utils import InferenceServerException

from tests.clients.inference_calls.question import ROWS, check

OUTPUT = "output-0"


def _inputs(module: Any) -> Iterator[tuple[str, list[Any]]]:
    """As one matrix, and as one tensor per column."""
    yield "a matrix", [_input(module, "rows", ROWS)]
    yield "columns", [_input(module, name, ROWS[:, [at]]) for at, name in enumerate("abc")]


def _input(module: Any, name: str, values: Any) -> Any:
    tensor = module.InferInput(name, list(values.shape), "FP64")
    tensor.set_data_from_numpy(np.ascontiguousarray(values))
    return tensor


def over_rest(address: str) -> None:
    client = triton_http.InferenceServerClient(address)
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("m", "3")
    assert client.get_server_metadata()["name"] == "mooring"
    assert [tensor["name"] for tensor in client.get_model_metadata("m")["inputs"]] == ["a", "b", "c"]
    assert client.get_model_repository_index()[0]["state"] == "READY"
    for shape, inputs in _inputs(triton_http):
        check(f"triton REST binary {shape}", client.infer("m", inputs).as_numpy(OUTPUT))
        plain = triton_http.InferRequestedOutput(OUTPUT, binary_data=False)
        check(f"triton REST JSON out {shape}", client.infer("m", inputs, outputs=[plain]).as_numpy(OUTPUT))
        for packing in ("gzip", "deflate"):
            options = {"request_compression_algorithm": packing, "response_compression_algorithm": packing}
            check(f"triton REST {packing} {shape}", client.infer("m", inputs, **options).as_numpy(OUTPUT))
    tensor = triton_http.InferInput("rows", [3, 3], "FP64")
    tensor.set_data_from_numpy(ROWS, binary_data=False)
    check("triton REST JSON in", client.infer("m", [tensor]).as_numpy(OUTPUT))
    _refused(lambda: client.infer("other", [tensor]), "404", "no such model")


def over_grpc(address: str) -> None:
    client = triton_grpc.InferenceServerClient(address)
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("m")
    assert client.get_server_metadata().name == "mooring"
    assert [tensor.name for tensor in client.get_model_metadata("m").inputs] == ["a", "b", "c"]
    assert client.get_model_repository_index().models[0].state == "READY"
    for shape, inputs in _inputs(triton_grpc):
        answer = client.infer("m", inputs, request_id="7")
        assert answer.get_response().id == "7"
        check(f"triton gRPC {shape}", answer.as_numpy(OUTPUT))
        check(f"triton gRPC gzip {shape}", client.infer("m", inputs, compression_algorithm="gzip").as_numpy(OUTPUT))
    _refused(lambda: client.infer("other", inputs), "NOT_FOUND", "this server has model 'm'")
    _triton_stream(client, inputs)


def _triton_stream(client: Any, inputs: list[Any]) -> None:
    answers: queue.Queue[tuple[Any, Any]] = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    for at in range(3):
        client.async_stream_infer("m" if at != 1 else "other", inputs, request_id=str(at))
    for at in range(3):
        result, error = answers.get(timeout=30)
        if at == 1:
            assert "this server has model 'm'" in str(error), error
        else:
            assert result.get_response().id == str(at)
            check(f"triton gRPC stream {at}", result.as_numpy(OUTPUT))
    client.stop_stream()


async def over_grpc_without_blocking(address: str) -> None:
    async with triton_aio.InferenceServerClient(address) as client:
        inputs = [_input(triton_aio, "rows", ROWS)]
        for answer in await asyncio.gather(*(client.infer("m", inputs) for _ in range(8))):
            check("triton gRPC asyncio", answer.as_numpy(OUTPUT))


def _refused(ask: Callable[[], Any], status: str, words: str) -> None:
    refusal: InferenceServerException | None = None
    try:
        ask()
    except InferenceServerException as error:
        refusal = error
    assert refusal is not None, f"nothing was refused: expected {status}"
    assert status in str(refusal.status()), refusal
    assert words in refusal.message(), refusal


def main(http: str, grpc: str) -> None:
    """All of them."""
    over_rest(http)
    over_grpc(grpc)
    asyncio.run(over_grpc_without_blocking(grpc))


if __name__ == "__main__":
    main(*sys.argv[1:])
