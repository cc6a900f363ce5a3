"""The configuration is a pure function, and its parts change in an order in which nothing is missing."""

import json
from pathlib import Path

import pytest

from mooring.gateway.clusters import clusters_document
from mooring.gateway.listener import listeners_document
from mooring.gateway.options import GatewayOptions
from mooring.gateway.publication import publication
from mooring.gateway.route_table import routes_document
from mooring.gateway.routes import DeploymentRoute, ModelRoute, Routes
from mooring.gateway.xds import resources_of, version_of
from tests.gateway.world import make_world

_A = DeploymentRoute("da", "default", (Path("/run/a.sock"),))
_B = DeploymentRoute("db", "default", (Path("/run/b.sock"),))


@pytest.fixture
def options(tmp_path: Path) -> GatewayOptions:
    return make_world(tmp_path).options


def _clusters(content: bytes) -> dict[str, list[str]]:
    return {
        cluster["name"]: [
            endpoint["endpoint"]["address"]["pipe"]["path"]
            for endpoint in cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        ]
        for cluster in resources_of(content)
    }


def test_the_same_routes_give_the_same_bytes(options: GatewayOptions) -> None:
    routes = Routes((_A, _B), (ModelRoute("iris", "da"),))
    assert routes_document(options, routes) == routes_document(options, routes)
    assert clusters_document(routes) == clusters_document(routes)
    assert listeners_document(options) == listeners_document(options)


def test_other_routes_give_another_version(options: GatewayOptions) -> None:
    versions = {version_of(routes_document(options, routes)) for routes in (Routes(), Routes((_A,)), Routes((_A, _B)))}
    assert len(versions) == 3


def test_other_endpoints_change_the_clusters_only(options: GatewayOptions) -> None:
    before = Routes((_A,))
    after = Routes((DeploymentRoute("da", "default", _B.endpoints),))
    assert clusters_document(before) != clusters_document(after)
    assert routes_document(options, before) == routes_document(options, after)


def test_make_before_break(options: GatewayOptions) -> None:
    steps = list(publication(options, Routes((_B,)), clusters_document(Routes((_A,)))))
    assert [step.path for step in steps] == [options.clusters_file, options.routes_file, options.clusters_file]
    assert set(_clusters(steps[0].content)) == {"deployment_da", "deployment_db"}
    assert set(_clusters(steps[2].content)) == {"deployment_db"}


def test_what_stays_gets_its_new_endpoints_in_the_first_step(options: GatewayOptions) -> None:
    moved = DeploymentRoute("da", "default", (Path("/run/new.sock"),))
    first, _, last = publication(options, Routes((moved,)), clusters_document(Routes((_A,))))
    assert _clusters(first.content) == _clusters(last.content) == {"deployment_da": ["/run/new.sock"]}


def test_a_model_whose_deployment_is_gone_has_no_route(options: GatewayOptions) -> None:
    assert routes_document(options, Routes((), (ModelRoute("iris", "da"),))) == routes_document(options, Routes())


@pytest.mark.parametrize(
    "name", ["a.b", "a(b", "a%2f", 'a"b', "a\\b", "a b", "äß", "日本", "(?i)x", "a\nb", "%REQ(x)%"]
)
def test_names_of_models_are_never_taken_for_patterns(options: GatewayOptions, name: str) -> None:
    text = routes_document(options, Routes((_A,), (ModelRoute(name, "da"),)))
    table = json.loads(text)["resources"][0]["virtual_hosts"][0]["routes"]
    mine = [entry for entry in table if entry.get("route", {}).get("cluster") == "deployment_da"]
    assert len(mine) == 5
