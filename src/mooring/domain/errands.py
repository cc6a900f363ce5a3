"""A piece of work that is done in the background, as decisions see it."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Errand:
    """How far it is.

    `failure` says why it will never be done, `trouble` why it is not yet, and `since` when that began; `begun`: since
    when somebody is at it; `may_begin`: nobody is, and it is time.
    """

    done: bool = False
    failure: str | None = None
    trouble: str | None = None
    since: datetime | None = None
    begun: datetime | None = None
    may_begin: bool = True

    def hopeless(self, now: datetime, patience: timedelta) -> str | None:
        """Why it is given up: it has failed, or a trouble has lasted for longer than is borne with."""
        if self.failure is not None:
            return self.failure
        if self.trouble is not None and self.since is not None and now - self.since > patience:
            return self.trouble
        return None
