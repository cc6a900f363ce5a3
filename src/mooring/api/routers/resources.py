"""Nodes and instance types."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from mooring.api import answers
from mooring.api.dependencies import Context, ForWholeTenant
from mooring.api.schemas import resources as shapes
from mooring.domain.resource_plans import ResourcePlan
from mooring.services import nodes

router = APIRouter(prefix="/v2/admin/resources", tags=["Resource"])
_MIB = 1024**2
_GIB = 1024**3


@router.get("/nodes", response_model=shapes.NodesByPlan)
def get_nodes(context: Context) -> Response:
    """How many nodes were asked for. None is provisioned: everything runs on the machines that are there."""
    with context.database.reading() as session:
        asked = nodes.requested(session)
    return answers.json({"resourcePlans": {name: {"provisioned": 0, "requested": n} for name, n in asked.items()}})


@router.patch("/nodes", response_model=shapes.NodesModified, dependencies=[ForWholeTenant])
def modify_nodes(context: Context, body: shapes.NodesModify) -> Response:
    """Ask for nodes to be kept ready. The wish is kept; on a machine of one's own nothing follows from it."""
    nodes.refuse_repeated([plan.name for plan in body.resource_plans])
    with context.database.transaction() as session:
        nodes.request(session, {plan.name: plan.request for plan in body.resource_plans})
    return answers.json({"message": "Node request accepted"})


@router.get("/instanceTypes", response_model=shapes.InstanceTypes)
def get_instance_types() -> Response:
    """What each resource plan comes to on this machine. Nothing is billed."""
    return answers.json({"instanceTypes": {plan.name: _shown(plan) for plan in nodes.instance_types()}})


def _shown(plan: ResourcePlan) -> dict[str, Any]:
    return {"memory": _quantity(plan.memory_bytes), "cpu": plan.cpus, "gpu": plan.gpus, "billableUnitsPerHour": 0.0}


def _quantity(size: int) -> str:
    """Bytes in Kubernetes' notation."""
    return f"{size // _GIB}Gi" if size % _GIB == 0 else f"{size // _MIB}Mi"
