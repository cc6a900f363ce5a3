"""Where podman and docker differ, in one table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Flavour:
    """One kind of engine.

    `create` and `network` are options of their commands. `prepares`: whether it can make a container's network before
    its program runs, and tell its process by a file. `secrets`: whether it takes a variable's value from its standard
    input. `pulls_itself`: no daemon pulls for it. `transport` comes before an image that is pulled. `local_hosts` begin
    the names of images that were made here.
    """

    name: str
    create: tuple[str, ...]
    network: tuple[str, ...]
    prepares: bool
    secrets: bool
    pulls_itself: bool
    transport: str
    local_hosts: tuple[str, ...] = ()


PODMAN = Flavour(
    name="podman",
    # Its own defaults would hand over our proxy, start systemd, look after health, and make /tmp of a read-only root.
    create=("--http-proxy=false", "--systemd=false", "--read-only-tmpfs=false", "--no-healthcheck"),
    network=("--opt", "isolate=true", "--disable-dns"),
    prepares=True,
    secrets=True,
    pulls_itself=True,
    transport="docker://",
    local_hosts=("localhost/",),
)
DOCKER = Flavour(
    name="docker",
    create=("--no-healthcheck",),
    # Docker keeps its networks apart by itself.
    network=("--opt", "com.docker.network.bridge.enable_icc=false"),
    prepares=False,
    secrets=False,
    pulls_itself=False,  # its daemon does
    transport="",
)
FLAVOURS = (PODMAN, DOCKER)
