"""`/oauth/token` takes what every client of the AI API sends, and nothing that is wrong."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import httpx
import jwt
import pytest

from mooring.api.tokens import TokenIssuer
from mooring.domain.roles import Role
from mooring.errors import Unauthorized
from mooring.services import clients, signing_keys
from tests.api.api_server import Server

OUR_KEY = signing_keys.generate()
GRANT = "grant_type=client_credentials"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def raw(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


def _basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def _works(server: Server, answer: httpx.Response) -> None:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["expires_in"] == 43199
    assert body["token_type"] == "bearer"
    assert {"scope", "jti"} <= body.keys()
    assert answer.headers["cache-control"] == "no-store"
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert httpx.get(f"{server.url}/v2/lm/scenarios", headers=headers).status_code == 200


def test_credentials_in_the_form(server: Server, raw: httpx.Client) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": server.client.id,
        "client_secret": server.client.secret,
    }
    _works(server, raw.post("/oauth/token", data=form))


def test_basic_with_the_grant_in_the_query_and_an_empty_body(server: Server, raw: httpx.Client) -> None:
    headers = _basic(server.client.id, server.client.secret)
    _works(server, raw.post(f"/oauth/token?{GRANT}", headers=headers))


def test_basic_with_the_grant_in_the_form(server: Server, raw: httpx.Client) -> None:
    headers = _basic(server.client.id, server.client.secret) | FORM
    _works(server, raw.post("/oauth/token", headers=headers, content=f"{GRANT}&response_type=token"))


def test_credentials_in_the_form_with_the_grant_in_the_query(server: Server, raw: httpx.Client) -> None:
    form = {"client_id": server.client.id, "client_secret": server.client.secret}
    _works(server, raw.post(f"/oauth/token?{GRANT}", data=form))


def test_a_form_without_content_type(server: Server, raw: httpx.Client) -> None:
    body = f"{GRANT}&client_id={server.client.id}&client_secret={server.client.secret}"
    _works(server, raw.post("/oauth/token", content=body))


def test_an_id_as_sap_has_them_is_percent_decoded(server: Server, raw: httpx.Client) -> None:
    odd_id = "sb-Ä%41 b!b123|aicore!b1"
    with server.database.transaction() as session:
        secret = clients.create(session, odd_id).secret
    form = {"grant_type": "client_credentials", "client_id": odd_id, "client_secret": secret}
    _works(server, raw.post("/oauth/token", data=form))
    _works(server, raw.post(f"/oauth/token?{GRANT}", headers=_basic(odd_id, secret)))
    _works(server, raw.post(f"/oauth/token?{GRANT}", headers=_basic(quote(odd_id), quote(secret))))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic"},
        {"Authorization": "Basic %%%"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:x").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"no colon").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"\0:\0").decode()},
        _basic("nobody", "nothing"),
        {"Authorization": "Bearer x"},
    ],
)
def test_wrong_credentials_are_refused(raw: httpx.Client, headers: dict[str, str]) -> None:
    answer = raw.post(f"/oauth/token?{GRANT}", headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {"error": "unauthorized", "error_description": "Bad credentials"}


def test_a_wrong_secret_is_refused_and_a_secret_in_the_query_is_not_taken(server: Server, raw: httpx.Client) -> None:
    wrong = raw.post(f"/oauth/token?{GRANT}", headers=_basic(server.client.id, server.client.secret + "x"))
    query = {"client_id": server.client.id, "client_secret": server.client.secret}
    in_query = raw.post(f"/oauth/token?{GRANT}", params=query)
    assert [wrong.status_code, in_query.status_code] == [401, 401]


def test_a_client_without_a_secret_is_refused(server: Server, raw: httpx.Client) -> None:
    """As clients with a certificate ask; certificates are not taken here."""
    for more in ({}, {"client_secret": ""}):
        answer = raw.post(
            "/oauth/token", data={"grant_type": "client_credentials", "client_id": server.client.id, **more}
        )
        assert answer.status_code == 401
        assert answer.json() == {"error": "unauthorized", "error_description": "Bad credentials"}


def test_a_token_says_what_its_client_may_do(server: Server, raw: httpx.Client) -> None:
    with server.database.transaction() as session:
        made = clients.create(session, role=Role.VIEWER, groups=["default"])
    token = raw.post(f"/oauth/token?{GRANT}", headers=_basic(made.id, made.secret)).json()["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["role"], claims["groups"], claims["client_id"]) == ("viewer", ["default"], made.id)
    assert isinstance(claims["iat"], int)


@pytest.mark.parametrize(
    ("grant", "error"),
    [("grant_type=password", "unsupported_grant_type"), ("", "invalid_request"), ("grant_type=", "invalid_request")],
)
def test_other_grants_are_refused(server: Server, raw: httpx.Client, grant: str, error: str) -> None:
    answer = raw.post(f"/oauth/token?{grant}", headers=_basic(server.client.id, server.client.secret))
    assert answer.status_code == 400
    assert answer.json()["error"] == error


def test_get_is_not_allowed(raw: httpx.Client) -> None:
    answer = raw.get(f"/oauth/token?{GRANT}")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"&" * 5000, b"a=b&" * 500, b"{}"])
def test_a_strange_body_is_refused(raw: httpx.Client, body: bytes) -> None:
    assert raw.post("/oauth/token", content=body, headers=FORM).status_code == 401


def test_somebody_without_a_token_cannot_fill_our_memory(raw: httpx.Client) -> None:
    assert raw.post("/oauth/token", content=b"x" * 1_500_000, headers=FORM).status_code == 413


def test_the_key_set_verifies_what_was_issued(server: Server, raw: httpx.Client) -> None:
    token = server.context.tokens.issue("somebody").value
    keys = jwt.PyJWKSet.from_dict(raw.get("/oauth/keys").json())
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, keys[header["kid"]], algorithms=["RS256"], audience="mooring", issuer=server.url)
    assert header["alg"] == "RS256"
    assert (claims["sub"], claims["client_id"], claims["groups"]) == ("somebody", "somebody", ["*"])
    assert {"iss", "aud", "iat", "exp", "jti", "scope"} <= claims.keys()


def test_a_new_key_is_accepted_at_once_and_signs_when_everybody_knows_it() -> None:
    tokens = TokenIssuer([OUR_KEY], "http://a", "mooring", 60)
    of_the_old = tokens.issue("c").value
    fresh = signing_keys.generate()
    tokens.use([OUR_KEY, fresh])
    assert jwt.get_unverified_header(tokens.issue("c").value)["kid"] == OUR_KEY.id
    known = replace(fresh, created_at=fresh.created_at - timedelta(minutes=2))
    tokens.use([OUR_KEY, known])
    assert jwt.get_unverified_header(tokens.issue("c").value)["kid"] == fresh.id
    assert tokens.verify(of_the_old).client_id == "c"
    assert len(json.loads(tokens.key_set())["keys"]) == 2


@pytest.mark.parametrize(
    ("issuer", "audience", "lifetime", "reason"),
    [
        ("http://a", "mooring", -3600, "expired"),
        ("http://b", "mooring", 60, "issuer is not configured"),
        ("http://a", "other", 60, "verification fails"),
    ],
)
def test_tokens_of_others_and_old_ones_are_refused(issuer: str, audience: str, lifetime: int, reason: str) -> None:
    ours = TokenIssuer([OUR_KEY], "http://a", "mooring", 60)
    theirs = TokenIssuer([OUR_KEY], issuer, audience, lifetime)
    with pytest.raises(Unauthorized, match=reason):
        ours.verify(theirs.issue("c").value)


def test_forged_tokens_are_refused() -> None:
    ours = TokenIssuer([OUR_KEY], "http://a", "mooring", 60)
    theirs = TokenIssuer([signing_keys.generate()], "http://a", "mooring", 60)
    token = ours.issue("c").value
    head, payload, signature = token.split(".")
    claims = jwt.decode(token, options={"verify_signature": False})
    kid = jwt.get_unverified_header(token)["kid"]
    unsigned = jwt.encode(claims, "", "none", headers={"kid": kid})
    symmetric = jwt.encode(claims, "k" * 32, "HS256", headers={"kid": kid})
    without_expiry = {name: value for name, value in claims.items() if name != "exp"}
    eternal = jwt.encode(without_expiry, OUR_KEY.private, "RS256", headers={"kid": kid})
    for forged in (
        theirs.issue("c").value,
        unsigned,
        symmetric,
        eternal,
        f"{head}.{payload}.",
        f"{head}.{payload[:-4]}AAAA.{signature}",
        "",
        "a.b.c",
        "é",
    ):
        with pytest.raises(Unauthorized):
            ours.verify(forged)
