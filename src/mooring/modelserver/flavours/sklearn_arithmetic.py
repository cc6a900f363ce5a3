"""What the commonest scikit-learn models compute, without what they check at every step.

The same operations of NumPy and of scikit-learn's own compiled trees, in the same order on the same memory layout: the
same bits, which probes confirm. Checking, cloning of configurations and bookkeeping of threads are nine tenths of a
`predict` of few rows. Read from scikit-learn 1.9; whatever is not known here to be the same is left to it.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from mooring.modelserver.rows import Array

Transform = Callable[[Array], None]
"""In place, on an array of our own."""
Method = Callable[[Array], Array]


class NotFinite(ValueError):
    """A missing or infinite value, about which scikit-learn has to say what it thinks."""


def arithmetic(estimator: Any, method: str) -> Method | None:
    """One method of a fitted estimator or pipeline, on float arrays of its columns; None when it is not known here."""
    *before, last = _steps(estimator)
    transforms = [_transform(step) for step in before]
    known = _ours(_METHODS, last)
    final: Method | None = known(last, method) if known else (getattr(last, method, None) if before else None)
    if final is None or None in transforms:
        return None
    return partial(_run, [transform for transform in transforms if transform], final)


def from_sums(model: Any, method: str, sums: Method) -> Method | None:
    """One method of boosted trees, or of a forest of regression, whose trees somebody else adds up."""
    known = _ours(_FROM_SUMS, model)
    made: Method | None = known(model, method, sums) if known else None
    return made


def _run(transforms: list[Transform], final: Method, matrix: Array) -> Array:
    own = np.array(matrix, order="K")
    for transform in transforms:
        transform(own)
    return final(own)


def _steps(estimator: Any) -> list[Any]:
    if not _is_ours(estimator, "Pipeline"):
        return [estimator]
    return [step for _, step in estimator.steps if step is not None and not isinstance(step, str)]


def _is_ours(estimator: Any, name: str) -> bool:
    """By its name, as importing all that is known here would cost more memory than most models."""
    return type(estimator).__name__ == name and type(estimator).__module__.startswith("sklearn.")


def _ours(makers: Mapping[str, Callable[..., Any]], estimator: Any) -> Callable[..., Any] | None:
    name = type(estimator).__name__
    return makers.get(name) if _is_ours(estimator, name) else None


def _transform(estimator: Any) -> Transform | None:
    make = _ours(_TRANSFORMS, estimator)
    made: Transform | None = make(estimator) if make else None
    return made


def _standard(scaler: Any) -> Transform:
    return partial(_standardise, scaler.mean_ if scaler.with_mean else None, scaler.scale_ if scaler.with_std else None)


def _standardise(mean: Array | None, scale: Array | None, x: Array) -> None:
    def narrowed(values: Array | None) -> Array | None:
        return None if values is None else values.astype(x.dtype, copy=False)

    _centre_and_scale(narrowed(mean), narrowed(scale), x)


def _robust(scaler: Any) -> Transform:
    centre = scaler.center_ if scaler.with_centering else None
    return partial(_centre_and_scale, centre, scaler.scale_ if scaler.with_scaling else None)


def _centre_and_scale(centre: Array | None, scale: Array | None, x: Array) -> None:
    if centre is not None:
        x -= centre
    if scale is not None:
        x /= scale


def _min_max(scaler: Any) -> Transform | None:
    return None if scaler.clip else partial(_scale_and_shift, scaler.scale_, scaler.min_)


def _scale_and_shift(scale: Array, shift: Array, x: Array) -> None:
    x *= scale
    x += shift


def _max_abs(scaler: Any) -> Transform | None:
    return None if getattr(scaler, "clip", False) else partial(_centre_and_scale, None, scaler.scale_)


def _linear(model: Any, method: str) -> Method | None:
    return partial(_scores, model) if method == "predict" else None


def _scores(model: Any, x: Array) -> Array:
    _refuse_infinite(x)
    coefficients = model.coef_
    scores: Array = x @ (coefficients if coefficients.ndim == 1 else coefficients.T) + model.intercept_
    return scores


def _linear_classifier(model: Any, method: str) -> Method | None:
    return partial(_classes, model, partial(_decisions, model)) if method == "predict" else None


def _logistic(model: Any, method: str) -> Method | None:
    return partial(_probabilities, model) if method == "predict_proba" else _linear_classifier(model, method)


def _probabilities(model: Any, x: Array) -> Array:
    from scipy.special import expit
    from sklearn.utils.extmath import softmax

    scores = _decisions(model, x)
    if scores.ndim > 1:
        shares: Array = softmax(scores, copy=False)
        return shares
    expit(scores, out=scores)
    return np.stack([1 - scores, scores], axis=1)


def _decisions(model: Any, x: Array) -> Array:
    scores = _scores(model, x)
    return scores.reshape(-1) if scores.ndim > 1 and scores.shape[1] == 1 else scores


def _classes(model: Any, score: Method, x: Array) -> Array:
    scores = score(x)
    indices = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
    classes: Array = model.classes_.take(indices, axis=0)
    return classes


def _forest_classifier(model: Any, method: str) -> Method | None:
    if model.n_outputs_ != 1 or method not in ("predict", "predict_proba"):
        return None
    shares = partial(_shares, [tree.tree_ for tree in model.estimators_], model.n_classes_)
    return partial(_classes, model, shares) if method == "predict" else shares


def _forest_regressor(model: Any, method: str, sums: Method | None = None) -> Method | None:
    if model.n_outputs_ != 1 or method != "predict":
        return None
    if sums:
        return lambda x: sums(x.astype(np.float32))[:, 0] / len(model.estimators_)
    trees = [tree.tree_ for tree in model.estimators_]
    return lambda x: _shares(trees, 1, x)[:, 0]


def _shares(trees: list[Any], width: int, x: Array) -> Array:
    narrow = x.astype(np.float32)
    _refuse_infinite(narrow)
    total = np.zeros((len(x), width))
    for tree in trees:
        total += tree.predict(narrow)[:, :width]
    total /= len(trees)
    return total


def _boosted_regressor(model: Any, method: str, sums: Method | None = None) -> Method | None:
    if model._preprocessor is not None or method != "predict":
        return None
    scores = _raw_scores(model, sums)
    return lambda x: model._loss.link.inverse(scores(x).ravel())


def _boosted_classifier(model: Any, method: str, sums: Method | None = None) -> Method | None:
    if model._preprocessor is not None:
        return None
    scores = _raw_scores(model, sums)
    if method == "predict_proba":
        return lambda x: model._loss.predict_proba(scores(x))
    return partial(_classes, model, lambda x: _flat(scores(x))) if method == "predict" else None


def _raw_scores(model: Any, sums: Method | None) -> Method:
    return (lambda x: sums(x) + model._baseline_prediction) if sums else partial(_boosted, model)


def _flat(scores: Array) -> Array:
    return scores.ravel() if scores.shape[1] == 1 else scores


def _boosted(model: Any, x: Array) -> Array:
    wide = x.astype(np.float64, copy=False)
    scores = np.zeros((len(x), model.n_trees_per_iteration_), model._baseline_prediction.dtype, order="F")
    scores += model._baseline_prediction
    bitsets, index = model._bin_mapper.make_known_categories_bitsets()
    for trees in model._predictors:
        for at, tree in enumerate(trees):
            scores[:, at] += tree.predict(wide, bitsets, index, 1)
    return scores


def _refuse_infinite(x: Array) -> None:
    # The sum is finite when all values are; that it is not when all are is rare enough to be asked twice.
    if not math.isfinite(np.add.reduce(x, axis=None)):
        raise NotFinite("a missing or infinite value")


_TRANSFORMS: Mapping[str, Callable[[Any], Transform | None]] = {
    "StandardScaler": _standard,
    "RobustScaler": _robust,
    "MinMaxScaler": _min_max,
    "MaxAbsScaler": _max_abs,
}
_METHODS: Mapping[str, Callable[[Any, str], Method | None]] = {
    **dict.fromkeys(("LinearRegression", "Ridge", "RidgeCV", "Lasso"), _linear),
    **dict.fromkeys(("LassoCV", "ElasticNet", "ElasticNetCV"), _linear),
    **dict.fromkeys(("LogisticRegression", "LogisticRegressionCV"), _logistic),
    **dict.fromkeys(("LinearSVC", "SGDClassifier"), _linear_classifier),
    **dict.fromkeys(("RandomForestClassifier", "ExtraTreesClassifier"), _forest_classifier),
    **dict.fromkeys(("RandomForestRegressor", "ExtraTreesRegressor"), _forest_regressor),
    "HistGradientBoostingRegressor": _boosted_regressor,
    "HistGradientBoostingClassifier": _boosted_classifier,
}
_FROM_SUMS: Mapping[str, Callable[[Any, str, Method], Method | None]] = {
    **dict.fromkeys(("RandomForestRegressor", "ExtraTreesRegressor"), _forest_regressor),
    "HistGradientBoostingRegressor": _boosted_regressor,
    "HistGradientBoostingClassifier": _boosted_classifier,
}
