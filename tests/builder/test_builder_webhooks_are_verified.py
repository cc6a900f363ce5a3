import base64
import hashlib
import hmac
import json

import pytest

from mooring.builder.webhook import WebhookVerifier, newly_marked

SECRET, NOW = "s3cret", 1_800_000_000
BODY = b'{"entity": "model_version_tag"}'


def signed(
    *, delivery: str = "id-1", timestamp: str = str(NOW), body: bytes = BODY, secret: str = SECRET
) -> dict[str, str]:
    mac = hmac.new(secret.encode(), f"{delivery}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "X-MLflow-Delivery-Id": delivery,
        "x-mlflow-timestamp": timestamp,
        "X-MLFLOW-SIGNATURE": "v1," + base64.b64encode(mac).decode(),
    }


@pytest.fixture
def verifier() -> WebhookVerifier:
    return WebhookVerifier(SECRET, now=lambda: float(NOW))


def test_a_genuine_delivery_is_accepted_once(verifier: WebhookVerifier) -> None:
    assert verifier.accepts(signed(), BODY)
    assert not verifier.accepts(signed(), BODY)
    assert verifier.accepts(signed(delivery="id-2"), BODY)


@pytest.mark.parametrize("offset", [-300, 300])
def test_clocks_may_differ_by_five_minutes(verifier: WebhookVerifier, offset: int) -> None:
    assert verifier.accepts(signed(timestamp=str(NOW + offset)), BODY)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (signed(secret="other"), BODY),
        (signed(), BODY + b" "),
        (signed() | {"X-MLflow-Delivery-Id": "id-2"}, BODY),
        (signed() | {"x-mlflow-timestamp": str(NOW + 1)}, BODY),
        (signed(timestamp=str(NOW - 301)), BODY),
        (signed(timestamp=str(NOW + 301)), BODY),
        (signed(timestamp=f"{NOW}.0"), BODY),
        (signed(timestamp="-1"), BODY),
        (signed(timestamp="²"), BODY),
        (signed(timestamp=""), BODY),
        (signed(timestamp="1" * 400), BODY),
        (signed(timestamp="1" * 5000), BODY),
        (signed(delivery=""), BODY),
        (signed() | {"X-MLFLOW-SIGNATURE": ""}, BODY),
        (signed() | {"X-MLFLOW-SIGNATURE": "v1,"}, BODY),
        (signed() | {"X-MLFLOW-SIGNATURE": "v1,not base64!"}, BODY),
        (signed() | {"X-MLFLOW-SIGNATURE": signed()["X-MLFLOW-SIGNATURE"].replace("v1", "v2")}, BODY),
        ({}, BODY),
    ],
)
def test_anything_else_is_refused(verifier: WebhookVerifier, headers: dict[str, str], body: bytes) -> None:
    assert not verifier.accepts(headers, body)


def test_a_refused_delivery_does_not_use_up_the_genuine_ones_id(verifier: WebhookVerifier) -> None:
    assert not verifier.accepts(signed(secret="other"), BODY)
    assert verifier.accepts(signed(), BODY)


@pytest.mark.parametrize(
    ("entity", "action", "data", "model"),
    [
        ("model_version_tag", "set", {"name": "m", "key": "production"}, "m"),
        ("model_version_tag", "set", {"name": "m", "key": "deployed"}, None),
        ("model_version_tag", "deleted", {"name": "m", "key": "production"}, None),
        ("model_version_alias", "created", {"name": "m", "alias": "production"}, "m"),
        ("model_version_alias", "created", {"name": "m", "alias": "champion"}, None),
        ("model_version_tag", "set", {}, None),
        ("model_version", "created", None, None),
    ],
)
def test_a_new_mark_is_recognised(entity: str, action: str, data: object, model: str | None) -> None:
    assert newly_marked(json.dumps({"entity": entity, "action": action, "data": data}).encode()) == model


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"\xff", b"[" * 500_000])
def test_a_broken_body_is_no_mark(body: bytes) -> None:
    assert newly_marked(body) is None
