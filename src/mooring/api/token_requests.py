"""What a token request says, whichever way it says it."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote_plus

_MOST_FIELDS = 50


@dataclass(frozen=True)
class Credentials:
    """What a client calls itself, and its secret."""

    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class TokenRequest:
    """`credentials` are the readings of what was given, most literal first; none when nothing usable was given."""

    grant_type: str | None
    credentials: tuple[Credentials, ...]
    by_header: bool

    @classmethod
    def parse(cls, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> "TokenRequest":
        """A header Basic wins over the form. Secrets in the query are not taken: they would end up in logs."""
        form = _form(body)
        scheme, _, encoded = headers.get("authorization", "").partition(" ")
        by_header = scheme.lower() == "basic"
        found = _from_header(encoded) if by_header else _from_form(form)
        grant_type = form.get("grant_type") or query.get("grant_type") or None
        return cls(grant_type, tuple(found), by_header)


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:  # not UTF-8, or too many fields: nothing in it that we could use
        return {}


def _from_form(form: Mapping[str, str]) -> Iterator[Credentials]:
    if "client_id" in form and "client_secret" in form:
        yield Credentials(form["client_id"], form["client_secret"])


def _from_header(encoded: str) -> Iterator[Credentials]:
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return
    if not colon:
        return
    yield Credentials(client_id, secret)
    # RFC 6749 has both parts form-encoded inside of the header; only some clients do that.
    yield Credentials(unquote_plus(client_id), unquote_plus(secret))
