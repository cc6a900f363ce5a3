"""A deployment in memory: carries out the planned actions as a controller would, and lets things go wrong."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from mooring.domain import actions
from mooring.domain.deployments import DeploymentView, Policy, Preparation, ReplicaView, RevisionView, plan
from mooring.domain.lifecycle import Status, TargetStatus
from mooring.domain.replicas import Observation, Phase
from mooring.domain.revisions import RevisionState

POLICY = Policy(
    start=timedelta(seconds=60),
    standby=timedelta(seconds=10),
    drain=timedelta(seconds=1),
    crash_limit=3,
    crash_window=timedelta(seconds=600),
)
STOPPING = Observation(Phase.STOPPING, pid=1)


@dataclass
class World:
    """`revisions` and `phases` are the store and the runtime; `routed` is what the gateway was last told."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    status: Status = Status.UNKNOWN
    target: TargetStatus = TargetStatus.RUNNING
    serving: str | None = None
    latest_running: str | None = None
    reason: str = ""
    removed: bool = False
    revisions: list[RevisionView] = field(default_factory=list)
    phases: dict[str, Observation] = field(default_factory=dict)
    prepared: dict[str, Preparation] = field(default_factory=dict)
    routed: str | None = None
    broken: set[str] = field(default_factory=set)
    history: list[actions.Action] = field(default_factory=list)

    # --- what a client does ---

    def patch(self, configuration: str) -> str:
        revision_id = f"v{len(self.revisions) + 1}"
        self.revisions.append(RevisionView(revision_id, configuration, RevisionState.STARTING))
        if self.serving or self.status is Status.DEAD:
            self.status = Status.PENDING
        return revision_id

    # --- what happens outside ---

    def tick(self, seconds: float = 0.1) -> None:
        self.now += timedelta(seconds=seconds)

    def see(self, revision_id: str, phase: Phase, reason: str = "", *, asked: bool = False) -> None:
        """Every live replica of the revision is now observed like this."""
        for replica in self.revision(revision_id).live:
            self.phases[replica.id] = Observation(phase, pid=1, reason=reason, asked=asked)

    def behave(self) -> None:
        """Replicas that were started get ready (unless broken); those asked to end do."""
        for revision in self.revisions:
            for replica in revision.live:
                phase = self.phases.get(replica.id, Observation(Phase.ABSENT)).phase
                if phase is Phase.STARTING:
                    bad = revision.id in self.broken
                    self.phases[replica.id] = Observation(
                        Phase.EXITED if bad else Phase.READY, 1, "broken" if bad else ""
                    )
                elif phase is Phase.STOPPING:
                    self.phases[replica.id] = Observation(Phase.EXITED, reason="stopped as asked")

    # --- the controller ---

    def view(self) -> DeploymentView:
        seen = tuple(
            replace(
                revision,
                preparation=self.prepared.get(revision.id, Preparation()),
                replicas=tuple(
                    replace(r, observation=self.phases.get(r.id, Observation(Phase.ABSENT))) for r in revision.replicas
                ),
            )
            for revision in self.revisions
            if revision.state is not RevisionState.RETIRED
        )
        return DeploymentView(self.status, self.target, self.serving, seen)

    def control(self, *, rounds: int = 30) -> list[actions.Action]:
        """Plan and carry out until there is nothing to do; returns what was done."""
        done: list[actions.Action] = []
        for _ in range(rounds):
            todo = [] if self.removed else plan(self.view(), self.now, POLICY)
            if not todo:
                return done
            for action in todo:
                self.carry_out(action)
            done += todo
        raise AssertionError(f"the plan never comes to rest: {done[-6:]}")

    def settle(self, *, steps: int = 400) -> None:
        """Let time pass and everything happen that is going to."""
        for _ in range(steps):
            self.control()
            self.behave()
            self.tick()
        self.control()

    def revision(self, revision_id: str) -> RevisionView:
        return next(r for r in self.revisions if r.id == revision_id)

    def carry_out(self, action: actions.Action) -> None:  # noqa: C901 (one case per action)
        self.history.append(action)
        match action:
            case actions.Accept():
                self.status = Status.PENDING
            case actions.Prepare(revision_id):
                self.prepared[revision_id] = Preparation(done=True)
            case actions.AddReplica(revision_id):
                revision = self.revision(revision_id)
                replica = ReplicaView(
                    f"{revision_id}r{len(revision.replicas) + 1}", self.now, Observation(Phase.ABSENT)
                )
                self._set(revision_id, replicas=(*revision.replicas, replica))
            case actions.Launch(_, replica_id):
                assert self.phases.get(replica_id, Observation(Phase.ABSENT)).phase is Phase.ABSENT, "started twice"
                self.phases[replica_id] = Observation(Phase.STARTING, pid=1)
            case actions.NoteReady(replica_id):
                self._set_replica(replica_id, ready_at=self.now)
            case actions.NoteEnded(replica_id, reason, asked):
                self._set_replica(replica_id, ended_at=self.now, reason=reason)
                if asked:
                    self._set_replica(replica_id, stop_requested=True)
            case actions.Switch(revision_id):
                self._serve(revision_id, RevisionState.STANDBY)
            case actions.ConfirmSwitch(revision_id):
                self.routed = self.serving
                self._set(revision_id, switched_at=self.now)
                self.latest_running = self.revision(revision_id).configuration_id
                if revision_id == self.revisions[-1].id:
                    self.status = Status.RUNNING
            case actions.SwitchBack(revision_id, _, reason):
                self._serve(revision_id, RevisionState.FAILED)
                self.status, self.reason = Status.DEAD, reason
            case actions.Fail(revision_id, reason):
                self._set(revision_id, state=RevisionState.FAILED)
                self.status, self.reason = Status.DEAD, reason
            case actions.Unpublish():
                self.serving = self.routed = None
                if self.target is not TargetStatus.RUNNING:
                    self.status = Status.STOPPING
                for revision in self.revisions:
                    if revision.state in (RevisionState.SERVING, RevisionState.STANDBY):
                        self._set(revision.id, state=RevisionState.DRAINING, released_at=self.now)
            case actions.Release(revision_id):
                self._set(revision_id, state=RevisionState.DRAINING, released_at=self.now)
            case actions.StopReplica(replica_id):
                self._set_replica(replica_id, stop_requested=True)
                if self.phases.get(replica_id, Observation(Phase.ABSENT)).phase is not Phase.ABSENT:
                    self.phases[replica_id] = STOPPING
            case actions.ForgetReplica(replica_id):
                self._set_replica(replica_id, forgotten=True)
                self.phases.pop(replica_id, None)
            case actions.Retire(revision_id):
                self._set(revision_id, state=RevisionState.RETIRED)
            case actions.MarkStopped():
                self.status = Status.STOPPED
            case actions.Remove():
                self.removed = True

    def running_replicas(self) -> list[str]:
        over = (Phase.EXITED, Phase.ABSENT)
        return [id_ for id_, seen in self.phases.items() if seen.phase not in over]

    def _serve(self, revision_id: str, predecessor: RevisionState) -> None:
        if self.serving and self.serving != revision_id:
            self._set(self.serving, state=predecessor)
        self._set(revision_id, state=RevisionState.SERVING, switched_at=None)
        self.serving = revision_id

    def _set(self, revision_id: str, **changes: object) -> None:
        index = next(i for i, r in enumerate(self.revisions) if r.id == revision_id)
        self.revisions[index] = replace(self.revisions[index], **changes)  # type: ignore[arg-type]

    def _set_replica(self, replica_id: str, **changes: object) -> None:
        for revision in self.revisions:
            if any(r.id == replica_id for r in revision.replicas):
                changed = tuple(
                    replace(r, **changes) if r.id == replica_id else r  # type: ignore[arg-type]
                    for r in revision.replicas
                )
                self._set(revision.id, replicas=changed)
