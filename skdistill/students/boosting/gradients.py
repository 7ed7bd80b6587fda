"""Gradients of the rows, round by round: what trees grow on, and the Newton steps of their leaves.

Gradients are computed anew where they are needed, a block of rows at a time, and not stored: with
seven scores they would take 56 bytes a row or more. Threads divide the rows; sums are of parts that
do not hang on the number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.students.boosting.leaf_sums import add_to_leaves, parts_of_rows, row_dtype
from skdistill.students.loss import Loss
from skdistill.students.tree.fixed_point import fixed_point_unit
from skdistill.utils.jit import njit
from skdistill.utils.threads import run_tasks
from skdistill.utils.vectors import padded_width


class Gradients:
    """Raw predictions, which move from round to round, and their gradients.

    Parameters
    ----------
    loss : Loss
        Loss of raw predictions.
    z : float64 array of shape (n_samples, n_scores)
        Raw predictions to start from. They are not changed.
    """

    def __init__(self, loss: Loss, z: NDArray[np.float64]) -> None:
        self._loss, (self.n_samples, self.n_scores) = loss, z.shape
        self._z = np.array(z, row_dtype(self.n_samples), order="C")
        self._parts = parts_of_rows(self.n_samples)
        self._largest = 0.0  # magnitude of a statistic in the round before

    def row_stats(self, rows: NDArray[np.intp] | None) -> tuple[NDArray[np.int32], float]:
        """Minus gradient and summed Hessian in fixed point.

        Parameters
        ----------
        rows : int array of shape (n_used,)
            Ascending row numbers; None is all rows.

        Returns
        -------
        row_stats : int32 array of shape (n_used, n_scores + 1)
        unit : float
            The power of two that the statistics were multiplied by; see `round_stats`.
        """
        n_used = self.n_samples if rows is None else len(rows)
        row_stats = np.empty((n_used, self.n_scores + 1), np.int32)
        largest = np.zeros(len(self._parts))

        def fill(part: int, unit: float) -> None:
            for block in self._parts[part]:
                stats = self._stats(block)
                stored = block
                if rows is not None:
                    used, stored = _used(rows, block)
                    stats = stats[used]
                if len(stats):
                    largest[part] = max(largest[part], stats.max(), -stats.min())
                if unit > 0:
                    with np.errstate(over="ignore", invalid="ignore"):  # too large: done again
                        stats *= unit
                        row_stats[stored] = np.rint(stats, out=stats)

        # The unit hangs on the largest statistic of all rows: mostly that of the round before.
        guess = fixed_point_unit(self._largest) if self._largest > 0 else 0.0
        run_tasks(lambda part: fill(part, guess), range(len(self._parts)))
        self._largest = float(largest.max())
        unit = fixed_point_unit(self._largest)
        if unit != guess:
            run_tasks(lambda part: fill(part, unit), range(len(self._parts)))
        return row_stats, unit

    def all_rows(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Minus gradients of all rows, and their summed Hessians of shape (n_samples, 1)."""
        stats = np.empty((self.n_samples, self.n_scores + 1))

        def fill(part: int) -> None:
            for block in self._parts[part]:
                stats[block] = self._stats(block)

        run_tasks(fill, range(len(self._parts)))
        return stats[:, :-1], stats[:, -1:]

    def _stats(self, block: slice) -> NDArray[Any]:
        """Minus gradient and summed Hessian of a block of rows."""
        terms = self._terms(block, self.n_scores + 1)
        stats: NDArray[Any] = terms[0]
        _sum_scores(terms[1, :, :-1], stats[:, -1])
        return stats

    def _terms(self, block: slice, width: int) -> NDArray[Any]:
        """Minus gradient and diagonal Hessian of a block of rows, of shape (2, n_rows, width)."""
        z = self._z[block]
        terms = np.empty((2, len(z), width), z.dtype)
        self._loss.newton(block, self.n_scores, z, *terms)
        np.negative(terms[0], out=terms[0])
        return terms

    def newton_steps(
        self,
        leaf: NDArray[np.unsignedinteger],
        rows: NDArray[np.intp] | None,
        n_leaves: int,
        hessian_factor: int,
        l2_regularization: float,
    ) -> NDArray[np.float64]:
        """Newton step of each leaf of a tree.

        Parameters
        ----------
        leaf : uint array of shape (n_samples,)
            Leaf of each row.
        rows : int array of shape (n_used,)
            Ascending numbers of the rows that count; None is all.
        n_leaves : int
            Leaves of the tree.
        hessian_factor : int
            What the diagonal of the Hessian is multiplied by.
        l2_regularization : float
            Added to the Hessian.

        Returns
        -------
        steps : float64 array of shape (n_leaves, n_scores)
        """
        width = padded_width(self.n_scores)
        totals = np.zeros((len(self._parts), 2, n_leaves, width))
        one_tree = np.zeros(1, np.intp)

        def add(part: int) -> None:
            for block in self._parts[part]:
                leaves, terms = leaf[None, block], self._terms(block, width)
                if rows is not None:
                    used, _ = _used(rows, block)
                    leaves, terms = leaves[:, used], terms[:, used]
                for values, total in zip(terms, totals[part], strict=True):
                    add_to_leaves(leaves, one_tree, values, total, 0)

        run_tasks(add, range(len(self._parts)))
        descents, curvatures = totals.sum(axis=0)[:, :, : self.n_scores]
        steps: NDArray[np.float64] = descents / (hessian_factor * curvatures + l2_regularization)
        return steps

    def move(self, leaf: NDArray[np.unsignedinteger], steps: NDArray[np.float64]) -> None:
        """Add to the raw predictions of each row the step of its leaf.

        Parameters
        ----------
        leaf : uint array of shape (n_samples,)
            Leaf of each row.
        steps : float64 array of shape (n_leaves, n_scores)
            What each leaf adds.
        """
        values = steps.astype(self._z.dtype)

        def add(part: int) -> None:
            for block in self._parts[part]:
                _move(self._z[block], leaf[block], values)

        run_tasks(add, range(len(self._parts)))

    def loss(self, loss: Loss) -> float:
        """A loss of the raw predictions.

        Parameters
        ----------
        loss : Loss
            With a weight for each row.

        Returns
        -------
        value : float
        """
        values = [0.0] * len(self._parts)

        def add(part: int) -> None:
            for block in self._parts[part]:
                z = self._z[block]
                values[part] += loss.differentiate(block, self.n_scores, z, np.empty_like(z))

        run_tasks(add, range(len(self._parts)))
        return sum(values)


def _used(rows: NDArray[np.intp], block: slice) -> tuple[NDArray[np.intp], slice]:
    """Numbers within a block of the rows that count, and where their statistics are stored."""
    stored = slice(*np.searchsorted(rows, [block.start, block.stop]))
    return rows[stored] - block.start, stored


@njit
def _sum_scores(curvature, weight):  # type: ignore[no-untyped-def]
    """Sums over the scores of each row."""
    for i in range(len(weight)):
        total = curvature[i, 0]
        for k in range(1, curvature.shape[1]):
            total += curvature[i, k]
        weight[i] = total


@njit
def _move(z, leaf, steps):  # type: ignore[no-untyped-def]
    """Add to each row the step of its leaf."""
    for i in range(len(z)):
        for k in range(z.shape[1]):
            z[i, k] += steps[leaf[i], k]
