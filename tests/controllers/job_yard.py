"""Executions on a real store, with a runtime and an object store that are played: jobs end when a test says so."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mooring.artifacts.errors import ModelMissing
from mooring.controllers.execution_parts import execution_parts
from mooring.controllers.job_options import JobOptions
from mooring.controllers.leases import Leases
from mooring.domain.object_stores import StoreAccess
from mooring.domain.replicas import Observation, Phase
from mooring.domain.resource_plans import Machine
from mooring.runtimes.base import ContainerSpec, Endpoint, ImageRequest, LogLine, ReplicaSpec
from mooring.services import executions, template_sync
from mooring.store.database import Database
from mooring.store.tables import Configuration, Execution, Job
from mooring.store.types import utc_now
from mooring.store.vault import KEY_BYTES, Vault
from mooring.templates.files import read_templates
from mooring.templates.found_template import FoundTemplate
from tests.controllers.accident import Accident

GROUP = "default"
MACHINE = Machine(cpus=2, memory_bytes=1 << 34, gpus=0)
_DEADLINE_SECONDS = 20.0
_HEAD = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata:
  name: {name}
  annotations: {{artifacts.ai.sap.com/model.labels: '{{"ext.ai.sap.com/by": "us"}}'}}
  labels: {{scenarios.ai.sap.com/id: greetings, ai.sap.com/version: "1"}}
"""


@dataclass
class Run:
    """One container."""

    spec: ContainerSpec
    observation: Observation
    files: dict[str, str] = field(default_factory=dict)


@dataclass
class Played:
    """What a program does: its exit code (None: it goes on), what it leaves, what it prints."""

    exit_code: int | None = 0
    files: dict[str, str] = field(default_factory=dict)
    prints: tuple[str, ...] = ()
    reason: str = ""


@dataclass
class PlayedRuntime:
    """Implements `Runtime` for containers."""

    plays: Callable[[ContainerSpec], Played] = lambda _spec: Played()
    prepares: Callable[[ImageRequest], str] = lambda request: f"image:{request.image}"
    runs: dict[str, Run] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)
    stuck: set[str] = field(default_factory=set)
    """What cannot be forgotten."""
    lines: dict[str, list[LogLine]] = field(default_factory=dict)

    def prepare(self, request: ImageRequest) -> str:
        return self.prepares(request)

    def start(self, run_id: str, spec: ReplicaSpec | ContainerSpec) -> None:
        assert isinstance(spec, ContainerSpec)
        if run_id in self.runs:
            return
        self.started.append(run_id)
        played = self.plays(spec)
        run = Run(spec, Observation(Phase.READY, pid=1), dict(played.files))
        self.runs[run_id] = run
        self.lines.setdefault(run_id, []).extend(LogLine(utc_now(), "stdout", line) for line in played.prints)
        if played.exit_code is not None:
            self.end(run_id, played.exit_code, reason=played.reason)

    def end(self, run_id: str, exit_code: int | None = 0, *, reason: str = "", asked: bool = False) -> None:
        """Its program ends; None: nobody sees it."""
        told = reason or ("it is gone" if exit_code is None else f"ended by itself with exit code {exit_code}")
        self.runs[run_id].observation = Observation(Phase.EXITED, 1, told, exit_code, asked)

    def observe(self, run_id: str) -> Observation:
        return self.runs[run_id].observation if run_id in self.runs else Observation(Phase.ABSENT)

    def replicas(self) -> list[str]:
        return sorted(self.runs)

    def stop(self, run_id: str) -> None:
        if run_id in self.runs and self.runs[run_id].observation.phase is Phase.READY:
            self.runs[run_id].observation = Observation(Phase.STOPPING, pid=1, asked=True)

    def finish_stopping(self) -> None:
        """Those that were asked to end, do."""
        for run_id, run in self.runs.items():
            if run.observation.phase is Phase.STOPPING:
                self.end(run_id, -15, reason="stopped as asked", asked=True)

    def collect(self, run_id: str, path: str, target: Path) -> bool:
        if path not in self.runs[run_id].files:
            return False
        target.write_text(self.runs[run_id].files[path])
        return True

    def forget(self, run_id: str) -> None:
        if run_id in self.runs and self.runs[run_id].observation.phase is not Phase.EXITED:
            raise BlockingIOError(f"{run_id} still runs")
        if run_id in self.stuck:
            raise OSError(f"{run_id} cannot be removed")
        self.runs.pop(run_id, None)

    def endpoint(self, run_id: str) -> Endpoint:
        return Path(run_id)

    def gateway_url(self, public_url: str) -> str:
        return public_url.replace("example.com", "inside")

    def logs(self, run_id: str, *, start: datetime, end: datetime, newest_first: bool = False) -> Iterator[LogLine]:
        lines = [line for line in self.lines.get(run_id, []) if start <= line.timestamp <= end]
        return iter(lines[::-1] if newest_first else lines)

    def logged(self) -> list[str]:
        return sorted(self.lines)

    def forget_logs(self, run_id: str) -> None:
        self.lines.pop(run_id, None)


@dataclass
class PlayedTransfers:
    """Implements `Transfers` in one folder per resource group; `trouble` is raised first, as long as there is some."""

    folder: Path
    trouble: list[Exception] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)

    def fetch(self, group: str, access: StoreAccess | None, key: str, target: Path, *, unpack: bool = True) -> None:
        del access, unpack
        self._trouble()
        source = self.folder / group / key
        if not source.exists():
            raise ModelMissing(f"there is nothing at {key!r}")
        _copy(source, target)

    def store(self, group: str, access: StoreAccess | None, key: str, source: Path, *, pack: bool) -> None:
        del access, pack
        self._trouble()
        target = self.folder / group / key
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy(source, target)
        self.stored.append(key)

    def exists(self, group: str, access: StoreAccess | None, key: str) -> bool:
        del access
        return (self.folder / group / key).exists()

    def remove(self, group: str, access: StoreAccess | None, key: str) -> None:
        del access
        self._trouble()
        (self.folder / group / key).unlink(missing_ok=True)

    def put(self, key: str, content: str, group: str = GROUP) -> None:
        """An object that was there before."""
        target = self.folder / group / key
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)

    def _trouble(self) -> None:
        if self.trouble:
            raise self.trouble.pop(0)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


@dataclass
class Yard:
    """A control plane for executions; `another()` is the one after it was killed."""

    database: Database
    folder: Path
    runtime: PlayedRuntime
    transfers: PlayedTransfers
    machine: Machine = MACHINE
    at_once: int | None = None
    patience: timedelta = timedelta(seconds=60)
    execution_seconds: float | None = None
    wakes: threading.Event = field(default_factory=threading.Event)
    accident: Accident | None = None

    def __post_init__(self) -> None:
        self.vault = Vault(bytes(KEY_BYTES))
        self.leases = Leases(self.database, Execution, seconds=30)
        options = JobOptions(
            workspaces=self.folder / "jobs",
            public_url="http://example.com",
            machine=self.machine,
            patience=self.patience,
            open_files=1024,
            stop_grace_seconds=5,
            at_once=self.at_once,
            execution_seconds=self.execution_seconds,
        )
        database, runtime, transfers = self.database, self.runtime, self.transfers
        if self.accident:
            database = self.accident.store(database)
            runtime = self.accident.around_methods(runtime, "prepare", "start", "stop", "collect", "forget")
            transfers = self.accident.around_methods(transfers, "fetch", "store", "remove")
        leases = Leases(database, Execution, seconds=30)
        parts = execution_parts(database, self.vault, runtime, transfers, leases, options, on_change=self.wakes.set)
        self.controller = parts.controller
        self.upkeep = parts.upkeep

    def another(self) -> "Yard":
        """Another control plane of the same store, which remembers nothing."""
        return replace(self, wakes=threading.Event(), accident=None)

    # --- what clients do ---

    def template(self, spec: str, name: str = "trainer") -> None:
        """An executable, as a sync makes it."""
        text = _HEAD.format(name=name) + spec
        ((_, found),) = read_templates(text.encode())
        assert not isinstance(found, Exception), found
        item = FoundTemplate("t.yaml", "WorkflowTemplate", name, found)
        with self.database.transaction() as session:
            (status,) = template_sync.sync(session, f"app-{name}", [item])
            assert status.status == "Synced", status

    def run(self, *, name: str = "trainer", inputs: dict[str, str] | None = None, **parameters: str) -> str:
        """A new execution of a new configuration; `inputs` are artifacts' ids by input."""
        with self.database.transaction() as session:
            configuration = Configuration(
                id=f"c{time.monotonic_ns()}",
                resource_group=GROUP,
                name=name,
                scenario_id="greetings",
                executable_id=name,
                parameter_bindings=[{"key": key, "value": value} for key, value in parameters.items()],
                input_artifact_bindings=[{"key": k, "artifactId": v} for k, v in (inputs or {}).items()],
            )
            session.add(configuration)
            session.flush()
            return executions.create(session, GROUP, configuration.id).id

    # --- what can be seen ---

    def look(self, execution_id: str) -> Execution:
        with self.database.reading() as session:
            return executions.get(session, GROUP, execution_id)

    def status(self, execution_id: str) -> tuple[str, str]:
        row = self.look(execution_id)
        return row.status, row.status_message

    def jobs(self, execution_id: str) -> dict[str, Job]:
        """The newest try of each node."""
        with self.database.reading() as session:
            rows = session.query(Job).filter_by(execution_id=execution_id).order_by(Job.attempt)
            return {row.node: row for row in rows}

    # --- time ---

    def turn(self) -> None:
        """One step for each that needs one."""
        for each in self.controller.all_ids():
            self.controller.step(each)

    def until(self, what: str, condition: Callable[[], Any], meanwhile: Callable[[], None] = lambda: None) -> None:
        """Step until it holds; `meanwhile` is what others do."""
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"never: {what}"
            self.turn()
            meanwhile()
            self.wakes.wait(0.01)
            self.wakes.clear()

    def until_status(self, execution_id: str, status: str) -> Execution:
        self.until(f"{status}, but {self.status(execution_id)}", lambda: self.look(execution_id).status == status)
        return self.look(execution_id)
