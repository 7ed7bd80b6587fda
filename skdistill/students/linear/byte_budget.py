"""The best linear model within a number of bytes: fewer bits of a weight, or fewer columns.

Which of both loses less depends on the data: a column costs what rounds it, besides one weight
for each score. So for each number of bits as many columns are taken as fit, the weights are
learnt anew, and the model of the least training loss is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import CategoryTable, LinearTable
from skdistill.model import CompactModel
from skdistill.students.linear.design import DesignMatrix
from skdistill.students.size_search import search_sizes, too_small

_REFITS = 3  # for one number of bits: the bytes of the bias are known after rounding
_FINE = 8  # bits of a weight whose rounding does not show


class LinearModel(NamedTuple):
    """A linear model, real and in integers.

    Attributes
    ----------
    design : DesignMatrix
        Of the columns that it reads.
    W : float64 array of shape (n_used, n_scores)
        Weights on the design matrix.
    compact : CompactModel
        The same, rounded.
    """

    design: DesignMatrix
    W: NDArray[np.float64]
    compact: CompactModel


class LinearProblem(Protocol):
    """What a linear student learns from, for any choice of columns."""

    @property
    def categories(self) -> CategoryTable:
        """Columns of categories."""

    def learn(
        self, design: DesignMatrix, W: NDArray[np.float64], b: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights and bias on a design matrix, from a first guess."""

    def rounded(
        self,
        design: DesignMatrix,
        W: NDArray[np.float64],
        b: NDArray[np.float64],
        weight_bits: int | str,
    ) -> CompactModel:
        """The compact model of weights and bias."""

    def model(self, bias: Any, scale: Any, *tables: LinearTable) -> CompactModel:
        """The compact model of some tables."""

    def loss(self, z: NDArray[np.float64]) -> float:
        """Mean loss of raw predictions."""

    def importances(self, W: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weights by which columns are ranked, float64 array of shape (n_used, n_scores)."""


def fit_within(
    problem: LinearProblem,
    design: DesignMatrix,
    W: NDArray[np.float64],
    b: NDArray[np.float64],
    weight_bits: int | str,
    max_bytes: int | None,
) -> LinearModel:
    """Round a linear model to a number of bytes.

    Parameters
    ----------
    problem : LinearProblem
        What it was learnt from.
    design : DesignMatrix
        Of all columns.
    W, b : float64 arrays of shape (n_used, n_scores) and (n_scores,)
        Weights and bias, learnt on it.
    weight_bits : int in [2, 16] or "ternary"
        Most bits of a weight.
    max_bytes : int or None
        Bytes that the model may take; None is any number.

    Returns
    -------
    model : LinearModel
        With all columns at all bits, if that fits.

    Raises
    ------
    ValueError
        If not even one column fits; it names the bytes of one.
    """
    whole = problem.rounded(design, W, b, weight_bits)
    if max_bytes is None or whole.nbytes <= max_bytes:
        return LinearModel(design, W, whole)
    if not len(W):
        raise too_small(max_bytes, "a constant", whole.nbytes)
    order = np.argsort(-np.abs(problem.importances(W)).sum(axis=1), kind="stable")
    best: LinearModel | None = None
    least_loss, smallest = np.inf, whole.nbytes
    chosen: NDArray[np.intp] = order[:0]
    for bits in _fewer_bits(weight_bits):
        family = _Family(problem, design, order, whole, bits)
        model = None
        limit, columns, tried = max_bytes, order[:0], 0
        while tried < _REFITS or model is None:
            sizes, size, nbytes = search_sizes(family.without, problem.categories, limit)
            if nbytes > limit:
                smallest = min(smallest, nbytes)
                if tried or not sizes.largest:
                    break
                # Nothing fits, unless one column has a bias of fewer bytes than all have.
                size, nbytes = 1, sizes.nbytes(1)
            fits = np.sort(sizes.order[:size])
            if np.array_equal(fits, columns) or np.array_equal(fits, chosen):
                break  # learnt before, here or with more bits
            columns, tried = fits, tried + 1
            part = design.take(columns)
            if len(columns) < len(order):
                W_part, b_part = problem.learn(part, W[columns], b)
            else:
                W_part, b_part = W, b
            compact = problem.rounded(part, W_part, b_part, bits)
            smallest = min(smallest, compact.nbytes)
            if compact.nbytes <= max_bytes:
                model = LinearModel(part, W_part, compact)
            # The bias may take other bytes than that of all columns.
            limit = max_bytes + nbytes - compact.nbytes
        if model is not None:
            loss = problem.loss(_raw_predictions(model))
            if loss < least_loss:
                best, least_loss = model, loss
            chosen = np.flatnonzero(np.isin(design.scaling.features, model.design.scaling.features))
            if len(chosen) == len(order):
                break  # fewer bits would only lose
    if best is None:
        raise too_small(max_bytes, "a model of one column", smallest)
    return best


def _fewer_bits(weight_bits: int | str) -> list[int | str]:
    """Bits of a weight from the most that are allowed down."""
    if isinstance(weight_bits, str):
        return [weight_bits]
    return [*range(min(int(weight_bits), _FINE), 1, -1), "ternary"]


def _raw_predictions(model: LinearModel) -> NDArray[np.float64]:
    """Raw predictions of the training rows."""
    compact = model.compact
    scores = np.zeros((model.design.Z.shape[0], compact.n_scores)) + compact.bias
    for table in compact.tables_of(LinearTable):
        scores += model.design.integers() @ table.weights.astype(np.float64)
    z: NDArray[np.float64] = scores * compact.scale
    return z


class _Family(NamedTuple):
    """Linear models of the most important columns, at some bits of a weight."""

    problem: LinearProblem
    design: DesignMatrix
    order: NDArray[np.intp]
    whole: CompactModel
    weight_bits: int | str

    def without(self, excluded: frozenset[int]) -> _LinearSizes:
        """Models without some columns."""
        stays = ~np.isin(self.design.scaling.features[self.order], list(excluded))
        return _LinearSizes(self, self.order[stays])


@dataclass(frozen=True, eq=False)
class _LinearSizes:
    """Linear models of the first columns in an order, as `Sizes`."""

    family: _Family
    order: NDArray[np.intp]
    smallest = 1

    @property
    def largest(self) -> int:
        """Columns that may be read."""
        return len(self.order)

    def nbytes(self, size: int) -> int:
        """Bytes of a model of the first columns, with the bias of the model of all."""
        problem, design, _, whole, bits = self.family
        scaling = design.take(np.sort(self.order[:size])).scaling
        weights = np.zeros((size, whole.n_scores), np.int32)
        return problem.model(whole.bias, whole.scale, scaling.table(weights, bits)).nbytes

    def columns(self, size: int) -> NDArray[np.int32]:
        """The first columns."""
        return self.family.design.scaling.features[self.order[:size]]
