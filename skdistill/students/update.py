"""A deployed model made to suit its user: other values in the same tables."""

from __future__ import annotations

from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from skdistill.compact import TreeTable, evaluate
from skdistill.compact.tables.limits import value_limits
from skdistill.model import CompactModel
from skdistill.students._validation import check_targets, check_values, check_weights
from skdistill.students.boosting.leaf_refit import Ensemble, refit
from skdistill.students.loss import Loss, SquaredError, soft_cross_entropy
from skdistill.utils._sklearn_compat import HasMethods, Interval, StrOptions, validate_params


@validate_params(
    {
        "model": [CompactModel, HasMethods(["fit", "predict"])],
        "values": [StrOptions({"leaves", "bias"})],
        "max_delta": [Interval(Real, 0, None, closed="neither")],
        "l2_regularization": [Interval(Real, 0, None, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def adapt(
    model: Any,
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    values: str = "leaves",
    max_delta: float = 1.0,
    l2_regularization: float = 0.1,
) -> CompactModel:
    """Refit leaf values and bias, or the bias alone, on a user's own rows.

    Thresholds, columns, shapes and bits stay as they are: on a device only a table of values
    has to be written. (XGBoost's ``process_type="update"`` refreshes leaves likewise, without
    a bound.) No value moves further than `max_delta`, so that a few rows cannot
    undo what was learnt from many; rows that say nothing new change nothing.

    Parameters
    ----------
    model : CompactModel, or fitted student or distiller
        Stays as it is.
    X : array-like of shape (n, d)
    y : array-like of shape (n,), or (n, S) of values
        Labels among the model's classes, or values where it has none.
    sample_weight : array-like of shape (n,), default=None
    values : {"leaves", "bias"}, default="leaves"
        What moves beside the bias: the leaf values of the trees, or nothing.
    max_delta : float, default=1.0
        How far a leaf value, and the bias, may move at most: in logits, or in units of the
        target where the model has no classes.
    l2_regularization : float, default=0.1
        Penalty ``l2_regularization / 2 * sum(move ** 2)`` beside the mean loss: the greater,
        the more rows a leaf needs to move.

    Returns
    -------
    model : CompactModel
        With the same structure, value bits and scale.

    Raises
    ------
    ValueError
        For labels that the model does not know, for votes (link "normalize"), and for
        ``values="leaves"`` without trees.

    Notes
    -----
    The bias is rounded to a unit that is finer than that of the leaves, and learnt once
    more after these are rounded. Leaf values of two or three levels hardly move: half a
    level must be worth it.

    Where ``nbytes`` of the model changes, the bias has become too large for its integer type on
    the device, or small enough for a narrower one, and the C has to be exported again.

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
    if model.link == "normalize":
        raise ValueError("votes (link 'normalize') cannot be adapted: their sum is not free")
    if values == "leaves" and not model.tables_of(TreeTable):
        raise ValueError("values='leaves' needs a model with trees: pass values='bias'")
    evaluate.check_names(model, X)
    X = np.asarray(X)
    check_consistent_length(X, y)
    if model.classes is not None and len(model.classes) == 1:
        return model
    loss = _loss(model, X, y, sample_weight)
    if values == "leaves":
        moves = _best_moves(model, X, loss, l2_regularization, max_delta, leaves=True)
        trees = model.table(TreeTable)
        low, high = value_limits(trees.value_bits, signed=bool((trees.values < 0).any()))
        levels = np.rint(moves / (np.asarray(model.scale) * trees.unit))
        values = np.clip(trees.values + levels, low, high).astype(np.int32)
        model = model.with_table(replace(trees, values=values))
    moves = _best_moves(model, X, loss, l2_regularization, max_delta, leaves=False)
    return replace(model, bias=model.bias + np.rint(moves[0] / model.scale).astype(np.int32))


def _loss(model: CompactModel, X: NDArray[Any], y: Any, sample_weight: Any) -> Loss:
    """The loss of the model's scores times their scale."""
    weight = check_weights(sample_weight, X)
    if model.classes is None:
        return SquaredError(check_values(y, len(X)), weight)
    targets, _ = check_targets(y, model.classes, len(X), named="the model's classes")
    return soft_cross_entropy(targets, weight)


def _best_moves(
    model: CompactModel,
    X: NDArray[Any],
    loss: Loss,
    l2_regularization: float,
    limit: float,
    *,
    leaves: bool,
) -> NDArray[np.float64]:
    """Moves of all leaf values, shape (L, S), or of the bias as a single leaf that all share."""
    z, S = model.scores(X) * np.asarray(model.scale, np.float64), model.n_scores
    at, n_leaves = np.zeros((len(X), 1), np.int32), 1
    if leaves:
        at, n_leaves = evaluate.leaves(model, X), len(model.table(TreeTable).values)
    # `refit` knows trees by their leaves, which may be shared: each gets one that no row is in.
    tree = np.concatenate([np.zeros(n_leaves, np.intp), np.arange(at.shape[1])])
    still = Ensemble(at, tree, np.zeros((len(tree), S)), z, np.eye(S), np.zeros(S))
    return refit(still, loss, l2_regularization=l2_regularization, linear=False, limit=limit).W[
        :n_leaves
    ]
