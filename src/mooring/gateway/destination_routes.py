"""The paths of destinations: static names that lead to whatever deployment they point at.

The canary is a route of its own before the target's, which takes its share of the requests: so each of them keeps what
its deployment asks for (how long it may take, whether it is asked again).
"""

from collections.abc import Mapping

from mooring.gateway.admission import NO_DESTINATION, only_for_group
from mooring.gateway.clusters import cluster_name
from mooring.gateway.options import GatewayOptions
from mooring.gateway.replica_routes import for_group, to_replicas
from mooring.gateway.routes import DeploymentRoute, DestinationRoute
from mooring.gateway.xds import Json

Deployments = Mapping[str, DeploymentRoute]
_NO_UPGRADE = {"name": "upgrade", "present_match": False}


def destination_routes(options: GatewayOptions, destination: DestinationRoute, known: Deployments) -> list[Json]:
    """`/destinations/{name}` and all below it, for callers who may use the deployment's resource group."""
    target = known.get(destination.deployment_id)
    if target is None:
        return [_unserved(destination)]
    canary = _beside(target, known.get(destination.canary_id or ""))
    mirror = _beside(target, known.get(destination.mirror_id or ""))
    entries = []
    for match, rewrite in _paths(destination):
        if canary and destination.percent:
            share = {**match, "runtime_fraction": _fraction(destination.percent)}
            entries.append(to_replicas(options, canary, share, rewrite))
        if mirror and destination.mirror_percent:
            # A connection that becomes a websocket is nobody's twice.
            plain = {**match, "headers": [_NO_UPGRADE]}
            entries.append(_mirrored(to_replicas(options, target, plain, rewrite), mirror, destination))
        entries.append(to_replicas(options, target, match, rewrite))
    return [for_group(target, NO_DESTINATION, entry) for entry in entries]


def _paths(destination: DestinationRoute) -> list[tuple[Json, Json]]:
    """What matches, and how its path is rewritten."""
    prefix = f"/destinations/{destination.name}"
    return [
        ({"path": prefix}, {"prefix_rewrite": destination.path or "/"}),
        ({"prefix": f"{prefix}/"}, {"prefix_rewrite": f"{destination.path}/"}),
    ]


def _beside(target: DeploymentRoute, other: DeploymentRoute | None) -> DeploymentRoute | None:
    """Another group must not learn what this one is asked, nor answer it."""
    return other if other is not None and other.resource_group == target.resource_group else None


def _mirrored(entry: Json, mirror: DeploymentRoute, destination: DestinationRoute) -> Json:
    policy = {
        "cluster": cluster_name(mirror.deployment_id),
        "runtime_fraction": _fraction(destination.mirror_percent),
        "disable_shadow_host_suffix_append": True,
    }
    return {**entry, "route": {**entry["route"], "request_mirror_policies": [policy]}}


def _fraction(percent: int) -> Json:
    return {"default_value": {"numerator": percent, "denominator": "HUNDRED"}}


def _unserved(destination: DestinationRoute) -> Json:
    text = (
        f"The destination {destination.name} points at the deployment {destination.deployment_id}, which does not "
        f"serve: it was deleted, or has not been RUNNING yet, or was stopped; start it, or point elsewhere (mooring "
        f"rollback {destination.name})"
    )
    return {
        "match": {"path_separated_prefix": f"/destinations/{destination.name}"},
        "direct_response": {"status": 503, "body": {"inline_string": text}},
        "typed_per_filter_config": only_for_group(destination.resource_group, NO_DESTINATION),
    }
