"""`python -m tests.clients.inference_calls.with_kserve HTTP GRPC`: KServe's public client."""

import asyncio
import sys
from typing import Any

from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig

from tests.clients.inference_calls.question import ROWS, check


async def over_rest(address: str) -> None:
    base = f"http://{address}"
    first = InferenceRESTClient(RESTConfig(protocol="v1"))
    assert await first.is_server_live(base)
    assert await first.is_model_ready(base, "m")
    named = [dict(zip("abc", row, strict=True)) for row in ROWS.tolist()]
    for instances in (ROWS.tolist(), named):
        answer = await first.infer(base, {"instances": instances}, model_name="m")
        check("kserve v1", answer["predictions"])
    second = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await second.is_server_live(base)
    assert await second.is_server_ready(base)
    assert await second.is_model_ready(base, "m")
    for binary in (False, True):
        answer = await second.infer(base, _request(binary), model_name="m")
        check(f"kserve v2 REST binary={binary}", answer.outputs[0].as_numpy())


async def over_grpc(address: str) -> None:
    client = InferenceGRPCClient(address)
    assert await client.is_server_live()
    assert await client.is_server_ready()
    assert await client.is_model_ready("m")
    for binary in (False, True):
        answer = await client.infer(_request(binary))
        check(f"kserve v2 gRPC binary={binary}", answer.outputs[0].as_numpy())
    await client.close()


def _request(binary: bool) -> Any:
    tensor = InferInput("rows", [3, 3], "FP64")
    tensor.set_data_from_numpy(ROWS, binary_data=binary)
    return InferRequest("m", [tensor])


async def main(http: str, grpc: str) -> None:
    """All of them."""
    await over_rest(http)
    await over_grpc(grpc)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
