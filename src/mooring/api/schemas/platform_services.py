"""Services of the platform."""

from typing import Any, Literal

from mooring.api.schemas.common import Shape


class PlatformService(Shape):
    """A part of this installation that clients can call."""

    name: str
    description: str
    url: str
    status: Literal["PROVISIONED", "PROVISIONING"]
    status_message: str


class PlatformServiceList(Shape):
    """All of them."""

    count: int
    resources: list[PlatformService]


class PlatformServiceDetails(PlatformService):
    """A service; it has neither a broker nor a catalogue, and shares no resource group."""

    capabilities: dict[str, Any]
