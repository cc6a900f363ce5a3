"""One question to a served model, with a deadline."""

import re
from typing import Any
from urllib.parse import urlsplit

from mooring.compat.errors import PredictionFailed
from mooring.http_session import HttpSession, NoAnswer, Reply

JSON = "application/json"
_ONLY_A_MODEL = re.compile(r"(/v2/inference/deployments/[^/]+|/models/[^/]+)/?")
_LONGEST_REASON = 1000


def invocations_url(url: str) -> str:
    """The URL as it is; that of a deployment or a model of ours alone with `/invocations`. Raises PredictionFailed."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise PredictionFailed(f"{url!r} is no URL of an endpoint: it has to begin with https:// or http://", 0)
    if _ONLY_A_MODEL.fullmatch(parts.path):
        return parts._replace(path=f"{parts.path.rstrip('/')}/invocations").geturl()
    return url


def ask(
    url: str,
    content: bytes,
    content_type: str,
    *,
    token: str | None,
    resource_group: str | None,
    timeout_seconds: float,
) -> Any:
    """The JSON that the model answers. Raises PredictionFailed.

    Asked once: the gateway repeats what is safe to repeat, and only it knows what is.
    """
    headers = {"Content-Type": content_type}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if resource_group:
        headers["AI-Resource-Group"] = resource_group
    target = invocations_url(url)
    reply = _post(target, content, headers, timeout_seconds)
    if not reply.ok:
        raise PredictionFailed(_in_words(target, reply, has_token=bool(token)), reply.status)
    try:
        return reply.json()
    except ValueError:
        raise PredictionFailed(f"{target} answered something that is no JSON", reply.status) from None


def _post(url: str, content: bytes, headers: dict[str, str], timeout_seconds: float) -> Reply:
    session = HttpSession(url, timeout_seconds=timeout_seconds)
    try:
        return session.send("POST", url, content=content, headers=headers)
    except NoAnswer as error:
        raise PredictionFailed(f"no answer within {timeout_seconds:g} s: {error}", 0) from error
    finally:
        session.close()


def _in_words(url: str, reply: Reply, *, has_token: bool) -> str:
    reason = reply.text.strip()[:_LONGEST_REASON] or "no reason given"
    said = f"{url} answered {reply.status}: {reason}"
    match reply.status:
        case 401 if not has_token:
            return f"{said}. It wants a token: give token=…, or set AICORE_* (`mooring env` prints them)"
        case 413:
            return f"{said}. The body is larger than the server takes: send fewer rows at a time"
    return said
