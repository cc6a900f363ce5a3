"""What a server can do."""

from collections.abc import Mapping

from pydantic import JsonValue

from mooring.client.connection import ApiObject, Connection


class Capabilities(ApiObject):
    """`extensions`: the parts that not every server has, by name."""

    extensions: Mapping[str, JsonValue] = {}

    @property
    def watches_rollouts(self) -> bool:
        """Whether it can take a failed change back (see `mooring.client.rollouts`)."""
        return "rollout" in self.extensions


class Meta:
    """`/lm/meta`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self) -> Capabilities:
        """Raises ApiError."""
        return self._connection.read(Capabilities, "/lm/meta")
