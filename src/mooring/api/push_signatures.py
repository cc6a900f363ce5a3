"""Whether GitHub or GitLab has sent a request: only they know the secret of the webhook, besides us."""

import hashlib
import hmac
from collections.abc import Mapping

_GITHUB = "x-hub-signature-256"
_GITLAB = "x-gitlab-token"
_EVENT = "x-github-event"


def is_signed(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """GitHub signs the body (HMAC-SHA256), GitLab sends the secret itself. Headers have names in lower case."""
    signature, token = headers.get(_GITHUB), headers.get(_GITLAB)
    if signature is not None:
        expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return _same(signature, f"sha256={expected}")
    return token is not None and _same(token, secret)


def tells_of_push(headers: Mapping[str, str]) -> bool:
    """GitHub may be set to tell of other things, too, and tries a new webhook with a `ping`."""
    return headers.get(_EVENT, "push") == "push"


def _same(given: str, expected: str) -> bool:
    # Headers come as bytes; one that is no ASCII cannot be compared as text.
    return hmac.compare_digest(given.encode("latin-1", "replace"), expected.encode())
