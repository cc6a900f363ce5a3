"""The quick reading of a body and the general one give the model what MLflow would give it, or leave it to MLflow."""

import json
import random
import tracemalloc
from itertools import islice
from typing import Any

import numpy as np
import pytest
from mlflow.pyfunc import _validate_prediction_input

from mooring.modelserver import rules
from mooring.modelserver.columnar.decoder import Decode, decoder_of
from mooring.modelserver.columnar.layout import is_numeric, layout_of
from mooring.modelserver.columnar.numeric import NumericDecoder
from mooring.modelserver.columnar.values import ValueDecoder
from mooring.modelserver.endpoints.inference import json_reader
from mooring.modelserver.flavours.input import assembler
from mooring.modelserver.protocols import scoring
from mooring.modelserver.protocols.kserve import KserveReader
from mooring.modelserver.rows import Layout, Rows
from tests.modelserver.corpus import MODELS, Bodies, Model, Refused, as_mlflow_has_it, difference

PLAIN_BODIES, ODD_BODIES, MUTATED_BODIES = 12, 16, 16
LEFT_TO_MLFLOW = {"binary", "fixed tensor", "text tensor"}
"""Signatures that have no columnar form."""

pytestmark = [
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)


def _bodies(model: Model, oddity: float, count: int) -> list[bytes]:
    return list(islice(Bodies(model, random.Random(f"{model.name} {oddity}"), oddity), count))


def _generally(body: bytes, model: Model) -> Any:
    """As the data plane has it on the general way."""
    try:
        inference = scoring.decode(body, "application/json", model.signature).inference
        data = rules.convert(inference, model.schema)
        params: Any = inference.params
        return _validate_prediction_input(data, params, model.schema, None)[0]
    except Exception as error:
        raise Refused(str(error)) from error


def _or_none(read: Any, body: bytes, model: Model) -> Any:
    try:
        return read(body, model)
    except Refused:
        return None


def _decoders(model: Model) -> list[Decode]:
    """Each by itself: which one is asked first depends on how long a body is."""
    signature, layout = model.signature, layout_of(model.signature)
    if layout is None:
        return [decoder_of(signature)]
    numeric = [NumericDecoder(layout, signature).decode] if is_numeric(layout) else []
    return [*numeric, ValueDecoder(layout, signature).decode]


def _check(rows: Rows | None, layout: Layout | None, reference: Any, body: bytes) -> None:
    if rows is None:
        return
    assert layout is not None
    assert reference is not None, f"MLflow refuses {body[:300]!r}"
    assert difference(assembler(layout)(rows), reference) is None, body[:300]
    assert {len(array) for array in rows.arrays} == {rows.count}


@every_model
@pytest.mark.parametrize("oddity", [0.0, 0.4])
def test_what_reaches_the_model_is_what_mlflow_would_give_it(model: Model, oddity: float) -> None:
    layout, decoders = layout_of(model.signature), _decoders(model)
    for body in _bodies(model, oddity, ODD_BODIES if oddity else PLAIN_BODIES):
        reference, general = (_or_none(read, body, model) for read in (as_mlflow_has_it, _generally))
        assert (reference is None) == (general is None), body[:300]
        if reference is not None:
            assert difference(general, reference) is None, body[:300]
        for decode in decoders:
            _check(decode(body), layout, reference, body)


@every_model
def test_mutated_bodies_are_read_as_mlflow_reads_them_or_left_to_it(model: Model) -> None:
    rng, layout, decoders = random.Random(model.name), layout_of(model.signature), _decoders(model)
    for body in _bodies(model, 0.2, MUTATED_BODIES):
        mutated = _mutated(body, rng)
        read = [rows for decode in decoders if (rows := decode(mutated)) is not None]
        reference = _or_none(as_mlflow_has_it, mutated, model) if read else None
        for rows in read:
            _check(rows, layout, reference, mutated)


def _mutated(body: bytes, rng: random.Random) -> bytes:
    """A byte or a piece changed, doubled, moved or cut out, where JSON is most easily turned into other JSON."""
    start = rng.randrange(len(body))
    stop = min(len(body), start + rng.choice([1, 1, 2, 8]))
    piece = rng.choice(
        [b"", b"[", b"]", b",", b"0", b"-", b".", b"e9", b"null", b'"', b"}", b"{", b" ", b"\\", b"\xff"]
    )
    return rng.choice(
        [
            body[:start] + piece + body[stop:],
            body[:start] + piece + body[start:],
            body[:start] + body[start:stop] * 2 + body[stop:],
            body[:start],
            body[start:] + body[:start],
        ]
    )


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"\0", b"{", b"[]", b"null", b"5", b'"x"', b"\xff" * 100, b"[" * 100_000, b'{"inputs":' * 50_000,
        b'{"inputs": ' + b"[" * 2000 + b"]" * 2000 + b"}", b'{"inputs": [[' + b"9" * 5000 + b"]]}",
        b'{"dataframe_split": {"data": ' + b"[" * 1000 + b"1" + b"]" * 1000 + b"}}",
        b'{"dataframe_records": ' + b'[{"a": ' * 900 + b"1" + b"}]" * 900 + b"}", "{}".encode("utf-16"),
        '\ufeff{"inputs": [[1, 2]]}'.encode(), b'{"inputs": [[1, 2]]}\0', b'{"inputs": [[1, 2]]} {"inputs": [[3, 4]]}',
        b'{"data": 5}', b'{"data": {}}', b'{"data": null, "columns": null}',
        b'{"dataframe_split": {"columns": {}, "data": []}}',
        b'{"dataframe_split": {"columns": ["a", "a", "a"], "data": [[1, 2, 3]]}}',
    ],
)  # fmt: skip
def test_what_is_no_body_at_all_is_left_to_the_general_way_without_a_fuss(body: bytes) -> None:
    for model in MODELS:
        for decode in _decoders(model):
            if (rows := decode(body)) is not None:
                _check(rows, layout_of(model.signature), _or_none(as_mlflow_has_it, body, model), body)


def test_plain_bodies_do_not_need_mlflow() -> None:
    left = set()
    for model in MODELS:
        decode = decoder_of(model.signature)
        accepted = [b for b in _bodies(model, 0.0, 8) if _or_none(as_mlflow_has_it, b, model) is not None]
        if all(decode(body) is None for body in accepted):
            left.add(model.name)
    assert left == LEFT_TO_MLFLOW
    assert all(layout_of(model.signature) is None for model in MODELS if model.name in LEFT_TO_MLFLOW)


@every_model
def test_rows_without_names_are_read_as_kserve_has_them(model: Model) -> None:
    signature, layout = model.signature, layout_of(model.signature)
    decode = decoder_of(signature, are_names_optional=True)
    general = KserveReader(json_reader(signature), signature)
    for body in _bodies(model, 0.2, ODD_BODIES):
        if (rows := decode(body)) is None or b'"in' not in body[:12]:
            continue
        inference = general.call(body).inference
        converted = rules.convert(inference, model.schema)
        _check(rows, layout, _validate_prediction_input(converted, None, model.schema, None)[0], body)


def test_a_long_text_among_numbers_takes_no_memory() -> None:
    numbers = ["x" * 100_000, *[1.5] * 2000]
    for model in MODELS[::4]:
        for form in ({"inputs": [numbers]}, {"inputs": {"a": numbers}}, {"dataframe_split": {"data": [numbers]}}):
            body = json.dumps(form).encode()
            tracemalloc.start()
            try:
                assert all(decode(body) is None for decode in _decoders(model))
                assert tracemalloc.get_traced_memory()[1] < 100 * len(body)
            finally:
                tracemalloc.stop()


@pytest.mark.parametrize("form", ["inputs", "instances", "data"])
def test_a_large_table_is_read_without_python_objects(form: str) -> None:
    """Of 20,000 numbers: the array, and little beside it."""
    signature = next(model.signature for model in MODELS if model.name == "tensor")
    values = np.random.default_rng(6).normal(size=(5000, 4))
    body = json.dumps({form: values.tolist()}).encode()
    decode = decoder_of(signature)
    tracemalloc.start()
    try:
        rows = decode(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows is not None
    assert rows.arrays[0].tobytes() == values.tobytes()
    assert rows.arrays[0].flags.writeable
    assert peak < 2 * values.nbytes + len(body)
