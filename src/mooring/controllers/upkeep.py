"""What has to be looked after whatever the deployments do: the gateway lives and routes what it should, the other
processes of ours live, and nothing runs that nobody knows."""

import logging
import threading
from collections.abc import Callable, Sequence

from sqlalchemy import select

from mooring.controllers.routing import Router
from mooring.gateway.gateway import Gateway
from mooring.runtimes.base import Phase, Runtime
from mooring.store.database import Database
from mooring.store.tables import Job, Replica

_GATEWAY_SECONDS = 1.0
_PROCESSES_SECONDS = 2.0
_ORPHANS_SECONDS = 30.0
_TIDYING_SECONDS = 600.0
_logger = logging.getLogger("mooring.controllers.upkeep")


class Upkeep:
    """Small loops, each in a thread of its own so that none waits for another."""

    def __init__(
        self,
        database: Database,
        gateway: Gateway,
        router: Router,
        runtime: Runtime,
        keep_running: Sequence[Callable[[], None]] = (),
        tidy: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._router = router
        self._runtime = runtime
        self._stopping = threading.Event()
        loops = [
            (_GATEWAY_SECONDS, self._keep_gateway),
            (_ORPHANS_SECONDS, self.end_orphans),
            *((_PROCESSES_SECONDS, keep) for keep in keep_running),
            *((_TIDYING_SECONDS, each) for each in tidy),
        ]
        self._threads = [threading.Thread(target=self._every, args=loop, daemon=True) for loop in loops]

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
                _logger.exception("%s failed; trying again", getattr(look, "__name__", look))
            self._stopping.wait(seconds)

    def _keep_gateway(self) -> None:
        if not self._gateway.is_alive():
            _logger.warning("the gateway is gone; starting it again")
            self._gateway.ensure_running()
        # Whoever changed the store has published it, unless that failed or they died on the way. Costs two queries.
        self._router.publish()

    def end_orphans(self) -> None:
        """End and forget replicas and jobs that no row knows (what they belonged to was removed while we were away)."""
        running = self._runtime.replicas()  # before the query: a replica's row is there before it is started
        with self._database.reading() as session:
            known = set(session.scalars(select(Replica.id).where(Replica.forgotten.is_(False))))
            known.update(session.scalars(select(Job.id).where(Job.forgotten.is_(False))))
        for replica_id in set(running) - known:
            if self._runtime.observe(replica_id).phase in (Phase.EXITED, Phase.ABSENT):
                self._runtime.forget(replica_id)
                self._forget_logs_unless_known(replica_id)
            else:
                _logger.warning("ending %s, which belongs to no deployment and no execution", replica_id)
                self._runtime.stop(replica_id)

    def _forget_logs_unless_known(self, replica_id: str) -> None:
        with self._database.reading() as session:
            known = any(session.get(table, replica_id) is not None for table in (Replica, Job))
        if not known:
            self._runtime.forget_logs(replica_id)
