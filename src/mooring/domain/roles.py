"""What a client may do, and where."""

from enum import Enum

ALL_GROUPS = "*"
"""Among the resource groups of a client: it is bound to none of them."""


class Role(Enum):
    """Each may do what those before it may, `destinations` apart.

    A viewer reads and asks models for predictions; an editor also makes, changes and removes what lies in resource
    groups; an admin also does what `/v2/admin` offers. `destinations` is for what has to do with destinations and for
    nothing else: such a client uses no resource group.
    """

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"
    DESTINATIONS = "destinations"

    def includes(self, other: "Role") -> bool:
        """Whether whoever has this role may do what the other role may."""
        if Role.DESTINATIONS in (self, other):
            return self in (other, Role.ADMIN)
        order = list(Role)
        return order.index(self) >= order.index(other)

    def is_of_another_kind(self, other: "Role") -> bool:
        """Whether neither may do what the other may."""
        return not self.includes(other) and not other.includes(self)

    def limited_to(self, other: "Role") -> "Role":
        """The lower of the two."""
        return other if self.includes(other) else self


def common_groups(first: frozenset[str], second: frozenset[str]) -> frozenset[str]:
    """The resource groups that are in both."""
    if ALL_GROUPS in first:
        return second
    return first if ALL_GROUPS in second else first & second
