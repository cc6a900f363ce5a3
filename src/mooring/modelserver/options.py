"""How one model server runs."""

import re
from dataclasses import dataclass
from pathlib import Path

BATCHING = ("auto", "on", "off")


@dataclass(frozen=True)
class ServeOptions:
    """One model, one listener: `uds` when given, else `host` and `port` (0 takes a free one)."""

    model_uri: str
    """A local folder, or any URI that MLflow loads (`models:/name/3`, `runs:/…`, `s3://…`)."""
    name: str | None = None
    """The first part of the path prefix and the name in the Open Inference Protocol; else taken from the URI."""
    version: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    uds: Path | None = None
    grpc_port: int | None = None
    """The Open Inference Protocol over gRPC, beside HTTP, at the same `host` (0 takes a free port)."""
    stop_grace_seconds: float = 30.0
    """How long running requests may go on after SIGTERM."""
    request_seconds: float = 60.0
    """From the first byte of a request's body to its answer, the time in the queue included."""
    stuck_seconds: float | None = None
    """A prediction that runs for longer may never return: the server is then neither live nor ready until it does.
    Twice `request_seconds` when not given."""
    keep_alive_seconds: float = 75.0
    """How long an idle connection stays open; a proxy in front should give up earlier than that."""
    max_request_bytes: int = 104_857_600
    concurrency: int = 1
    """How many predictions may run at the same time."""
    max_waiting: int = 1024
    """How many requests may wait for the model; those beyond are answered 503."""
    max_waiting_bytes: int = 536_870_912
    """How large the bodies of all requests may be together that arrive, wait or are answered; those beyond are
    answered 503. At least one of `max_request_bytes` is always let in."""
    batching: str = "auto"
    """Whether requests that wait are predicted together: `auto` where each row's answer is known to depend on that row
    alone, `on` because you know it of this model, `off` never."""
    max_batch_rows: int = 8192
    """How many rows are predicted together; a single request may have more."""
    max_batch_bytes: int = 16_777_216
    """How large the bodies of requests may be together that are predicted at once."""
    threads: int | None = None
    """Of linear algebra and of trees (BLAS, OpenMP) in one prediction; `OMP_NUM_THREADS`, or one, when not given."""
    compiled: bool = False
    """Serve the model compiled (ONNX) where its answers have been seen to be the same; needs the extra `compiled`."""
    safe_formats_only: bool = False
    """Refuse models in formats that run code when they are loaded (pickles, Python code, TensorFlow graphs)."""
    keep_env: tuple[str, ...] = ()
    """Variables with credentials that the model's own code may see; others are taken away before it is imported."""
    journal: Path | None = None
    """A folder that all replicas of one deployment share, made when it is missing: a request that was being predicted
    when one of them died is not predicted by another. Needs the gateway's names of requests and counts of tries."""
    max_deaths: int = 1
    """How many replicas (at least 1) may die over one request before it is refused. With more than 1, a request that
    was being predicted by chance when its replica was killed is answered, and a deadly one costs as many replicas."""
    token_file: Path | None = None
    """Callers must send one of the tokens in this file (one per line, read again when it changes)."""
    insecure: bool = False
    """Listen on an address that other machines reach, without a token file."""
    tls_cert: Path | None = None
    """Certificate chain (PEM): HTTPS instead of HTTP; taken anew when it changes. Needs `tls_key`."""
    tls_key: Path | None = None
    access_log: bool = False
    """One line per request."""
    log_format: str = "text"
    """`text`, or `json`: one object per line."""
    features: str | None = None
    """A folder, or a URI that MLflow fetches, with `contract.yaml`, `X_test.csv` and `y_test.csv`: the model can then
    be asked by key."""
    run_id: str | None = None
    """The run that made the model: its parameters and metrics are shown, its `features/` are used if it has any."""

    @property
    def max_batch_requests(self) -> int:
        """How many requests are predicted together; each has a place in the journal while it runs."""
        return max(1, _PLACES // self.concurrency)

    @property
    def stuck_after_seconds(self) -> float:
        """`stuck_seconds`, or what it is when not given."""
        return 2 * self.request_seconds if self.stuck_seconds is None else self.stuck_seconds

    @property
    def model_name(self) -> str:
        """`name`, or the registered model's name, or the folder's."""
        return self.name or _registered(self.model_uri)[0] or "model"

    @property
    def model_version(self) -> str | None:
        """`version`, or the one that the URI names."""
        return self.version or _registered(self.model_uri)[1]


_PLACES = 1024
"""In the journal, shared by the threads."""
_REGISTERED = re.compile(r"models:/+(?P<name>[^/@]+)(?:/(?P<version>\d+)|/[^/]+|@[^/]+)?")


def _registered(uri: str) -> tuple[str | None, str | None]:
    if match := _REGISTERED.fullmatch(uri):
        return match["name"], match["version"]
    return (None, None) if ":/" in uri else (Path(uri).resolve().name or None, None)
