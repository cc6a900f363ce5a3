"""Every library's quick way gives pyfunc's answers, alone and in batches, to the last bit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest

from mooring.modelserver.flavours import part
from mooring.modelserver.flavours.equality import ROUNDING, difference
from mooring.modelserver.rows import Rows, Shape
from tests.modelserver.flavour_models import (
    MATRIX,
    MIXED,
    NUMBERS,
    OTHERS,
    SKLEARN,
    TREES,
    Case,
    Served,
    rows_like,
    served,
)

SIZES = (1, 3, 40)
CASES = [*SKLEARN, *TREES, *OTHERS]


@pytest.fixture(scope="module")
def cached(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Case], Served]:
    folder = tmp_path_factory.mktemp("flavours")
    made: dict[str, Served] = {}

    def get(case: Case) -> Served:
        if case.name not in made:
            case.save(folder / case.name)
            made[case.name] = served(folder / case.name)
        return made[case.name]

    return get


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answers_are_pyfuncs_to_the_last_bit(case: Case, cached: Callable[[Case], Served]) -> None:
    ours = cached(case)
    assert ours.predictor.name == case.expected
    for size in SIZES:
        data = _fresh(ours, size)
        expected = ours.model.pyfunc.predict(_as_sent(ours, data))
        assert difference(expected, ours.predictor.predict(rows_like(ours, data))) is None, size


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_row_in_a_batch_is_answered_as_alone(case: Case, cached: Callable[[Case], Served]) -> None:
    ours = cached(case)
    assert ours.predictor.are_rows_independent
    rows = rows_like(ours, _fresh(ours, 23))
    together = ours.predictor.predict(rows)
    for start, stop in ((0, 1), (1, 9), (9, 23)):
        alone = ours.predictor.predict(rows.part(start, stop))
        assert difference(alone, part(together, start, stop), ROUNDING) is None


@pytest.mark.parametrize(
    "case", [case for case in SKLEARN if case.expected == "sklearn-arithmetic"], ids=lambda c: c.name
)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_what_scikit_learn_says_about_doubtful_values_stays(
    case: Case, value: float, cached: Callable[[Case], Served]
) -> None:
    ours = cached(case)
    data = _fresh(ours, 5)
    array = data if isinstance(data, np.ndarray) else None
    if array is not None:
        array[3, 2] = value
    else:
        data.iloc[3, 2] = value
    ours_says = _outcome(lambda: ours.predictor.predict(rows_like(ours, data)))
    pyfunc_says = _outcome(lambda: ours.model.pyfunc.predict(_as_sent(ours, data)))
    assert type(ours_says) is type(pyfunc_says)
    if not isinstance(pyfunc_says, Exception):
        assert difference(pyfunc_says, ours_says) is None


def test_nobody_writes_into_the_rows_of_a_request(cached: Callable[[Case], Served]) -> None:
    for case in CASES:
        ours = cached(case)
        rows = rows_like(ours, _fresh(ours, 4))
        locked = Rows(tuple(array.copy() for array in rows.arrays), rows.count)
        for array in locked.arrays:
            array.flags.writeable = False
        ours.predictor.predict(locked)


def _fresh(ours: Served, size: int) -> Any:
    """Rows that neither the training nor the probes have seen."""
    random = np.random.default_rng(size)
    if ours.layout.shape is Shape.TENSORS:
        return MATRIX[random.integers(0, 300, size)] + random.standard_normal((size, 6))
    if ours.layout.shape is Shape.COLUMNS:
        return MIXED.iloc[random.integers(0, 300, size)].reset_index(drop=True)
    scattered = NUMBERS.to_numpy()[random.integers(0, 300, size)] + random.standard_normal((size, 6)) * 0.3
    return pd.DataFrame(scattered, columns=list("abcdef")).astype(ours.layout.dtypes[0])


def _as_sent(ours: Served, data: Any) -> Any:
    if not isinstance(data, np.ndarray):
        return data
    array = data.astype(ours.layout.dtypes[0])
    return array if ours.layout.names == (None,) else {ours.layout.names[0]: array}


def _outcome(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except ValueError as error:
        return error


@pytest.mark.parametrize("kind", ["pytorch-tensor", "pytorch-table", "keras"])
def test_networks_answer_as_pyfunc_does(kind: str, tmp_path: Path) -> None:
    save = pytest.importorskip("tests.modelserver.network_models", reason="PyTorch or Keras is missing").SAVERS[kind]
    save(tmp_path / "m")
    ours = served(tmp_path / "m")
    assert ours.predictor.name == kind.partition("-")[0]
    assert ours.predictor.are_rows_independent
    for size in SIZES:
        data = _fresh(ours, size)
        expected = ours.model.pyfunc.predict(_as_sent(ours, data))
        assert difference(expected, ours.predictor.predict(rows_like(ours, data))) is None
    assert mlflow.models.Model.load(str(tmp_path / "m")).flavors
