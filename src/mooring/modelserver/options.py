"""How one model server runs."""

import re
from dataclasses import dataclass
from pathlib import Path


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
    journal: Path | None = None
    """A folder that all replicas of one deployment share, made when it is missing: a request that was being predicted
    when one of them died is not predicted by another. Needs the gateway's names of requests and counts of tries."""
    max_deaths: int = 1
    """How many replicas (at least 1) may die over one request before it is refused. With more than 1, a request that
    was being predicted by chance when its replica was killed is answered, and a deadly one costs as many replicas."""

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


_REGISTERED = re.compile(r"models:/+(?P<name>[^/@]+)(?:/(?P<version>\d+)|/[^/]+|@[^/]+)?")


def _registered(uri: str) -> tuple[str | None, str | None]:
    if match := _REGISTERED.fullmatch(uri):
        return match["name"], match["version"]
    return (None, None) if ":/" in uri else (Path(uri).resolve().name or None, None)
