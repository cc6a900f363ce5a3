"""Ray Serve: replicas behind its proxy; `/batched` with batches by its decorator, every other path without."""

import signal
import threading
from typing import Any

import numpy as np
import orjson
import ray
from ray import serve
from starlette.requests import Request
from starlette.responses import Response

from bench.serving.apps.settings import Array, Settings

_settings = Settings.read()
_QUIET = {"enable_access_log": False, "log_level": "WARNING"}
_OBJECT_STORE_BYTES = 512 << 20


# Half a core each: two replicas and Ray's own parts share two cores.
@serve.deployment(num_replicas=_settings.workers, max_ongoing_requests=256, ray_actor_options={"num_cpus": 0.5})
class Bench:
    """One replica. A batch waits for a timer, so there is a path with and one without."""

    def __init__(self) -> None:
        self._predict = _settings.load()

    @serve.batch(max_batch_size=_settings.batch, batch_wait_timeout_s=_settings.wait_ms / 1000)
    async def together(self, arrays: list[Array]) -> list[Array]:
        predictions = self._predict(np.concatenate(arrays))
        return np.split(predictions, np.cumsum([len(each) for each in arrays])[:-1])

    async def __call__(self, request: Request) -> Response:
        body = await request.body()
        if request.headers.get("content-type") == "application/octet-stream":
            rows = np.frombuffer(body, _settings.dtype).reshape(_settings.shape)
        else:
            rows = np.array(orjson.loads(body)["inputs"], _settings.dtype)
        is_batched = request.url.path == "/batched"
        predictions = await self.together(rows) if is_batched else self._predict(rows)
        answer = {"predictions": np.ascontiguousarray(predictions)}
        return Response(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


if __name__ == "__main__":
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        _node_ip_address="127.0.0.1",
        object_store_memory=_OBJECT_STORE_BYTES,
    )
    serve.start(
        http_options={"host": "127.0.0.1", "port": _settings.port, "location": "HeadOnly"}, logging_config=_QUIET
    )
    deployment: Any = Bench  # the decorator has made it one
    serve.run(deployment.options(logging_config=_QUIET).bind())
    ended.wait()
    serve.shutdown()
    ray.shutdown()
