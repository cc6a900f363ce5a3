"""What Envoy answers by itself, in the API's envelope. Answers of replicas and control plane are never touched."""

from mooring.errors import NotFound, TooLarge, Unauthorized, Unavailable
from mooring.gateway.admission import NO_DEPLOYMENT, NO_DESTINATION, NO_MODEL, REVOKED, Refusal, because
from mooring.gateway.options import GatewayOptions
from mooring.gateway.xds import Json

_RETRY_AFTER_SECONDS = 1
_TRACKING = "/tracking/"
_BELOW_TRACKING: Json = {"prefix": _TRACKING}
_LISTING: Json = {"safe_regex": {"regex": "/v2/lm/(metrics|dataset/).*"}}
"""Where errors have a list in `details` (see `mooring.api.error_details`)."""
_DESTINATIONS: Json = {"safe_regex": {"regex": "/destination-configuration([/?].*)?"}}
_BECAUSE = "%LOCAL_REPLY_BODY%"
"""Envoy's own words, or the body of a direct response."""
_REQUEST_ID = "%REQ(X-REQUEST-ID)%"
_MADE_ID = "connection-%CONNECTION_ID%-%START_TIME(%s%6f)%"
"""For a request that is refused as it comes in and has no id yet: the same in the body and in the header."""

_NO_REPLICA = "No replica is ready to answer: look at the status of the deployment, or try again when it is RUNNING"
_NO_ANSWER = "What should answer here does not answer at the moment; try again"
_REFUSED = (
    "The gateway refuses this request (%RESPONSE_CODE_DETAILS%): paths have no escaped slashes and do not leave "
    "their root, names of headers have no underscores, all headers together have at most 32 KiB"
)
_FORBIDDEN = "This token is for another service, or the protocol to upgrade to is not offered (%RESPONSE_CODE_DETAILS%)"
_WAY_OUT = "send the header 'Authorization: Bearer <token>' with a token from /oauth/token"


def local_replies(options: GatewayOptions) -> Json:
    """The `local_reply_config` of the listener: the first mapper that fits is used."""
    too_late = f"No answer came within the time that is allowed (usually {options.request_timeout_seconds:g} s)"
    mappers = [
        _not_there(NO_DEPLOYMENT),
        _not_there(NO_MODEL),
        _not_there(NO_DESTINATION),
        _unauthorized(_mapper(REVOKED.filter, f"{REVOKED.text}: {_WAY_OUT}", code=Unauthorized.code)),
        # Envoy calls a token for another audience forbidden; for the caller it is as good as none.
        {**_mapper(_status("EQ", 403), f"{_FORBIDDEN}: {_WAY_OUT}", code="01000401"), "status_code": 401},
        _mapper(_status("EQ", 401), f"{_BECAUSE}: {_WAY_OUT}"),
        _mapper(_status("EQ", 413), f"{_BECAUSE}; send less at a time", code=TooLarge.code),
        _later(_mapper({"and_filter": {"filters": [_status("EQ", 503), because("direct_response")]}}, _BECAUSE)),
        _later(_mapper({"response_flag_filter": {"flags": ["UH"]}}, _NO_REPLICA)),
        _later(_mapper(_status("EQ", 503), _NO_ANSWER)),
        # A body that is too large to be sent again, with nobody there to take it.
        {**_later(_mapper(_status("EQ", 507), _NO_ANSWER, code=Unavailable.code)), "status_code": 503},
        _mapper(_status("EQ", 504), too_late),
        _mapper(_status("EQ", 404), _BECAUSE),
        _mapper(_status("EQ", 411), _BECAUSE),
        _refused_early(_mapper(_status("GE", 400), _REFUSED, request_id=_MADE_ID)),
    ]
    listing = [_listing(mapper, _LISTING) for mapper in mappers]
    return {"mappers": [*map(_without_path, mappers), *listing, *map(_of_destinations, mappers), *mappers]}


def _mapper(
    condition: Json, message: str, *, code: str = "01000%RESPONSE_CODE%", request_id: str = _REQUEST_ID
) -> Json:
    # Without `omit_empty_values`, what a broken request lacks (its path, say) would be null.
    body = {"json_format": _envelope(code, message, request_id), "omit_empty_values": True}
    return {"filter": condition, "body_format_override": body}


def _without_path(mapper: Json) -> Json:
    """The same for what lies below `/tracking/`: such an address is a secret."""
    return _listing(mapper, _BELOW_TRACKING, target=_TRACKING)


def _listing(mapper: Json, path: Json, **changes: str) -> Json:
    """The same for paths that match, with a list in `details`."""
    override = mapper["body_format_override"]
    error = {**override["json_format"]["error"], **changes}
    details = [{"code": error["code"], "message": error["message"]}]
    is_there = {"header_filter": {"header": {"name": ":path", "string_match": path}}}
    return {
        **mapper,
        "filter": {"and_filter": {"filters": [is_there, mapper["filter"]]}},
        "body_format_override": {**override, "json_format": {"error": {**error, "details": details}}},
    }


def _of_destinations(mapper: Json) -> Json:
    """The same as the Destination service has it."""
    override = mapper["body_format_override"]
    is_there = {"header_filter": {"header": {"name": ":path", "string_match": _DESTINATIONS}}}
    return {
        **mapper,
        "filter": {"and_filter": {"filters": [is_there, mapper["filter"]]}},
        "body_format_override": {
            **override,
            "json_format": {"ErrorMessage": override["json_format"]["error"]["message"]},
        },
    }


def _not_there(refusal: Refusal) -> Json:
    # Word for word what is answered for what does not exist.
    return {**_mapper(refusal.filter, refusal.text, code=NotFound.code), "status_code": NotFound.status}


def _unauthorized(mapper: Json) -> Json:
    header = {"header": {"key": "www-authenticate", "value": "Bearer"}}
    return {**mapper, "status_code": Unauthorized.status, "headers_to_add": [header]}


def _refused_early(mapper: Json) -> Json:
    header = {"header": {"key": "x-request-id", "value": _MADE_ID}, "append_action": "ADD_IF_ABSENT"}
    return {**mapper, "headers_to_add": [header]}


def _envelope(code: str, message: str, request_id: str) -> Json:
    return {
        "error": {
            "code": code,
            "message": message,
            "requestId": request_id,
            "target": "%PATH(NQ:ORIG_OR_PATH)%",
            "details": {"answeredBy": "gateway"},  # an empty object would be left out
        }
    }


def _status(operator: str, value: int) -> Json:
    # A status can be overridden at run time by a key, which Envoy wants to be named even where nobody uses it.
    key = f"mooring.local_reply.{operator.lower()}_{value}"
    comparison = {"op": operator, "value": {"default_value": value, "runtime_key": key}}
    return {"status_code_filter": {"comparison": comparison}}


def _later(mapper: Json) -> Json:
    header = {"header": {"key": "retry-after", "value": str(_RETRY_AFTER_SECONDS)}}
    return {**mapper, "headers_to_add": [header]}
