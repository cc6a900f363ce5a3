"""When the disk of the store is full, changes are refused in words and nothing is half kept; later all goes on."""

import json
from pathlib import Path

import psycopg
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from mooring.api import envelope
from tests.api.api_server import Server, running_server

WORDS = "the disk of the store is full: nothing was kept; free some room, then try again"
BODY = {"name": "a", "kind": "model", "url": "ai://default/x", "scenarioId": "mooring", "description": "y" * 5000}


def test_sqlite_full_and_free_again(tmp_path: Path) -> None:
    with running_server(tmp_path, f"sqlite:///{tmp_path / 'small.db'}") as server, server.http("default") as http:
        kept = [http.post("/v2/lm/artifacts", json=BODY).json()["id"]]
        _limit(server, pages=_pages(server) + 8)
        refused = None
        for _ in range(100):
            answer = http.post("/v2/lm/artifacts", json=BODY)
            if answer.status_code != 201:
                refused = answer
                break
            kept.append(answer.json()["id"])
        assert refused is not None
        assert (refused.status_code, refused.json()["error"]["message"]) == (503, WORDS)
        assert {each["id"] for each in http.get("/v2/lm/artifacts").json()["resources"]} == set(kept)
        _limit(server, pages=2**30)
        assert http.post("/v2/lm/artifacts", json=BODY).status_code == 201


def test_postgresql_full() -> None:
    error = OperationalError("INSERT", {}, psycopg.errors.DiskFull("could not extend file"))
    answer = envelope.answer_to(error, "/v2/lm/artifacts")
    assert (answer.status_code, json.loads(bytes(answer.body))["error"]["message"]) == (503, WORDS)


def _pages(server: Server) -> int:
    with server.database.engine.connect() as connection:
        return int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())


def _limit(server: Server, pages: int) -> None:
    """For all connections: those that there are, and later ones."""

    def limited(connection: object, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")  # type: ignore[attr-defined]

    server.database.engine.dispose()
    event.listen(server.database.engine, "connect", limited)
