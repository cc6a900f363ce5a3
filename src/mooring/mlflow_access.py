"""How an MLflow server is reached and its listings are read, without importing MLflow."""

import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

Sign = Callable[[httpx.Request], httpx.Request]

_MOST_PAGES = 1000


class EndlessListing(Exception):
    """A server that has always one more page."""


@dataclass(frozen=True)
class MlflowAccess:
    """What to give to httpx: who we are there, and whose certificate we trust."""

    auth: httpx.Auth | Sign | None = field(default=None, repr=False)
    verify: ssl.SSLContext | bool = True


def mlflow_access(env: Mapping[str, str] | None = None) -> MlflowAccess:
    """From MLFLOW_TRACKING_USERNAME and _PASSWORD, else _TOKEN; _INSECURE_TLS, _SERVER_CERT_PATH, _CLIENT_CERT_PATH.

    Raises OSError (ssl.SSLError among it) when a certificate file cannot be read.
    """
    env = os.environ if env is None else env
    return MlflowAccess(auth=_auth(env), verify=_verify(env))


def pages(ask: Callable[[str], Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """All pages of a listing; `ask` is given the token of a page ("" for the first). Raises EndlessListing."""
    token, seen = "", {""}
    for _ in range(_MOST_PAGES):
        page = ask(token)
        yield page
        token = str(page.get("next_page_token") or "")
        if not token:
            return
        if token in seen:
            raise EndlessListing("MLflow leads back to a page that it has shown already")
        seen.add(token)
    raise EndlessListing(f"MLflow shows more than {_MOST_PAGES} pages")


def _auth(env: Mapping[str, str]) -> httpx.Auth | Sign | None:
    if username := env.get("MLFLOW_TRACKING_USERNAME"):
        return httpx.BasicAuth(username, env.get("MLFLOW_TRACKING_PASSWORD", ""))
    if token := env.get("MLFLOW_TRACKING_TOKEN"):
        return _bearer(token)
    return None


def _bearer(token: str) -> Sign:
    def sign(request: httpx.Request) -> httpx.Request:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return sign


def _verify(env: Mapping[str, str]) -> ssl.SSLContext | bool:
    if env.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in ("true", "1"):
        return False
    authority = env.get("MLFLOW_TRACKING_SERVER_CERT_PATH")
    ours = env.get("MLFLOW_TRACKING_CLIENT_CERT_PATH")
    if not authority and not ours:
        return True
    context = ssl.create_default_context(cafile=authority or None)
    if ours:
        context.load_cert_chain(ours)
    return context
