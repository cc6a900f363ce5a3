"""Decisions that need no model: names from URIs, texts for people, schemas, examples, the bounded worker."""

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from mooring.modelserver.errors import DeadlineExceeded, InvalidInput, Unavailable, describe, paragraph
from mooring.modelserver.example import example_body
from mooring.modelserver.options import ServeOptions
from mooring.modelserver.protocols.json_body import parse_object
from mooring.modelserver.requirements import differences
from mooring.modelserver.routes import Table
from mooring.modelserver.schema import Signature
from mooring.modelserver.watch import Watch
from mooring.modelserver.worker import Worker
from tests.modelserver.conftest import wait_until


@pytest.mark.parametrize(
    ("uri", "name", "version"),
    [
        ("models:/churn/3", "churn", "3"),
        ("models:/churn@production", "churn", None),
        ("models:/churn/Production", "churn", None),
        ("models:/m-0123456789abcdef", "m-0123456789abcdef", None),
        ("runs:/0123/model", "model", None),
        ("s3://bucket/some/model", "model", None),
        ("/somewhere/iris", "iris", None),
    ],
)
def test_names_and_versions_from_uris(uri: str, name: str, version: str | None) -> None:
    options = ServeOptions(uri)
    assert (options.model_name, options.model_version) == (name, version)
    assert ServeOptions(uri, name="mine", version="9").model_name == "mine"


def test_a_name_of_ours_gets_no_prefix() -> None:
    async def endpoint(_: Any) -> Any: ...

    routes = {"/ping": {"GET": endpoint}}
    assert Table.of("v2", routes).routes == routes
    assert set(Table.of("churn", routes).routes) == {"/ping", "/churn/ping"}


def test_texts_for_people_hold_no_credentials() -> None:
    text = "cannot\nget http://me:pw@host/a?X-Amz-Signature=abc now"
    assert paragraph(text) == "cannot get http://…@host/a?… now"
    assert len(paragraph("x" * 10_000)) == 2000
    assert describe(KeyError()) == "KeyError"


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, 2**64, 2**64 + 1, -(2**63) - 1, 10**30])
def test_integers_stay_exact(number: int) -> None:
    assert parse_object(b'{"n": %d}' % number) == {"n": number}


def test_lone_surrogates_and_nan_are_taken_as_python_takes_them() -> None:
    assert parse_object(b'{"a": "\\ud800"}') == {"a": "\ud800"}
    assert parse_object(b'{"a": Infinity}') == {"a": float("inf")}
    with pytest.raises(InvalidInput, match="got a list"):
        parse_object(b"[]")


def test_nested_types_become_json_schema() -> None:
    inputs = [
        {"type": "array", "items": {"type": "double"}, "name": "a", "required": True},
        {"type": "map", "values": {"type": "long"}, "name": "b", "required": False},
        {"type": "object", "properties": {"x": {"type": "string", "required": False}}, "name": "c"},
        {"type": "any", "name": "d"},
    ]
    schemas = [f.json_schema for f in Signature.parse({"inputs": json.dumps(inputs)}).inputs or ()]
    assert schemas[0] == {"type": "array", "items": {"type": "number", "format": "double"}}
    assert schemas[1]["type"] == ["object", "null"]
    assert schemas[2] == {"type": "object", "properties": {"x": {"type": ["string", "null"]}}, "required": []}
    assert schemas[3] == {}
    assert Signature.parse(None).inputs is None


_WITH_PARAMS = {"inputs": ["a"], "params": {"k": 1}}


@pytest.mark.parametrize(
    ("info", "content", "body"),
    [
        ({"type": "dataframe"}, {"data": [[1]]}, {"dataframe_split": {"data": [[1]]}}),
        ({"type": "ndarray"}, [[1]], {"inputs": [[1]]}),
        ({"type": "ndarray"}, {"inputs": [[1]]}, {"inputs": [[1]]}),
        ({"type": "json_object", "params": "true"}, _WITH_PARAMS, _WITH_PARAMS),
        ({"type": "sparse_matrix_csr"}, {}, None),
    ],
)  # fmt: skip
def test_examples_of_older_models(info: dict[str, Any], content: Any, body: Any, tmp_path: Path) -> None:
    (tmp_path / "input_example.json").write_text(json.dumps(content))
    assert example_body(tmp_path, {**info, "artifact_path": "input_example.json"}) == body


def test_libraries_in_other_versions_are_named(tmp_path: Path) -> None:
    assert differences(tmp_path) == []
    import numpy

    lines = [
        f"numpy=={numpy.__version__}",
        "scikit-learn==0.1",
        "no-such-thing==1; python_version > '3'",
        "pandas>=1",
        "-r x",
    ]
    (tmp_path / "requirements.txt").write_text("\n".join(lines))
    found = differences(tmp_path)
    assert len(found) == 2
    assert found[0].startswith("scikit-learn is ")
    assert found[1] == "no-such-thing 1 is not installed"


def test_the_worker_is_bounded_and_drops_what_nobody_waits_for() -> None:
    gate, begun, done = threading.Event(), threading.Event(), []

    def block() -> None:
        begun.set()
        gate.wait(30)

    async def scenario() -> None:
        worker = Worker(Watch(threads=1, stuck_seconds=60), threads=1, max_waiting=1)
        running = asyncio.create_task(worker.run(block, "r"))
        await asyncio.to_thread(begun.wait, 30)
        waiting = asyncio.create_task(worker.run(lambda: done.append("waited"), "r"))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await worker.run(lambda: None, "r")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        freed = asyncio.create_task(worker.run(lambda: 7, "r"))  # the place of the one that gave up
        await asyncio.sleep(0)
        assert not freed.done()
        gate.set()
        assert await freed == 7
        await running
        assert await worker.run(lambda: 5, "r") == 5

    asyncio.run(scenario())
    assert done == []
    assert DeadlineExceeded.status == 504


def test_nothing_is_queued_behind_threads_that_are_all_stuck() -> None:
    gate = threading.Event()

    async def scenario() -> None:
        watch = Watch(threads=1, stuck_seconds=0.05)
        worker = Worker(watch, threads=1, max_waiting=1)
        running = asyncio.create_task(worker.run(lambda: gate.wait(30), "r"))
        await asyncio.to_thread(wait_until, watch.is_hopeless)
        with pytest.raises(Unavailable):
            worker.run(lambda: None, "s").send(None)  # at once: without a turn of the event loop
        gate.set()
        assert await running
        assert await worker.run(lambda: 5, "t") == 5

    asyncio.run(scenario())
