"""`"stream": true`: pieces as they are made, no more than are read, and an end for the model when nobody does."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.modelserver.conftest import wait_until

if TYPE_CHECKING:
    from tests.modelserver.conftest import InProcess, Replica, Shelf

Server = Callable[..., "InProcess"]


def _body(prompt: str, **more: Any) -> bytes:
    return json.dumps({"prompt": prompt, "stream": True, **more}).encode()


def _pieces(answer: httpx.Response) -> list[Any]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    *events, end, empty = answer.text.split("\n\n")
    assert (end, empty) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]


@pytest.fixture(scope="module")
def talking(shelf: "Shelf", tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Replica]":
    from tests.modelserver.conftest import Replica

    server = Replica(shelf.talker, tmp_path_factory.mktemp("talking"), "--request-seconds", "3")
    yield server.until_ready()
    server.close()


def test_pieces_come_in_order_and_end(shelf: "Shelf", ours: Server) -> None:
    pieces = _pieces(ours(shelf.talker).post("/invocations", _body("all good things")))
    assert pieces == [{"word": w, "number": n} for n, w in enumerate(["all", "good", "things"])]
    assert _pieces(ours(shelf.talker).post("/invocations", _body(""), accept="text/event-stream")) == []


@pytest.mark.parametrize("stream", [False, None, "true", 1])
def test_whoever_does_not_ask_for_it_gets_one_answer(stream: Any, shelf: "Shelf", ours: Server) -> None:
    assert ours(shelf.talker).post("/invocations", _body("a", stream=stream)).json() == {"words": 1}


def test_a_model_that_cannot_stream_answers_at_once(shelf: "Shelf", ours: Server) -> None:
    body = json.dumps({"inputs": [[5.1, 3.5, 1.4, 0.2]], "stream": True}).encode()
    assert ours(shelf.iris).post("/invocations", body).json() == {"predictions": [0]}


def test_an_error_before_the_first_piece_is_a_proper_one(shelf: "Shelf", ours: Server) -> None:
    answer = ours(shelf.talker).post("/invocations", _body("refuse"))
    assert answer.status_code == 400
    assert "not this one" in answer.json()["message"]
    assert ours(shelf.talker).post("/invocations", b'{"stream": true}').status_code == 400


def test_an_error_in_between_is_the_last_event(shelf: "Shelf", ours: Server) -> None:
    first, last, _ = ours(shelf.talker).post("/invocations", _body("break it")).text.split("\n\n")
    assert json.loads(first.removeprefix("data: ")) == {"word": "break", "number": 0}
    assert last.startswith("event: error\ndata: ")
    assert "broken in the middle" in json.loads(last.partition("data: ")[2])["message"]


def test_a_piece_is_sent_before_the_next_is_made(talking: "Replica", tmp_path: Path) -> None:
    with talking.http.stream("POST", "/invocations", content=_body(f"endless {tmp_path / 'end'}")) as answer:
        lines = answer.iter_lines()
        assert json.loads(next(lines).removeprefix("data: "))["number"] == 0
        # In between, the model is there for others.
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(talking.socket)), base_url="http://m") as other:
            assert other.post("/invocations", content=b'{"prompt": "x"}').json() == {"words": 1}


def test_a_client_that_goes_ends_the_model(talking: "Replica", tmp_path: Path) -> None:
    end = tmp_path / "end"
    with talking.http.stream("POST", "/invocations", content=_body(f"endless {end}")) as answer:
        next(answer.iter_lines())
    wait_until(end.exists, talking.stderr)


def test_a_reader_that_stops_reading_stops_the_model(talking: "Replica", tmp_path: Path) -> None:
    end, body = tmp_path / "end", _body(f"endless {tmp_path / 'end'}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(talking.socket))
        head = f"POST /invocations HTTP/1.1\r\nhost: m\r\ncontent-length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        assert client.recv(100).startswith(b"HTTP/1.1 200")
        wait_until(end.exists, talking.stderr)  # after the seconds of a request
    # Some pieces of 100 kB fit into the buffers between the two; then nothing more was made.
    assert int(end.read_text()) < 100
    assert "its stream is given up" in talking.stderr()
