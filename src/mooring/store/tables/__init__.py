"""The tables: one module per family. Importing the package gives SQLAlchemy all of them."""

from mooring.store.tables.applications import Application, Repository
from mooring.store.tables.base import Base, Bindings, Labels
from mooring.store.tables.catalog import Executable, Scenario
from mooring.store.tables.deployments import Deployment, Replica, Revision
from mooring.store.tables.destinations import Destination
from mooring.store.tables.executions import Execution, ExecutionSchedule, Job
from mooring.store.tables.installation import NodeRequest, SigningKey, StoreFact, WorkLease
from mooring.store.tables.objects import Artifact, ArtifactLabel, Configuration
from mooring.store.tables.secrets import DockerRegistrySecret, GenericSecret, ObjectStoreSecret
from mooring.store.tables.tenancy import Client, ResourceGroup
from mooring.store.tables.tracking import Metric, MetricResource, MetricText

__all__ = [
    "Application",
    "Artifact",
    "ArtifactLabel",
    "Base",
    "Bindings",
    "Client",
    "Configuration",
    "Deployment",
    "Destination",
    "DockerRegistrySecret",
    "Executable",
    "Execution",
    "ExecutionSchedule",
    "GenericSecret",
    "Job",
    "Labels",
    "Metric",
    "MetricResource",
    "MetricText",
    "NodeRequest",
    "ObjectStoreSecret",
    "Replica",
    "Repository",
    "ResourceGroup",
    "Revision",
    "Scenario",
    "SigningKey",
    "StoreFact",
    "WorkLease",
]
