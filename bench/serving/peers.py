"""Who is measured, and how each is started: in the best setting that its documentation gives for two cores.

Where one setting is best for one connection and another one for many (their batching waits for a timer), each is
measured where it is best. Everybody gets one OpenMP thread: with more, trees stand still under many connections.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from bench.serving import bodies, launches
from bench.serving.bodies import Body
from bench.serving.launches import Launch, Place

_OIP = "/v2/models/bench/infer"
_MANY = 10**6


@dataclass(frozen=True)
class Setting:
    """One way to run a peer, for cells of `fewest` to `most` connections."""

    name: str
    launch: Callable[[Place], Launch]
    fewest: int = 1
    most: int = _MANY
    refusal: str | None = None
    """A regular expression: such a line in its log tells that it runs otherwise than the setting says."""


@dataclass(frozen=True)
class Peer:
    """One server. A kind of body that it cannot take is missing in `bodies`."""

    name: str
    environment: str | None
    """A key of peers.toml; None for Mooring's own."""
    bodies: Mapping[str, Body]
    settings: tuple[Setting, ...]
    models: frozenset[str] = field(default=frozenset({"m1", "m2", "image"}))

    def setting_for(self, connections: int) -> Setting:
        """The one for so many connections."""
        return next(setting for setting in self.settings if setting.fewest <= connections <= setting.most)


_OURS = {
    "table": bodies.split(),
    "image": bodies.named("/invocations", "inputs", "predictions"),
    "image-binary": bodies.binary_tensor(_OIP, "input-0"),
}
_TABLES = frozenset({"m1", "m2"})


def all_peers() -> tuple[Peer, ...]:
    """In the order of the tables."""
    return (*_ours(), *_frameworks(), *_protocol_servers())


def _ours() -> tuple[Peer, ...]:
    floor = {**_OURS, "image-binary": bodies.raw("/invocations")}
    through = {"table": bodies.split("/v2/inference/deployments/bench/invocations")}
    serve = launches.mooring
    return (
        Peer("mooring serve", None, _OURS, (Setting("as it comes", serve()),)),
        Peer(
            "mooring serve --compiled",
            None,
            _OURS,
            (Setting("--compiled", serve("--compiled"), refusal="not (served )?compiled"),),
            _TABLES,
        ),
        Peer("mooring serve behind the gateway", None, through, (Setting("as it comes", launches.gateway),), _TABLES),
        Peer("floor", None, floor, (Setting("uvicorn, 1 process, batching", launches.floor),)),
    )


def _frameworks() -> tuple[Peer, ...]:
    listed, raw = bodies.named("/invocations", "inputs", "predictions"), bodies.raw("/invocations")
    ray = {"table": listed, "image": listed, "image-binary": raw}
    return (
        Peer(
            "BentoML",
            "bentoml",
            dict.fromkeys(("table", "image"), bodies.named("/predict", "x", None)),
            (
                Setting("2 workers", launches.bentoml(workers=2), most=1),
                Setting("2 workers, batches", launches.bentoml(workers=2, batch=2048), fewest=2),
            ),
        ),
        Peer(
            "LitServe",
            "litserve",
            dict.fromkeys(("table", "image"), bodies.named("/predict", "input", "output")),
            (
                Setting("2 workers, fast queue", launches.litserve(workers=2), most=1),
                Setting("2 workers, fast queue, batches", launches.litserve(workers=2, batch=64), fewest=2),
            ),
        ),
        Peer(
            "Ray Serve",
            "ray",
            {kind: replace(body, path_of_many="/batched") for kind, body in ray.items()},
            (Setting("2 replicas, HAProxy, on several connections batches", launches.ray(workers=2, batch=64)),),
        ),
    )


def _protocol_servers() -> tuple[Peer, ...]:
    mlflow = {"table": bodies.split(), "image": bodies.named("/invocations", "inputs", "predictions")}
    kserve = {
        "table": bodies.named("/v1/models/bench:predict", "instances", "predictions"),
        "image": bodies.named("/v1/models/bench:predict", "instances", "predictions"),
        "image-binary": bodies.binary_tensor(_OIP, "predict"),
    }
    return (
        Peer(
            "mlflow models serve",
            "mlflow",
            mlflow,
            (
                Setting("1 worker", launches.mlflow(workers=1), most=8),
                Setting("2 workers", launches.mlflow(workers=2), fewest=9),
            ),
        ),
        Peer(
            "MLServer mlflow",
            "mlserver",
            {"table": bodies.columns(_OIP), "image": bodies.tensor(_OIP, "input-0")},
            (
                Setting("in process", launches.mlserver("mlserver_mlflow.MLflowRuntime"), most=1),
                Setting("in process, batches", launches.mlserver("mlserver_mlflow.MLflowRuntime", batch=64), fewest=2),
            ),
        ),
        Peer(
            "MLServer sklearn",
            "mlserver",
            {"table": bodies.tensor(_OIP, "predict")},
            (
                Setting("in process", launches.mlserver("mlserver_sklearn.SKLearnModel"), most=1),
                Setting("in process, batches", launches.mlserver("mlserver_sklearn.SKLearnModel", batch=64), fewest=2),
            ),
            _TABLES,
        ),
        Peer("KServe", "kserve", kserve, (Setting("2 workers", launches.kserve(workers=2)),)),
    )
