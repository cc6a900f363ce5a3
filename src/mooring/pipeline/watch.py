"""Waits for executions and deployments, all at once, and follows their logs."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mooring.client.client import AIClient
from mooring.client.deployments import Deployment
from mooring.client.errors import ApiError, NotFound
from mooring.client.executions import Execution
from mooring.client.log_tail import LogTail
from mooring.pipeline.destinations import url_of
from mooring.pipeline.listener import Listener
from mooring.pipeline.outcome import Outcome, Verdict
from mooring.pipeline.steps import Kind

_OVER = ("COMPLETED", "DEAD", "STOPPED")
_NEW_SECONDS = 60.0
"""So long a server may not know what it has just made."""
_PAGES_AT_ONCE = 20
"""Of one log, so that the others have their turn."""


@dataclass
class Watched:
    """One of those that are waited for; `wait_for` is None when nobody waits for it.

    `until_kept`: it has reached its status only when the server does not watch it any more.
    """

    kind: Kind
    name: str
    id: str
    did: str
    configuration_id: str
    wait_for: str | None
    timeout_seconds: float
    until_kept: bool = False
    began: float = field(default_factory=time.monotonic)
    seen: str = ""
    tail: LogTail | None = None


class Watcher:
    """`poll_seconds` are those of the start; they double up to `slowest_seconds` while nothing happens."""

    def __init__(
        self,
        client: AIClient,
        listener: Listener,
        *,
        with_logs: bool = True,
        poll_seconds: float = 0.5,
        slowest_seconds: float = 5.0,
    ) -> None:
        self._client = client
        self._listener = listener
        self._with_logs = with_logs
        self._poll_seconds = poll_seconds
        self._slowest_seconds = slowest_seconds
        self._asked_pause = 0.0

    def settle(self, watched: Sequence[Watched], outcomes: list[Outcome]) -> None:
        """Until each has reached its status, ended otherwise, or taken too long; appends what became of it.

        Raises ApiError for what does not pass (a token that is refused, say).
        """
        left = list(watched)
        pause = self._poll_seconds
        while left:
            happened, self._asked_pause = False, 0.0
            for each in list(left):
                moved, outcome = self._look(each)
                happened |= moved or outcome is not None
                if outcome:
                    outcomes.append(outcome)
                    left.remove(each)
            pause = self._poll_seconds if happened else min(pause * 1.5, self._slowest_seconds)
            if left:
                nearest = min(each.began + each.timeout_seconds for each in left) - time.monotonic()
                time.sleep(max(0.05, min(max(pause, self._asked_pause), nearest)))

    def _look(self, each: Watched) -> tuple[bool, Outcome | None]:
        """Whether there is anything new, and the outcome if it is settled."""
        late = time.monotonic() >= each.began + each.timeout_seconds
        try:
            found = self._get(each)
            moved = self._tell(each, found)
            verdict = _verdict(each, found)
            logged = self._log(each, found)
        except ApiError as error:
            if not (error.temporary or (isinstance(error, NotFound) and _is_new(each))):
                return True, _outcome(each, Verdict.FAILED, message=str(error))
            self._listener.trouble(f"{each.name}: {error}")
            self._asked_pause = max(self._asked_pause, error.retry_after_seconds)
            return False, _outcome(each, Verdict.TIMED_OUT, message=str(error)) if late else None
        if verdict is None and late:
            told = f"still {found.status} after {each.timeout_seconds:g} s. {found.status_message or ''}".strip()
            return True, _outcome(each, Verdict.TIMED_OUT, found, self._client, told)
        return moved or logged, _outcome(each, verdict, found, self._client) if verdict else None

    def _get(self, each: Watched) -> Execution | Deployment:
        owners = self._client.executions if each.kind == "execution" else self._client.deployments
        return owners.get(each.id)

    def _tell(self, each: Watched, found: Execution | Deployment) -> bool:
        now = f"{found.status} {found.status_message or ''}"
        if now == each.seen:
            return False
        each.seen = now
        self._listener.moved(each.name, found.status, found.status_message or "")
        return True

    def _log(self, each: Watched, found: Execution | Deployment) -> bool:
        """Whether there were new lines. After the status, so that the last lines of what has ended are among them."""
        if not self._with_logs or (each.tail is None and _has_run_before(each, found)):
            return False
        if each.tail is None:
            owners = self._client.executions if each.kind == "execution" else self._client.deployments
            each.tail = LogTail(owners, each.id, _log_start(each, found))
        any_new = False
        for _ in range(_PAGES_AT_ONCE):
            lines = each.tail.new()
            for line in lines:
                self._listener.logged(each.name, line)
            any_new |= bool(lines)
            if not each.tail.more:
                break
        return any_new


def _has_run_before(each: Watched, found: Execution | Deployment) -> bool:
    """What has served for long has a log of what others asked it."""
    return each.did == "kept" and found.status == "RUNNING"


def _log_start(each: Watched, found: Execution | Deployment) -> datetime | None:
    """By the server's clock. Of a deployment that is changed, the log of what served before is not of interest."""
    if each.did == "changed":
        return found.modified_at
    return found.submission_time or found.created_at


def _verdict(each: Watched, found: Execution | Deployment) -> Verdict | None:
    if isinstance(found, Deployment) and found.configuration_id != each.configuration_id:
        if each.until_kept and found.returned_from(each.configuration_id) is not None:
            return Verdict.FAILED
        return None  # a server that takes its time to see the change
    if isinstance(found, Deployment):
        reached = found.runs(each.configuration_id) and not (each.until_kept and found.is_watched())
    else:
        reached = found.status in (each.wait_for, "COMPLETED")
    if reached:
        return Verdict.REACHED
    if found.status in _OVER:
        return Verdict.FAILED
    return Verdict.LEFT if each.wait_for is None else None


def _is_new(each: Watched) -> bool:
    return time.monotonic() < each.began + _NEW_SECONDS


def _outcome(
    each: Watched,
    verdict: Verdict,
    found: Execution | Deployment | None = None,
    client: AIClient | None = None,
    message: str = "",
) -> Outcome:
    url = url_of(found, client.credentials.base_url) if client and isinstance(found, Deployment) else ""
    status, reason = (found.status, found.status_message or "") if found else ("", "")
    seconds = time.monotonic() - each.began
    return Outcome(each.kind, each.name, each.did, verdict, each.id, status, url, message or reason, seconds)
