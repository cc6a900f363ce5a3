"""Configuration files and the order in which they change, so that no request ever meets half a change."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mooring.gateway.clusters import clusters_document
from mooring.gateway.options import GatewayOptions
from mooring.gateway.route_table import routes_document
from mooring.gateway.routes import Routes
from mooring.gateway.xds import CLUSTER, document, resources_of


@dataclass(frozen=True)
class ConfigurationFile:
    """One file as it should be. `source` is what Envoy calls it: `cds`, `rds` or `lds`."""

    source: str
    path: Path
    content: bytes


def publication(options: GatewayOptions, routes: Routes, current_clusters: bytes) -> Iterator[ConfigurationFile]:
    """What to write, each once Envoy has taken over the one before.

    New clusters come before the routes that lead to them, old ones go after the routes that led to them.
    `current_clusters` is what the file of clusters holds now.
    """
    wanted = clusters_document(routes)
    yield ConfigurationFile("cds", options.clusters_file, _with_leftovers(wanted, current_clusters))
    yield ConfigurationFile("rds", options.routes_file, routes_document(options, routes))
    yield ConfigurationFile("cds", options.clusters_file, wanted)


def _with_leftovers(wanted: bytes, current: bytes) -> bytes:
    clusters = resources_of(wanted)
    names = {cluster["name"] for cluster in clusters}
    leftovers = [cluster for cluster in resources_of(current) if cluster["name"] not in names]
    return document(CLUSTER, [*clusters, *leftovers])
