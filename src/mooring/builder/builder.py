"""The loop from a registry to deployments: look at both, plan per model, act, and look again.

Everything is derived from what the registry and the AI API say now, so that a restart, a lost webhook or an event
that comes twice change nothing. Read top to bottom: `run`, `_round`, `_consider`, `_work`.
"""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mooring.builder.deployer import Deployer
from mooring.builder.memory import Memory
from mooring.builder.mlflow import MlflowError, RegistryClient
from mooring.builder.names import endpoint
from mooring.builder.outage import Outage
from mooring.builder.plan import Deploy, Failure, Known, ModelState, Step, plan
from mooring.builder.registry import Entry
from mooring.builder.removals import Removals
from mooring.builder.sightings import Sightings
from mooring.builder.snapshot import read_registry
from mooring.builder.subscription import ensure_webhook
from mooring.builder.wanted import Wanted, wanted_version
from mooring.builder.webhook import WebhookVerifier, newly_marked
from mooring.builder.workers import Workers
from mooring.builder.writeback import STATUS, STOPPED, TagChange, tag_changes, write_back
from mooring.client.client import AIClient
from mooring.client.errors import ApiError, BadRequest, Conflict, Forbidden

_log = logging.getLogger("mooring.builder")

_WATCH_SECONDS = 0.2
"""How often deployments are looked at while one of them is on its way."""
_LASTING = (BadRequest, Forbidden, Conflict)
"""Refusals that the same request would meet again."""


@dataclass(frozen=True)
class _Task:
    """What is to be done about one model."""

    model: str
    wanted: Wanted | None
    steps: tuple[Step, ...]
    changes: tuple[TagChange, ...]


class Builder:
    """Serves, for each registered model, the version that is marked `production`.

    `public_url` is the gateway's address as callers see it. A model that has not been marked for
    `removal_grace_seconds` is undeployed: moving a mark by removing it first must not interrupt anybody. One that
    has been deleted from the registry it was in, `vanished_grace_seconds` after that. One that is missing because
    the registry is another one (moved, or back with an empty database) serves on; `sightings_file` remembers over
    restarts which registry had which model, and without it none that was deleted before a restart is undeployed.
    """

    def __init__(
        self,
        registry: RegistryClient,
        client: AIClient,
        *,
        public_url: str,
        poll_seconds: float = 2.0,
        deploy_timeout_seconds: float = 600.0,
        removal_grace_seconds: float = 5.0,
        vanished_grace_seconds: float = 30.0,
        sightings_file: Path | None = None,
        workers: int = 8,
        webhook_secret: str | None = None,
    ) -> None:
        self._registry = registry
        self._deployer = Deployer(client)
        self._public_url = public_url.rstrip("/")
        self._poll_seconds = poll_seconds
        self._deploy_timeout_seconds = deploy_timeout_seconds
        self._webhook_secret = webhook_secret
        self._verifier = WebhookVerifier(webhook_secret) if webhook_secret else None
        self._workers = Workers(workers)
        self._memory = Memory()
        self._removals = Removals(
            Sightings(sightings_file), unmarked_seconds=removal_grace_seconds, deleted_seconds=vanished_grace_seconds
        )
        self._wake = threading.Event()
        self._unsettled = False
        self._passed_over: set[str] = set()
        self._mlflow_outage, self._api_outage = Outage("MLflow"), Outage("the AI API")

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; ends within about the clients' timeouts. May be called once."""
        try:
            while not stop.is_set():
                self._wake.clear()
                self._rest(stop, self._guarded_round())
        finally:
            self._workers.close()

    def wake(self) -> None:
        """Look now."""
        self._wake.set()

    def handle_webhook(self, headers: Mapping[str, str], body: bytes) -> bool:
        """A delivery from MLflow; False when its signature is not ours, it is old or was here before."""
        if self._verifier is None or not self._verifier.accepts(headers, body):
            return False
        if model := newly_marked(body):
            self._memory.marked_again(model)
        self.wake()
        return True

    def subscribe(self, url: str) -> bool:
        """Have MLflow deliver its changes to this URL (see `handle_webhook`); False where it does not."""
        return self._webhook_secret is not None and ensure_webhook(self._registry, url, self._webhook_secret)

    def _guarded_round(self) -> float:
        """One round; the seconds until the next."""
        try:
            self._round()
        except MlflowError as error:
            return self._mlflow_outage.failed(error)
        except ApiError as error:
            return self._api_outage.failed(error)
        except Exception:  # noqa: BLE001 - the loop must outlive a defect; the next round starts from what is
            _log.exception("a defect of the builder")
        return self._poll_seconds

    def _round(self) -> None:
        # Asked before looking: what is being worked on now may already differ from what we shall see.
        busy = self._workers.busy()
        snapshot = read_registry(self._registry)
        mlflow_was_away = self._mlflow_outage.over()
        known = self._deployer.known()
        if self._api_outage.over() or mlflow_was_away:
            self._memory.restart_clocks()
            self._removals.restart_clocks()
        wanted = {name: version for name, entry in snapshot.models.items() if (version := wanted_version(entry))}
        self._removals.look(snapshot, wanted=wanted.keys(), deployed=known.keys())
        self._unsettled = False
        models = snapshot.models.keys() | known.keys()
        self._passed_over = models & busy
        for model in sorted(models - busy):
            self._consider(model, snapshot.models.get(model), wanted.get(model), known.get(model, []))

    def _consider(self, model: str, entry: Entry | None, wanted: Wanted | None, known: list[Known]) -> None:
        decided = plan(self._state(model, wanted, entry, known))
        if decided.failure and not decided.unsettled:
            self._log_failure(model, decided.failure)
        self._memory.planned(model, wanted, decided)
        self._unsettled |= decided.unsettled
        changes = tag_changes(entry, decided, endpoint(self._public_url, model)) if entry else []
        if decided.steps or changes:
            task = _Task(model, wanted, decided.steps, tuple(changes))
            self._workers.start(model, lambda: self._work(task))

    def _state(self, model: str, wanted: Wanted | None, entry: Entry | None, known: list[Known]) -> ModelState:
        reported = entry.reported if entry else ()
        return ModelState(
            wanted=wanted,
            known=tuple(known),
            registry_says={each.version: each.tags.get(STATUS, STOPPED) for each in reported},
            failure=self._memory.failure(model),
            waited_seconds=self._memory.waited_seconds(model, wanted),
            timeout_seconds=self._deploy_timeout_seconds,
            removal_due=wanted is None and bool(known) and self._removals.due(model),
        )

    def _work(self, task: _Task) -> None:
        """In a thread of its own; what fails here is found again by the next round."""
        try:
            for step in task.steps:
                self._take(task, step)
            write_back(self._registry, task.model, list(task.changes))
        except (ApiError, MlflowError) as error:
            if self._memory.is_news(task.model, str(error)):
                _log.warning("model %s: not done yet, to be tried again: %s", task.model, error)
            return
        if task.steps or task.model in self._passed_over:
            self.wake()

    def _take(self, task: _Task, step: Step) -> None:
        _log.info("model %s: %s", task.model, step)
        try:
            self._deployer.carry_out(task.model, step)
        except _LASTING as error:
            if not isinstance(step, Deploy) or task.wanted is None:
                raise
            reason = f"the AI API refuses: {error.message}"
            failure = Failure(task.wanted.version, task.wanted.mark, reason)
            self._log_failure(task.model, failure)
            self._memory.failed(task.model, failure)
        else:
            if isinstance(step, Deploy) and task.wanted:
                self._memory.tried(task.model, task.wanted)

    def _log_failure(self, model: str, failure: Failure) -> None:
        text = f"version {failure.version} failed: {failure.reason}"
        if self._memory.is_news(model, text):
            _log.error("model %s %s", model, text)

    def _rest(self, stop: threading.Event, seconds: float) -> None:
        """Until the time is over, somebody wakes us, or a deployment that is on its way has moved."""
        end = time.monotonic() + seconds
        while not stop.is_set() and (left := end - time.monotonic()) > 0:
            if self._wake.wait(min(left, _WATCH_SECONDS)) or (self._unsettled and self._moved()):
                return

    def _moved(self) -> bool:
        try:
            return self._deployer.have_moved()
        except ApiError:
            return False  # the next round will meet it, and say so
