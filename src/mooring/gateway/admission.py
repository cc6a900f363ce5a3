"""Who is let in with a valid token: whether the token may use a route's resource group, and whether it still counts.

The token check leaves the claims where these filters find them; what is refused is answered by `local_replies`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mooring.gateway.routes import Revocation
from mooring.gateway.tokens import CLAIMS
from mooring.gateway.xds import Json, typed

_GROUPS, _REVOKED = "mooring.groups", "mooring.revoked"
_PACKAGE = "envoy.extensions.filters.http.rbac.v3"
_CEL = "envoy.extensions.access_loggers.filters.cel.v3"
_ALL_GROUPS = "*"
_BEFORE_ALL_TOKENS = 0.0


@dataclass(frozen=True)
class Refusal:
    """Why somebody is not let in: `rule` is its name in Envoy, `text` what he is told."""

    rule: str
    text: str

    @property
    def filter(self) -> Json:
        """What picks out the requests that were refused for this reason."""
        return because(f"rbac_access_denied_matched_policy[{self.rule}]")


def because(details: str) -> Json:
    """What picks out the answers that Envoy itself gives for this reason (its `code_details`)."""
    chosen = typed(f"{_CEL}.ExpressionFilter", {"expression": f"response.code_details == '{details}'"})
    return {"extension_filter": {"name": "envoy.access_loggers.extension_filters.cel", "typed_config": chosen}}


# Objects of other resource groups are answered like those that do not exist, in the same words.
NO_DEPLOYMENT = Refusal(
    "deployment-of-another-group",
    "No deployment of this id runs in this resource group: it does not exist, or it is not RUNNING; look at its status "
    "(GET /v2/lm/deployments/{id}), check the id in the path and the header AI-Resource-Group",
)
NO_MODEL = Refusal(
    "model-of-another-group",
    "No model of this name is deployed: check the name, or mark a version of it for production",
)
NO_DESTINATION = Refusal(
    "destination-of-another-group",
    "No destination of this name leads to a deployment here: check the name; destinations whose URL is elsewhere are "
    "found by GET /destination-configuration/v1/destinations/{name}, but not served here",
)
REVOKED = Refusal(
    "revoked", "Jwt is revoked: its client has a new secret or less rights since, or is gone; get a new token"
)


def admission_filters() -> list[Json]:
    """The filters, behind the token check. Both rest where no route or host asks for them."""
    return [
        {"name": name, "disabled": True, "typed_config": typed(f"{_PACKAGE}.RBAC", {})} for name in (_REVOKED, _GROUPS)
    ]


def only_for_group(group: str, refusal: Refusal) -> Json:
    """What a route carries (`typed_per_filter_config`) that is for callers whose token names this resource group."""
    either = {"or_match": {"value_matchers": [_is(group), _is(_ALL_GROUPS)]}}
    return {_GROUPS: _refuse(refusal, [{"not_id": _claim("groups", {"list_match": {"one_of": either}})}])}


def refuse_revoked(revoked: Sequence[Revocation]) -> Json:
    """What the whole host carries, so that tokens which were taken back are refused on every route."""
    return {_REVOKED: _refuse(REVOKED, [_tokens_of(each) for each in revoked])} if revoked else {}


def _tokens_of(revocation: Revocation) -> Json:
    client = _claim("client_id", _is(revocation.client_id))
    if revocation.issued_before is None:
        return client
    earlier = {"start": _BEFORE_ALL_TOKENS, "end": float(revocation.issued_before)}
    return {"and_ids": {"ids": [client, _claim("iat", {"double_match": {"range": earlier}})]}}


def _refuse(refusal: Refusal, principals: Sequence[Json]) -> Json:
    policy = {"permissions": [{"any": True}], "principals": list(principals)}
    rules = {"action": "DENY", "policies": {refusal.rule: policy}}
    return typed(f"{_PACKAGE}.RBACPerRoute", {"rbac": {"rules": rules}})


def _claim(name: str, value: Json) -> Json:
    path = [{"key": CLAIMS}, {"key": name}]
    matcher = {"filter": "envoy.filters.http.jwt_authn", "path": path, "value": value}
    return {"sourced_metadata": {"metadata_matcher": matcher}}


def _is(text: str) -> Json:
    return {"string_match": {"exact": text}}
