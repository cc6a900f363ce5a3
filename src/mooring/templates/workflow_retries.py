"""`retryStrategy`: how often a step is tried again, and how long it waits before that."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mooring.templates.container_values import number, shown
from mooring.templates.errors import TemplateError
from mooring.templates.trees import Tree, mapping, text

_POLICIES = ("Always", "OnFailure", "OnError", "OnTransientError")
_MOST_RETRIES = 100
_LARGEST_FACTOR = 1000
_LONGEST_WAIT = 7 * 86_400.0
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)


@dataclass(frozen=True)
class RetryStrategy:
    """`limit` counts the tries after the first. `duration`, `cap` and `max_duration` in seconds, None: without one."""

    limit: int
    policy: str
    duration: float
    factor: int
    cap: float | None
    max_duration: float | None

    def retries(self, *, error: bool) -> bool:
        """Whether one that could not be run (`error`), or one that ran and failed, is tried again."""
        wanted = ("Always", "OnError", "OnTransientError") if error else ("Always", "OnFailure")
        return self.policy in wanted

    def wait(self, tries: int) -> float:
        """Seconds between the end of a try and the next one, after so many tries."""
        wait = self.duration * float(self.factor or 1) ** (tries - 1)
        return min(wait, _LONGEST_WAIT if self.cap is None else self.cap)


def read_retry_strategy(tree: Tree | None, path: str) -> RetryStrategy | None:
    """None when there is none: then nothing is tried again. Raises TemplateError."""
    if tree is None:
        return None
    found = mapping(tree, path)
    backoff = mapping(found.get("backoff"), f"{path}.backoff")
    limit = number(found.get("limit"), f"{path}.limit", most=_MOST_RETRIES)
    factor = number(backoff.get("factor"), f"{path}.backoff.factor", most=_LARGEST_FACTOR)
    return RetryStrategy(
        limit=_MOST_RETRIES if limit is None else limit,
        policy=_policy(found, path),
        duration=_duration(backoff, "duration", path) or 0.0,
        factor=factor or 0,
        cap=_duration(backoff, "cap", path),
        max_duration=_duration(backoff, "maxDuration", path),
    )


def _policy(found: Mapping[str, Tree], path: str) -> str:
    policy = text(found.get("retryPolicy"), f"{path}.retryPolicy") or "OnFailure"
    if policy not in _POLICIES:
        raise TemplateError(f"{path}.retryPolicy", f"is {shown(policy)}; use one of {', '.join(_POLICIES)}")
    return policy


def _duration(backoff: Mapping[str, Tree], name: str, path: str) -> float | None:
    where = f"{path}.backoff.{name}"
    found = text(backoff.get(name), where)
    if not found:
        return None
    if _SECONDS.fullmatch(found):
        return float(found)
    parts = _PART.findall(found)
    if "".join(f"{amount}{unit}" for amount, unit in parts) != found:
        raise TemplateError(where, f"is {shown(found)}; seconds, or a duration such as 90s, 2m or 1h30m are needed")
    return sum(float(amount) * _UNITS[unit] for amount, unit in parts)
