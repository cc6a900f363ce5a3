"""Docker registry secrets: credentials for container registries, of the whole installation.

A name is taken once; creating it again raises Conflict (409).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mooring.errors import Conflict, InvalidRequest, NotFound
from mooring.services.paging import Page
from mooring.store.tables import DockerRegistrySecret
from mooring.store.types import utc_now
from mooring.store.vault import Vault

DATA_KEY = ".dockerconfigjson"
_FORM = '{"auths": {"<registry>": {"username": …, "password": …}}}'


def create(session: Session, vault: Vault, name: str, config: str) -> DockerRegistrySecret:
    """`config` is the text of a Docker config file. Raises InvalidRequest; Conflict when the name is taken."""
    _check(config)
    if session.get(DockerRegistrySecret, name) is not None:
        raise Conflict(f"the docker registry secret {name!r} exists already: change it with PATCH")
    created = DockerRegistrySecret(name=name, data=_sealed(vault, name, config))
    session.add(created)
    session.flush()
    return created


def get(session: Session, name: str) -> DockerRegistrySecret:
    """Raises NotFound."""
    found = session.get(DockerRegistrySecret, name)
    if found is None:
        raise NotFound(f"there is no docker registry secret {name!r}")
    return found


def list_of(session: Session, page: Page) -> Sequence[DockerRegistrySecret]:
    """All of them, newest first."""
    ordered = select(DockerRegistrySecret).order_by(
        DockerRegistrySecret.created_at.desc(), DockerRegistrySecret.name.desc()
    )
    return session.scalars(ordered.limit(page.top).offset(page.skip)).all()


def count(session: Session) -> int:
    """How many there are."""
    return session.scalar(select(func.count()).select_from(DockerRegistrySecret)) or 0


def change(session: Session, vault: Vault, name: str, config: str) -> None:
    """Replace the credentials. Raises InvalidRequest, NotFound."""
    _check(config)
    row = get(session, name)
    row.data = _sealed(vault, name, config)
    row.modified_at = utc_now()


def remove(session: Session, name: str) -> None:
    """Raises NotFound."""
    session.delete(get(session, name))


def opened(session: Session, vault: Vault, name: str) -> dict[str, Any]:
    """The Docker config file, parsed. Raises NotFound; CannotOpen (`mooring.store.vault`)."""
    row = get(session, name)
    config: dict[str, Any] = orjson.loads(vault.open_values(row.data, place=_place(name))[DATA_KEY])
    return config


def _check(config: str) -> None:
    """Raises InvalidRequest, which repeats nothing of the text."""
    try:
        parsed = orjson.loads(config)
    except orjson.JSONDecodeError:
        raise InvalidRequest(f"data[{DATA_KEY!r}] is no JSON: it has to be the text {_FORM}") from None
    auths = parsed.get("auths") if isinstance(parsed, dict) else None
    if not isinstance(auths, dict) or not auths:
        raise InvalidRequest(f"data[{DATA_KEY!r}] names no registry: it has to be the text {_FORM}")
    if not all(map(_has_credentials, auths.values())):
        raise InvalidRequest(
            f"data[{DATA_KEY!r}] has a registry without credentials: each needs username and password, or auth"
        )


def _has_credentials(entry: object) -> bool:
    if not isinstance(entry, Mapping):
        return False
    texts = {key for key, value in entry.items() if isinstance(value, str) and value}
    return "auth" in texts or {"username", "password"} <= texts


def _sealed(vault: Vault, name: str, config: str) -> bytes:
    return vault.seal_values({DATA_KEY: config}, place=_place(name))


def _place(name: str) -> str:
    return f"docker_registry_secrets/{name}"
