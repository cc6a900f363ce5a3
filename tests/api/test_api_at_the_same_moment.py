"""Requests that meet: each is decided on what the others have done, and nobody gets a 5xx."""

from concurrent.futures import ThreadPoolExecutor

import httpx
from sqlalchemy import func, select

from mooring.domain.lifecycle import Status
from mooring.store.tables import Deployment, ResourceGroup
from tests.api.api_server import Server, new_configuration, new_deployment

AT_ONCE = 8


def test_of_many_creations_of_one_resource_group_one_is_made(server: Server, group: str) -> None:
    name = f"{group}-x"

    def create(_: int) -> int:
        with server.http() as http:
            return http.post("/v2/admin/resourceGroups", json={"resourceGroupId": name}).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert set(pool.map(create, range(AT_ONCE))) == {202}
    with server.database.reading() as session:
        statement = select(func.count()).select_from(ResourceGroup).where(ResourceGroup.id == name)
        assert session.scalar(statement) == 1


def test_every_change_of_a_deployment_counts(server: Server, group: str, http: httpx.Client) -> None:
    deployment = new_deployment(http)
    server.act(deployment, Status.RUNNING)
    configurations = [new_configuration(http, name=f"c{number}") for number in range(AT_ONCE)]
    with server.database.reading() as session:
        before = session.get_one(Deployment, deployment).generation

    def change(configuration: str) -> int:
        with server.http(group) as own:
            return own.patch(f"/v2/lm/deployments/{deployment}", json={"configurationId": configuration}).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert set(pool.map(change, configurations)) == {202}
    with server.database.reading() as session:
        row = session.get_one(Deployment, deployment)
        assert row.generation == before + AT_ONCE
        assert [revision.number for revision in row.revisions] == list(range(1, AT_ONCE + 2))
