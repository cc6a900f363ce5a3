"""The token check, done by Envoy itself. A route is closed unless it says that it is open."""

from mooring.gateway.options import GatewayOptions
from mooring.gateway.xds import Json, extension, typed

_NAME = "envoy.filters.http.jwt_authn"
_PACKAGE = "envoy.extensions.filters.http.jwt_authn.v3"
_PROVIDER = "mooring"

CLAIMS = "claims"
"""Under this key of its metadata, the filter leaves the claims of a token that it has verified."""

CLOCK_SKEW_SECONDS = 60
_CACHED_TOKENS = 1000
_SCHEMES = ("Bearer ", "bearer ", "BEARER ")
"""The scheme's case does not matter, but Envoy compares it: these are the spellings that are met."""


def token_filter(options: GatewayOptions) -> Json:
    """The filter: every request needs a valid token, in the header and nowhere else (never in the query)."""
    return extension(
        _NAME,
        f"{_PACKAGE}.JwtAuthentication",
        {
            "providers": {_PROVIDER: _provider(options)},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": _PROVIDER}}],
        },
    )


def open_to_all() -> Json:
    """What a route carries (`typed_per_filter_config`) that answers without a token."""
    return {_NAME: typed(f"{_PACKAGE}.PerRouteConfig", {"disabled": True})}


def _provider(options: GatewayOptions) -> Json:
    return {
        "issuer": options.issuer,
        "audiences": [options.audience],
        "local_jwks": {"inline_string": options.key_set.decode()},
        "from_headers": [{"name": "authorization", "value_prefix": scheme} for scheme in _SCHEMES],
        "forward": True,
        "payload_in_metadata": CLAIMS,
        "require_expiration": True,
        "clock_skew_seconds": CLOCK_SKEW_SECONDS,
        "jwt_cache_config": {"jwt_cache_size": _CACHED_TOKENS},
    }
