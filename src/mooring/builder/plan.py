"""What to do next about one registered model: state in, plan out.

The builder looks, plans, acts and looks again. A plan therefore holds only what can be done now, and nothing has to
be kept between two rounds but the failures that need no second try.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from mooring.builder.wanted import Wanted

_GOING = frozenset({"STOPPING", "STOPPED"})
_RUNNABLE = frozenset({"PENDING", "RUNNING", "DEAD"})


@dataclass(frozen=True)
class Known:
    """A deployment of this model as the AI API shows it.

    `version` is what it is asked to serve, `serving` what it does serve (None: nothing); `current` is whether what
    serves is the configuration that it is asked to serve.
    """

    deployment_id: str
    version: int
    serving: int | None
    current: bool
    status: str
    target_status: str = "RUNNING"
    message: str = ""
    created_at: datetime | None = None

    @property
    def stays(self) -> bool:
        return self.target_status not in ("STOPPED", "DELETED") and self.status not in _GOING


@dataclass(frozen=True)
class Failure:
    """A version that could not be served. `reported` once the registry has been seen to say so."""

    version: int
    mark: str
    reason: str
    reported: bool = False


@dataclass(frozen=True)
class ModelState:
    """All that is known about one model.

    `registry_says`: the deployment status of each version that has one other than STOPPED. `waited_seconds`: how
    long the newest change has been on its way. `removal_due`: nobody has wanted it, to our knowledge, long enough.
    """

    wanted: Wanted | None
    known: tuple[Known, ...] = ()
    registry_says: Mapping[int, str] = field(default_factory=dict)
    failure: Failure | None = None
    waited_seconds: float = 0.0
    timeout_seconds: float = 600.0
    removal_due: bool = True


@dataclass(frozen=True)
class Deploy:
    """Serve this version: by a change of the deployment, or by a new one if there is none."""

    version: int
    deployment_id: str | None = None


@dataclass(frozen=True)
class Stop:
    """The first half of removing a deployment."""

    deployment_id: str


@dataclass(frozen=True)
class Delete:
    """The second half, possible once it does not run."""

    deployment_id: str


Step = Deploy | Stop | Delete


@dataclass(frozen=True)
class Plan:
    """`statuses`: what the registry is to say of each version; `serving`: the version that answers now.

    `failure` is to be remembered; `unsettled` asks for another look soon.
    """

    steps: tuple[Step, ...] = ()
    statuses: Mapping[int, str] = field(default_factory=dict)
    serving: int | None = None
    failure: Failure | None = None
    unsettled: bool = False


def plan(state: ModelState) -> Plan:
    """See the module."""
    kept = _kept(state)
    others = [each for each in state.known if each is not kept]
    removals = tuple(step for each in others if (step := _removal(each)))
    decided = _unwanted(state) if state.wanted is None else _towards(state.wanted, kept, state)
    serving = kept.serving if kept else None
    statuses = dict.fromkeys(state.registry_says, "STOPPED")
    # A version that serves on while another is wanted; the registry no longer knows it if it was deleted there.
    if serving is not None and serving in state.registry_says:
        statuses[serving] = "RUNNING"
    return replace(
        decided,
        steps=decided.steps + removals,
        statuses=statuses | dict(decided.statuses),
        serving=serving,
        unsettled=decided.unsettled or bool(others),
    )


def _kept(state: ModelState) -> Known | None:
    """Of several, the one that serves, then the newest; none when the model is not to be served any more."""
    if state.wanted is None and state.removal_due:
        return None
    staying = [each for each in state.known if each.stays]
    return max(staying, key=_preference, default=None)


def _preference(each: Known) -> tuple[bool, bool, float, str]:
    age = each.created_at.timestamp() if each.created_at else 0.0
    return each.serving is not None, each.status != "DEAD", age, each.deployment_id


def _removal(each: Known) -> Step | None:
    """The next step to get rid of it; none while the last one still works."""
    if each.status in ("PENDING", "RUNNING") and each.target_status not in ("STOPPED", "DELETED"):
        return Stop(each.deployment_id)
    if each.status in ("UNKNOWN", "DEAD", "STOPPED") and each.target_status != "DELETED":
        return Delete(each.deployment_id)
    return None


def _towards(wanted: Wanted, kept: Known | None, state: ModelState) -> Plan:
    failure = _standing_failure(wanted, state)
    on_it = kept is not None and kept.version == wanted.version
    if kept and on_it and kept.status == "RUNNING" and kept.current:
        return Plan(statuses={wanted.version: "RUNNING"})
    if failure and failure.mark != wanted.mark:
        return _try(wanted, kept, failure)
    if failure:
        return _failed(failure)
    if kept and on_it:
        return _watch(wanted, kept, state)
    return _try(wanted, kept, None)


def _unwanted(state: ModelState) -> Plan:
    # Marked again before it is removed, the same failed version is to be tried again.
    return Plan(failure=state.failure and replace(state.failure, mark="", reported=False))


def _standing_failure(wanted: Wanted, state: ModelState) -> Failure | None:
    """The failure of the version wanted now, if there is one.

    Its mark is emptied, which then differs from any, when somebody has removed our report: that asks for a new try.
    """
    failure = state.failure
    if failure is None or failure.version != wanted.version:
        return None
    says_failed = state.registry_says.get(wanted.version) == "FAILED"
    if failure.reported and not says_failed:
        return replace(failure, mark="")
    return replace(failure, reported=says_failed)


def _watch(wanted: Wanted, kept: Known, state: ModelState) -> Plan:
    if kept.status == "DEAD":
        reason = kept.message or "the AI API gives no reason"
        return _failed(Failure(wanted.version, wanted.mark, reason))
    if state.waited_seconds >= state.timeout_seconds:
        text = f"not RUNNING within {state.timeout_seconds:g} s, still {kept.status}: {kept.message}"
        return _failed(Failure(wanted.version, wanted.mark, text.rstrip(": ")))
    return Plan(statuses={wanted.version: "DEPLOYING"}, unsettled=True)


def _try(wanted: Wanted, kept: Known | None, failure: Failure | None) -> Plan:
    """`failure` is kept until the try has been made: if it cannot be made now, it is due in the next round."""
    can_change = kept is None or kept.status in _RUNNABLE
    steps = (Deploy(wanted.version, kept.deployment_id if kept else None),) if can_change else ()
    return Plan(steps, {wanted.version: "DEPLOYING"}, failure=failure, unsettled=True)


def _failed(failure: Failure) -> Plan:
    return Plan(statuses={failure.version: "FAILED"}, failure=failure)
