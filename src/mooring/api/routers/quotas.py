"""Quotas."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from mooring.api import answers
from mooring.api.callers import Caller, seen_by
from mooring.api.dependencies import Context
from mooring.api.schemas import quotas as shapes
from mooring.api.secret_scope import SecretScope
from mooring.domain.resource_plans import RESOURCE_PLANS
from mooring.services import (
    applications,
    docker_registry_secrets,
    generic_secrets,
    quotas,
    repositories,
    resource_groups,
)
from mooring.services.quotas import REPLICAS_PER_DEPLOYMENT, UNLIMITED, DeploymentUsage

router = APIRouter(prefix="/v2/admin/resourceQuota", tags=["Resource quota"])
QuotaOnly = Annotated[bool, Query(alias="quotaOnly", description="Leave out what is used.")]


async def _scope(request: Request, scope: SecretScope) -> str:
    # The API means the tenant's own secrets here, unless the header says otherwise.
    return scope if "AI-Tenant-Scope" in request.headers else generic_secrets.TENANT


@router.get("/resourceGroups", response_model=shapes.ResourceQuota)
def get_resource_group_quota(context: Context, caller: Caller, quota_only: QuotaOnly = False) -> Response:
    """Resource groups: those that the client may use, against those that all may make together."""
    seen = seen_by(caller)
    most = context.max_resource_groups
    return _answer(context, quota_only, lambda session: resource_groups.count(session, seen), most)


@router.get("/applications", response_model=shapes.ResourceQuota)
def get_application_quota(context: Context, quota_only: QuotaOnly = False) -> Response:
    """Applications."""
    return _answer(context, quota_only, applications.count)


@router.get("/repositories", response_model=shapes.ResourceQuota)
def get_repository_quota(context: Context, quota_only: QuotaOnly = False) -> Response:
    """Repositories."""
    return _answer(context, quota_only, repositories.count)


@router.get("/secrets", response_model=shapes.ResourceQuota)
def get_secret_quota(
    context: Context, scope: Annotated[str, Depends(_scope)], quota_only: QuotaOnly = False
) -> Response:
    """Generic secrets: the tenant's own, or those of the scope that the headers name."""
    most = quotas.most_secrets(scope)
    return _answer(context, quota_only, lambda session: generic_secrets.count(session, scope), most)


@router.get("/dockerRegistrySecrets", response_model=shapes.ResourceQuota)
def get_docker_registry_secret_quota(context: Context, quota_only: QuotaOnly = False) -> Response:
    """Docker registry secrets."""
    return _answer(context, quota_only, docker_registry_secrets.count)


@router.get("/executables", response_model=shapes.ExecutableQuota)
def get_executable_quota(context: Context, quota_only: QuotaOnly = False) -> Response:
    """Executables, by the kind of their templates."""
    quota = {"servingTemplateMaxCount": UNLIMITED, "workflowTemplateMaxCount": UNLIMITED}
    if quota_only:
        return answers.json({"quota": quota})
    with context.database.reading() as session:
        serving, workflow = quotas.templates(session)
    usage = {"servingTemplateCount": serving, "workflowTemplateCount": workflow}
    return answers.json({"usage": usage, "quota": quota})


@router.get("/deployments", response_model=shapes.DeploymentQuota)
def get_deployment_quota(context: Context, caller: Caller, quota_only: QuotaOnly = False) -> Response:
    """Deployments in the resource groups that the client may use, and the quota of each resource plan."""
    limit = {"maxCount": UNLIMITED, "maxReplicaPerDeployment": REPLICAS_PER_DEPLOYMENT}
    limits = [{"resourcePlanType": name, "deploymentQuota": limit} for name in RESOURCE_PLANS]
    if quota_only:
        return answers.json({"quotas": limits})
    with context.database.reading() as session:
        used = quotas.deployments(session, seen_by(caller))
    return answers.json({"usage": _usage(used), "quotas": limits})


def _answer(context: Context, quota_only: bool, count: Callable[[Session], int], most: int = UNLIMITED) -> Response:
    quota = {"quota": {"maxCount": most}}
    if quota_only:
        return answers.json(quota)
    with context.database.reading() as session:
        return answers.json({"usage": {"count": count(session)}, **quota})


def _usage(used: Sequence[DeploymentUsage]) -> dict[str, Any]:
    items = [
        {"id": item.id, "resourcePlanType": item.resource_plan, "configuredMaxReplicas": REPLICAS_PER_DEPLOYMENT}
        for item in used
    ]
    return {"count": len(items), "items": items}
