"""Quotas: `usage` is absent when only the quota was asked for."""

from mooring.api.schemas.common import Shape


class Usage(Shape):
    """How many there are."""

    count: int


class Quota(Shape):
    """How many there may be; 2147483647 stands for no limit."""

    max_count: int


class ResourceQuota(Shape):
    """What is used of a quota."""

    usage: Usage = Usage(count=0)
    quota: Quota


class TemplateUsage(Shape):
    """How many templates there are, by kind."""

    serving_template_count: int
    workflow_template_count: int


class TemplateQuota(Shape):
    """How many templates there may be, by kind."""

    serving_template_max_count: int
    workflow_template_max_count: int


class ExecutableQuota(Shape):
    """What is used of the quota for executables."""

    usage: TemplateUsage = TemplateUsage(serving_template_count=0, workflow_template_count=0)
    quota: TemplateQuota


class DeploymentUsageItem(Shape):
    """What one deployment uses."""

    id: str
    resource_plan_type: str
    configured_max_replicas: int


class DeploymentUsage(Shape):
    """What all deployments use."""

    count: int
    items: list[DeploymentUsageItem]


class PlanQuota(Shape):
    """How many deployments with a resource plan there may be, and how many replicas each may have."""

    max_count: int
    max_replica_per_deployment: int


class DeploymentPlanQuota(Shape):
    """The quota of one resource plan."""

    resource_plan_type: str
    deployment_quota: PlanQuota


class DeploymentQuota(Shape):
    """What is used of the quotas for deployments."""

    usage: DeploymentUsage = DeploymentUsage(count=0, items=[])
    quotas: list[DeploymentPlanQuota]
