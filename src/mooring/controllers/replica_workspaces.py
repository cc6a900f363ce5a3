"""The folder of each replica in a container: the files of its secrets and its empty volumes, gone when it is."""

import logging
from pathlib import Path

from sqlalchemy import select

from mooring.controllers import job_workspaces
from mooring.store.database import Database
from mooring.store.tables import Replica

_logger = logging.getLogger("mooring.controllers.replica_workspaces")


def remove(folder: Path) -> None:
    """What cannot be removed now is tried again by `tidy`."""
    try:
        job_workspaces.remove(folder)
    except OSError as error:
        _logger.warning("cannot remove what the replica %s has left: %s", folder.name, error)


def tidy(database: Database, workspaces: Path) -> None:
    """Remove the folders of replicas that are no more, whoever has died before they could."""
    if not workspaces.is_dir():
        return
    found = list(workspaces.iterdir())  # before the query: a replica's row is there before its folder
    with database.reading() as session:
        known = set(session.scalars(select(Replica.id).where(Replica.forgotten.is_(False))))
    for folder in found:
        if folder.name not in known:
            remove(folder)
