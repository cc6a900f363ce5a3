"""KServe's Python server with a model in the shape of its own scikit-learn server: both protocols, its helpers."""

from typing import Any

import numpy as np
from kserve import Model, ModelServer
from kserve.protocol.infer_type import InferRequest
from kserve.utils.utils import get_predict_input, get_predict_response

from bench.serving.apps.settings import Settings

_settings = Settings.read()


class Bench(Model):
    """Copied into each worker, so the model is a plain attribute."""

    def load(self) -> bool:
        self.function = _settings.load()
        self.ready = True
        return True

    def predict(self, payload: Any, _headers: Any = None) -> Any:
        is_typed = isinstance(payload, InferRequest)
        rows = get_predict_input(payload) if is_typed else np.asarray(payload["instances"], _settings.dtype)
        return get_predict_response(payload, self.function(rows), self.name)


if __name__ == "__main__":
    model = Bench("bench")
    model.load()
    ModelServer(
        http_port=_settings.port, workers=_settings.workers, enable_grpc=False, enable_latency_logging=False
    ).start([model])
