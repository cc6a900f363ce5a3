"""Where an artifact's data lies: `ai://<object store secret>/<path>`, seen from a resource group."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from mooring.domain.object_stores import StoreAccess
from mooring.errors import InvalidRequest
from mooring.services import datasets
from mooring.services.datasets import DatasetFile
from mooring.store.vault import Vault

_SCHEME = "ai://"


@dataclass(frozen=True)
class Location:
    """An object, or all objects below a prefix. `access` None is the installation's own store."""

    group: str
    store: str
    key: str
    access: StoreAccess | None


def locate(session: Session, vault: Vault, group: str, url: str) -> Location:
    """Raises InvalidRequest for a URL of another kind, NotFound when there is no such object store secret."""
    file = parse(url)
    return Location(group, file.store, file.key, datasets.access(session, vault, group, file))


def parse(url: str) -> DatasetFile:
    """Raises InvalidRequest, with the way out."""
    if not url.startswith(_SCHEME):
        raise InvalidRequest(
            f"the artifact's url {url[:200]!r} cannot be read: make an object store secret for the bucket, and "
            "register the artifact as ai://<name of the secret>/<path>"
        )
    return datasets.parse(url.removeprefix(_SCHEME).rstrip("/"))
