"""Where an AI API server is and who we are there."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path


@dataclass(frozen=True)
class Credentials:
    """`base_url` ends in `/v2`, `auth_url` in `/oauth/token`; the secret is never printed."""

    base_url: str
    auth_url: str
    client_id: str
    client_secret: str = field(repr=False)
    resource_group: str = "default"

    @classmethod
    def from_service_key(cls, key: Mapping[str, Any] | Path, *, resource_group: str = "default") -> "Credentials":
        """From a service key in SAP's shape, or the file that holds one. Raises ValueError naming what is missing."""
        document = json.loads(key.read_bytes()) if isinstance(key, Path) else key
        try:
            return cls(
                base_url=_with_suffix(document["serviceurls"]["AI_API_URL"], "/v2"),
                auth_url=_with_suffix(document["url"], _TOKEN_PATH),
                client_id=document["clientid"],
                client_secret=document["clientsecret"],
                resource_group=resource_group,
            )
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"the service key has no {error}: it needs clientid, clientsecret, url and serviceurls.AI_API_URL"
            ) from error

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "Credentials":
        """From the AICORE_* variables. Raises ValueError naming those that are missing."""
        env = os.environ if env is None else env
        names = ("AICORE_BASE_URL", "AICORE_AUTH_URL", "AICORE_CLIENT_ID", "AICORE_CLIENT_SECRET")
        missing = [name for name in names if not env.get(name)]
        if missing:
            raise ValueError(f"not set: {', '.join(missing)}; `mooring env` prints them, SAP's service key holds them")
        return cls(
            base_url=_with_suffix(env["AICORE_BASE_URL"], "/v2"),
            auth_url=_with_suffix(env["AICORE_AUTH_URL"], _TOKEN_PATH),
            client_id=env["AICORE_CLIENT_ID"],
            client_secret=env["AICORE_CLIENT_SECRET"],
            resource_group=env.get("AICORE_RESOURCE_GROUP") or "default",
        )


def find(
    *, service_key: Path | None = None, profile: str | None = None, env: Mapping[str, str] | None = None
) -> Credentials | None:
    """What is given, else what the environment or `~/.aicore` has: the first of these places that has anything.

    A service key file; a profile; AICORE_* variables; AICORE_SERVICE_KEY (a key as JSON); AICORE_CONFIG (a file), or
    AICORE_PROFILE's or the default profile in AICORE_HOME (`~/.aicore`). None when none of them is there.
    Raises ValueError (also for a key that cannot be read) without what secrets hold.
    """
    env = os.environ if env is None else env
    group = env.get("AICORE_RESOURCE_GROUP") or "default"
    if service_key is not None:
        return Credentials.from_service_key(_json_file(service_key), resource_group=group)
    if profile is None and (env.get("AICORE_CLIENT_ID") or env.get("AICORE_BASE_URL")):
        return Credentials.from_env(env)
    if profile is None and (key := env.get("AICORE_SERVICE_KEY")):
        return Credentials.from_service_key(_json(key, "AICORE_SERVICE_KEY"), resource_group=group)
    return _of_profile(profile, env)


def _of_profile(profile: str | None, env: Mapping[str, str]) -> Credentials | None:
    name = profile or env.get("AICORE_PROFILE") or ""
    folder = Path(env.get("AICORE_HOME") or Path.home() / ".aicore")
    told = env.get("AICORE_CONFIG") if profile is None else None
    # The SDK calls the profile without a name `default`.
    file = Path(told) if told else folder / ("config.json" if name in ("", "default") else f"config_{name}.json")
    if not file.exists():
        if name or told:
            raise ValueError(f"there is no {file}: it would hold the AICORE_* values of profile {name or 'default'!r}")
        return None
    values = {key: str(value) for key, value in _json_file(file).items()}
    if env.get("AICORE_RESOURCE_GROUP"):
        values["AICORE_RESOURCE_GROUP"] = env["AICORE_RESOURCE_GROUP"]
    try:
        return Credentials.from_env(values)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def _json_file(path: Path) -> dict[str, Any]:
    try:
        return _json(path.read_text(), str(path))
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error


def _json(text: str, where: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        # The decoder's message would be harmless, the document that it holds on to is not.
        raise ValueError(f"{where} is not JSON") from None
    if not isinstance(found, dict):
        raise ValueError(f"{where} holds no JSON object")
    return found


def _with_suffix(url: str, suffix: str) -> str:
    url = url.rstrip("/")
    return url if url.endswith(suffix) else url + suffix
