"""Without a valid token nothing answers but what is listed here."""

import base64
import json
import time

import httpx
import pytest

from mooring.gateway.control_plane_routes import CONTROL_PLANE_PATHS
from tests.gateway.world import Signer, World

OPEN = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("POST", "/oauth/token"),
    ("GET", "/oauth/keys"),
    ("POST", "/webhooks/mlflow"),
    ("PATCH", "/tracking/e0~default~mac/api/v1/metrics"),
    ("GET", "/docs"),
    ("GET", "/docs/"),
    ("GET", "/docs/static/swagger-ui.css"),
    ("GET", "/models/iris/api/"),
    ("GET", "/models/iris/api/static/swagger-ui.css"),
}
CLOSED = {
    ("GET", "/"),
    ("GET", "/nowhere"),
    ("GET", "/oauth"),
    ("GET", "/oauth/token/x"),
    ("GET", "/oauth/authorize"),
    ("GET", "/docs/other"),
    ("GET", "/docs/static/../private"),
    ("GET", "/docs/static/%2e%2e/private"),
    ("GET", "/openapi.json"),
    ("GET", "/metrics"),
    ("GET", "/launchpad/"),
    ("GET", "/v2/lm/deployments"),
    ("DELETE", "/v2/admin/resourceGroups/default"),
    ("GET", "/v2/analytics/kpis"),
    ("GET", "/destination-configuration/v1/destinations"),
    ("GET", "/v2/inference/deployments/ddefault/"),
    ("POST", "/v2/inference/deployments/unknown/v1/predict"),
    ("GET", "/models"),
    ("GET", "/models/iris"),
    ("GET", "/models/iris/"),
    ("POST", "/models/iris/invocations"),
    ("POST", "/models/iris/api/"),
    ("POST", "/models/iris/api/static/x"),
    ("GET", "/models/iris/api/other"),
    ("GET", "/models/iris/api/static/../../invocations"),
    ("GET", "/models/iris/api/static/..;/../../invocations"),
    ("GET", "/models/iris/api/static\\..\\..\\invocations"),
    ("OPTIONS", "/models/iris/invocations"),
    ("GET", "/healthz/"),
    ("GET", "/healthz/x"),
    ("GET", "/HEALTHZ"),
    ("GET", "//v2/lm/deployments"),
    ("GET", "/webhooks/../v2/lm/deployments"),
    ("GET", "/trackings"),
    ("PATCH", "/tracking/../v2/lm/metrics"),
}


def _ask(world: World, method: str, path: str, authorization: str | None) -> httpx.Response:
    headers = {} if authorization is None else {"Authorization": authorization}
    with httpx.Client(trust_env=False, timeout=30) as client:
        request = client.build_request(method, world.url, headers=headers)
        # httpx would tidy the path up before it sends it.
        request.url = request.url.copy_with(raw_path=path.encode())
        return client.send(request)


@pytest.mark.parametrize(("method", "path"), sorted(OPEN))
def test_open_paths_answer_without_a_token(shared: World, method: str, path: str) -> None:
    assert _ask(shared, method, path, None).status_code == 200


@pytest.mark.parametrize(("method", "path"), sorted(OPEN))
def test_open_paths_answer_with_a_bad_token_too(shared: World, method: str, path: str) -> None:
    assert _ask(shared, method, path, "Bearer nonsense").status_code == 200


@pytest.mark.parametrize(("method", "path"), sorted(CLOSED))
def test_all_others_want_a_token(shared: World, method: str, path: str) -> None:
    assert _ask(shared, method, path, None).status_code == 401


@pytest.mark.parametrize("path", [entry for entry in CONTROL_PLANE_PATHS if entry.needs_token], ids=str)
def test_every_path_of_the_control_plane_that_needs_a_token_wants_one(shared: World, path: object) -> None:
    assert isinstance(path, type(CONTROL_PLANE_PATHS[0]))
    # `/docs` itself is one of the open pages, with and without a slash; only what is below it is closed.
    root = () if path.path == "/docs" else ("/",)
    for below in (*root, "/x") if path.subtree else ("",):
        assert _ask(shared, "GET", path.path + below, None).status_code == 401
        assert _ask(shared, "GET", path.path + below, f"Bearer {shared.signer.token()}").status_code == 200


def _bad_tokens(signer: Signer) -> dict[str, str]:
    good = signer.token()
    head, claims, signature = good.split(".")
    nothing = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).decode().rstrip("=")
    now = int(time.time())
    return {
        "empty": "Bearer",
        "garbage": "Bearer garbage",
        "another scheme": "Basic dXNlcjpwYXNz",
        "expired": f"Bearer {signer.token(exp=now - 120)}",
        "not yet valid": f"Bearer {signer.token(nbf=now + 600)}",
        "no dots": "Bearer abc",
        "never expires": f"Bearer {signer.token(exp=None)}",
        "other audience": f"Bearer {signer.token(aud='somebody-else')}",
        "no audience": f"Bearer {signer.token(aud=None)}",
        "other issuer": f"Bearer {signer.token(iss='http://evil.test')}",
        "no issuer": f"Bearer {signer.token(iss=None)}",
        "other key, same key id": f"Bearer {Signer().token()}",
        "alg none": f"Bearer {nothing}.{claims}.",
        "alg none with a signature": f"Bearer {nothing}.{claims}.{signature}",
        "cut signature": f"Bearer {good[:-8]}",
        "changed claims": f"Bearer {head}.{claims[:-4]}AAAA.{signature}",
        "oversized": "Bearer " + "a" * 20_000,
    }


@pytest.mark.parametrize("kind", sorted(_bad_tokens(Signer())))
@pytest.mark.parametrize(
    "path",
    [
        "/v2/lm/deployments",
        "/v2/inference/deployments/ddefault/x",
        "/v2/inference/deployments/unknown/x",
        "/models/iris/x",
        "/metrics",
        "/nowhere",
    ],
)
def test_a_bad_token_is_as_good_as_none(shared: World, kind: str, path: str) -> None:
    answer = _ask(shared, "GET", path, _bad_tokens(shared.signer)[kind])
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "01000401"
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_has_no_case(shared: World, scheme: str) -> None:
    token = shared.signer.token()
    assert _ask(shared, "GET", "/v2/lm/deployments", f"{scheme} {token}").status_code == 200


def test_clocks_may_differ_by_less_than_a_minute(shared: World) -> None:
    now = int(time.time())
    token = shared.signer.token(exp=now - 20, nbf=now + 20)
    assert _ask(shared, "GET", "/v2/lm/deployments", f"Bearer {token}").status_code == 200


def test_a_token_in_the_query_is_no_token(shared: World) -> None:
    path = f"/v2/lm/deployments?access_token={shared.signer.token()}"
    assert _ask(shared, "GET", path, None).status_code == 401


def test_one_good_of_two_tokens_does_not_make_the_other_good(shared: World) -> None:
    bad = shared.signer.token(iss="http://evil.test")
    headers = [("Authorization", f"Bearer {bad}"), ("Authorization", f"Bearer {shared.signer.token()}")]
    answer = httpx.get(shared.url + "/v2/lm/x", headers=headers, trust_env=False)
    assert answer.status_code in {400, 401}


def test_a_token_that_was_good_is_not_remembered_beyond_its_end(shared: World) -> None:
    # Within the skew when first seen (and cached), beyond it a moment later.
    token = shared.signer.token(exp=int(time.time()) - 58)
    statuses = []
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and 401 not in statuses:
        statuses.append(_ask(shared, "GET", "/v2/lm/x", f"Bearer {token}").status_code)
    assert statuses[0] == 200
    assert statuses[-1] == 401


def test_the_address_in_the_registry_leads_to_the_page_without_a_token(shared: World) -> None:
    """The builder's tag `model_endpoint` has no slash at its end."""
    answer = shared.ask("/models/iris/api", method="GET", token=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/models/iris/api/")
