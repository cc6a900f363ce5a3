"""A deployment as decisions see it: what the store knows, joined with what the runtime observes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mooring.domain.errands import Errand
from mooring.domain.lifecycle import Status, TargetStatus
from mooring.domain.replicas import Observation
from mooring.domain.revisions import RevisionState
from mooring.domain.rollouts import Answers, Rollout

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_NOT_BEGUN = Errand()
_NONE_YET = Answers()


@dataclass(frozen=True)
class Policy:
    """The times and limits that decisions depend on (see `mooring.settings`).

    `unready`: a replica of a watched rollout that does not answer for this time has failed.
    """

    start: timedelta
    standby: timedelta
    drain: timedelta
    prepare: timedelta
    silence: timedelta
    crash_limit: int
    crash_window: timedelta
    dead: timedelta
    unready: timedelta = timedelta(seconds=15)


@dataclass(frozen=True)
class ReplicaView:
    """A replica. `silent_since`: it was ready, and has not answered since then."""

    id: str
    created_at: datetime
    observation: Observation
    ready_at: datetime | None = None
    ended_at: datetime | None = None
    end_seen: bool = True
    stop_requested: bool = False
    forgotten: bool = False
    silent_since: datetime | None = None
    reason: str = ""

    @property
    def is_live(self) -> bool:
        return self.ended_at is None

    def is_silent(self, now: datetime, after: timedelta) -> bool:
        return self.silent_since is not None and now - self.silent_since >= after


@dataclass(frozen=True)
class RevisionView:
    """A revision and its replicas, oldest first. `min_replicas` of them are to be ready.

    `preparation`: whether everything that they need lies on this machine.
    `silence`: a replica that does not answer for this time is replaced (None: the policy's). `rollout`: how it is to
    be watched, `answers`: what it has answered since it serves, `reason`: why it has failed.
    """

    id: str
    configuration_id: str
    state: RevisionState
    created_at: datetime = _LONG_AGO
    preparation: Errand = _NOT_BEGUN
    switched_at: datetime | None = None
    released_at: datetime | None = None
    replicas: tuple[ReplicaView, ...] = ()
    min_replicas: int = 1
    silence: timedelta | None = None
    rollout: Rollout | None = None
    answers: Answers = _NONE_YET
    reason: str = ""

    @property
    def live(self) -> list[ReplicaView]:
        return [replica for replica in self.replicas if replica.is_live]

    @property
    def last_words(self) -> str:
        """Why the replica that ended last did."""
        ended = [replica for replica in self.replicas if replica.ended_at]
        return max(ended, key=lambda replica: replica.ended_at or _LONG_AGO).reason if ended else ""

    @property
    def ready(self) -> list[ReplicaView]:
        return [replica for replica in self.live if replica.ready_at and not replica.stop_requested]

    @property
    def missing(self) -> int:
        """How many more replicas are wanted. One that is ending still counts: its successor needs its room."""
        return max(0, self.min_replicas - len(self.live))

    def has_ready_replica(self) -> bool:
        return bool(self.ready)

    def is_complete(self) -> bool:
        """Whether as many are ready as are wanted."""
        return len(self.ready) >= self.min_replicas


@dataclass(frozen=True)
class DeploymentView:
    """A deployment and its revisions that are not retired, oldest first. `dead_since`: when it became DEAD."""

    status: Status
    target: TargetStatus
    serving_revision_id: str | None
    revisions: tuple[RevisionView, ...]
    status_message: str = ""
    expires_at: datetime | None = None
    dead_since: datetime | None = None

    @property
    def serving(self) -> RevisionView | None:
        return next((r for r in self.revisions if r.id == self.serving_revision_id), None)

    def has_expired(self, now: datetime) -> bool:
        """Whether its time to live is over."""
        return self.expires_at is not None and now >= self.expires_at

    def is_abandoned(self, now: datetime, policy: Policy) -> bool:
        """Whether it has been DEAD for so long that nobody is going to mend it; never while a revision serves."""
        if self.status is not Status.DEAD or self.serving_revision_id or self.dead_since is None:
            return False
        return now - self.dead_since >= policy.dead
