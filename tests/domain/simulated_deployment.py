"""A deployment in memory: carries out the planned actions as a controller would, and lets things go wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from mooring.domain import actions
from mooring.domain.deployments import plan
from mooring.domain.errands import Errand
from mooring.domain.lifecycle import Status, TargetStatus
from mooring.domain.replicas import Observation, Phase
from mooring.domain.revisions import RevisionState
from mooring.domain.rollouts import Answers, Rollout
from mooring.domain.views import DeploymentView, Policy, ReplicaView, RevisionView

POLICY = Policy(
    start=timedelta(seconds=60),
    standby=timedelta(seconds=10),
    drain=timedelta(seconds=1),
    prepare=timedelta(seconds=300),
    silence=timedelta(seconds=60),
    crash_limit=3,
    crash_window=timedelta(seconds=600),
    dead=timedelta(days=7),
)


def _broken() -> Observation:
    return Observation(Phase.EXITED, pid=1, reason="broken", exit_code=3)


STOPPING = Observation(Phase.STOPPING, pid=1)


@dataclass
class World:
    """`revisions` and `phases` are the store and the runtime; `routed` is what the gateway was last told."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    status: Status = Status.UNKNOWN
    target: TargetStatus = TargetStatus.RUNNING
    serving: str | None = None
    configuration: str = ""
    latest_running: str | None = None
    reason: str = ""
    returned: dict[str, str] = field(default_factory=dict)
    removed: bool = False
    expires_at: datetime | None = None
    dead_since: datetime | None = None
    revisions: list[RevisionView] = field(default_factory=list)
    phases: dict[str, Observation] = field(default_factory=dict)
    prepared: dict[str, Errand] = field(default_factory=dict)
    routed: str | None = None
    broken: set[str] = field(default_factory=set)
    min_replicas: int = 1
    history: list[actions.Action] = field(default_factory=list)
    statuses: set[Status] = field(default_factory=set)

    # --- what a client does ---

    def patch(self, configuration: str, rollout: Rollout | None = None) -> str:
        revision_id = f"v{len(self.revisions) + 1}"
        revision = RevisionView(revision_id, configuration, RevisionState.STARTING, self.now)
        self.revisions.append(replace(revision, min_replicas=self.min_replicas, rollout=rollout))
        self.configuration, self.reason = configuration, ""
        if self.serving or self.status is Status.DEAD:
            self.status = Status.PENDING
        return revision_id

    # --- what happens outside ---

    def tick(self, seconds: float = 0.1) -> None:
        self.now += timedelta(seconds=seconds)

    def see(
        self, revision_id: str, phase: Phase, reason: str = "", *, asked: bool = False, exit_code: int | None = 1
    ) -> None:
        """Every live replica of the revision is now observed like this."""
        for replica in self.revision(revision_id).live:
            self.phases[replica.id] = Observation(phase, pid=1, reason=reason, exit_code=exit_code, asked=asked)

    def answer(self, revision_id: str, requests: int, failures: int) -> None:
        """What the gateway has counted."""
        self._set(revision_id, answers=Answers(requests, failures))

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
                    self.phases[replica.id] = Observation(
                        Phase.EXITED, reason="stopped as asked", exit_code=0, asked=True
                    )

    # --- the controller ---

    def view(self) -> DeploymentView:
        seen = tuple(
            replace(
                revision,
                preparation=self.prepared.get(revision.id, Errand()),
                replicas=tuple(
                    replace(r, observation=self.phases.get(r.id, Observation(Phase.ABSENT))) for r in revision.replicas
                ),
            )
            for revision in self.revisions
            if revision.state is not RevisionState.RETIRED
        )
        dead_since = self.dead_since if self.status is Status.DEAD else None
        return DeploymentView(self.status, self.target, self.serving, seen, self.reason, self.expires_at, dead_since)

    def planned(self) -> list[actions.Action]:
        return plan(self.view(), self.now, POLICY)

    def control(self, *, rounds: int = 60, dies: Callable[[], bool] = lambda: False) -> list[actions.Action]:
        """Plan and carry out until there is nothing to do; returns what was done.

        Before each action `dies` is asked whether the control plane dies in the middle of it.
        """
        done: list[actions.Action] = []
        for _ in range(rounds):
            todo = [] if self.removed else plan(self.view(), self.now, POLICY)
            if not todo:
                return done
            for action in todo:
                if dies():
                    self.carry_out(action, steps=1)
                    self.prepared.clear()  # what only its memory held is gone
                    break
                self.carry_out(action)
            done += todo
        raise AssertionError(f"the plan never comes to rest: {done[-6:]}")

    def settle(self, *, steps: int = 400, dies: Callable[[], bool] = lambda: False) -> None:
        """Let time pass and everything happen that is going to; upkeep publishes now and then."""
        for _ in range(steps):
            self.control(dies=dies)
            self.behave()
            self.publish()
            self.tick()
        self.control()

    def revision(self, revision_id: str) -> RevisionView:
        return next(r for r in self.revisions if r.id == revision_id)

    def carry_out(self, action: actions.Action, *, steps: int = 2) -> None:
        """Record and act, in the controller's order; with fewer `steps`, it dies before the last of them."""
        self.history.append(action)
        before = self.status
        for step in self._steps(action)[:steps]:
            step()
        self.statuses.add(self.status)
        if self.status is Status.DEAD and before is not Status.DEAD:
            self.dead_since = self.now

    def publish(self) -> None:
        """What the router does: the gateway is told what the store says."""
        self.routed = self.serving

    def _steps(self, action: actions.Action) -> list[Callable[[], None]]:  # noqa: C901 (one case per action)
        match action:
            case actions.Accept():
                return [self._become(Status.PENDING)]
            case actions.Prepare(revision_id):
                return [lambda: self._prepare(revision_id)]
            case actions.AddReplica(revision_id):
                return [lambda: self._add_replica(revision_id)]
            case actions.Launch(_, replica_id):
                return [lambda: self._launch(replica_id)]
            case actions.NoteReady(replica_id):
                return [lambda: self._set_replica(replica_id, ready_at=self.now), self.publish]
            case actions.NoteEnded(replica_id, reason, asked, seen):
                return [lambda: self._note_ended(replica_id, reason, asked=asked, seen=seen)]
            case actions.Switch(revision_id):
                return [lambda: self._serve(revision_id, RevisionState.STANDBY)]
            case actions.ConfirmSwitch(revision_id):
                return [self.publish, lambda: self._confirm(revision_id)]
            case actions.SwitchBack(revision_id, _, reason):
                return [lambda: self._switch_back(revision_id, reason)]
            case actions.Return(revision_id, failed_id, reason):
                return [lambda: self._return(revision_id, failed_id, reason)]
            case actions.Fail(revision_id, reason):
                return [lambda: self._fail(revision_id, reason)]
            case actions.MarkAiling(reason):
                return [self._become(Status.DEAD, reason)]
            case actions.MarkRecovered():
                return [self._become(Status.RUNNING, self.returned.get(self.serving or "", ""))]
            case actions.Tell(message):
                return [self._become(self.status, message)]
            case actions.Unpublish():
                return [self._unpublish, self.publish]
            case actions.Release(revision_id):
                return [lambda: self._set(revision_id, state=RevisionState.DRAINING, released_at=self.now)]
            case actions.StopReplica(replica_id):
                return [lambda: self._set_replica(replica_id, stop_requested=True), lambda: self._stop(replica_id)]
            case actions.ForgetReplica(replica_id):
                return [lambda: self._forget(replica_id), lambda: self._set_replica(replica_id, forgotten=True)]
            case actions.Retire(revision_id):
                return [lambda: self._set(revision_id, state=RevisionState.RETIRED)]
            case actions.MarkStopped():
                return [self._become(Status.STOPPED)]
            case actions.Remove():
                return [self._remove]

    def _become(self, status: Status, reason: str = "") -> Callable[[], None]:
        def become() -> None:
            self.status, self.reason = status, reason

        return become

    def _prepare(self, revision_id: str) -> None:
        self.prepared.setdefault(revision_id, Errand(done=True))

    def _forget(self, replica_id: str) -> None:
        self.phases.pop(replica_id, None)

    def _remove(self) -> None:
        self.removed = True

    def _add_replica(self, revision_id: str) -> None:
        revision = self.revision(revision_id)
        replica = ReplicaView(f"{revision_id}r{len(revision.replicas) + 1}", self.now, Observation(Phase.ABSENT))
        self._set(revision_id, replicas=(*revision.replicas, replica))

    def _launch(self, replica_id: str) -> None:
        assert self.phases.get(replica_id, Observation(Phase.ABSENT)).phase is Phase.ABSENT, "started twice"
        self.phases[replica_id] = Observation(Phase.STARTING, pid=1)

    def _note_ended(self, replica_id: str, reason: str, *, asked: bool, seen: bool) -> None:
        self._set_replica(replica_id, ended_at=self.now, reason=reason, end_seen=seen)
        if asked:
            self._set_replica(replica_id, stop_requested=True)

    def _confirm(self, revision_id: str) -> None:
        self._set(revision_id, switched_at=self.now)
        self.latest_running = self.revision(revision_id).configuration_id
        if revision_id == self.revisions[-1].id:
            self.status, self.reason = Status.RUNNING, self.returned.get(revision_id, "")
        for revision in self.revisions:
            if revision.state is RevisionState.FAILED and revision.released_at is None:
                self._set(revision.id, released_at=self.now)

    def _return(self, revision_id: str, failed_id: str, reason: str) -> None:
        was_newest = failed_id == self.revisions[-1].id
        assert self.serving in (revision_id, failed_id), "somebody else serves"
        if self.serving != revision_id:
            self._serve(revision_id, RevisionState.FAILED)
        self._set(failed_id, state=RevisionState.FAILED, reason=reason)
        self.returned[revision_id] = reason
        if was_newest:
            good = self.revision(revision_id)
            self.revisions.remove(good)
            self.revisions.append(good)
            self.configuration, self.reason = good.configuration_id, reason
            self.status = Status.RUNNING if good.switched_at else Status.PENDING

    def _switch_back(self, revision_id: str, reason: str) -> None:
        failed = self.serving
        self._serve(revision_id, RevisionState.FAILED)
        self.returned.pop(revision_id, None)
        self.latest_running = self.revision(revision_id).configuration_id
        if failed == self.revisions[-1].id:
            self.status, self.reason = Status.DEAD, reason

    def _fail(self, revision_id: str, reason: str) -> None:
        self._set(revision_id, state=RevisionState.FAILED, reason=reason)
        if revision_id == self.revisions[-1].id:
            self.status, self.reason = Status.DEAD, reason

    def _unpublish(self) -> None:
        self.serving, self.status = None, Status.STOPPING
        for revision in self.revisions:
            if revision.state in (RevisionState.SERVING, RevisionState.STANDBY):
                self._set(revision.id, state=RevisionState.DRAINING, released_at=self.now)

    def _stop(self, replica_id: str) -> None:
        if self.phases.get(replica_id, Observation(Phase.ABSENT)).phase is not Phase.ABSENT:
            self.phases[replica_id] = STOPPING

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
