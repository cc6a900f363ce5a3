"""Is this delivery from our MLflow, fresh, and the first of its kind? (Only a wake-up, but one that costs work.)"""

import base64
import binascii
import hashlib
import hmac
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from mooring.builder.registry import PRODUCTION

WINDOW_SECONDS = 300.0
"""How far a delivery's timestamp may be from our clock."""
_MOST_REMEMBERED = 10_000
_LONGEST_BODY = 1_000_000
_LONGEST_TIMESTAMP = 15
"""Digits. Python converts no text of thousands of them to a number, and the header comes from anybody."""


class WebhookVerifier:
    """Checks deliveries against a shared secret. Safe to use from several threads."""

    def __init__(self, secret: str, *, now: Callable[[], float] = time.time) -> None:
        self._secret = secret.encode()
        self._now = now
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, None] = OrderedDict()

    def accepts(self, headers: Mapping[str, str], body: bytes) -> bool:
        """True once per delivery that is signed with the secret and not older (or newer) than five minutes."""
        given = {key.lower(): value for key, value in headers.items()}
        delivery, timestamp = given.get("x-mlflow-delivery-id", ""), given.get("x-mlflow-timestamp", "")
        if not delivery or len(body) > _LONGEST_BODY or not self._fresh(timestamp):
            return False
        signed = f"{delivery}.{timestamp}.".encode() + body
        if not self._signed(signed, given.get("x-mlflow-signature", "")):
            return False
        return self._first(delivery)

    def _fresh(self, timestamp: str) -> bool:
        if not timestamp.isdecimal() or len(timestamp) > _LONGEST_TIMESTAMP:
            return False
        return abs(self._now() - int(timestamp)) <= WINDOW_SECONDS

    def _signed(self, content: bytes, signature: str) -> bool:
        version, _, encoded = signature.partition(",")
        try:
            given = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return False
        expected = hmac.new(self._secret, content, hashlib.sha256).digest()
        return version == "v1" and hmac.compare_digest(given, expected)

    def _first(self, delivery: str) -> bool:
        with self._lock:
            if delivery in self._seen:
                return False
            self._seen[delivery] = None
            if len(self._seen) > _MOST_REMEMBERED:
                self._seen.popitem(last=False)
            return True


def newly_marked(body: bytes) -> str | None:
    """The registered model of which a version was marked `production`, when that is what a delivery tells.

    A poll cannot see that a mark was set again with the same value; a delivery can.
    """
    try:
        event = json.loads(body)
        data = event["data"]
        kind = (event["entity"], event["action"])
        marked = (kind == ("model_version_tag", "set") and data["key"] == PRODUCTION) or (
            kind == ("model_version_alias", "created") and data["alias"] == PRODUCTION
        )
        return str(data["name"]) if marked else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
