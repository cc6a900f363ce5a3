"""What Envoy has counted, per deployment."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mooring.domain.rollouts import Answers
from mooring.gateway.admin import Admin
from mooring.gateway.clusters import counted_name, deployment_of

_PATTERN = r"^cluster\.deployment_[^.]+\.upstream_rq_(active|completed|5xx|retry|rx_reset|timeout|time)$"
_QUANTILES = (50.0, 90.0, 99.0)


@dataclass
class Traffic:
    """Since Envoy started: requests that were answered, that run now, that failed, that were sent again.

    `failures` are answers of 500 and above (the replica's own, and ours when none came); `resets` are connections
    that a replica broke off under a request, most of them retried. `latency_ms` has the quantiles 50, 90 and 99
    of all answers, in milliseconds, a few seconds old; empty when there were none.
    """

    requests: int = 0
    active: int = 0
    failures: int = 0
    retries: int = 0
    resets: int = 0
    timeouts: int = 0
    latency_ms: dict[float, float] = field(default_factory=dict)


_COUNTERS = {
    "upstream_rq_completed": "requests",
    "upstream_rq_active": "active",
    "upstream_rq_5xx": "failures",
    "upstream_rq_retry": "retries",
    "upstream_rq_rx_reset": "resets",
    "upstream_rq_timeout": "timeouts",
}


def read_statistics(admin: Admin) -> Mapping[str, Traffic]:
    """The traffic of each deployment that has a route. Raises GatewayError when Envoy does not answer."""
    found: dict[str, Traffic] = {}
    for entry in json.loads(admin.stats(_PATTERN, form="json"))["stats"]:
        if "histograms" in entry:
            _add_latencies(found, entry["histograms"])
        elif place := _place(entry["name"]):
            deployment_id, counter = place
            traffic, name = found.setdefault(deployment_id, Traffic()), _COUNTERS[counter]
            setattr(traffic, name, getattr(traffic, name) + int(entry["value"]))  # two while one is drained
    return found


def read_answers(admin: Admin, deployment_id: str, counted_as: str) -> Answers:
    """What was counted apart under this name, since Envoy started. Raises GatewayError when Envoy does not answer."""
    cluster = re.escape(counted_name(deployment_id, counted_as))
    pattern = rf"^cluster\.{cluster}\.upstream_rq_(completed|5xx)$"
    found = json.loads(admin.stats(pattern, form="json"))["stats"]
    counts = {entry["name"].rpartition(".")[2]: entry["value"] for entry in found}
    return Answers(int(counts.get("upstream_rq_completed", 0)), int(counts.get("upstream_rq_5xx", 0)))


def _place(name: str) -> tuple[str, str] | None:
    cluster, _, counter = name.removeprefix("cluster.").rpartition(".")
    deployment_id = deployment_of(cluster)
    return (deployment_id, counter) if deployment_id else None


def _add_latencies(found: dict[str, Traffic], histograms: dict[str, Any]) -> None:
    quantiles = histograms["supported_quantiles"]
    for histogram in histograms["computed_quantiles"]:
        if not (place := _place(histogram["name"])):
            continue
        by_quantile = dict(zip(quantiles, (value["cumulative"] for value in histogram["values"]), strict=True))
        found.setdefault(place[0], Traffic()).latency_ms = {
            quantile: float(by_quantile[quantile]) for quantile in _QUANTILES if by_quantile[quantile] is not None
        }
