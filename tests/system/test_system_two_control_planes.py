"""Two control planes on one PostgreSQL: they share the work and the replicas, and the death of one loses nothing."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from mooring.client.rollouts import Rollout
from tests.postgresql import PASSWORD, Postgresql
from tests.prober import Prober
from tests.system.models import ROW, Models
from tests.system.running_mooring import RunningMooring, wait_until
from tests.system.sharing_mooring import Pair, running_pair

pytestmark = pytest.mark.slow
BODY = json.dumps(ROW).encode()


@pytest.fixture(scope="module")
def pair(postgresql: Postgresql, tmp_path_factory: pytest.TempPathFactory, models: Models) -> Iterator[Pair]:
    store = postgresql.new_database(migrated=False)
    with running_pair(tmp_path_factory.mktemp("pair"), store, models) as running:
        yield running
    postgresql.drop(store)


def inference_url(mooring: RunningMooring, deployment_id: str) -> str:
    return f"{mooring.url}/v2/inference/deployments/{deployment_id}/invocations"


def probers(pair: Pair, deployment_id: str, *factors: float) -> list[Prober]:
    """Traffic on both gateways; the token is one of the first control plane."""

    def known(response: httpx.Response) -> bool:
        return response.status_code == httpx.codes.OK and response.json()["predictions"][0] in factors

    headers = pair.first.headers()
    return [
        Prober(inference_url(each, deployment_id), method="POST", body=BODY, headers=headers, clients=2, check=known)
        for each in (pair.first, pair.second)
    ]


def test_each_serves_what_the_other_was_asked_for(pair: Pair, models: Models) -> None:
    deployed = pair.first.deploy(models.times(2), "shared")
    answer = httpx.post(inference_url(pair.second, deployed.id), content=BODY, headers=pair.first.headers())
    assert answer.json()["predictions"] == [2.0, 4.0], "RUNNING holds for both gateways, tokens for both as well"
    assert pair.first.replica_pids() == pair.second.replica_pids()
    assert len(pair.first.replica_pids()) == 1
    configuration = pair.second.patch(deployed.id, models.times(3), "shared")
    with pair.second.client() as client:
        client.deployments.wait(deployed.id, configuration_id=configuration, timeout_seconds=60, poll_seconds=0.05)
    for each in (pair.first, pair.second):
        answer = httpx.post(inference_url(each, deployed.id), content=BODY, headers=each.headers())
        assert answer.json()["predictions"] == [3.0, 6.0]
    pair.second.remove(deployed.id)
    assert pair.first.replica_pids() == []


@pytest.mark.parametrize("victim", ["first", "second"])
def test_who_dies_in_the_middle_of_a_change_is_replaced_by_the_other(pair: Pair, models: Models, victim: str) -> None:
    dying, living = (pair.first, pair.second) if victim == "first" else (pair.second, pair.first)
    deployed = dying.deploy(models.times(2))
    with ExitStack() as stack:
        traffic = [stack.enter_context(prober) for prober in probers(pair, deployed.id, 2.0, 5.0)]
        traffic[0].wait_for(50)
        configuration = dying.patch(deployed.id, models.times(5))
        wait_until(lambda: len(living.replica_pids()) > 1, what="the new replica")
        dying.kill("control-plane")
        wait_until(
            lambda: living.deployment(deployed.id).latest_running_configuration_id == configuration,
            what="the end of the change",
        )
        wait_until(lambda: len(living.replica_pids()) == 1, what="the end of the old replica")
        for each in traffic:
            each.wait_for(100)
        dying.up()
        for each in traffic:
            each.wait_for(100)
    for each in traffic:
        assert each.failed == 0, str(each)
    assert dying.replica_pids() == living.replica_pids()
    with living.client() as client:
        pods = {line.pod for line in client.deployments.logs(deployed.id)}
    assert len(pods) == 2, "one replica of each version, none started twice"
    for each_mooring in (pair.first, pair.second):
        answer = httpx.post(inference_url(each_mooring, deployed.id), content=BODY, headers=each_mooring.headers())
        assert answer.json()["predictions"] == [5.0, 10.0]
    dying.remove(deployed.id)


def test_who_dies_while_a_deployment_starts_leaves_it_to_the_other(pair: Pair, models: Models) -> None:
    configuration = pair.first.configure(models.times(3))
    with pair.first.client() as client:
        created = client.deployments.create(configuration)
    pair.first.kill("control-plane")
    pair.second.wait_for_status(created, "RUNNING")
    assert len(pair.second.replica_pids()) == 1
    for url in (inference_url(pair.first, created), inference_url(pair.second, created)):
        answer = httpx.post(url, content=BODY, headers=pair.second.headers())
        assert answer.json()["predictions"] == [3.0, 6.0], "the gateway of the dead serves it, too"
    pair.first.up()
    assert pair.first.deployment(created).status == "RUNNING"
    pair.first.remove(created)


@pytest.mark.parametrize("leaving", ["first", "second"])
def test_replicas_go_on_when_one_of_them_is_ended(pair: Pair, models: Models, leaving: str) -> None:
    one, other = (pair.first, pair.second) if leaving == "first" else (pair.second, pair.first)
    deployed = one.deploy(models.times(2))
    replicas, before = other.replica_pids(), other.headers()
    assert "leaving the replicas to" in one.run("down").stderr
    answer = httpx.post(inference_url(other, deployed.id), content=BODY, headers=before)
    assert answer.json()["predictions"] == [2.0, 4.0]
    assert other.replica_pids() == replicas
    one.up()
    assert one.replica_pids() == replicas
    one.remove(deployed.id)


@pytest.mark.parametrize("asked", ["first", "second"])
def test_a_watched_change_goes_back_whoever_of_them_is_asked_for_it(pair: Pair, models: Models, asked: str) -> None:
    """All errors are at the gateway of the one, and the other one's control plane is alone at the end."""
    dying, living = (pair.first, pair.second) if asked == "first" else (pair.second, pair.first)
    deployed = dying.deploy(models.times(2))
    watched = Rollout(window_seconds=600, max_error_rate=0.1, min_requests=10)
    failed = dying.patch(deployed.id, models.uri("fails"), rollout=watched)
    wait_until(
        lambda: living.deployment(deployed.id).latest_running_configuration_id == failed, what="the switch to it"
    )
    dying.kill("control-plane")
    url, headers = inference_url(dying, deployed.id), living.headers()
    answers = [httpx.post(url, content=BODY, headers=headers).status_code for _ in range(20)]
    assert answers[0] == httpx.codes.INTERNAL_SERVER_ERROR
    wait_until(lambda: living.deployment(deployed.id).returned_from(failed) is not None, what="the way back")
    found = living.wait_for_status(deployed.id, "RUNNING")
    assert found.configuration_id == deployed.configuration_id
    for each in (url, inference_url(living, deployed.id)):
        assert httpx.post(each, content=BODY, headers=headers).json()["predictions"] == [2.0, 4.0]
    dying.up()
    dying.remove(deployed.id)


def test_status_names_the_store_and_whom_it_is_shared_with(pair: Pair) -> None:
    found = pair.second.status()
    assert (found["store"], found["sharedWith"]) == ("postgresql", [str(pair.first.home)])
    assert f"shared with {pair.first.home}" in pair.second.run("status").stdout


def test_the_password_of_the_store_is_nowhere_to_be_seen(pair: Pair, models: Models) -> None:
    deployed = pair.second.deploy(models.times(2))
    shown = [pair.second.run("status").stdout]
    for home in (pair.first.home, pair.second.home):
        shown += [log.read_text(errors="replace") for log in (home / "logs").iterdir()]
    for process in pair.second.status()["processes"]:
        folder = Path("/proc") / str(process["pid"])
        shown.append((folder / "cmdline").read_text())
        if process["name"] != "control-plane":
            shown.append((folder / "environ").read_text())
    assert [text for text in shown if PASSWORD in text] == []
    pair.second.remove(deployed.id)
