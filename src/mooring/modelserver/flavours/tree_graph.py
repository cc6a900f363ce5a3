"""Trees of scikit-learn as one node of ONNX, in doubles: each comparison and each leaf is the same to the last bit.

The converter makes float32 of them, or does not know them at all. Read from scikit-learn 1.9 and ai.onnx.ml 5.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from mooring.modelserver.rows import Array

_OPSETS = {"ai.onnx.ml": 5, "": 18}
_IR_VERSION = 9
_SUM, _AS_IT_IS, _AT_MOST = 1, 0, 0
"""What is done with the leaves of all trees, and with the sum; how a value is compared with a split."""
_SOLE_LEAF = 0
_MOST_NODES = 2_000_000
"""Each is some hundred bytes while the graph is made."""


class _Tree(NamedTuple):
    """One array each of (nodes,), the root first. `left` is where values at most the threshold go."""

    is_leaf: Array
    left: Array
    right: Array
    feature: Array
    threshold: Array
    value: Array
    target: int
    """Which of the sums its leaves count for."""


def tree_graph(estimator: Any, width: int) -> bytes | None:
    """From `rows` of doubles (n, width) to `sums` (n, targets) over all trees; None when it is not known here.

    Raises ValueError for trees that are too large.
    """
    read = _READERS.get(type(estimator).__name__)
    trees = list(read(estimator)) if read and type(estimator).__module__.startswith("sklearn.") else []
    count = sum(len(tree.is_leaf) for tree in trees)
    if count > _MOST_NODES:
        raise ValueError(f"its trees have {count} nodes, and more than {_MOST_NODES} are not compiled")
    # Splits by categories have no threshold, and a leaf with several values has no single one.
    return _graph(trees, width) if trees else None


def _boosted(estimator: Any) -> Iterator[_Tree]:
    grown = [(tree.nodes, at) for trees in estimator._predictors for at, tree in enumerate(trees)]
    if any(nodes["is_categorical"].any() for nodes, _ in grown):
        return
    for nodes, at in grown:
        yield _Tree(
            nodes["is_leaf"].astype(bool), nodes["left"], nodes["right"], nodes["feature_idx"], nodes["num_threshold"],
            nodes["value"], at,
        )  # fmt: skip


def _forest(estimator: Any) -> Iterator[_Tree]:
    if estimator.n_outputs_ != 1:
        return
    for tree in (grown.tree_ for grown in estimator.estimators_):
        left, right = tree.children_left, tree.children_right
        yield _Tree(left < 0, left, right, tree.feature, tree.threshold, tree.value[:, 0, 0], 0)


def _graph(trees: Sequence[_Tree], width: int) -> bytes:
    from onnx import TensorProto, helper

    targets = 1 + max(tree.target for tree in trees)
    rows = helper.make_tensor_value_info("rows", TensorProto.DOUBLE, [None, width])
    sums = helper.make_tensor_value_info("sums", TensorProto.DOUBLE, [None, targets])
    node = helper.make_node(
        "TreeEnsemble", ["rows"], ["sums"], domain="ai.onnx.ml", n_targets=targets, aggregate_function=_SUM,
        post_transform=_AS_IT_IS, **_attributes(trees),
    )  # fmt: skip
    opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS.items()]
    graph = helper.make_graph([node], "trees", [rows], [sums])
    model: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION).SerializeToString()
    return model


def _attributes(trees: Sequence[_Tree]) -> dict[str, Any]:
    from onnx import numpy_helper

    parts: list[dict[str, Array]] = []
    roots, nodes, leaves = list[int](), 0, 0
    for tree in trees:
        roots.append(nodes)
        parts.append(_part(tree, nodes, leaves))
        nodes, leaves = nodes + len(parts[-1]["nodes_splits"]), leaves + len(parts[-1]["leaf_weights"])
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    whole["nodes_modes"] = np.full(nodes, _AT_MOST, np.uint8)
    # Lists of whole numbers are Python's own; other values travel as tensors, which have a type.
    return {"tree_roots": roots} | {
        name: values.tolist() if values.dtype == np.int64 else numpy_helper.from_array(values)
        for name, values in whole.items()
    }


def _part(tree: _Tree, nodes: int, leaves: int) -> dict[str, Array]:
    """One tree's part of each attribute, behind so many nodes and leaves of those before it."""
    inner = ~tree.is_leaf
    if not inner.any():
        return _part(_split_for_nothing(tree), nodes, leaves)
    # Inner nodes and leaves are counted apart.
    number = np.where(tree.is_leaf, tree.is_leaf.cumsum() + leaves, inner.cumsum() + nodes) - 1
    left, right = tree.left[inner].astype(np.intp), tree.right[inner].astype(np.intp)
    weights = tree.value[tree.is_leaf].astype(np.float64)
    return {
        "nodes_splits": tree.threshold[inner].astype(np.float64),
        "nodes_featureids": tree.feature[inner].astype(np.int64),
        "nodes_truenodeids": number[left].astype(np.int64),
        "nodes_trueleafs": tree.is_leaf[left].astype(np.int64),
        "nodes_falsenodeids": number[right].astype(np.int64),
        "nodes_falseleafs": tree.is_leaf[right].astype(np.int64),
        "leaf_weights": weights,
        "leaf_targetids": np.full(len(weights), tree.target, np.int64),
    }


def _split_for_nothing(tree: _Tree) -> _Tree:
    """A tree that is one leaf, under a node of which both sides are that leaf's: a root has to be a node."""
    value = float(tree.value[_SOLE_LEAF])
    return _Tree(
        is_leaf=np.array([False, True, True]), left=np.array([1, 0, 0]), right=np.array([2, 0, 0]),
        feature=np.zeros(3, np.int64), threshold=np.zeros(3), value=np.array([0.0, value, value]), target=tree.target,
    )  # fmt: skip


_READERS: dict[str, Callable[[Any], Iterator[_Tree]]] = {
    "HistGradientBoostingRegressor": _boosted,
    "HistGradientBoostingClassifier": _boosted,
    "RandomForestRegressor": _forest,
    "ExtraTreesRegressor": _forest,
}
