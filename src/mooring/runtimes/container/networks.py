"""One network per resource group: what runs in another one cannot be reached from inside."""

import hashlib

from mooring.runtimes.container.client import Client, EngineError


def network_name(owner: str, group: str) -> str:
    """Short and harmless, whatever the group is called; another home's group of the same name has another one."""
    return f"mooring-{hashlib.sha256(f'{owner}/{group}'.encode()).hexdigest()[:16]}"


def make(client: Client, name: str, owner: str) -> None:
    """Make it unless it is there. Raises EngineError, TimeoutError."""
    options = ["--driver", "bridge", "--label", f"mooring.home={owner}", *client.flavour.network]
    try:
        client.run(["network", "create", *options, name])
    except EngineError as error:
        if "already" not in error.said:
            raise


def is_missing(error: EngineError, name: str) -> bool:
    """Whether that is why a container could not be made."""
    said = error.said.lower()
    return "network" in said and name in said and ("not found" in said or "unable to find" in said)
