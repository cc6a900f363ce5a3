"""Whether two answers are the same: container, names, types of values, and the values to the last bit."""

from typing import Any

import numpy as np
import pandas as pd

from mooring.modelserver.rows import Array

ROUNDING = 1024.0
"""Machine epsilons, of the largest answer, by which a row in a batch may differ from the row alone (2e-13 for float64,
1e-4 for float32). Libraries of linear algebra add up in another order when a matrix has more rows; the models' own
`predict` differs by the same."""


def difference(expected: Any, got: Any, epsilons: float = 0.0) -> str | None:
    """In a few words; None when there is none. Floats may differ by so many epsilons, everything else not at all."""
    if type(expected) is not type(got):
        return f"a {type(got).__name__} instead of a {type(expected).__name__}"
    if isinstance(expected, np.ndarray | np.generic):
        return _of_arrays(np.asarray(expected), np.asarray(got), epsilons)
    if isinstance(expected, pd.DataFrame):
        return _of_frames(expected, got, epsilons)
    if isinstance(expected, pd.Series):
        return _of_series(expected, got, epsilons)
    if isinstance(expected, dict):
        if list(expected) != list(got):
            return "other names"
        return _first(difference(expected[name], got[name], epsilons) for name in expected)
    if isinstance(expected, list | tuple):
        if len(expected) != len(got):
            return f"{len(got)} answers instead of {len(expected)}"
        return _first(difference(a, b, epsilons) for a, b in zip(expected, got, strict=True))
    return _of_scalars(expected, got, epsilons)


def _first(differences: Any) -> str | None:
    return next((found for found in differences if found), None)


def _of_frames(expected: pd.DataFrame, got: pd.DataFrame, epsilons: float) -> str | None:
    if list(expected.columns) != list(got.columns):
        return "other columns"
    return _first(_of_series(expected.iloc[:, at], got.iloc[:, at], epsilons) for at in range(expected.shape[1]))


def _of_series(expected: "pd.Series[Any]", got: "pd.Series[Any]", epsilons: float) -> str | None:
    if expected.name != got.name or expected.dtype != got.dtype or not expected.index.equals(got.index):
        return "another name, type or index of a column"
    return _of_arrays(expected.to_numpy(), got.to_numpy(), epsilons)


def _of_arrays(expected: Array, got: Array, epsilons: float) -> str | None:
    if expected.dtype != got.dtype:
        return f"{got.dtype} instead of {expected.dtype}"
    if expected.shape != got.shape:
        return f"shape {got.shape} instead of {expected.shape}"
    if expected.dtype.kind == "O":
        return difference(expected.tolist(), got.tolist(), epsilons)
    if expected.dtype.kind in "fc" and epsilons:
        return _of_rounded(expected, got, epsilons)
    if expected.dtype.kind in "fc" and not np.array_equal(np.isnan(expected), np.isnan(got)):
        return "missing values at other places"
    # Not by `==`, to which -0.0 is 0.0; but one NaN is as good as another.
    differs = (expected != got) & (expected == expected)
    if expected.dtype.kind == "f":
        differs |= np.signbit(expected) != np.signbit(got)
    return f"{int(differs.sum())} of {differs.size} values" if differs.any() else None


def _of_rounded(expected: Array, got: Array, epsilons: float) -> str | None:
    finite = np.abs(expected[np.isfinite(expected)])
    tolerance = epsilons * np.finfo(expected.dtype).eps * (finite.max() if finite.size else 0.0)
    close = np.isclose(expected, got, rtol=0.0, atol=tolerance, equal_nan=True)
    return None if close.all() else f"{int((~close).sum())} of {close.size} values, by more than rounding"


def _of_scalars(expected: Any, got: Any, epsilons: float) -> str | None:
    if isinstance(expected, float):
        return _of_arrays(np.asarray(expected), np.asarray(got), epsilons)
    return None if bool(expected == got) else "other values"
