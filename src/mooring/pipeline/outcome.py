"""What has become of a plan."""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from mooring.pipeline.steps import Kind


class ExitCode(IntEnum):
    """What a script learns."""

    REACHED = 0
    FAILED = 1
    CHANGES = 2
    REFUSED = 3
    TIMED_OUT = 4
    BROKEN_OFF = 130


class Verdict(StrEnum):
    """`LEFT`: it is on its way, and nobody waits for it any more. `NOT_BEGUN`: something before it went wrong."""

    REACHED = "reached"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    LEFT = "left"
    NOT_BEGUN = "not begun"


@dataclass(frozen=True)
class Outcome:
    """Of one execution or deployment of the file. `did` is created, changed, kept, reused, followed."""

    kind: Kind
    name: str
    did: str
    verdict: Verdict
    id: str = ""
    status: str = ""
    url: str = ""
    message: str = ""
    seconds: float = 0.0


@dataclass
class Result:
    """Grows while a plan is carried out, so that something is known whenever it breaks off."""

    outcomes: list[Outcome] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    """In words, what has been written."""
    destinations: list[str] = field(default_factory=list)
    """The names of those that were set."""
    errors: list[str] = field(default_factory=list)
    broken_off: bool = False

    @property
    def exit_code(self) -> ExitCode:
        verdicts = {each.verdict for each in self.outcomes}
        if self.broken_off:
            return ExitCode.BROKEN_OFF
        if self.errors or Verdict.FAILED in verdicts:
            return ExitCode.FAILED
        if Verdict.TIMED_OUT in verdicts:
            return ExitCode.TIMED_OUT
        return ExitCode.FAILED if Verdict.NOT_BEGUN in verdicts else ExitCode.REACHED
