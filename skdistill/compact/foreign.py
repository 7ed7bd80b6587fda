"""Trees of other libraries as arrays. Reads what they write about themselves, imports none.

All comparisons become ``x <= threshold``: a strict one, ``x < t`` on float32, is ``x <= `` the
number just below t. Rounding a threshold toward −inf, to the type that rows are compared in,
then changes the way of no row.

Symbols: N nodes of a tree, S score columns, K classes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.assemble import LearntTree
from skdistill.compact.grid import MAX_EDGES, InputGrid
from skdistill.compact.model import CompactModel
from skdistill.compact.quantize import round_down

_LIGHTGBM_ZERO = float(np.float32(1e-35))
_XGBOOST_LINKS = {
    "binary:logistic": "sigmoid",
    "binary:logitraw": "identity",
    "multi:softprob": "softmax",
    "multi:softmax": "softmax",
    "reg:squarederror": "identity",
    "reg:squaredlogerror": "identity",
    "reg:pseudohubererror": "identity",
    "reg:absoluteerror": "identity",
    "reg:quantileerror": "identity",
}
_LIGHTGBM_LINKS = {
    "binary": "sigmoid",
    "multiclass": "softmax",
    "regression": "identity",
    "regression_l1": "identity",
    "huber": "identity",
    "fair": "identity",
    "quantile": "identity",
    "mape": "identity",
}


class ForeignTree(NamedTuple):
    """One tree on the columns of its input; node 0 is the root, children follow their parents.

    Attributes
    ----------
    feature : int array of shape (N,)
        Column of the input, −1 for a leaf.
    threshold : float64 array of shape (N,)
        A row goes left where its value is at most this.
    nan_left : bool array of shape (N,)
    children : int array of shape (N, 2)
    values : float64 array of shape (N, S)
        Read at leaves only.
    number : int array of shape (N,)
        What the library calls the node; read at leaves only.
    """

    feature: NDArray[np.intp]
    threshold: NDArray[np.float64]
    nan_left: NDArray[np.bool_]
    children: NDArray[np.intp]
    values: NDArray[np.float64]
    number: NDArray[np.intp]


class Ensemble(NamedTuple):
    """Trees whose values add up to margins.

    Attributes
    ----------
    trees : list of ForeignTree
    column : int array of shape (T,)
        The score that each tree adds to.
    start : float64 array of shape (S,)
        Margins before the first tree.
    link : {"sigmoid", "softmax", "identity"}
        What is made of the margins.
    """

    trees: list[ForeignTree]
    column: NDArray[np.intp]
    start: NDArray[np.float64]
    link: str


def in_column(values: NDArray[Any], column: int, n_scores: int) -> NDArray[np.float64]:
    """Values of a tree that adds to one of several scores, shape (N, S)."""
    wide = np.zeros((len(values), n_scores))
    wide[:, column] = values
    return wide


def xgboost_model(fitted: Any) -> Ensemble:
    """What XGBoost predicts with: up to the best round of an estimator, all of a booster.

    Parameters
    ----------
    fitted : xgboost.XGBModel or xgboost.Booster

    Returns
    -------
    ensemble : Ensemble

    Raises
    ------
    ValueError
        For a `missing` other than NaN, and for what `xgboost_trees` refuses.
    """
    if not hasattr(fitted, "get_booster"):
        return xgboost_trees(fitted.save_raw("json"))
    if not np.isnan(fitted.missing):
        raise ValueError(f"missing={fitted.missing!r} of XGBoost is not supported, only NaN")
    best = getattr(fitted, "best_iteration", None)
    return xgboost_trees(fitted.get_booster().save_raw("json"), best)


def xgboost_trees(text: bytes | str, best_iteration: int | None = None) -> Ensemble:
    """Trees of an XGBoost model, from ``booster.save_raw("json")``.

    Parameters
    ----------
    text : bytes or str
    best_iteration : int, default=None
        The last round to read.

    Returns
    -------
    ensemble : Ensemble
        Values are margins, one column a class or a target, one for two classes. ``number``
        is what ``pred_leaf`` gives.

    Raises
    ------
    ValueError
        For the booster "gblinear", vector leaves, categorical splits and objectives whose
        margins are neither values, logits nor the logarithms of probabilities.
    """
    learner = json.loads(text)["learner"]
    booster = learner["gradient_booster"]
    if booster["name"] not in ("gbtree", "dart"):
        raise ValueError(
            f"booster={booster['name']!r} of XGBoost is not supported, only 'gbtree' and 'dart'"
        )
    objective = learner["objective"]["name"]
    if objective not in _XGBOOST_LINKS:
        known = ", ".join(_XGBOOST_LINKS)
        raise ValueError(f"objective={objective!r} of XGBoost is not supported, only {known}")
    settings = learner["learner_model_param"]
    n_scores = max(1, int(settings["num_class"]), int(settings.get("num_target", 1)))
    start = np.zeros(n_scores) + np.atleast_1d(json.loads(settings["base_score"]))
    if objective.startswith("binary:"):
        start = np.log(start) - np.log1p(-start)
    dropped = booster.get("weight_drop")
    model = booster["gbtree"]["model"] if "gbtree" in booster else booster["model"]
    n_trees = len(model["trees"])
    if best_iteration is not None:
        n_trees = model["iteration_indptr"][best_iteration + 1]
    column = np.array(model["tree_info"][:n_trees], np.intp)
    trees = []
    for number, (tree, target) in enumerate(zip(model["trees"], column, strict=False)):
        if int(tree["tree_param"]["size_leaf_vector"]) > 1:
            raise ValueError("multi_strategy='multi_output_tree' of XGBoost is not supported")
        if tree["categories_nodes"]:
            raise ValueError("categorical splits of XGBoost (enable_categorical) are not supported")
        left = np.array(tree["left_children"], np.intp)
        numbers = np.array(tree["split_conditions"], np.float32)
        inner = left >= 0
        weight = 1.0 if dropped is None else dropped[number]
        found = ForeignTree(
            np.where(inner, np.array(tree["split_indices"], np.intp), -1),
            np.nextafter(numbers, np.float32(-np.inf)).astype(np.float64),
            (np.array(tree["default_left"]) > 0) & inner,
            np.column_stack([left, np.array(tree["right_children"], np.intp)]),
            in_column(np.where(inner, 0, weight * numbers.astype(np.float64)), target, n_scores),
            np.arange(len(left)),
        )
        trees.append(_parents_first(found))
    return Ensemble(trees, column, start, _XGBOOST_LINKS[objective])


def lightgbm_trees(text: str) -> Ensemble:
    """Trees of a LightGBM model, from ``booster.model_to_string()``.

    Parameters
    ----------
    text : str

    Returns
    -------
    ensemble : Ensemble
        Values are margins, one column a class, one for two classes or a regression.
        ``number`` is what ``pred_leaf`` gives; of an inner node it is its place.

    Raises
    ------
    ValueError
        For averaged trees, linear leaves, categorical splits, zeros that count as missing
        and objectives whose margins are neither values, logits nor the logarithms of
        probabilities.
    """
    head, *blocks = text.partition("\nend of trees")[0].split("\nTree=")
    model = _fields(head)
    objective, *options = model.get("objective", "custom").split()
    if objective not in _LIGHTGBM_LINKS:
        known = ", ".join(_LIGHTGBM_LINKS)
        raise ValueError(f"objective={objective!r} of LightGBM is not supported, only {known}")
    if "sqrt" in options:
        raise ValueError("reg_sqrt of LightGBM is not supported")
    if "average_output" in model:
        raise ValueError("boosting_type='rf' of LightGBM is not supported")
    stretch = [float(o.partition(":")[2]) for o in options if o.startswith("sigmoid:")]
    n_scores = int(model["num_tree_per_iteration"])
    column = np.arange(len(blocks)) % n_scores
    trees = [
        _lightgbm_tree(_fields(block), target, n_scores, sum(stretch) or 1)
        for block, target in zip(blocks, column.tolist(), strict=True)
    ]
    return Ensemble(trees, column, np.zeros(n_scores), _LIGHTGBM_LINKS[objective])


def _fields(block: str) -> dict[str, str]:
    """What stands behind each name of a block of lines."""
    return dict(line.partition("=")[::2] for line in block.splitlines())


def _lightgbm_tree(tree: dict[str, str], target: int, n_scores: int, stretch: float) -> ForeignTree:
    """A tree whose inner nodes come first, then the leaves, on which `~child` points."""
    if tree.get("is_linear", "0") != "0":
        raise ValueError("linear leaves of LightGBM (linear_tree) are not supported")
    n_leaves = int(tree["num_leaves"])
    inner, leaf = n_leaves - 1, np.arange(n_leaves)

    def read(name: str, kind: type) -> NDArray[Any]:
        return np.array(tree[name].split() if n_leaves > 1 else [], kind)

    decision = read("decision_type", int)
    if (decision & 1).any():
        raise ValueError("categorical splits of LightGBM are not supported")
    missing = decision >> 2 & 3
    if (missing == 1).any():
        raise ValueError("zero_as_missing of LightGBM is not supported")
    threshold = read("threshold", float)
    # Nearer to 0 than this every value is read as 0.
    zero = np.where(threshold >= 0, _LIGHTGBM_ZERO, np.nextafter(-_LIGHTGBM_ZERO, -1))
    threshold = np.where(np.abs(threshold) <= _LIGHTGBM_ZERO, zero, threshold)
    # Where a column had no NaN in training, NaN is read as 0.
    nan_left = np.where(missing == 2, (decision & 2) > 0, threshold >= 0)
    children = np.column_stack([read("left_child", int), read("right_child", int)])
    children = np.where(children < 0, inner + ~children, children)
    value = stretch * np.array(tree["leaf_value"].split(), float)
    nothing = np.zeros(n_leaves)
    return _parents_first(
        ForeignTree(
            np.concatenate([read("split_feature", int), nothing.astype(int) - 1]),
            np.concatenate([threshold, nothing]),
            np.concatenate([nan_left, nothing > 0]),
            np.vstack([children, np.full((n_leaves, 2), -1)]),
            in_column(np.concatenate([np.zeros(inner), value]), target, n_scores),
            np.concatenate([np.arange(inner), leaf]),
        )
    )


class _Rows:
    """Nodes of one tree, gathered from the root down."""

    def __init__(self, n_scores: int) -> None:
        self.nodes: list[tuple[int, float, bool, Any, int]] = []
        self.children: list[list[int]] = []
        self.nothing = np.zeros(n_scores)

    def add(
        self,
        parent: int,
        side: int,
        feature: int = -1,
        threshold: float = 0.0,
        nan_left: bool = False,
        value: NDArray[np.float64] | None = None,
        number: int = -1,
    ) -> int:
        """Append a node as a child of `parent`, if that is one; return its place."""
        if parent >= 0:
            self.children[parent][side] = len(self.nodes)
        value = self.nothing if value is None else value
        self.nodes.append((feature, threshold, nan_left, value, number))
        self.children.append([-1, -1])
        return len(self.nodes) - 1

    def tree(self) -> ForeignTree:
        feature, threshold, nan_left, value, number = zip(*self.nodes, strict=True)
        return ForeignTree(
            np.array(feature, np.intp),
            np.array(threshold, np.float64),
            np.array(nan_left, np.bool_),
            np.array(self.children, np.intp),
            np.array(value, np.float64),
            np.array(number, np.intp),
        )


def compact_trees(model: CompactModel) -> list[ForeignTree]:
    """Trees of a compact model, each with its own nodes; values are in units of the link.

    Parameters
    ----------
    model : CompactModel
        With trees. ``number`` is what `execute.leaves` gives.

    Returns
    -------
    trees : list of ForeignTree
    """
    grid, table = model.grid, model.trees
    if grid is None or table is None:
        raise ValueError("the model has no trees")
    worth = table.worth * model.scale
    edges = grid.edges[grid.offsets[table.feature] + table.threshold].astype(np.float64)
    columns = grid.features[table.feature]
    trees = []
    for root in table.roots.tolist():
        rows = _Rows(model.n_scores)
        waiting = [(root, -1, 0)]
        while waiting:
            node, parent, side = waiting.pop()
            if node < 0:
                rows.add(parent, side, value=worth[~node], number=~node)
                continue
            here = rows.add(parent, side, columns[node], edges[node], table.nan_left[node])
            waiting += [(int(table.right[node]), here, 1), (int(table.left[node]), here, 0)]
        trees.append(rows.tree())
    return trees


def _parents_first(tree: ForeignTree) -> ForeignTree:
    """The nodes that the root leads to, depth first."""
    order, waiting = [], [0]
    while waiting:
        node = waiting.pop()
        order.append(node)
        if tree.feature[node] >= 0:
            waiting += [int(tree.children[node, 1]), int(tree.children[node, 0])]
    kept = np.array(order)
    place = np.full(len(tree.feature), -1)
    place[kept] = np.arange(len(kept))
    children = np.where(tree.feature[kept, None] >= 0, place[tree.children[kept]], -1)
    return ForeignTree(*(part[kept] for part in tree))._replace(children=children)


def on_a_grid(
    trees: Sequence[ForeignTree],
    n_features: int,
    dtype: str = "float32",
    *,
    through_float32: bool = False,
) -> tuple[InputGrid, list[LearntTree]]:
    """Trees on the grid of all their thresholds, which are rounded toward −inf to `dtype`.

    Parameters
    ----------
    trees : sequence of ForeignTree
    n_features : int
        Columns of the input.
    dtype : {"float32", "int32"}
        The type that rows are compared in.
    through_float32 : bool, default=False
        Whether the trees' own library rounds int32 rows to float32 before it compares.

    Returns
    -------
    grid : InputGrid
        Of all columns.
    trees : list of LearntTree
        Their values are real.

    Raises
    ------
    ValueError
        For thresholds below all numbers of `dtype`, and more of them in one column than a
        grid can hold.
    """
    inner = [tree.feature >= 0 for tree in trees]
    owner = np.concatenate([tree.feature[i] for tree, i in zip(trees, inner, strict=True)])
    exact = np.concatenate([tree.threshold[i] for tree, i in zip(trees, inner, strict=True)])
    if through_float32 and dtype == "int32":
        cut = _last_integers(round_down(exact))
    else:
        cut = round_down(exact, dtype)
    if (cut == -np.inf).any():
        column = owner[np.argmax(cut == -np.inf)]
        raise ValueError(
            f"column {column} is split below the least number of float32: scale it down"
        )
    order = np.lexsort((cut, owner))
    by_owner, in_order = owner[order], cut[order]
    first = np.ones(len(order), bool)  # of equal edges of a column
    first[1:] = (by_owner[1:] != by_owner[:-1]) | (in_order[1:] != in_order[:-1])
    counts = np.bincount(by_owner[first], minlength=n_features)
    if counts.max(initial=0) > MAX_EDGES:
        raise ValueError(
            f"column {counts.argmax()} has {counts.max()} different thresholds, a grid holds "
            f"{MAX_EDGES} of a column: fit fewer or smaller trees"
        )
    offsets = np.concatenate([[0], np.cumsum(counts)])
    grid = InputGrid(np.arange(n_features), offsets, in_order[first].astype(dtype))
    code = np.empty(len(order), np.int32)
    code[order] = np.cumsum(first) - 1 - offsets[by_owner]
    learnt, start = [], 0
    for tree, i in zip(trees, inner, strict=True):
        threshold = np.zeros(len(i), np.int32)
        threshold[i] = code[start : start + int(i.sum())]
        start += int(i.sum())
        learnt.append(
            LearntTree(tree.feature, threshold, tree.nan_left, tree.children, tree.values)
        )
    return grid, learnt


def _last_integers(edges: NDArray[np.float32]) -> NDArray[np.int32]:
    """The largest int32 that float32 rounds to at most each edge."""
    with np.errstate(over="ignore"):
        above = np.nextafter(edges, np.float32(np.inf)).astype(np.float64)
    middle = np.floor((edges.astype(np.float64) + above) / 2).clip(-(2.0**31), 2.0**31 - 1)
    middle -= middle.astype(np.float32) > edges
    last: NDArray[np.int32] = np.maximum(middle, -(2.0**31)).astype(np.int32)
    return last


def coarser(
    grid: InputGrid, trees: Sequence[LearntTree], coarse: InputGrid, X: NDArray[Any]
) -> tuple[InputGrid, list[LearntTree]]:
    """Move each threshold to that edge of a coarser grid that changes the way of fewest rows.

    Parameters
    ----------
    grid : InputGrid
        Of all columns.
    trees : sequence of LearntTree
        On `grid`.
    coarse : InputGrid
        Of all columns.
    X : array of shape (n, d)
        The rows that count.

    Returns
    -------
    grid : InputGrid
        `coarse`, and the edges of columns that have none there.
    trees : list of LearntTree
        On it.
    """
    nearest, edges = [], []
    for column, (fine, few) in enumerate(zip(_edges(grid), _edges(coarse), strict=True)):
        if len(fine) == 0 or len(few) == 0:
            nearest.append(np.arange(len(fine)))
            edges.append(fine)
            continue
        x = np.sort(X[:, column])
        below, below_few = (np.searchsorted(x, part, side="right") for part in (fine, few))
        after = np.minimum(np.searchsorted(below_few, below), len(few) - 1)
        before = np.maximum(after - 1, 0)
        closer = np.abs(below - below_few[before]) < np.abs(below_few[after] - below)
        nearest.append(np.where(closer, before, after))
        edges.append(few)
    offsets = np.cumsum([0] + [len(part) for part in edges])
    to = np.concatenate(nearest)
    moved = []
    for tree in trees:
        inner = tree.feature >= 0
        threshold = np.zeros(len(inner), np.int32)
        threshold[inner] = to[grid.offsets[tree.feature[inner]] + tree.threshold[inner]]
        moved.append(tree._replace(threshold=threshold))
    return InputGrid(grid.features, offsets, np.concatenate(edges)), moved


def _edges(grid: InputGrid) -> list[NDArray[Any]]:
    """Edges of each column."""
    return np.split(grid.edges, grid.offsets[1:-1])
