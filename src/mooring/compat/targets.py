"""Where an MLflow target URI leads: `mooring`, `mooring:/profile`, `mooring:http://…`."""

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from mooring.client.credentials import Credentials, find
from mooring.compat.errors import CompatError

SCHEME = "mooring"
FORMS = "mooring, mooring:/PROFILE, or mooring:http://HOST:PORT"
_PROFILE = re.compile(r"[A-Za-z0-9][\w.-]*")


def credentials_of(target_uri: str) -> Credentials:
    """Raises CompatError, saying what to set."""
    rest = target_uri.removeprefix(SCHEME)
    try:
        match rest:
            case "" | ":" | ":/":
                return _usual()
            case _ if rest.startswith((":http://", ":https://")):
                return _at(rest[1:])
            case _ if rest.startswith(":/") and _PROFILE.fullmatch(profile := rest[2:].strip("/")):
                return _usual(profile)
    except (ValueError, OSError) as error:
        raise CompatError(f"target {target_uri!r}: {error}") from error
    raise CompatError(f"target {target_uri!r} is none of {FORMS}")


def _usual(profile: str | None = None) -> Credentials:
    """What the environment or a profile names, else the installation of this machine."""
    found = find(profile=profile) or _of_this_machine()
    if found is None:
        raise ValueError(
            "no credentials: set AICORE_* (`mooring env` prints them), or start Mooring here (its service key would "
            f"be {_service_key()})"
        )
    return found


def _at(url: str) -> Credentials:
    """Those for exactly this server: nobody else is told a secret."""
    base = url.rstrip("/").removesuffix("/v2")
    candidates = [each for each in (find(), _of_this_machine()) if each]
    for each in candidates:
        if _origin(each.base_url) == _origin(base):
            return each
    client, secret = os.environ.get("AICORE_CLIENT_ID"), os.environ.get("AICORE_CLIENT_SECRET")
    raise ValueError(
        f"no credentials are known for {base}: set AICORE_BASE_URL={base}/v2, AICORE_AUTH_URL={base}/oauth/token"
        + ("" if client and secret else ", AICORE_CLIENT_ID and AICORE_CLIENT_SECRET")
    )


def _of_this_machine() -> Credentials | None:
    key = _service_key()
    group = os.environ.get("AICORE_RESOURCE_GROUP") or "default"
    return Credentials.from_service_key(key, resource_group=group) if key.is_file() else None


def _service_key() -> Path:
    return Path(os.environ.get("MOORING_HOME") or "~/.mooring").expanduser() / "service-key.json"


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
