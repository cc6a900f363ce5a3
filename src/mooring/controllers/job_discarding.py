"""What an execution has stored for its steps alone goes with it."""

from dataclasses import dataclass

from mooring.artifacts.transfers import Transfers
from mooring.services import artifact_urls, execution_outputs
from mooring.store.database import Database
from mooring.store.tables import Execution
from mooring.store.vault import Vault


@dataclass(frozen=True)
class JobDiscarding:
    """Usable from many threads."""

    database: Database
    vault: Vault
    transfers: Transfers

    def discard(self, execution_id: str) -> None:
        """Remove what is registered nowhere. Slow; may be repeated. Raises what `Errands` knows."""
        with self.database.reading() as session:
            execution = session.get_one(Execution, execution_id)
            group = execution.resource_group
            urls = execution_outputs.made_for_steps(session, execution)
            places = [artifact_urls.locate(session, self.vault, group, url) for url in urls]
        for place in places:
            self.transfers.remove(place.group, place.access, place.key)
