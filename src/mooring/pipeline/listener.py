"""Who is told while a plan is carried out."""

from typing import Protocol

from mooring.client.logs import LogLine


class Listener(Protocol):
    """Shows it, or does not."""

    def did(self, text: str) -> None:
        """Something was done."""

    def moved(self, name: str, status: str, message: str) -> None:
        """What is waited for has another status."""

    def logged(self, name: str, line: LogLine) -> None:
        """One line of an executable's log, in the order of each of them."""

    def trouble(self, text: str) -> None:
        """Something that passes."""
