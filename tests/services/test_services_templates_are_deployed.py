"""A configuration of a ServingTemplate's executable is a deployment of the team's own server; wrong ones are told."""

from collections.abc import Mapping

import pytest
from sqlalchemy.orm import Session

from mooring.domain.lifecycle import Status, TargetStatus
from mooring.domain.revisions import ContainerServerSpec, from_json
from mooring.errors import InvalidRequest
from mooring.services import artifacts, configurations, deployment_changes, deployments, template_sync
from mooring.services.artifacts import NewArtifact
from mooring.services.configurations import NewConfiguration
from mooring.services.deployments import NewDeployment
from mooring.store.tables import Configuration, Deployment, ResourceGroup
from mooring.templates.found_template import FoundTemplate
from tests.templates.samples import SERVING, WORKFLOW, only

CASCADING = SERVING.replace(
    "  annotations:\n    scenarios",
    "  annotations:\n    executables.ai.sap.com/cascade-update-deployments: 'true'\n    scenarios",
)


def sync(session: Session, *texts: str) -> str:
    """All messages of the sync."""
    found = [FoundTemplate("f.yaml", "ServingTemplate", only(text).metadata.id, only(text)) for text in texts]
    return "\n".join(status.message for status in template_sync.sync(session, "app", found))


def configure(
    session: Session, *, url: str = "ai://default/words", group: str = "default", **values: str
) -> Configuration:
    made = artifacts.create(session, group, NewArtifact("words", "model", url, "greetings"))
    bound = {"who-is-it": "you", **values}
    return configurations.create(
        session,
        group,
        NewConfiguration(
            "greeting",
            "greetings",
            "greeter",
            [{"key": key, "value": value} for key, value in bound.items()],
            [{"key": "words", "artifactId": made.id}],
        ),
    )


def deploy(session: Session, configuration: Configuration) -> Deployment:
    return deployments.create(session, configuration.resource_group, NewDeployment(configuration.id))


def spec_of(deployment: Deployment, number: int = -1) -> ContainerServerSpec:
    spec = from_json(deployment.revisions[number].spec)
    assert isinstance(spec, ContainerServerSpec)
    return spec


def environment(deployment: Deployment) -> Mapping[str, str]:
    return {variable.name: variable.value for variable in spec_of(deployment).container.variables}


@pytest.fixture
def synced(session: Session) -> Session:
    sync(session, CASCADING)
    return session


def test_values_beat_defaults_and_defaults_beat_nothing(synced: Session) -> None:
    deployment = deploy(synced, configure(synced, greeting="salve"))
    assert environment(deployment) == {
        "PORT": "8080",
        "GREETING": "salve, you",
        "LOUD": "true",
        "STORAGE_URI": "/mnt/models",
    }
    assert spec_of(deployment).storage_uri == "ai://default/words"
    assert spec_of(deployment).min_replicas == 2
    assert deployment.model_name is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"replicas": "many"}, "greeter.*minReplicas"),
        ({"url": "s3://bucket/words"}, "STORAGE_URI.*the url of an artifact"),
        ({"url": "ai://default/../words"}, "STORAGE_URI is 'ai://default/../words'"),
        ({"url": "ai://default//"}, "STORAGE_URI"),
    ],
)
def test_what_cannot_be_rendered_is_refused_at_once(synced: Session, changes: dict[str, str], problem: str) -> None:
    wrong, good = configure(synced, **changes), configure(synced)
    with pytest.raises(InvalidRequest, match=problem):
        deploy(synced, wrong)
    running = deploy(synced, good)
    running.status = Status.RUNNING.value
    with pytest.raises(InvalidRequest, match=problem):
        deployment_changes.change_configuration(synced, "default", running.id, wrong.id)
    assert len(running.revisions) == 1


def test_what_is_not_bound_is_named(synced: Session) -> None:
    configuration = configure(synced)
    configuration.parameter_bindings = []
    with pytest.raises(InvalidRequest, match=r"parameter 'who-is-it'.*parameterBindings"):
        deploy(synced, configuration)
    configuration = configure(synced)
    configuration.input_artifact_bindings = []
    with pytest.raises(InvalidRequest, match=r"input artifact 'words'.*inputArtifactBindings"):
        deploy(synced, configuration)


def test_an_artifact_of_another_group_does_not_exist(synced: Session) -> None:
    synced.add(ResourceGroup(id="other"))
    synced.flush()
    foreign = artifacts.create(synced, "other", NewArtifact("words", "model", "ai://default/secret", "greetings"))
    configuration = configure(synced)
    configuration.input_artifact_bindings = [{"key": "words", "artifactId": foreign.id}]
    with pytest.raises(InvalidRequest, match="input artifact 'words'"):
        deploy(synced, configuration)


def test_a_workflow_cannot_be_deployed(session: Session) -> None:
    sync(session, WORKFLOW)
    new = NewConfiguration("training", "greetings", "trainer")
    with pytest.raises(InvalidRequest, match="'trainer' cannot be deployed"):
        deploy(session, configurations.create(session, "default", new))


def test_a_template_that_is_gone_is_told(synced: Session) -> None:
    configuration = configure(synced)
    running = deploy(synced, configuration)
    sync(synced)
    with pytest.raises(InvalidRequest, match=r"'greeter'.*is gone"):
        deploy(synced, configuration)
    assert running.target_status == TargetStatus.RUNNING.value, "what runs goes on"
    assert len(running.revisions) == 1


# --- cascade ----------------------------------------------------------------------------------------------------------


def test_a_changed_template_changes_what_runs_if_it_says_so(synced: Session) -> None:
    deployment = deploy(synced, configure(synced))
    deployment.status, generation = Status.RUNNING.value, deployment.generation
    told = sync(synced, CASCADING.replace("greeter:1", "greeter:2").replace("default: hi", "default: hello"))
    assert "1 deployments updated" in told
    assert [revision.number for revision in deployment.revisions] == [1, 2]
    assert spec_of(deployment, 0).container.image == "example/greeter:1"
    assert spec_of(deployment).container.image == "example/greeter:2"
    assert environment(deployment)["GREETING"] == "hello, you"
    assert (deployment.status, deployment.last_operation) == (Status.PENDING.value, "CASCADE-UPDATE")
    assert deployment.generation > generation


def test_a_bound_value_beats_a_changed_default(synced: Session) -> None:
    deployment = deploy(synced, configure(synced, greeting="salve"))
    told = sync(synced, CASCADING.replace("default: hi", "default: hello"))
    assert "updated" not in told
    assert len(deployment.revisions) == 1


def test_nothing_changes_without_the_annotation_and_when_the_template_does_not(synced: Session) -> None:
    sync(synced, SERVING)
    deployment = deploy(synced, configure(synced))
    sync(synced, SERVING.replace("greeter:1", "greeter:2"))
    assert len(deployment.revisions) == 1
    sync(synced, CASCADING.replace("greeter:1", "greeter:2"))
    assert len(deployment.revisions) == 2, "now it says so"
    sync(synced, CASCADING.replace("greeter:1", "greeter:2"))
    assert len(deployment.revisions) == 2


def test_a_configuration_that_the_new_template_cannot_take_leaves_its_deployment_alone(synced: Session) -> None:
    good, bad = deploy(synced, configure(synced, extra="1")), deploy(synced, configure(synced))
    for each in (good, bad):
        each.status = Status.RUNNING.value
    more = "      - name: who-is-it\n      - name: extra\n"
    text = CASCADING.replace("      - name: who-is-it\n", more).replace("greeter:1", "greeter:2")
    told = sync(synced, text)
    assert f"deployment {bad.id} stays as it is" in told
    assert "'extra'" in told
    assert "1 deployments updated" in told
    assert (len(bad.revisions), bad.status) == (1, Status.RUNNING.value)
    assert len(good.revisions) == 2


@pytest.mark.parametrize(
    ("status", "target", "updated"),
    [
        (Status.UNKNOWN, TargetStatus.RUNNING, True),
        (Status.PENDING, TargetStatus.RUNNING, True),
        (Status.DEAD, TargetStatus.RUNNING, True),
        (Status.RUNNING, TargetStatus.STOPPED, False),
        (Status.STOPPING, TargetStatus.STOPPED, False),
        (Status.STOPPED, TargetStatus.STOPPED, False),
        (Status.DEAD, TargetStatus.DELETED, False),
    ],
)
def test_only_what_is_to_run_is_updated(synced: Session, status: Status, target: TargetStatus, updated: bool) -> None:
    deployment = deploy(synced, configure(synced))
    deployment.status, deployment.target_status = status.value, target.value
    sync(synced, CASCADING.replace("greeter:1", "greeter:2"))
    assert (len(deployment.revisions) == 2) is updated
