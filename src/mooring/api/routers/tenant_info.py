"""The tenant."""

from fastapi import APIRouter
from starlette.responses import Response

from mooring.api import answers
from mooring.api.presenters.objects import TENANT
from mooring.api.schemas.tenant_info import TenantInfo

router = APIRouter(prefix="/v2/admin", tags=["Tenant"])
_SERVICE_PLAN = "extended"
"""The plan of SAP AI Core with all resource plans, instance types and resource groups: so it is here."""


@router.get("/tenantInfo", response_model=TenantInfo)
def get_tenant_info() -> Response:
    """Whom this installation belongs to."""
    return answers.json({"tenantId": TENANT, "servicePlan": _SERVICE_PLAN, "status": "PROVISIONED"})
