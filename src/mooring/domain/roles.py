"""What a client may do."""

from enum import Enum


class Role(Enum):
    """Each may do what those before it may.

    A viewer reads and asks models for predictions; an editor also makes, changes and removes what lies in resource
    groups; an admin also does what `/v2/admin` offers.
    """

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether whoever has this role may do what the other role may."""
        order = list(Role)
        return order.index(self) >= order.index(other)
