"""The prefix goes, the rest stays; and nobody reads a path differently from the token check."""

import json

import pytest

from tests.gateway.world import World, raw


def _asked(world: World, path: str) -> tuple[int, str]:
    """The status, and the path with query that the replica or control plane saw."""
    token = world.signer.token()
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    answer = raw(world.options.port, head.encode())
    status = int(answer.split()[1])
    if status != 200:
        return status, ""
    seen = json.loads(answer.partition(b"\r\n\r\n")[2])
    return status, f"{seen['name']} {seen['path']}" + (f"?{seen['query']}" if seen["query"] else "")


_D = "/v2/inference/deployments/ddefault"


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        (f"{_D}/v2/predict", "one /v2/predict"),
        (f"{_D}/v2/predict/", "one /v2/predict/"),
        (f"{_D}/", "one /"),
        (_D, "one /"),
        (f"{_D}?a=b", "one /?a=b"),
        (f"{_D}/x?a=%2F..%2f&b=//c&b=", "one /x?a=%2F..%2f&b=//c&b="),
        (f"{_D}/a%20b/%C3%A4;x=1", "one /a%20b/%C3%A4;x=1"),
        (f"{_D}/v2/lm/deployments", "one /v2/lm/deployments"),
        (f"{_D}//x///y", "one /x/y"),
        (f"{_D}/a/./b/../c", "one /a/c"),
        (f"{_D}/a/%2e%2e/c", "one /c"),
        ("/models/iris/invocations?x", "two /invocations?x"),
        ("/models/iris/v2/models/iris/", "two /v2/models/iris/"),
        ("/models/%C3%9cber%20uns%20(1)/a//b/?q=1", "two /a/b/?q=1"),
        ("/models/%c3%9Cber%20uns%20%281%29/a", "two /a"),
        ("/models/%c3%9Cber%20uns%20%281%29/api/", "two /api/"),
        ("/v2/lm/deployments/$count?x=y", "control-plane /v2/lm/deployments/$count?x=y"),
        ("/v2/lm/x/../y/", "control-plane /v2/lm/y/"),
        ("//v2//lm/x", "control-plane /v2/lm/x"),
        (f"{_D}/../../../lm/x", "control-plane /v2/lm/x"),
    ],
)
def test_what_arrives(shared: World, path: str, seen: str) -> None:
    assert _asked(shared, path) == (200, seen)


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        (f"{_D}/a%2fb", {400}),
        (f"{_D}/a%2Fb", {400}),
        (f"{_D}/a%5cb", {400}),
        (f"{_D}/..%2f..%2flm/x", {400}),
        ("/v2%2flm/x", {400}),
        ("/../../../etc/passwd", {400, 404}),
        (f"{_D}x/y", {404}),
        (f"{_D.upper()}/y", {404}),
        (f"{_D}%00/y", {400, 404}),
        (f"{_D}./y", {404}),
        (f"{_D};/y", {404}),
        (f"{_D}%3b/y", {404}),
        ("/models/iris%00/x", {400, 404}),
        ("/models/Iris/x", {404}),
        ("/models/irisx/x", {404}),
        ("/models//x", {404}),
        ("/models/", {404}),
        ("/v2/lmx", {404}),
        ("/v2/inference/deployments/", {404}),
        ("/v2/inference/deployments/%2e/x", {404}),
        ("/v2/inference/deployments/.*/x", {404}),
        ("v2/lm/x", {400, 404}),
        ("*", {400, 404}),
    ],
)
def test_what_does_not(shared: World, path: str, statuses: set[int]) -> None:
    assert _asked(shared, path)[0] in statuses


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/models/iris", "/models/iris/api/"),
        ("/models/%C3%9Cber%20uns%20(1)", "/models/%C3%9Cber%20uns%20%281%29/api/"),
    ],
)
def test_the_bare_name_of_a_model_leads_to_its_page(shared: World, path: str, location: str) -> None:
    answer = shared.ask(path)
    assert (answer.status_code, answer.headers.get_list("location")) == (303, [location])


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_arrives(shared: World, method: str) -> None:
    answer = shared.ask("/v2/inference/deployments/ddefault/x", method=method)
    assert answer.status_code == 200
    if method != "HEAD":
        assert answer.json()["method"] == method
