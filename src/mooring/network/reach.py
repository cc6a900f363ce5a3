"""Which machines may be called: where object stores and repositories lie, a client says, and we call from inside.

The common case is a MinIO or a GitLab in the same network, so private addresses are fine. This machine itself, its
links, and what clouds tell a machine of its own (with credentials in it) are not, unless the operator lists the host.
"""

import ipaddress
import socket
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

_CONNECT_SECONDS = 5.0
_OF_CLOUDS = frozenset(
    map(
        ipaddress.ip_address,
        # Alibaba, Azure, Oracle, AWS, GCP; 169.254.169.254 of most others is link-local
        ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"),
    )
)
_WITH_IPV4_INSIDE = ipaddress.ip_network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


class OutOfReach(OSError):
    """The host's address is one that clients may not have us call."""


@dataclass(frozen=True)
class Reach:
    """`hosts` may be reached whatever their addresses are; they are named as in the url, without a port."""

    hosts: Collection[str] = ()

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection to an address that has been checked, not merely to a name. Raises OutOfReach, OSError."""
        failure: OSError = OSError(f"{host} has no address")
        for address in self.addresses(host, port):
            try:
                return socket.create_connection((address, port), timeout=_CONNECT_SECONDS)
            except OSError as error:
                failure = error
        raise failure

    def addresses(self, host: str, port: int) -> list[str]:
        """All addresses of a host. Raises OutOfReach when one of them may not be reached; OSError without any."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError:  # a part of it is empty or too long
            raise OSError(f"{host} cannot be the name of a host") from None
        texts = list(dict.fromkeys(str(each[4][0]) for each in found))
        if host.strip("[]").lower() not in {each.lower() for each in self.hosts} and any(map(_is_refused, texts)):
            raise OutOfReach(f"{host} is this machine, or an address that only this machine sees")
        return texts


def _is_refused(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    return any(map(_is_ours_alone, (address, *_inside(address))))


def _is_ours_alone(address: Address) -> bool:
    special = address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast
    # "This network" (0.0.0.0/8) leads to this machine, too.
    return special or address in _OF_CLOUDS or (address.version == 4 and address.packed[0] == 0)


def _inside(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 address that an IPv6 address is another spelling of."""
    if isinstance(address, IPv6Address):
        yield from (each for each in (address.ipv4_mapped, address.sixtofour) if each is not None)
        if address in _WITH_IPV4_INSIDE or not any(address.packed[:12]):
            yield IPv4Address(address.packed[12:])
