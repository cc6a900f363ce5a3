"""Input that cannot be carried out, said with file, line and key."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """`line` counts from 1, 0 where there is none; `key` is the way to the value, such as `deployments.0.ttl`."""

    message: str
    line: int = 0
    key: str = ""

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.key}: {self.message}" if self.key else f"{place}{self.message}"


class Refused(Exception):
    """Nothing was done. `file` is empty when it is not about a file."""

    def __init__(self, problems: Sequence[Problem] | str, *, file: str = "") -> None:
        self.problems = (Problem(problems),) if isinstance(problems, str) else tuple(problems)
        self.file = file
        start = f"{file}: " if file else ""
        super().__init__("\n".join(f"{start}{problem}" for problem in self.problems))

    def within(self, file: str) -> "Refused":
        """The same, said of this file."""
        return Refused(self.problems, file=file)
