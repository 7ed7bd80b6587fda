"""Updating a deployed model: other leaf values in the same tables."""

from __future__ import annotations

from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from skdistill.compact import TreeTable, evaluate
from skdistill.compact.tables.limits import INT32_MAX, value_limits
from skdistill.compact.tables.tree_table import MAX_LEAF_SCORE
from skdistill.model import CompactModel
from skdistill.students._validation import check_targets, check_values, check_weights
from skdistill.students.boosting.leaf_refit import AdditiveModel, refit
from skdistill.students.loss import Loss, soft_cross_entropy
from skdistill.students.squared_error import SquaredError
from skdistill.utils._sklearn_compat import HasMethods, Interval, validate_params


@validate_params(
    {
        "model": [CompactModel, HasMethods(["fit", "predict"])],
        "max_delta": [Interval(Real, 0, None, closed="neither")],
        "l2_regularization": [Interval(Real, 0, None, closed="neither")],
        "bias": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def adapt(
    model: Any,
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    max_delta: float = 1.0,
    l2_regularization: float = 0.1,
    bias: bool = False,
) -> CompactModel:
    """Refit the leaf values of a model on new rows, within a bound.

    Thresholds, columns, shapes and bits stay as they are: on a device only the table of leaf
    values is written anew (`skdistill.export.c.value_table`). XGBoost's
    ``process_type="update"`` refreshes leaves likewise, without a bound. No value moves by more
    than `max_delta`, so that a few rows cannot undo what was learnt from many.

    Parameters
    ----------
    model : CompactModel, or fitted student or distiller
        The model to start from. It is not changed.
    X : data frame, array-like or sparse matrix of shape (n_samples, n_features)
        New rows, with the columns that the model was trained on.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels among the model's classes; for a regression its targets.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows. None gives every row the weight 1.
    max_delta : float, default=1.0
        Largest change of a leaf value, and of the bias: in logits for a classifier, in units of
        the target for a regression. Rounding adds half a level at most.
    l2_regularization : float, default=0.1
        Penalty ``l2_regularization / 2 * sum(delta ** 2)`` beside the mean loss. The greater it
        is, the more rows a leaf needs to move.
    bias : bool, default=False
        Whether the bias is refitted too, after the leaf values. It is a constant in the code of
        an exported model, not part of its table of leaf values: the C has to be exported again.

    Returns
    -------
    model : CompactModel
        With the same structure, value bits and scale.

    Raises
    ------
    ValueError
        For labels that the model does not know, for a model with link "normalize", and for a
        model without trees unless ``bias=True``.

    Notes
    -----
    Leaf values of two or three levels hardly move: a value changes only where the best move is
    at least half a level.

    The order that `monotonic_cst` of a student asks for is not kept.

    A move ends where the model would no longer be valid: at the limits of the value bits, at
    leaf scores of 2**24, and where a sum of scores could leave int32.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftBoostingClassifier, adapt
    >>> X, y = load_iris(return_X_y=True)
    >>> student = SoftBoostingClassifier(4, random_state=0).fit(X[::2], y[::2])
    >>> own = adapt(student, X, y)
    >>> own.tables[0].left.tolist() == student.compact_.tables[0].left.tolist()
    True
    """
    if not isinstance(model, CompactModel):
        check_is_fitted(model, "compact_")
        model = model.compact_
    compact: CompactModel = model
    if compact.link == "normalize":
        raise ValueError(
            "a model with link 'normalize' cannot be adapted: its votes are divided by their sum; "
            "adapt a student with logits, such as a SoftBoostingClassifier"
        )
    if compact.link == "exp":
        raise ValueError(
            "a model with link 'exp' cannot be adapted: its scores are logarithms of values; "
            "adapt a regression student"
        )
    if not bias and not compact.tables_of(TreeTable):
        raise ValueError("model has no trees, hence no leaf values to adapt: pass bias=True")
    X = compact.read_rows(X)
    check_consistent_length(X, y)
    if compact.classes is not None and len(compact.classes) == 1:
        return compact
    loss = _loss(compact, X, y, sample_weight)
    options = {"l2_regularization": l2_regularization, "max_delta": max_delta}
    for trees in compact.tables_of(TreeTable):
        leaves = evaluate.indexed_leaves(compact, X)
        deltas = _best_deltas(compact, X, loss, leaves, len(trees.values), **options)
        compact = compact.with_table(_move_values(compact, trees, deltas))
    if bias:
        deltas = _best_deltas(compact, X, loss, np.zeros((len(X), 1), np.int32), 1, **options)
        room = INT32_MAX - compact.score_bound
        steps = np.clip(np.rint(deltas[0] / compact.scale), -room, room)
        compact = replace(compact, bias=compact.bias + steps.astype(np.int32))
    return compact


def _loss(model: CompactModel, X: NDArray[Any], y: Any, sample_weight: Any) -> Loss:
    """The loss of the model's scores times their scale."""
    weight = check_weights(sample_weight, X)
    if model.classes is None:
        return SquaredError(check_values(y, len(X)), weight)
    targets, _ = check_targets(y, model.classes, len(X), named="the model's classes")
    return soft_cross_entropy(targets, weight)


def _best_deltas(
    model: CompactModel,
    X: NDArray[Any],
    loss: Loss,
    leaves: NDArray[np.int32],
    n_leaves: int,
    *,
    l2_regularization: float,
    max_delta: float,
) -> NDArray[np.float64]:
    """Best change of each leaf's values, float64 array of shape (n_leaves, n_scores).

    The bias is a single leaf that all rows reach.
    """
    n_scores, scale = model.n_scores, np.asarray(model.scale, np.float64)
    # `refit` knows a tree by its leaves. Those of a model may be shared between trees, so that
    # each tree gets one more leaf, which no row reaches.
    tree_of_leaf = np.concatenate([np.zeros(n_leaves, np.intp), np.arange(leaves.shape[1])])
    start = AdditiveModel(
        leaves=leaves,
        tree_of_leaf=tree_of_leaf,
        leaf_values=np.zeros((len(tree_of_leaf), n_scores)),
        inputs=(evaluate.indexed_scores(model, X) * scale).astype(np.float64, copy=False),
        coef=np.eye(n_scores),
        intercept=np.zeros(n_scores),
    )
    moved: AdditiveModel = refit(
        start,
        loss,
        l2_regularization=l2_regularization,
        max_value=max_delta,
        fit_linear=False,
    )
    return moved.leaf_values[:n_leaves]


def _move_values(model: CompactModel, trees: TreeTable, deltas: NDArray[np.float64]) -> TreeTable:
    """Leaf values moved by `deltas`, as far as the model stays valid."""
    low, high = value_limits(trees.value_bits, signed=bool((trees.values < 0).any()))
    # What int32 has room for is divided among the trees: each largest value may grow by as much.
    room = (INT32_MAX - model.score_bound) // (len(trees.roots) * trees.unit)
    bound = np.minimum(np.abs(trees.values) + room, MAX_LEAF_SCORE // trees.unit)
    levels = np.rint(deltas / (np.asarray(model.scale) * trees.unit))
    values = np.clip(trees.values + levels, np.maximum(low, -bound), np.minimum(high, bound))
    return replace(trees, values=values.astype(np.int32))
