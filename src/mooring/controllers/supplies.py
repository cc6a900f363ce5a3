"""What a revision needs on this machine before a replica can start: a model, or an image and what is mounted."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mooring.artifacts.cache import ModelCache
from mooring.controllers.containers import image_request, open_secrets, registry_credentials
from mooring.domain.object_stores import StoreAccess
from mooring.domain.revisions import ContainerServerSpec, ModelServerSpec, RevisionSpec
from mooring.runtimes.base import ImageRequest, Runtime
from mooring.services import artifact_urls
from mooring.services.artifact_urls import Location
from mooring.store.database import Database
from mooring.store.tables import Revision
from mooring.store.vault import Vault


@dataclass(frozen=True)
class Stock:
    """What of it there is: the model's folder, or the image (as the runtime calls it) and the folder to be mounted."""

    folder: Path | None = None
    image: str | None = None

    @classmethod
    def noted(cls, revision: Revision) -> "Stock":
        """What an earlier control plane has found."""
        return cls(Path(revision.model_folder) if revision.model_folder else None, revision.image)

    def is_all(self, spec: Mapping[str, Any]) -> bool:
        """Whether that is all that a revision needs (`spec` as in the store). What has vanished does not count."""
        has_folder = self.folder is not None and self.folder.exists()
        if spec.get("kind") != ContainerServerSpec.KIND:
            return has_folder
        return self.image is not None and (has_folder or spec.get("storage_uri") is None)


class Storage(Protocol):
    """Keeps what lies in object stores on this machine (`mooring.artifacts.storage_cache`)."""

    def ensure(self, group: str, access: StoreAccess | None, store_name: str, key: str) -> Path:
        """Slow. Raises ArtifactError."""


@dataclass(frozen=True)
class Supplies:
    """Fetches it. Usable from many threads."""

    database: Database
    vault: Vault
    runtime: Runtime
    models: ModelCache
    storage: Storage

    def fetch(self, group: str, spec: RevisionSpec, known: Stock) -> Stock:
        """Everything. Slow. What a tag has meant first stays: an image that is known is not asked for again.

        Raises ArtifactError, ImageError, MooringError (a secret is missing, say), CannotOpen.
        """
        if isinstance(spec, ModelServerSpec):
            return Stock(folder=self.models.ensure(spec.model_uri))
        request, place = self._asked_for(group, spec)
        image = known.image or self.runtime.prepare(request)
        folder = self.storage.ensure(place.group, place.access, place.store, place.key) if place else None
        return Stock(folder, image)

    def _asked_for(self, group: str, spec: ContainerServerSpec) -> tuple[ImageRequest, Location | None]:
        with self.database.reading() as session:
            open_secrets(session, self.vault, group, spec.container)  # told now, and not by the death of a replica
            credentials = registry_credentials(session, self.vault, spec.container)
            uri = spec.storage_uri
            place = artifact_urls.locate(session, self.vault, group, uri) if uri is not None else None
        return image_request(spec.container, credentials), place
