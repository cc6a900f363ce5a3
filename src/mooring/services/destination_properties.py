"""What a destination may say: flat properties, all of them texts. Values are never repeated in errors."""

import re
from collections.abc import Mapping

from mooring.domain.destinations import Place, place_in
from mooring.errors import InvalidRequest

NAME_PATTERN = r"(?!\.{1,2}$)[A-Za-z0-9_.-]{1,200}"
CANARY_URL = "mooring.canary.URL"
CANARY_PERCENT = "mooring.canary.percent"
MIRROR_URL = "mooring.mirror.URL"
MIRROR_PERCENT = "mooring.mirror.percent"
_OURS = frozenset({CANARY_URL, CANARY_PERCENT, MIRROR_URL, MIRROR_PERCENT})
_PREFIX = "mooring."

_CHOICES = {
    "Type": ("HTTP", "RFC", "LDAP", "MAIL", "TCP"),
    "ProxyType": ("Internet", "OnPremise", "PrivateLink"),
    "tokenServiceURLType": ("Dedicated", "Common"),
}
_OF_HTTP = ("URL", "ProxyType", "Authentication")
_OF_AUTHENTICATION = {
    "OAuth2ClientCredentials": ("clientId", "tokenServiceURL"),
    "BasicAuthentication": ("User",),
}
_URLS = ("URL", "tokenServiceURL", CANARY_URL, MIRROR_URL)
_MOST_PROPERTIES = 200
_LONGEST_KEY = 255
_LONGEST_VALUE = 16_384
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def checked(given: object) -> dict[str, str]:
    """The properties as texts, with a name, and as complete as their type asks for. Raises InvalidRequest."""
    if not isinstance(given, dict):
        raise InvalidRequest("a destination is a JSON object of properties, flat, each with a text as its value")
    if len(given) > _MOST_PROPERTIES:
        raise InvalidRequest(f"a destination has at most {_MOST_PROPERTIES} properties, this one has {len(given)}")
    properties = {_key(key): _text(key, value) for key, value in given.items()}
    if re.fullmatch(NAME_PATTERN, _required(properties, "Name")) is None:
        raise InvalidRequest("Name: has 1 to 200 letters, digits, dots, underscores and hyphens")
    _required(properties, "Type")
    _check_kind(properties)
    _check_ours(properties)
    return properties


def percent(properties: Mapping[str, str], key: str) -> int:
    """A share of requests; of a mirror all of them unless it is said, of a canary none."""
    return int(properties.get(key, "100" if key == MIRROR_PERCENT else "0"))


def without_canary(properties: Mapping[str, str]) -> dict[str, str]:
    """The same destination with all requests for its target."""
    return {key: value for key, value in properties.items() if key not in (CANARY_URL, CANARY_PERCENT)}


def promoted(properties: Mapping[str, str]) -> dict[str, str]:
    """Without a canary or a mirror that has become the target."""
    target = place(properties)
    ended = [
        keys
        for keys in ((CANARY_URL, CANARY_PERCENT), (MIRROR_URL, MIRROR_PERCENT))
        if target and place(properties, keys[0]) == target
    ]
    return {key: value for key, value in properties.items() if not any(key in keys for keys in ended)}


def place(properties: Mapping[str, str], key: str = "URL") -> Place | None:
    """The place of ours that this property names; None when it is absent, or leads out of here."""
    if properties.get("Type") != "HTTP" or key not in properties:
        return None
    return place_in(properties[key])


def _check_kind(properties: Mapping[str, str]) -> None:
    for key, choices in _CHOICES.items():
        if key in properties and properties[key] not in choices:
            raise InvalidRequest(f"{key}: must be one of {', '.join(choices)}")
    if properties["Type"] == "HTTP":
        for key in (*_OF_HTTP, *_OF_AUTHENTICATION.get(properties.get("Authentication", ""), ())):
            _required(properties, key)
    for key in _URLS:
        if properties["Type"] == "HTTP" and key in properties:
            _check_url(key, properties[key])


def _check_url(key: str, url: str) -> None:
    if re.fullmatch(r"https?://[^\s/?#]+[^\s]*", url) is None:
        raise InvalidRequest(f"{key}: must be a URL that begins with http:// or https:// and a host")


def _check_ours(properties: Mapping[str, str]) -> None:
    unknown = sorted(key for key in properties if key.startswith(_PREFIX) and key not in _OURS)
    if unknown:
        raise InvalidRequest(f"{unknown[0]}: is not known; there are {', '.join(sorted(_OURS))}")
    for key, url in ((CANARY_PERCENT, CANARY_URL), (MIRROR_PERCENT, MIRROR_URL)):
        if key in properties:
            if re.fullmatch("[0-9]{1,2}|100", properties[key]) is None:
                raise InvalidRequest(f"{key}: must be a whole number from 0 to 100")
            _required(properties, url)
    if CANARY_URL in properties:
        _required(properties, CANARY_PERCENT)


def _required(properties: Mapping[str, str], key: str) -> str:
    if not properties.get(key):
        raise InvalidRequest(f"{key}: is required")
    return properties[key]


def _key(key: str) -> str:
    if not 1 <= len(key) <= _LONGEST_KEY or not key.isprintable():
        raise InvalidRequest(f"the name of a property has 1 to {_LONGEST_KEY} printable characters")
    return key


def _text(key: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value) if isinstance(value, int) else value
    if not isinstance(text, str) or len(text) > _LONGEST_VALUE or _CONTROL.search(text):
        raise InvalidRequest(
            f"{key}: must be a text of at most {_LONGEST_VALUE} characters, without control characters"
        )
    return text
