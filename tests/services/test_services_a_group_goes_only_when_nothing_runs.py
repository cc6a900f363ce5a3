"""A resource group is removed with everything in it, but never under something that runs."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mooring.domain.lifecycle import Status
from mooring.errors import InvalidRequest, NotFound
from mooring.services import configurations, resource_groups
from mooring.services.configurations import NewConfiguration
from mooring.store.tables import (
    Artifact,
    ArtifactLabel,
    Configuration,
    Execution,
    ExecutionSchedule,
    GenericSecret,
    Metric,
    MetricResource,
    MetricText,
    ObjectStoreSecret,
    ResourceGroup,
)
from mooring.store.types import utc_now

KINDS = (
    Artifact,
    ArtifactLabel,
    Configuration,
    Execution,
    ExecutionSchedule,
    GenericSecret,
    Metric,
    MetricResource,
    MetricText,
    ObjectStoreSecret,
)


@pytest.fixture
def team(session: Session) -> str:
    """A group with one of everything, whose execution has ended."""
    group = "team"
    session.add(ResourceGroup(id=group))
    session.flush()
    parameters = [{"key": "modelUri", "value": "models:/wine/1"}]
    new = NewConfiguration("n", "mooring", "model-server", parameters)
    made = configurations.create(session, group, new)
    facts = {"resource_group": group, "configuration_id": made.id}
    session.add_all(
        [
            _execution(made, Status.DEAD),
            ExecutionSchedule(id="s", name="n", cron="* * * * *", **facts),
            Artifact(id="a", name="n", kind="model", url="ai://default/x", scenario_id="mooring", resource_group=group),
            GenericSecret(scope=group, name="n", data=b"sealed"),
            ObjectStoreSecret(resource_group=group, name="n", type="S3", data=b"sealed"),
            MetricResource(resource_group=group, execution_id="notebook"),
        ]
    )
    session.flush()
    tracked = {"resource_group": group, "execution_id": "notebook", "name": "n"}
    session.add_all(
        [
            ArtifactLabel(artifact_id="a", key="k", value="v"),
            Metric(value=1.0, timestamp=utc_now() - timedelta(hours=1), step=0, **tracked),
            MetricText(kind="tag", position=0, value="v", **tracked),
        ]
    )
    session.flush()
    return group


def _execution(configuration: Configuration, status: Status) -> Execution:
    return Execution(
        id=f"e-{status.value}",
        resource_group=configuration.resource_group,
        configuration_id=configuration.id,
        configuration_name="n",
        scenario_id="mooring",
        executable_id="model-server",
        status=status.value,
        target_status="COMPLETED",
    )


def _counts(session: Session) -> dict[str, int]:
    return {kind.__tablename__: session.scalar(select(func.count()).select_from(kind)) or 0 for kind in KINDS}


def test_everything_goes_with_it(session: Session, team: str) -> None:
    assert set(_counts(session).values()) == {1}
    resource_groups.remove(session, team)
    assert set(_counts(session).values()) == {0}
    with pytest.raises(NotFound):
        resource_groups.remove(session, team)


def test_what_others_have_stays(session: Session, team: str) -> None:
    session.add(ResourceGroup(id="other"))
    session.flush()
    resource_groups.remove(session, "other")
    assert set(_counts(session).values()) == {1}


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.PENDING, Status.RUNNING, Status.STOPPING])
def test_an_execution_that_has_not_ended_is_in_the_way(session: Session, team: str, status: Status) -> None:
    (configuration,) = session.scalars(select(Configuration))
    session.add(_execution(configuration, status))
    session.flush()
    with pytest.raises(InvalidRequest, match="executions that have not ended"):
        resource_groups.remove(session, team)
    assert session.get(ResourceGroup, team) is not None


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.STOPPED])
def test_executions_that_have_ended_are_not(session: Session, team: str, status: Status) -> None:
    (configuration,) = session.scalars(select(Configuration))
    session.add(_execution(configuration, status))
    session.flush()
    resource_groups.remove(session, team)
