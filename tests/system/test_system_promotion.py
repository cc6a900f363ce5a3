"""The main job with a real MLflow: a mark makes the URL, the next mark changes the answers, nobody loses a request."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mooring import processes
from tests.prober import Prober
from tests.system.registry import ROW, RegisteredModel, served_factor
from tests.system.running_mooring import RunningMooring, wait_until

pytestmark = pytest.mark.slow
BODY = json.dumps(ROW).encode()


@pytest.fixture(scope="module")
def mooring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMooring]:
    with RunningMooring(tmp_path_factory.mktemp("promotion"), {}, "--with-mlflow") as installation:
        yield installation


def mlflow_of(mooring: RunningMooring) -> str:
    return str(next(p["detail"] for p in mooring.status()["processes"] if p["name"] == "mlflow"))


@pytest.fixture
def model(mooring: RunningMooring, tmp_path: Path) -> Iterator[RegisteredModel]:
    registered = RegisteredModel.create(mlflow_of(mooring), tmp_path)
    yield registered
    registered.unmark_all()
    wait_until(lambda: mooring.replica_pids() == [], what="the end of an unmarked model's replicas")


def test_a_mark_makes_the_url_and_the_next_one_changes_the_answers(
    mooring: RunningMooring, model: RegisteredModel
) -> None:
    first, second = model.new_version(2), model.new_version(3)
    url, headers = f"{mooring.url}/models/{model.name}/invocations", mooring.headers()
    assert httpx.post(url, json=ROW, headers=headers).status_code == httpx.codes.NOT_FOUND

    model.mark(first)
    wait_until(lambda: served_factor(url, headers) == 2.0, what="version 1 at the URL")
    wait_until(lambda: model.tags(first).get("deployment_status") == "RUNNING", what="the status tag")
    assert model.tags(first)["deployed"] == "true"
    assert model.tags(first)["model_endpoint"] == f"{mooring.url}/models/{model.name}/api"
    assert model.model_tags()["deployed version"] == first

    def known(response: httpx.Response) -> bool:
        return response.status_code == httpx.codes.OK and response.json()["predictions"] in ([2.0, 4.0], [3.0, 6.0])

    with Prober(url, method="POST", body=BODY, headers=headers, clients=8, check=known) as traffic:
        traffic.wait_for(100)
        model.mark(second)
        model.unmark(first)
        wait_until(lambda: served_factor(url, headers) == 3.0, what="version 2 at the URL")
        wait_until(lambda: len(mooring.replica_pids()) == 1, what="the end of version 1")
        traffic.wait_for(100)
    assert traffic.failed == 0, str(traffic)
    wait_until(lambda: model.model_tags().get("deployed version") == second, what="the model's tag")
    wait_until(lambda: "model_endpoint" not in model.tags(first), what="the clean-up of version 1's tags")

    model.unmark(second)
    wait_until(lambda: served_factor(url, headers) is None, what="the end of the URL")
    wait_until(lambda: model.tags(second).get("deployment_status") == "STOPPED", what="the status tag")


def test_an_alias_wins_over_tags_and_can_be_moved(mooring: RunningMooring, model: RegisteredModel) -> None:
    first, second = model.new_version(2), model.new_version(3)
    url, headers = f"{mooring.url}/models/{model.name}/invocations", mooring.headers()
    model.mark(second)
    model.client.set_registered_model_alias(model.name, "production", first)
    wait_until(lambda: served_factor(url, headers) == 2.0, what="the version with the alias")
    model.client.set_registered_model_alias(model.name, "production", second)
    wait_until(lambda: served_factor(url, headers) == 3.0, what="the version that the alias moved to")


def test_a_version_that_cannot_load_is_reported_and_the_good_one_serves_on(
    mooring: RunningMooring, model: RegisteredModel
) -> None:
    good = model.new_version(2)
    bad = model.new_version(3, load="import os; os.environ.get('HOME', '').startswith('/') and 1 / 0")
    url, headers = f"{mooring.url}/models/{model.name}/invocations", mooring.headers()
    model.mark(good)
    wait_until(lambda: served_factor(url, headers) == 2.0, what="the good version")
    with Prober(url, method="POST", body=BODY, headers=headers, clients=4) as traffic:
        model.mark(bad)
        wait_until(lambda: model.tags(bad).get("deployment_status") == "FAILED", what="the report")
        traffic.wait_for(50)
        assert "ZeroDivisionError" in model.tags(bad)["deployment_error"]
        assert served_factor(url, headers) == 2.0
        better = model.new_version(5)
        model.mark(better)
        wait_until(lambda: served_factor(url, headers) == 5.0, what="the next version")
    assert traffic.failed == 0, str(traffic)


def test_serving_goes_on_while_mlflow_is_away_and_the_builder_catches_up(
    mooring: RunningMooring, model: RegisteredModel
) -> None:
    first, second = model.new_version(2), model.new_version(3)
    url, headers = f"{mooring.url}/models/{model.name}/invocations", mooring.headers()
    model.mark(first)
    wait_until(lambda: served_factor(url, headers) == 2.0, what="version 1")
    model.mark(second, "false")
    with Prober(url, method="POST", body=BODY, headers=headers, clients=4) as traffic:
        record = processes.read_record(mooring.home / "run" / "mlflow.json")
        assert record
        processes.stop_session(record[0], grace_seconds=0)
        traffic.wait_for(200)
        os.kill(mooring.pid_of("control-plane"), signal.SIGTERM)
        wait_until(lambda: not mooring.status()["ready"], what="the end of the control plane")
        mooring.up()  # starts MLflow again, on the same port
        model.mark(second)
        wait_until(lambda: served_factor(url, headers) == 3.0, what="version 2 after the break")
    assert traffic.failed == 0, str(traffic)
