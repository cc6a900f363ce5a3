"""What a git server tells of a push: which repository it was, in the words of GitHub and of GitLab."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from mooring.domain import git_urls

_GITHUB = ("clone_url", "ssh_url", "html_url", "git_url")
_GITLAB = ("git_http_url", "git_ssh_url", "http_url", "ssh_url", "web_url", "homepage", "url")
_FORM = b"payload="
"""GitHub's older content type: the JSON as a field of a form."""


def places_in(body: bytes) -> frozenset[str]:
    """Where the pushed repository lies (`git_urls.place`), by all the urls that it has. Raises ValueError."""
    payload = _payload(body)
    return frozenset(place for url in _urls(payload) for place in _place(url))


def _payload(body: bytes) -> dict[str, Any]:
    try:
        text = parse_qs(body.decode())["payload"][0] if body.startswith(_FORM) else body.decode()
        payload = json.loads(text)
    except (ValueError, KeyError, RecursionError):
        raise ValueError("the body is no JSON, and no form with JSON in its field payload") from None
    if not isinstance(payload, dict):
        raise ValueError("the body is no JSON object")
    return payload


def _urls(payload: dict[str, Any]) -> Iterator[str]:
    for holder in (payload.get("repository"), payload.get("project")):
        if isinstance(holder, dict):
            yield from (holder[name] for name in (*_GITHUB, *_GITLAB) if isinstance(holder.get(name), str))


def _place(url: str) -> Iterator[str]:
    try:
        yield git_urls.place(url)
    except ValueError:
        return  # nothing of ours can lie at a url that we do not take
