"""An object store secret shows where data lies, and never how to get in."""

import base64
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from mooring.domain.roles import Role
from tests.api.api_server import Server

PATH = "/v2/admin/objectStoreSecrets"
HIDDEN = "opensesame"
_STORAGE = "storage.ai.sap.com/"
_KUBEFLOW = "serving.kubeflow.org/s3-"
_ACCOUNT = base64.b64encode(b'{"project_id": "wine-project", "private_key": "' + HIDDEN.encode() + b'"}').decode()
S3 = {
    "type": "S3",
    "bucket": "wine",
    "endpoint": "s3.example:9000",
    "region": "eu-central-1",
    "pathPrefix": "cellar/red",
    "verifyssl": "0",
    "data": {"AWS_ACCESS_KEY_ID": HIDDEN, "AWS_SECRET_ACCESS_KEY": HIDDEN},
}


@pytest.fixture
def name() -> str:
    return f"o-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def stranger(server: Server, group: str) -> Iterator[httpx.Client]:
    other = f"{group}-stranger"
    with server.http() as http:
        http.post("/v2/admin/resourceGroups", json={"resourceGroupId": other}).raise_for_status()
    with server.http_as(Role.ADMIN, [other], group=other) as client:
        yield client


def test_the_life_of_a_secret(http: httpx.Client, name: str) -> None:
    created = http.post(PATH, json={"name": name, **S3})
    assert (created.status_code, created.json()) == (202, {"message": "Object store secret has been created"})
    shown = http.get(f"{PATH}/{name}").json()
    assert shown == {
        "name": name,
        "metadata": {
            f"{_STORAGE}type": "S3",
            f"{_STORAGE}bucket": "wine",
            f"{_STORAGE}endpoint": "s3.example:9000",
            f"{_STORAGE}region": "eu-central-1",
            f"{_STORAGE}pathPrefix": "cellar/red",
            f"{_KUBEFLOW}usehttps": "1",
            f"{_KUBEFLOW}verifyssl": "0",
            f"{_KUBEFLOW}endpoint": "s3.example:9000",
            f"{_KUBEFLOW}region": "eu-central-1",
        },
    }
    assert http.get(PATH).json() == {"count": 1, "resources": [shown]}
    changed = http.patch(f"{PATH}/{name}", json={"name": name, "type": "S3", "bucket": "beer", "data": S3["data"]})
    assert (changed.status_code, changed.json()["id"]) == (202, name)
    assert set(http.get(f"{PATH}/{name}").json()["metadata"]) == {
        f"{_STORAGE}type",
        f"{_STORAGE}bucket",
        f"{_KUBEFLOW}usehttps",
        f"{_KUBEFLOW}verifyssl",
    }
    deleted = http.delete(f"{PATH}/{name}")
    assert (deleted.status_code, deleted.json()["id"]) == (202, name)
    assert [http.request(method, f"{PATH}/{name}").status_code for method in ("GET", "DELETE")] == [404, 404]
    assert http.patch(f"{PATH}/{name}", json=S3).status_code == 404


def test_the_name_is_found_with_and_without_the_suffix(http: httpx.Client, name: str) -> None:
    """Trap 23."""
    http.post(PATH, json={"name": name, **S3}).raise_for_status()
    suffixed = f"{PATH}/{name}-object-store-secret"
    assert http.get(suffixed).json() == http.get(f"{PATH}/{name}").json()
    assert http.patch(suffixed, json={"name": f"{name}-object-store-secret", **S3}).json()["id"] == name
    assert http.delete(suffixed).json()["id"] == name


def test_one_with_the_very_name_comes_first(http: httpx.Client, name: str) -> None:
    for each in (name, f"{name}-object-store-secret"):
        http.post(PATH, json={"name": each, **S3}).raise_for_status()
        assert http.get(f"{PATH}/{each}").json()["name"] == each


@pytest.mark.parametrize(
    ("given_type", "data", "metadata"),
    [
        ("s3", S3["data"], {"type": "S3"}),
        (
            "oss",
            {
                "BUCKET": "b",
                "ENDPOINT": "https://x:opensesame@oss.example",
                "REGION": "r",
                "ACCESS_KEY_ID": HIDDEN,
                "SECRET_ACCESS_KEY": HIDDEN,
            },
            {"type": "oss", "bucket": "b", "endpoint": "https://oss.example", "region": "r"},
        ),
        (
            "webhdfs",
            {"HDFS_NAMENODE": "https://hdfs.example:50470", "TLS_CERT": HIDDEN, "TLS_KEY": HIDDEN, "HEADERS": HIDDEN},
            {"type": "webhdfs", "hdfsNameNode": "https://hdfs.example:50470"},
        ),
        (
            "azure",
            {
                "CONTAINER_URI": "https://acc.blob.core.windows.net/wine?sig=opensesame",
                "STORAGE_ACCESS_KEY": HIDDEN,
                "CLIENT_ID": HIDDEN,
                "CLIENT_SECRET": HIDDEN,
                "TENANT_ID": "t",
                "SUBSCRIPTION_ID": "s",
            },
            {
                "type": "azure",
                "containerUri": "https://acc.blob.core.windows.net/wine",
                "tenantId": "t",
                "subscriptionId": "s",
            },
        ),
        (
            "gcs",
            {"BUCKET": "b", "PRIVATE_KEY": _ACCOUNT},
            {"type": "gcs", "bucket": "b", "projectId": "wine-project"},
        ),
    ],
)
def test_every_type(
    http: httpx.Client, name: str, given_type: str, data: dict[str, str], metadata: dict[str, str]
) -> None:
    assert http.post(PATH, json={"name": name, "type": given_type, "data": data}).status_code == 202
    answer = http.get(f"{PATH}/{name}")
    shown = {key: value for key, value in answer.json()["metadata"].items() if key.startswith(_STORAGE)}
    assert shown == {_STORAGE + key: value for key, value in metadata.items()}
    assert HIDDEN not in answer.text + http.get(PATH).text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "ftp"}, "type"),
        ({"type": None}, "type"),
        ({"data": {"AWS_ACCESS_KEY_ID": HIDDEN}}, "AWS_SECRET_ACCESS_KEY"),
        ({"data": {"AWS_ACCESS_KEY_ID": HIDDEN, "AWS_SECRET_ACCESS_KEY": ""}}, "AWS_SECRET_ACCESS_KEY"),
        ({"data": {"awsAccessKeyId": HIDDEN}}, "AWS_ACCESS_KEY_ID"),
        ({"data": HIDDEN}, "data"),
        ({"type": "gcs", "data": {"BUCKET": "b", "PRIVATE_KEY": HIDDEN + "!"}}, "PRIVATE_KEY"),
        ({"type": "azure", "data": {"CONTAINER_URI": "https://[opensesame", "STORAGE_ACCESS_KEY": "k"}}, "URL"),
        ({"name": "Upper"}, "name"),
        ({"name": "-x"}, "name"),
        ({"name": "x" * 234}, "name"),
        ({"usehttps": "yes"}, "usehttps"),
        ({"verifyssl": 1}, "verifyssl"),
        ({"bucket": "a\0b"}, "bucket"),
        ({"endpoint": "https://me:opensesame@s3.example"}, "endpoint"),
        ({"pathPrefix": 7}, "pathPrefix"),
    ],
)
def test_a_wrong_body_is_refused_by_its_field(
    http: httpx.Client, name: str, changes: dict[str, Any], field: str
) -> None:
    answer = http.post(PATH, json={"name": name, **S3, **changes})
    assert (answer.status_code, field in answer.json()["error"]["message"]) == (400, True), answer.text
    assert HIDDEN not in answer.text
    assert http.get(PATH).json()["count"] == 0


def test_a_name_is_taken_once_per_group(http: httpx.Client, stranger: httpx.Client) -> None:
    body = {"name": "default", **S3}
    assert [client.post(PATH, json=body).status_code for client in (http, stranger, http)] == [202, 202, 409]
    other = http.patch(f"{PATH}/default", json={**body, "name": "other"})
    assert (other.status_code, "name" in other.json()["error"]["message"]) == (400, True)


def test_another_groups_secrets_do_not_exist(http: httpx.Client, stranger: httpx.Client, name: str) -> None:
    http.post(PATH, json={"name": name, **S3}).raise_for_status()
    path = f"{PATH}/{name}"
    answers = [stranger.get(path), stranger.patch(path, json=S3), stranger.delete(path)]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert stranger.get(PATH).json() == {"count": 0, "resources": []}
    assert stranger.get(PATH, headers={"AI-Resource-Group": http.headers["AI-Resource-Group"]}).status_code == 400
    assert http.get(path).status_code == 200


def test_without_a_header_it_is_the_group_default(server: Server, name: str) -> None:
    with server.http() as http:
        http.post(PATH, json={"name": name, **S3}).raise_for_status()
        assert http.get(f"{PATH}/{name}", headers={"AI-Resource-Group": "default"}).status_code == 200
        assert http.delete(f"{PATH}/{name}").status_code == 202
