"""Whether what serves has to give way to what served before: pure, from what is seen of it."""

from datetime import datetime, timedelta

from mooring.domain.views import Policy, RevisionView


def standby_time(serving: RevisionView, policy: Policy) -> timedelta:
    """How long after the switch what served before stands by."""
    return max(policy.standby, serving.rollout.window) if serving.rollout else policy.standby


def why_give_way(serving: RevisionView, now: datetime, policy: Policy) -> str | None:
    """The reason, or None. Only asked as long as something stands by that can answer."""
    if serving.rollout and (reason := _death(serving) or _silence(serving, now, policy) or _errors(serving)):
        return reason
    return serving.last_words if _has_failed(serving) else None


def _has_failed(serving: RevisionView) -> bool:
    """Whether nothing of it can answer soon: all have ended, or some have and the others were not ready yet."""
    return not serving.live or (len(serving.replicas) > len(serving.live) and not any(r.ready_at for r in serving.live))


def _death(serving: RevisionView) -> str:
    """One that we ended, or whose end nobody saw (the machine restarted), tells nothing."""
    died = any(r.end_seen and not r.stop_requested for r in serving.replicas if not r.is_live)
    return f"a replica died: {serving.last_words}" if died else ""


def _silence(serving: RevisionView, now: datetime, policy: Policy) -> str:
    silent = any(replica.is_silent(now, policy.unready) for replica in serving.ready)
    return f"a replica did not answer for {policy.unready.total_seconds():g} s" if silent else ""


def _errors(serving: RevisionView) -> str:
    rollout, seen = serving.rollout, serving.answers
    if rollout is None or seen.requests < rollout.min_requests:
        return ""
    if seen.failures <= rollout.max_error_rate * seen.requests:
        return ""
    share = f"more than {100 * rollout.max_error_rate:g} %"
    return f"{seen.failures} of {seen.requests} requests were answered with 500 or above, which is {share}"
