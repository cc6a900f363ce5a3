"""A change that is to be watched is asked for with a header; what became of it can be read."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from mooring.api.rollout_header import parse
from mooring.controllers.rollout_records import record_return
from mooring.domain.rollouts import Rollout
from mooring.errors import InvalidRequest
from mooring.services.room import Limits, Rooms
from mooring.store.tables import Deployment
from mooring.store.types import utc_now
from tests.api.api_server import Server, running_server

PATH = "/v2/lm/deployments"
HEADER = {"Mooring-Rollout": "return; window=30; min-requests=5"}


def configure(http: httpx.Client, version: int) -> str:
    body = {
        "name": f"wine {version}",
        "scenarioId": "mooring",
        "executableId": "model-server",
        "parameterBindings": [{"key": "modelUri", "value": f"models:/wine/{version}"}],
    }
    return str(http.post("/v2/lm/configurations", json=body).raise_for_status().json()["id"])


def serving(server: Server, http: httpx.Client, configuration: str) -> str:
    """A deployment that runs, as a controller would have left it."""
    id_ = str(http.post(PATH, json={"configurationId": configuration}).raise_for_status().json()["id"])
    with server.context.database.transaction() as session:
        _serve(session.get_one(Deployment, id_), standing_by=None)
    return id_


def _serve(deployment: Deployment, *, standing_by: int | None) -> None:
    newest = deployment.revisions[-1]
    newest.state, newest.switched_at = "serving", utc_now()
    deployment.status, deployment.serving_revision_id = "RUNNING", newest.id
    deployment.latest_running_configuration_id = newest.configuration_id
    if standing_by is not None:
        deployment.revisions[standing_by].state = "standby"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("return", Rollout()),
        ("RETURN;Window=5", Rollout(timedelta(seconds=5))),
        (
            "return; window=1.5; max-error-rate=0.5; min-requests=7",
            Rollout(timedelta(seconds=1.5), max_error_rate=0.5, min_requests=7),
        ),
    ],
)
def test_the_header_is_read(header: str, expected: Rollout) -> None:
    assert parse(header) == expected


@pytest.mark.parametrize(
    "header",
    [
        *("", "stay", "return window=3", "return; window", "return; window=-1", "return; window=nan"),
        *("return; window=1e300", "return; max-error-rate=1.5", "return; min-requests=0", "return; min-requests=2.5"),
        *("return; speed=3", "return; min-requests=1_0", "return; window=5; Window=7"),
    ],
)
def test_any_other_header_is_refused_and_nothing_is_made(http: httpx.Client, header: str) -> None:
    with pytest.raises(InvalidRequest, match="Mooring-Rollout"):
        parse(header)
    answer = http.post(PATH, json={"configurationId": configure(http, 1)}, headers={"Mooring-Rollout": header})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "01000400")
    assert http.get(f"{PATH}/$count").json() == 0


def test_of_two_headers_none_is_chosen(http: httpx.Client) -> None:
    twice = [("Mooring-Rollout", f"return; window={seconds}") for seconds in (5, 7)]
    answer = http.post(PATH, json={"configurationId": configure(http, 1)}, headers=twice)
    assert answer.status_code == 400
    assert "more than once" in answer.json()["error"]["message"]


def test_what_was_asked_for_and_how_far_it_is_can_be_read(server: Server, http: httpx.Client) -> None:
    first, second = configure(http, 1), configure(http, 2)
    id_ = serving(server, http, first)
    assert "rollout" not in http.get(f"{PATH}/{id_}").json()["statusDetails"]
    http.patch(f"{PATH}/{id_}", json={"configurationId": second}, headers=HEADER).raise_for_status()

    def shown() -> dict[str, object]:
        found: dict[str, object] = http.get(f"{PATH}/{id_}").json()["statusDetails"]["rollout"]
        return found

    asked = {"onFailure": "return", "windowSeconds": 30.0, "maxErrorRate": 0.05, "minRequests": 5}
    assert shown() == {**asked, "state": "starting"}
    with server.context.database.transaction() as session:
        _serve(session.get_one(Deployment, id_), standing_by=0)
    assert shown() == {**asked, "state": "watched"}
    with server.context.database.transaction() as session:
        session.get_one(Deployment, id_).revisions[0].state = "draining"
    assert shown() == {**asked, "state": "kept"}


@pytest.mark.parametrize("after_the_switch", [True, False])
def test_a_deployment_that_went_back_is_what_it_was_and_says_why(
    server: Server, http: httpx.Client, *, after_the_switch: bool
) -> None:
    first, second = configure(http, 1), configure(http, 2)
    id_ = serving(server, http, first)
    http.patch(f"{PATH}/{id_}", json={"configurationId": second}, headers=HEADER).raise_for_status()
    with server.context.database.transaction() as session:
        row = session.get_one(Deployment, id_)
        good, failed = row.revisions
        if after_the_switch:
            _serve(row, standing_by=0)
        record_return(session, row, good, failed, "it is broken")
    found = http.get(f"{PATH}/{id_}").json()
    assert (found["configurationId"], found["configurationName"], found["lastOperation"]) == (first, "wine 1", "UPDATE")
    assert found["status"] == ("PENDING" if after_the_switch else "RUNNING"), "RUNNING once the gateway knows"
    assert "it is broken" in found["statusMessage"]
    returned = found["statusDetails"]["returned"]
    assert (returned["fromConfigurationId"], returned["reason"]) == (second, "it is broken")
    assert [each["state"] for each in found["statusDetails"]["revisions"]] == ["failed", "serving"]
    assert "rollout" not in found["statusDetails"], "nothing is watched any more"
    again = http.patch(f"{PATH}/{id_}", json={"configurationId": second}, headers=HEADER)
    assert again.status_code == 202, "it may be tried again"


def test_capabilities_tell_of_it(http: httpx.Client) -> None:
    assert http.get("/v2/lm/meta").json()["extensions"]["rollout"] == {"version": "1.0.0"}


def test_what_does_not_fit_is_refused_with_numbers(tmp_path: Path) -> None:
    rooms = Rooms(Limits(reserve_bytes=1 << 30, unmeasured_bytes=256 << 20), free_bytes=lambda: 1 << 30)
    with running_server(tmp_path, rooms=rooms) as server, server.http() as http:
        refused = http.post(PATH, json={"configurationId": configure(http, 1)})
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (412, "01010412")
        assert "256 MiB are needed" in error["message"]
        assert "1024 MiB are free" in error["message"]
        assert http.get(f"{PATH}/$count").json() == 0
        assert not server.wakes
