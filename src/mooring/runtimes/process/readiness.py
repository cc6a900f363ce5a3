"""When what runs may get traffic: kept in its memo at the start, asked for as long as it runs."""

import os
import time
from pathlib import Path

from mooring.processes import ProcessId
from mooring.runtimes.base import ContainerSpec, Endpoint, ReplicaSpec, TcpAddress
from mooring.runtimes.containers import Program
from mooring.runtimes.process.probe import why_not_ready
from mooring.runtimes.process.records import Memo

_LONGEST_QUESTION_SECONDS = 10.0
"""Whoever observes a replica must not be kept waiting by what its template says."""
_TICKS = os.sysconf("SC_CLK_TCK")


def memo_of(spec: ReplicaSpec | ContainerSpec, program: Program) -> Memo:
    """What has to be known of a spec after the start."""
    if isinstance(spec, ReplicaSpec):
        module, tenant = (spec.warm.module, spec.warm.tenant) if spec.warm else ("", "")
        return Memo(spec.ready_path, warm_module=module, warm_tenant=tenant)
    if spec.readiness is None:
        return Memo(None, serves=False, container=True)
    where = program.endpoint if isinstance(program.endpoint, TcpAddress) else None
    return Memo(
        spec.readiness.path,
        redirects_too=True,
        initial_delay_seconds=spec.readiness.initial_delay_seconds,
        timeout_seconds=min(spec.readiness.timeout_seconds, _LONGEST_QUESTION_SECONDS),
        period_seconds=spec.readiness.period_seconds,
        host=where.host if where else None,
        port=where.port if where else 0,
        container=True,
    )


def endpoint_of(memo: Memo | None, socket: Path) -> Endpoint:
    """Where it listens: on its unix socket unless its memo says otherwise."""
    return TcpAddress(memo.host, memo.port) if memo and memo.host else socket


class Questions:
    """Asks what runs whether it is ready. Usable from many threads.

    `timeout_seconds` is for one question, when its memo says nothing.
    """

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._good_until: dict[str, float] = {}

    def why_not(self, run_id: str, memo: Memo, socket: Path, program: ProcessId) -> str:
        """Nothing when it is ready; a job always is."""
        if not memo.serves or time.monotonic() < self._good_until.get(run_id, 0.0):
            return ""
        if memo.initial_delay_seconds and _age_seconds(program) < memo.initial_delay_seconds:
            return f"it is first asked {memo.initial_delay_seconds:g} s after its start"
        reason = why_not_ready(
            endpoint_of(memo, socket),
            memo.ready_path,
            timeout_seconds=memo.timeout_seconds or self._timeout_seconds,
            redirects_too=memo.redirects_too,
        )
        if not reason and memo.period_seconds:
            self._good_until[run_id] = time.monotonic() + memo.period_seconds
        return reason

    def forget(self, run_id: str) -> None:
        """It is gone."""
        self._good_until.pop(run_id, None)


def _age_seconds(program: ProcessId) -> float:
    """By the kernel's clock, which nobody sets."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - program.started / _TICKS
