"""The small steps that a deployment or an execution goes through; each can be repeated harmlessly."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Accept:
    """UNKNOWN becomes PENDING: somebody works on it."""


@dataclass(frozen=True)
class Prepare:
    """Fetch what the revision's replicas need; goes on in the background."""

    revision_id: str


@dataclass(frozen=True)
class AddReplica:
    """Record one more replica of the revision."""

    revision_id: str


@dataclass(frozen=True)
class Launch:
    """Let the runtime start a recorded replica."""

    revision_id: str
    replica_id: str


@dataclass(frozen=True)
class NoteReady:
    """Record that a replica may get requests."""

    replica_id: str


@dataclass(frozen=True)
class NoteEnded:
    """Record that a replica is no more, and why.

    `asked`: it only did what it was told. `seen`: somebody saw its end (nobody does when the machine restarts).
    """

    replica_id: str
    reason: str
    asked: bool = False
    seen: bool = True


@dataclass(frozen=True)
class Switch:
    """The revision serves from now on; the one before stands by."""

    revision_id: str


@dataclass(frozen=True)
class ConfirmSwitch:
    """The gateway has been told which revision serves, and has taken it over."""

    revision_id: str


@dataclass(frozen=True)
class SwitchBack:
    """The successor failed while the one before was still there: that one serves again."""

    revision_id: str
    failed_revision_id: str
    reason: str


@dataclass(frozen=True)
class Return:
    """The revision has failed, and its owner asked for the way back: what served before is what is wanted again."""

    revision_id: str
    failed_revision_id: str
    reason: str


@dataclass(frozen=True)
class Fail:
    """The revision cannot serve: the deployment is DEAD, whatever served before goes on serving."""

    revision_id: str
    reason: str


@dataclass(frozen=True)
class MarkAiling:
    """The serving revision's replicas keep dying: DEAD for now; they go on being replaced."""

    reason: str


@dataclass(frozen=True)
class MarkRecovered:
    """The serving revision has held out again."""


@dataclass(frozen=True)
class Tell:
    """Say in the status message what is being waited for."""

    message: str


@dataclass(frozen=True)
class Unpublish:
    """Take the deployment out of the gateway; nothing serves any more."""


@dataclass(frozen=True)
class Release:
    """The revision gets no requests any more and may end after the drain time."""

    revision_id: str


@dataclass(frozen=True)
class StopReplica:
    """Ask a replica to end."""

    replica_id: str


@dataclass(frozen=True)
class ForgetReplica:
    """Remove what the runtime keeps of an ended replica."""

    replica_id: str


@dataclass(frozen=True)
class Retire:
    """Nothing of the revision runs any more."""

    revision_id: str


@dataclass(frozen=True)
class MarkStopped:
    """Everything has ended, as was asked for."""


@dataclass(frozen=True)
class Remove:
    """Everything has ended: the deployment or execution can go."""


Action = (
    Accept
    | Prepare
    | AddReplica
    | Launch
    | NoteReady
    | NoteEnded
    | Switch
    | ConfirmSwitch
    | SwitchBack
    | Return
    | Fail
    | MarkAiling
    | MarkRecovered
    | Tell
    | Unpublish
    | Release
    | StopReplica
    | ForgetReplica
    | Retire
    | MarkStopped
    | Remove
)
