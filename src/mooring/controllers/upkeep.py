"""What has to be looked after whatever the deployments do: the gateway lives, and nothing runs that nobody knows."""

import logging
import threading
from collections.abc import Callable

from sqlalchemy import select

from mooring.controllers.routing import Router
from mooring.gateway.gateway import Gateway
from mooring.runtimes.base import Phase, Runtime
from mooring.store.database import Database
from mooring.store.tables import Replica

_GATEWAY_SECONDS = 1.0
_ORPHANS_SECONDS = 30.0
_logger = logging.getLogger("mooring.controllers.upkeep")


class Upkeep:
    """Two small loops."""

    def __init__(self, database: Database, gateway: Gateway, router: Router, runtime: Runtime) -> None:
        self._database = database
        self._gateway = gateway
        self._router = router
        self._runtime = runtime
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._every, args=(_GATEWAY_SECONDS, self._keep_gateway), daemon=True),
            threading.Thread(target=self._every, args=(_ORPHANS_SECONDS, self.end_orphans), daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, *, timeout_seconds: float) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout_seconds)

    def _every(self, seconds: float, look: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            try:
                look()
            except Exception:  # looked at again soon; a loop that ends would look after nothing
                _logger.exception("%s failed; trying again", look.__name__)
            self._stopping.wait(seconds)

    def _keep_gateway(self) -> None:
        if not self._gateway.is_alive():
            _logger.warning("the gateway is gone; starting it again")
            self._gateway.ensure_running()
            self._router.publish()

    def end_orphans(self) -> None:
        """End and forget the replicas that no row knows (their deployment was removed while we were away)."""
        running = self._runtime.replicas()  # before the query: a replica's row is there before it is started
        with self._database.reading() as session:
            known = set(session.scalars(select(Replica.id).where(Replica.forgotten.is_(False))))
        for replica_id in set(running) - known:
            if self._runtime.observe(replica_id).phase in (Phase.EXITED, Phase.ABSENT):
                self._runtime.forget(replica_id)
            else:
                _logger.warning("ending replica %s, which belongs to no deployment", replica_id)
                self._runtime.stop(replica_id)
