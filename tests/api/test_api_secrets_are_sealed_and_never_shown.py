"""What was given as a secret is found nowhere afterwards: not in the store, not in logs, not in answers."""

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from mooring.store.tables import DockerRegistrySecret, GenericSecret, ObjectStoreSecret
from tests.api.api_server import Server, running_server

SECRET = "open-sesame-42"
ENCODED = base64.b64encode(SECRET.encode()).decode()
DOCKER = json.dumps({"auths": {"images.example": {"username": "reader", "password": SECRET}}})
S3_DATA = {"AWS_ACCESS_KEY_ID": SECRET, "AWS_SECRET_ACCESS_KEY": SECRET}


def _forms() -> Iterator[bytes]:
    """As it is, in hexadecimal, and in Base64 wherever in a longer text it stood."""
    plain = SECRET.encode()
    yield plain
    yield plain.hex().encode()
    for before in range(3):
        encoded = base64.b64encode(b"x" * before + plain + b"xxx")
        yield encoded[4 if before else 0 : 4 + len(plain) // 3 * 4 - 4]


FORMS = tuple(_forms())


def _use_every_endpoint(http: httpx.Client) -> Iterator[httpx.Response]:
    kinds = {
        "secrets": {"name": "kept", "data": {"api-key": ENCODED}},
        "objectStoreSecrets": {"name": "kept", "type": "S3", "bucket": "wine", "data": S3_DATA},
        "dockerRegistrySecrets": {"name": "kept", "data": {".dockerconfigjson": DOCKER}},
    }
    for noun, body in kinds.items():
        path = f"/v2/admin/{noun}"
        yield http.post(path, json=body)
        yield http.post(path, json=body)  # taken
        yield http.patch(f"{path}/kept", json=body)
        yield http.get(path)
        yield http.get(f"{path}/kept")
        yield http.post(path, json={**body, "data": SECRET})
        yield http.post(path, json={**body, "data": {"k": SECRET, "l": [SECRET]}})
        yield http.post(path, content=json.dumps(body)[:-1], headers={"Content-Type": "application/json"})
        yield http.post(path, content=json.dumps(body), headers={"Content-Type": "text/plain"})
        yield http.patch(f"{path}/missing", json=body)


def test_neither_in_files_nor_logs_nor_answers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with running_server(tmp_path) as server, server.http() as http:
        answers = list(_use_every_endpoint(http))
        texts = [answer.text for answer in answers]
        written = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert [answer.status_code for answer in answers if answer.is_success] == [200] * 4 + [202, 202, 200, 200] * 2
    assert max(answer.status_code for answer in answers) == 409
    assert b"kept" in written["mooring.db"] + written.get("mooring.db-wal", b"")
    records = [record for record in caplog.records if record.name.startswith(("mooring", "sqlalchemy", "uvicorn"))]
    assert records
    for form in FORMS:
        assert [name for name, content in written.items() if form in content] == []
        assert [text for text in texts if form.decode() in text] == []
        assert [record for record in records if form.decode() in f"{record.getMessage()} {record.exc_text}"] == []


def test_the_forms_are_those_that_would_be_found() -> None:
    text = f"before {SECRET} after"
    assert FORMS[0] in text.encode()
    for shift in range(3):
        encoded = base64.b64encode(b"y" * shift + text.encode())
        assert any(form in encoded for form in FORMS)


def test_rows_hold_nothing_that_can_be_read(server: Server, http: httpx.Client, group: str) -> None:
    headers = {"AI-Resource-Group": group}
    answers = list(_use_every_endpoint(http))
    assert answers[0].status_code == 200
    http.delete("/v2/admin/dockerRegistrySecrets/kept", headers=headers)
    http.post(
        "/v2/admin/dockerRegistrySecrets", json={"name": f"{group}", "data": {".dockerconfigjson": DOCKER}}
    ).raise_for_status()
    with server.database.reading() as session:
        for table in (GenericSecret, ObjectStoreSecret, DockerRegistrySecret):
            rows = session.execute(select(table.__table__)).all()
            assert rows
            content = repr([[bytes(cell) if isinstance(cell, memoryview) else cell for cell in row] for row in rows])
            assert [form for form in FORMS if form.decode() in content] == []
    http.delete(f"/v2/admin/dockerRegistrySecrets/{group}").raise_for_status()
