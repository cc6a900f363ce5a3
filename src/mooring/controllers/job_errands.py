"""What is done in the background for executions."""

from collections.abc import Callable
from dataclasses import dataclass

from mooring.controllers.errands import Errands

_PARALLEL = 8


@dataclass(frozen=True)
class JobErrands:
    """By the id of the job, what is discarded by that of the execution.

    None waits for those of another kind: a registry that is slow keeps no output from being stored.
    """

    preparing: Errands
    storing: Errands
    discarding: Errands

    @classmethod
    def of_executions(cls, on_change: Callable[[], None]) -> "JobErrands":
        """`on_change` is told when one has come to an end."""
        return cls(
            *(Errands(kind, parallel=_PARALLEL, on_change=on_change) for kind in ("prepare", "store", "discard"))
        )

    def forget(self, job_id: str) -> None:
        """The job is over, or begins anew."""
        self.preparing.forget(job_id)
        self.storing.forget(job_id)
