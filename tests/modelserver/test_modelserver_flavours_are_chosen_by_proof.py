"""A quick way is taken only when it has been seen to be right, and rows are mixed only when they do not matter."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from mooring.modelserver.flavours import choice, part
from mooring.modelserver.flavours.equality import ROUNDING, difference
from mooring.modelserver.flavours.predictor import Candidate
from mooring.modelserver.flavours.proof import answers, dependence, disagreement
from mooring.modelserver.rows import Rows
from tests.modelserver.flavour_models import FLAGS, MATRIX, NUMBERS, Served, rows_like, save_sklearn, served

ROWS = [Rows((MATRIX[:count].copy(),), count) for count in (1, 2, 20)]
CODE = """
import mlflow
from pathlib import Path

class Counted(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        with open({path!r}, "a") as calls:
            print(len(model_input), file=calls)
        return model_input["a"].to_numpy() * (params or {{}}).get("factor", 2.0)

mlflow.models.set_model(Counted())
"""


def _ask(rows: Rows) -> Any:
    return rows.arrays[0].sum(axis=1)


def _refuses_negatives(rows: Rows) -> Any:
    if (rows.arrays[0] < -500).any() or rows.count == 2:
        raise ValueError("no")
    return _ask(rows)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (lambda rows: _ask(rows) + 1e-13, "values"),
        (lambda rows: _ask(rows).astype(np.float32), "float32 instead of float64"),
        (lambda rows: _ask(rows)[:, np.newaxis], "shape"),
        (lambda rows: pd.Series(_ask(rows)), "a Series instead of a ndarray"),
        (lambda rows: _ask(rows)[::-1], "values"),
        (_refuses_negatives, "no"),
    ],
)
def test_any_difference_is_seen(other: Callable[[Rows], Any], says: str) -> None:
    known = answers(_ask, ROWS)
    assert disagreement(_ask, known) is None
    assert says in str(disagreement(other, known))


def test_an_answer_where_pyfunc_refuses_is_a_difference() -> None:
    assert "refuses" in str(disagreement(_ask, answers(_refuses_negatives, ROWS)))


def test_signs_of_zero_and_missing_values_are_told_apart() -> None:
    assert difference(np.array([0.0]), np.array([-0.0]))
    assert difference(np.array([np.nan]), np.array([0.0]))
    assert difference(np.array([np.nan, 1.0]), np.array([np.nan, 1.0])) is None
    assert difference(np.array([1.0]), np.array([1.0 + 1e-15]), ROUNDING) is None
    assert difference(np.array([1.0]), np.array([1.0 + 1e-12]), ROUNDING)


@pytest.mark.parametrize(
    "mixing",
    [
        lambda rows: rows.arrays[0].sum(axis=1) - rows.arrays[0].mean(),
        lambda rows: rows.arrays[0].sum(axis=1)[:1],
        lambda rows: float(rows.arrays[0].sum()),
        lambda rows: np.sort(rows.arrays[0].sum(axis=1)),
    ],
)
def test_models_that_mix_rows_are_found_out(mixing: Callable[[Rows], Any]) -> None:
    assert dependence(mixing, answers(mixing, ROWS))


def test_a_frame_is_cut_as_if_it_had_been_alone() -> None:
    frame = pd.DataFrame({"x": [1, 2, 3], "y": ["a", "b", "c"]})
    pd.testing.assert_frame_equal(part(frame, 1, 3), pd.DataFrame({"x": [2, 3], "y": ["b", "c"]}))
    assert part({"p": np.arange(4), "q": [1, 2, 3, 4]}, 2, 3) == {"p": np.array([2]), "q": [3]}


def test_a_way_that_answers_otherwise_is_passed_over_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    save_sklearn(LogisticRegression(max_iter=500), NUMBERS, FLAGS, tmp_path / "m")
    wrong = Candidate("wrong", lambda rows: np.zeros(rows.count, dtype=np.int64))
    monkeypatch.setitem(choice._LIBRARIES, "mlflow.sklearn", lambda *_: [wrong])
    with caplog.at_level(logging.INFO, "mooring.modelserver"):
        assert served(tmp_path / "m").predictor.name == "pyfunc"
    assert "predictions do not go by way of wrong: with" in caplog.text


def test_a_pipeline_that_looks_at_the_whole_batch_is_asked_row_by_row(tmp_path: Path) -> None:
    def centred(x: Any) -> Any:
        return x - np.asarray(x).mean(axis=0)

    save_sklearn(make_pipeline(FunctionTransformer(centred), LogisticRegression()), NUMBERS, FLAGS, tmp_path / "m")
    assert served(tmp_path / "m").predictor.are_rows_independent is False


def test_somebodys_own_code_is_not_called_before_it_is_asked(tmp_path: Path) -> None:
    ours, calls = _counted(tmp_path)
    assert not calls.exists()
    assert (ours.predictor.name, ours.predictor.are_rows_independent) == ("pyfunc", False)
    assert ours.predictor.predict(rows_like(ours, NUMBERS.head(3))).tolist() == (NUMBERS["a"].head(3) * 3).tolist()
    assert calls.read_text() == "3\n"


@pytest.mark.parametrize("way", ["metadata", "command"])
def test_own_code_is_batched_when_somebody_vouches_for_it(way: str, tmp_path: Path) -> None:
    metadata = {"mooring.rows_independent": True} if way == "metadata" else None
    ours, calls = _counted(tmp_path, "on" if way == "command" else "auto", metadata)
    assert ours.predictor.are_rows_independent
    assert calls.exists()
    assert _counted(tmp_path / "off", "off", metadata)[0].predictor.are_rows_independent is False


def _counted(folder: Path, batching: str = "auto", metadata: dict[str, Any] | None = None) -> tuple[Served, Path]:
    folder.mkdir(exist_ok=True)
    source, calls = folder / "code.py", folder / "calls"
    source.write_text(CODE.format(path=str(calls)))
    signature = infer_signature(NUMBERS, NUMBERS["a"].to_numpy(), {"factor": 3.0})
    mlflow.pyfunc.save_model(
        str(folder / "m"), python_model=str(source), signature=signature, metadata=metadata, pip_requirements=[]
    )
    calls.unlink(missing_ok=True)
    return served(folder / "m", batching), calls


def test_a_compiled_forest_answers_as_the_forest(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("skl2onnx", reason="skl2onnx (extra: compiled) is missing")
    save_sklearn(RandomForestClassifier(41, random_state=0), NUMBERS, FLAGS, tmp_path / "m")
    ours = served(tmp_path / "m", compile_it=True)
    assert ours.predictor.name == "onnx-compiled", caplog.text
    fresh = pd.DataFrame(np.random.default_rng(3).standard_normal((500, 6)) * 5, columns=list("abcdef"))
    assert difference(ours.model.pyfunc.predict(fresh), ours.predictor.predict(rows_like(ours, fresh))) is None
    assert ours.predictor.are_rows_independent


def test_what_is_not_quicker_or_not_convertible_is_not_served_compiled(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("skl2onnx", reason="skl2onnx (extra: compiled) is missing")
    own = FunctionTransformer(lambda x: np.asarray(x) * 2)
    save_sklearn(make_pipeline(StandardScaler(), LogisticRegression()), NUMBERS, FLAGS, tmp_path / "quick")
    save_sklearn(make_pipeline(own, LogisticRegression()), NUMBERS, FLAGS, tmp_path / "own")
    assert served(tmp_path / "quick", compile_it=True).predictor.name == "sklearn-arithmetic"
    assert "not served compiled: sklearn-arithmetic is as quick" in caplog.text
    assert served(tmp_path / "own", compile_it=True).predictor.name == "sklearn"
    assert "not compiled: " in caplog.text
