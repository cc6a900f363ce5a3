"""Where the replicas of a shared store lie: on which machine, and in which home. The store knows it."""

import json
import logging
import os
import signal
import socket
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import update
from sqlalchemy.orm import Session

from mooring.home import Home
from mooring.store.database import Database
from mooring.store.tables import Base, StoreFact
from mooring.store.types import utc_now
from mooring.system.errors import CannotStart

_FACT = "process_runtime"
_UNHEARD_OF = timedelta(seconds=60)
"""A machine whose control planes have said nothing for so long is taken for dead."""
_SAID_AGAIN = timedelta(seconds=10)
_logger = logging.getLogger("mooring.system")


@dataclass(frozen=True)
class Place:
    """A machine, a home on it, and when a control plane there was last alive (ISO 8601)."""

    machine: str
    home: str
    seen_at: str

    def is_fresh(self, age: timedelta) -> bool:
        return utc_now() - datetime.fromisoformat(self.seen_at) < age


def this_machine() -> str:
    """Stays the same over restarts. The name belongs to it, because copies of one image share the rest."""
    try:
        identity = Path("/etc/machine-id").read_text().strip()
    except OSError:
        identity = ""
    return f"{socket.gethostname()} {identity}".strip()


def take_place(database: Database, home: Home) -> Home:
    """The home in which the replicas lie: that of the first control plane of the store, if it is on this machine.

    Raises CannotStart while control planes run on another machine: processes do not reach across machines.
    """
    here = this_machine()
    with database.transaction() as session:
        known = _read(session)
        if known and known.machine != here and known.is_fresh(_UNHEARD_OF):
            raise CannotStart(
                f"the replicas of this store are processes of the machine {known.machine.split()[0]}, where a control "
                f"plane was alive at {known.seen_at}. Start this one there, or end that one (`mooring down`) and try "
                f"again {_UNHEARD_OF.seconds} seconds later."
            )
        usable = known and known.machine == here and Home(Path(known.home)).replicas.is_dir()
        runtime = Home(Path(known.home)) if known and usable else home
        _write(session, Place(here, str(runtime.path), utc_now().isoformat()))
    return runtime


def keep_place(database: Database) -> None:
    """To be called again and again: say that we live. A control plane whose replicas are elsewhere now has to end."""
    with database.reading() as session:
        known = _read(session)
    if known and known.machine != this_machine():
        _logger.critical("the machine %s has taken over the replicas of this store; ending", known.machine)
        os.kill(os.getpid(), signal.SIGTERM)
    elif known and not known.is_fresh(_SAID_AGAIN):
        with database.transaction() as session:
            _write(session, Place(known.machine, known.home, utc_now().isoformat()))


def clear_leases(database: Database) -> None:
    """Take all leases away: for the only control plane of a store, at its start, when their owners are dead."""
    with database.transaction() as session:
        for table in Base.metadata.sorted_tables:
            if "lease_token" in table.columns:
                session.execute(update(table).values(lease_token=None, lease_expires_at=None))
        session.execute(update(Base.metadata.tables["work_leases"]).values(token=None, expires_at=None))


def _read(session: Session) -> Place | None:
    fact = session.get(StoreFact, _FACT)
    return Place(**json.loads(fact.value)) if fact else None


def _write(session: Session, place: Place) -> None:
    session.merge(StoreFact(name=_FACT, value=json.dumps(asdict(place))))
