"""What the init inside is told, by its arguments: nothing in it is secret. (Secrets come in the environment.)"""

GIVEN = "MOORING_GIVEN_"
"""Before the name of each variable that is meant for the user's program: what is on its way must not have an effect on
the programs in between (LD_PRELOAD would have one, outside of the sandbox)."""


class Order:
    """One command and the ways in and out of its sandbox.

    `listener`: descriptor of the unix socket whose connections lead to `port` inside (port 0: none). `gateway_port` is
    where the gateway's unix socket `gateway` is reached inside (0: nowhere).
    """

    def __init__(
        self, *, listener: int, port: int, gateway: str, gateway_port: int, folder: str, command: list[str]
    ) -> None:
        self.listener = listener
        self.port = port
        self.gateway = gateway
        self.gateway_port = gateway_port
        self.folder = folder
        self.command = command

    def to_arguments(self) -> list[str]:
        """As `from_arguments` reads them."""
        facts = (self.listener, self.port, self.gateway, self.gateway_port, self.folder)
        return [*map(str, facts), *self.command]


def from_arguments(arguments: list[str]) -> Order:
    """What `to_arguments` wrote."""
    listener, port, gateway, gateway_port, folder, *command = arguments
    return Order(
        listener=int(listener),
        port=int(port),
        gateway=gateway,
        gateway_port=int(gateway_port),
        folder=folder,
        command=command,
    )
