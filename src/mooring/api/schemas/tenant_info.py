"""The tenant."""

from typing import Literal

from mooring.api.schemas.common import Shape


class TenantInfo(Shape):
    """Whom this installation belongs to: an installation is one tenant."""

    tenant_id: str
    service_plan: str
    status: Literal["PROVISIONED"]
