"""Dataset files: streamed to the disk and back, complete or absent, each group's apart."""

import json
import os
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest

from mooring.domain.roles import Role
from tests.api.api_server import Server, running_server

PATH = "/v2/lm/dataset/files"
MIB = 1024 * 1024


@pytest.fixture
def stranger(server: Server, group: str) -> Iterator[httpx.Client]:
    other = f"{group}-stranger"
    with server.http() as http:
        http.post("/v2/admin/resourceGroups", json={"resourceGroupId": other}).raise_for_status()
    with server.http_as(Role.EDITOR, [other], group=other) as client:
        yield client


def test_the_life_of_a_file(http: httpx.Client) -> None:
    path = f"{PATH}/default/wine/red.csv"
    made = http.put(path, content=b"a,b\n1,2\n", headers={"Content-Type": "text/csv"})
    assert (made.status_code, made.json()["url"]) == (201, "ai://default/wine/red.csv")
    assert made.headers["location"] == path
    got = http.get(path)
    assert (got.status_code, got.content) == (200, b"a,b\n1,2\n")
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-length"] == "8"
    assert got.headers["content-disposition"] == 'attachment; filename="red.csv"'
    assert got.headers.get_list("x-content-type-options") == ["nosniff"]
    assert {"sandbox", "default-src 'none'"} <= set(got.headers["content-security-policy"].split("; "))
    removed = http.delete(path)
    assert (removed.status_code, removed.content) == (204, b"")
    for answer in (http.get(path), http.delete(path)):
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["target"]) == (404, "01000404", path)


@pytest.mark.parametrize("content", [b"", b"x", os.urandom(3 * MIB + 1)], ids=["empty", "one", "large"])
def test_every_byte_comes_back(http: httpx.Client, content: bytes) -> None:
    path = f"{PATH}/default/data"
    for body in (content, iter([content[:100], content[100:]])):  # the second without an announced length
        assert http.put(path, content=body, params={"overwrite": "true"}).status_code == 201
        assert http.get(path).content == content


def test_what_is_there_is_replaced_only_on_request(http: httpx.Client) -> None:
    path = f"{PATH}/default/data"
    assert http.put(path, content=b"first").status_code == 201
    for query in ({}, {"overwrite": "false"}):
        refused = http.put(path, content=b"second", params=query)
        assert (refused.status_code, "overwrite" in refused.json()["error"]["message"]) == (409, True)
    assert http.get(path).content == b"first"
    assert http.put(path, content=b"second", params={"overwrite": "true"}).status_code == 201
    assert http.get(path).content == b"second"
    assert http.put(path, content=b"", params={"overwrite": "maybe"}).status_code == 400


def test_a_file_and_a_folder_cannot_have_one_name(http: httpx.Client) -> None:
    http.put(f"{PATH}/default/a/b", content=b"x").raise_for_status()
    for path in ("a", "a/b/c", "a/b/c/d"):
        for query in ({}, {"overwrite": "true"}):
            assert http.put(f"{PATH}/default/{path}", content=b"y", params=query).status_code == 409
        assert [http.request(method, f"{PATH}/default/{path}").status_code for method in ("GET", "DELETE")] == [404] * 2
    assert http.delete(f"{PATH}/default/a/b").status_code == 204
    assert http.put(f"{PATH}/default/a", content=b"z").status_code == 201  # no folder is left over


def test_of_many_who_begin_one_file_one_wins(http: httpx.Client, server: Server, group: str) -> None:
    barrier = threading.Barrier(4)

    def attempt(number: int) -> tuple[int, int]:
        def body() -> Iterator[bytes]:
            barrier.wait(20)
            yield bytes([number]) * 1000

        with server.http(group) as client:
            return client.put(f"{PATH}/default/deep/er/data", content=body()).status_code, number

    with ThreadPoolExecutor(4) as pool:
        results = sorted(pool.map(attempt, range(4)))
    assert [status for status, _ in results] == [201, 409, 409, 409]
    assert http.get(f"{PATH}/default/deep/er/data").content == bytes([results[0][1]]) * 1000


@pytest.mark.parametrize(
    "path",
    [
        "default",
        "default/",
        "default/a/",
        "default//a",
        "default/../a",
        "default/a/../b",
        "default/a/..",
        "default/.",
        "default/./a",
        "default/%2e%2e/a",
        "default/..%2fa",
        "default/a%00b",
        "default/a%5cb",
        "default/a%20b",
        "default/%C3%A9",
        "default/%ff",
        "default/a;b",
        "default/a:b",
        "%2fetc/passwd",
        "/etc/passwd",
        "default/" + "a" * 256,
        "default/" + "a/" * 600 + "b",
        ".incoming",
    ],
)
def test_a_path_that_is_none_is_refused(http: httpx.Client, path: str) -> None:
    for method in ("PUT", "GET", "DELETE"):
        status, error = _ask_raw(http, method, f"{PATH}/{path}")
        assert status == 400, (method, error)
        assert {"code", "message"} == error["details"][0].keys()


def _ask_raw(http: httpx.Client, method: str, path: str) -> tuple[int, Any]:
    """As it stands: httpx would tidy the path up before it sends it."""
    connection = HTTPConnection(http.base_url.host, http.base_url.port)
    try:
        connection.request(method, path, body=b"", headers=dict(http.headers))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())["error"]
    finally:
        connection.close()


def test_an_unknown_store_has_no_files(http: httpx.Client) -> None:
    put = http.put(f"{PATH}/nowhere/data", content=b"x")
    assert (put.status_code, "nowhere" in put.json()["error"]["message"]) == (400, True)
    for method in ("GET", "DELETE"):
        assert http.request(method, f"{PATH}/nowhere/data").status_code == 404
        assert http.request(method, f"{PATH}/default:v1/data").status_code == 404


def test_groups_do_not_see_each_others_files(http: httpx.Client, stranger: httpx.Client, group: str) -> None:
    path = f"{PATH}/default/data"
    http.put(path, content=b"ours").raise_for_status()
    assert [stranger.request(method, path).status_code for method in ("GET", "DELETE")] == [404, 404]
    assert stranger.put(path, content=b"theirs").status_code == 201
    assert http.get(path).content == b"ours"
    for method in ("PUT", "GET", "DELETE"):
        assert stranger.request(method, path, headers={"AI-Resource-Group": group}).status_code == 400
        assert http.request(method, path, headers={"AI-Resource-Group": "no-such-group"}).status_code == 400


def test_a_viewer_reads_and_does_not_write(server: Server, http: httpx.Client, group: str) -> None:
    path = f"{PATH}/default/data"
    http.put(path, content=b"ours").raise_for_status()
    with server.http_as(Role.VIEWER, [group], group=group) as viewer:
        assert viewer.get(path).content == b"ours"
        assert viewer.put(path, content=b"x", params={"overwrite": "true"}).status_code == 403
        assert viewer.delete(path).status_code == 403


def _remove_and_make_again(http: httpx.Client, group: str) -> None:
    http.delete(f"/v2/admin/resourceGroups/{group}").raise_for_status()
    assert http.get(f"{PATH}/default/data").status_code == 400
    http.post("/v2/admin/resourceGroups", json={"resourceGroupId": group}).raise_for_status()


def test_a_removed_group_takes_its_files_along(http: httpx.Client, group: str) -> None:
    http.put(f"{PATH}/default/data", content=b"old").raise_for_status()
    _remove_and_make_again(http, group)
    assert http.get(f"{PATH}/default/data").status_code == 404


def test_an_upload_during_which_its_group_goes_leaves_nothing(http: httpx.Client, server: Server, group: str) -> None:
    def body() -> Iterator[bytes]:
        yield b"x" * MIB
        with server.http(group) as operator:
            _remove_and_make_again(operator, group)
        yield b"y"

    answer = http.put(f"{PATH}/default/data", content=body())
    assert answer.status_code in (400, 404)
    assert http.get(f"{PATH}/default/data").status_code == 404


@pytest.mark.parametrize("announced", [True, False])
def test_a_file_that_is_too_large_is_refused_and_nothing_is_left(tmp_path: Path, announced: bool) -> None:
    with running_server(tmp_path, max_request_bytes=1000, max_dataset_bytes=MIB) as server, server.http() as http:
        for size, status in ((MIB, 201), (MIB + 1, 413)):
            content = bytes(size)
            body = content if announced else iter([content[:-1], content[-1:]])
            answer = http.put(f"{PATH}/default/{size}", content=body)
            assert answer.status_code == status, answer.text
        assert answer.json()["error"]["code"] == "02000005"
        assert http.get(f"{PATH}/default/{MIB + 1}").status_code == 404
        assert http.post("/v2/lm/artifacts", content=bytes(1001)).status_code == 413
    assert _files(tmp_path) == [str(MIB)]


def test_a_caller_who_leaves_half_way_leaves_nothing(tmp_path: Path) -> None:
    with running_server(tmp_path) as server, server.http() as http:
        http.put(f"{PATH}/default/whole", content=b"x").raise_for_status()
        head = f"PUT {PATH}/default/half HTTP/1.1\r\nHost: x\r\nAuthorization: {http.headers['Authorization']}\r\n"
        with socket.create_connection((http.base_url.host, http.base_url.port or 0)) as connection:
            connection.sendall(f"{head}Content-Length: {4 * MIB}\r\n\r\n".encode() + bytes(2 * MIB))
        assert http.get(f"{PATH}/default/half").status_code == 404
        while len(_files(tmp_path)) > 1:  # until the server has noticed; the test's time limit is the deadline
            http.get("/healthz")
    assert _files(tmp_path) == ["whole"]


def test_a_large_file_is_not_held_in_memory(tmp_path: Path) -> None:
    piece = os.urandom(MIB)
    with running_server(tmp_path) as server, server.http() as http:
        http.put(f"{PATH}/default/small", content=piece).raise_for_status()
        before = _peak_bytes()
        http.put(f"{PATH}/default/large", content=(piece for _ in range(90))).raise_for_status()
        with http.stream("GET", f"{PATH}/default/large") as answer:
            assert sum(map(len, answer.iter_raw())) == 90 * MIB
        assert _peak_bytes(reset=False) - before < 20 * MIB


def _peak_bytes(*, reset: bool = True) -> int:
    """The most that this process has had in memory since the last reset."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


def _files(folder: Path) -> list[str]:
    return [path.name for path in (folder / "store").rglob("*") if path.is_file()]
