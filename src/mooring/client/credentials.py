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


def _with_suffix(url: str, suffix: str) -> str:
    url = url.rstrip("/")
    return url if url.endswith(suffix) else url + suffix
