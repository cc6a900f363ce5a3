"""From a revision of a user's own server to replicas: prepared, started, kept, replaced, and cleared away."""

import base64
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mooring.artifacts.errors import SourceAway
from mooring.controllers import replica_workspaces
from mooring.controllers.deployments import DeploymentController
from mooring.controllers.launch import LaunchOptions
from mooring.controllers.leases import Leases
from mooring.controllers.preparation import Preparations
from mooring.controllers.supplies import Supplies
from mooring.controllers.views import Viewer
from mooring.domain.containers import Container, SecretKey, Variable, Volume
from mooring.domain.endpoints import Endpoint, TcpAddress
from mooring.domain.object_stores import StoreAccess
from mooring.domain.revisions import Check, ContainerServerSpec, to_json
from mooring.domain.views import Policy
from mooring.runtimes.base import (
    ContainerSpec,
    ImageAway,
    ImageError,
    ImageRequest,
    Mount,
    Observation,
    Phase,
    Readiness,
)
from mooring.services import docker_registry_secrets, generic_secrets
from mooring.services.generic_secrets import NewSecret
from mooring.store.database import Database
from mooring.store.tables import Deployment, Replica, Revision
from mooring.store.vault import KEY_BYTES, Vault

VAULT = Vault(bytes(KEY_BYTES))
POLICY = Policy(
    start=timedelta(minutes=5),
    standby=timedelta(0),
    drain=timedelta(0),
    prepare=timedelta(minutes=5),
    silence=timedelta(minutes=2),
    crash_limit=5,
    crash_window=timedelta(minutes=10),
    dead=timedelta(days=7),
)
SERVER = ContainerServerSpec(
    container=Container(
        image="team/server:1",
        resource_plan="starter",
        variables=(Variable("GREETING", "hi"),),
        volumes=(Volume("/scratch", "scratch"),),
    ),
    port=9000,
    readiness=Check(9000, "/ready", 1.0, 2.0),
    min_replicas=2,
    stop_grace_seconds=3.0,
)


@dataclass
class Engine:
    """A runtime in memory. What a tag means can change; `image_errors` are raised one after the other."""

    meaning: str = "image:1"
    image_errors: list[Exception] = field(default_factory=list)
    requests: list[ImageRequest] = field(default_factory=list)
    started: dict[str, ContainerSpec] = field(default_factory=dict)
    phases: dict[str, Observation] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.Lock)

    def prepare(self, request: ImageRequest) -> str:
        self.requests.append(request)
        if self.image_errors:
            raise self.image_errors.pop(0)
        return self.meaning

    def start(self, run_id: str, spec: ContainerSpec) -> None:
        with self.lock:
            assert run_id not in self.started, "started twice"
            self.started[run_id] = spec
            self.phases[run_id] = Observation(Phase.READY, pid=1)

    def observe(self, run_id: str) -> Observation:
        return self.phases.get(run_id, Observation(Phase.ABSENT))

    def stop(self, run_id: str) -> None:
        self.phases[run_id] = Observation(Phase.EXITED, reason="stopped", exit_code=0, asked=True)

    def die(self, run_id: str) -> None:
        self.phases[run_id] = Observation(Phase.EXITED, pid=1, reason="killed", exit_code=-9)

    def forget(self, run_id: str) -> None:
        self.phases.pop(run_id, None)

    def forget_logs(self, _run_id: str) -> None:
        return

    def endpoint(self, _run_id: str) -> Endpoint:
        return TcpAddress("127.0.0.1", 1)

    def running(self) -> list[str]:
        return [id_ for id_, seen in self.phases.items() if seen.phase is Phase.READY]


@dataclass
class Storage:
    """Has one folder for everything."""

    folder: Path
    errors: list[Exception] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def ensure(self, group: str, access: StoreAccess | None, store_name: str, key: str) -> Path:
        assert access is None
        self.asked.append((group, store_name, key))
        if self.errors:
            raise self.errors.pop(0)
        return self.folder


class Signpost:
    """Counts how often it is told to publish."""

    def __init__(self) -> None:
        self.published = 0

    def publish(self) -> None:
        self.published += 1


@dataclass
class World:
    """One control plane, which may be replaced by the next one."""

    database: Database
    deployment_id: str
    workspaces: Path
    storage: Storage
    engine: Engine = field(default_factory=Engine)
    signpost: Signpost = field(default_factory=Signpost)
    policy: Policy = POLICY
    controller: DeploymentController = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        runtime: Any = self.engine
        supplies = Supplies(self.database, VAULT, runtime, models=None, storage=self.storage)  # type: ignore[arg-type]
        preparations = Preparations(supplies.fetch, on_change=lambda: None)
        self.controller = DeploymentController(
            leases=Leases(self.database, Deployment, seconds=30),
            viewer=Viewer(self.database, runtime, preparations),
            runtime=runtime,
            router=self.signpost,  # type: ignore[arg-type]
            preparations=preparations,
            policy=self.policy,
            launch_options=LaunchOptions(
                open_files=64,
                stop_grace_seconds=1,
                request_seconds=1,
                max_request_bytes=1,
                journals=self.workspaces,
                workspaces=self.workspaces,
            ),
            vault=VAULT,
        )

    def serve(self, spec: ContainerServerSpec, number: int = 1) -> None:
        with self.database.transaction() as session:
            deployment = session.get_one(Deployment, self.deployment_id)
            if number == 1:
                session.get_one(Revision, "v1").spec = to_json(spec)
            else:
                deployment.revisions.append(
                    Revision(
                        id=f"v{number}", number=number, configuration_id="c1", spec=to_json(spec), state="starting"
                    )
                )
                deployment.generation += 1
                deployment.status = "PENDING"

    def until(self, status: str, message: str = "", *, seconds: float = 30) -> None:
        """Step until the deployment is at rest like this."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            steady = self.controller.step(self.deployment_id)
            with self.database.reading() as session:
                row = session.get_one(Deployment, self.deployment_id)
            if row.status == status and message in row.status_message and (steady or message):
                return
            threading.Event().wait(0.02)
        raise AssertionError(f"{row.status}: {row.status_message}")

    def revision(self, id_: str = "v1") -> Revision:
        with self.database.reading() as session:
            return session.get_one(Revision, id_)


@pytest.fixture
def world(database: Database, deployment_id: str, tmp_path: Path) -> World:
    model = tmp_path / "model"
    model.mkdir()
    return World(database, deployment_id, tmp_path / "workspaces", Storage(model))


def with_secret(spec: ContainerServerSpec) -> ContainerServerSpec:
    more = (*spec.container.variables, Variable("KEY", secret=SecretKey("s", "k")))
    return replace(spec, container=replace(spec.container, variables=more))


def keep_secret(world: World) -> None:
    with world.database.transaction() as session:
        value = base64.b64encode(b"1").decode()
        generic_secrets.create(session, VAULT, "default", NewSecret("s", {"k": value}))


def test_as_many_replicas_as_wanted_start_with_all_that_the_template_says(world: World) -> None:
    keep_secret(world)
    spec = with_secret(replace(SERVER, storage_uri="ai://default/models/one"))
    world.serve(spec)
    world.until("RUNNING")
    assert len(world.engine.running()) == 2
    assert world.storage.asked == [("default", "default", "models/one")]
    for replica_id, started in world.engine.started.items():
        assert started.image == "image:1"
        assert dict(started.env) == {"GREETING": "hi", "KEY": "1"}
        assert started.readiness == Readiness(9000, "/ready", 1.0, 2.0, 10.0)
        assert (started.network, started.stop_grace_seconds) == ("default", 3.0)
        assert Mount(world.storage.folder, "/mnt/models") in started.mounts
        scratch = next(mount for mount in started.mounts if mount.target == "/scratch")
        assert scratch.source.is_relative_to(world.workspaces / replica_id)
    assert (world.revision().image, world.revision().model_folder) == ("image:1", str(world.storage.folder))


def test_a_question_for_another_port_becomes_whether_the_servers_own_accepts(world: World) -> None:
    world.serve(replace(SERVER, readiness=Check(9999, "/ready", 1.0, 2.0)))
    world.until("RUNNING")
    assert {spec.readiness for spec in world.engine.started.values()} == {Readiness(9000, None, 1.0, 2.0, 10.0)}


def test_the_same_tag_is_asked_for_anew_by_a_new_revision_and_stays_for_the_old_one(world: World) -> None:
    world.serve(SERVER)
    world.until("RUNNING")
    world.engine.meaning = "image:2"
    world.restart()
    world.engine.die(world.engine.running()[0])
    world.until("RUNNING")
    assert {spec.image for spec in world.engine.started.values()} == {"image:1"}, "a replacement is what it replaces"
    assert len(world.engine.requests) == 1
    world.serve(SERVER, number=2)
    world.until("RUNNING")
    assert [world.engine.started[id_].image for id_ in world.engine.running()] == ["image:2"] * 2
    assert (world.revision().image, world.revision("v2").image) == ("image:1", "image:2")


def test_pull_secrets_go_to_whoever_fetches_the_image(world: World) -> None:
    with world.database.transaction() as session:
        docker_registry_secrets.create(session, VAULT, "pull", '{"auths": {"r.example": {"auth": "dg=="}}}')
    world.serve(replace(SERVER, container=replace(SERVER.container, pull_secrets=("pull",))))
    world.until("RUNNING")
    assert world.engine.requests[0].credentials == {"auths": {"r.example": {"auth": "dg=="}}}


def test_a_registry_that_is_away_is_asked_again(world: World) -> None:
    world.engine.image_errors = [ImageAway("the registry does not answer")]
    world.serve(SERVER)
    world.until("PENDING", "the registry does not answer")
    world.until("RUNNING")


def test_an_object_store_that_is_away_is_asked_again_and_the_image_is_not(world: World) -> None:
    world.storage.errors = [SourceAway("the store does not answer")]
    world.serve(replace(SERVER, storage_uri="ai://default/models/one"))
    world.until("PENDING", "the store does not answer")
    world.until("RUNNING")


def test_an_image_that_is_not_there_is_dead_and_what_served_serves_on(world: World) -> None:
    world.serve(SERVER)
    world.until("RUNNING")
    world.engine.image_errors = [ImageError("there is no image team/server:2")]
    world.serve(replace(SERVER, container=replace(SERVER.container, image="team/server:2")), number=2)
    world.until("DEAD", "there is no image team/server:2")
    assert len(world.engine.running()) == 2


def test_a_secret_may_come_later(world: World) -> None:
    world.serve(with_secret(SERVER))
    world.until("PENDING", "there is no secret 's'")
    assert world.engine.requests == [], "told before anything is fetched"
    keep_secret(world)
    world.until("RUNNING")


def test_a_secret_that_never_comes_is_dead_in_words(world: World) -> None:
    world.policy = replace(POLICY, prepare=timedelta(seconds=0.1))
    world.restart()
    world.serve(with_secret(SERVER))
    world.until("DEAD", "there is no secret 's' in the resource group 'default'")


def test_a_secret_that_is_taken_away_is_named_when_a_replica_has_to_be_replaced(world: World) -> None:
    keep_secret(world)
    world.serve(with_secret(SERVER))
    world.until("RUNNING")
    with world.database.transaction() as session:
        generic_secrets.remove(session, "default", "s")
    dead, alive = world.engine.running()
    world.engine.die(dead)
    world.controller.step(world.deployment_id)
    with world.database.reading() as session:
        reasons = [replica.reason for replica in session.query(Replica).all()]
    assert any("there is no secret 's'" in reason for reason in reasons)
    assert world.engine.running() == [alive]
    keep_secret(world)
    world.until("RUNNING")
    assert len(world.engine.running()) == 2


def test_the_port_of_a_dead_replica_is_taken_out_of_the_gateway_at_once(world: World) -> None:
    world.serve(replace(SERVER, min_replicas=1))
    world.until("RUNNING")
    published = world.signpost.published
    world.engine.die(world.engine.running()[0])
    world.controller.step(world.deployment_id)
    assert world.signpost.published > published


def test_what_a_replica_had_goes_with_it(world: World) -> None:
    world.serve(SERVER)
    world.until("RUNNING")
    dead, alive = world.engine.running()
    world.engine.die(dead)
    world.until("RUNNING")
    assert not (world.workspaces / dead).exists()
    assert (world.workspaces / alive).exists()
    (world.workspaces / "rnobody" / "volumes").mkdir(parents=True)
    replica_workspaces.tidy(world.database, world.workspaces)
    assert {path.name for path in world.workspaces.iterdir()} == set(world.engine.running())


def test_a_control_plane_that_comes_back_prepares_nothing_again(world: World) -> None:
    world.serve(replace(SERVER, storage_uri="ai://default/models/one"))
    world.until("RUNNING")
    world.restart()
    world.engine.die(world.engine.running()[0])
    world.until("RUNNING")
    assert (len(world.engine.requests), len(world.storage.asked)) == (1, 1)


def test_a_model_that_has_vanished_is_fetched_again_and_the_image_stays(world: World) -> None:
    world.serve(replace(SERVER, storage_uri="ai://default/models/one"))
    world.until("RUNNING")
    world.engine.meaning = "image:2"
    world.storage.folder.rmdir()
    world.storage.folder = world.workspaces.parent / "again"
    world.storage.folder.mkdir()
    world.engine.die(world.engine.running()[0])
    world.until("RUNNING")
    assert {spec.image for spec in world.engine.started.values()} == {"image:1"}
    assert world.revision().model_folder == str(world.storage.folder)
