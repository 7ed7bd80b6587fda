"""Gradients of the rows, round by round: what trees grow on, and the Newton steps of their leaves.

Gradients are computed anew where they are needed, a block of rows at a time, and not stored: with
seven scores they would take 112 bytes a row. Threads divide the rows; sums are added up in the
order of the rows, whatever the number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.students.boosting.leaf_sums import (
    ROWS,
    add_leaf_values,
    add_to_leaves,
    padded,
)
from skdistill.students.loss import Loss, NewtonTerms
from skdistill.students.tree.fixed_point import fixed_point_unit
from skdistill.utils.threads import blocks, run_tasks
from skdistill.utils.vectors import padded_width

_SECTION = 4 * ROWS  # rows whose gradients are there at a time


class Gradients:
    """Raw predictions, which move from round to round, and their gradients.

    Parameters
    ----------
    newton_terms : NewtonTerms
        Minus gradient and diagonal Hessian.
    z : float64 array of shape (n_samples, n_scores)
        Raw predictions to start from. They are not changed.
    """

    def __init__(self, newton_terms: NewtonTerms, z: NDArray[np.float64]) -> None:
        self._newton, (self.n_samples, self.n_scores) = newton_terms, z.shape
        self._z = z.copy()
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
        parts = blocks(self.n_samples, ROWS)
        largest = np.zeros(len(parts))

        def fill(number: int, unit: float) -> None:
            part = parts[number]
            stats = self._stats(part)
            used = part
            if rows is not None:
                used = slice(*np.searchsorted(rows, [part.start, part.stop]))
                stats = stats[rows[used] - part.start]
            largest[number] = np.abs(stats).max(initial=0)
            if unit > 0:
                with np.errstate(over="ignore", invalid="ignore"):  # beyond int32: done again
                    row_stats[used] = np.rint(stats * unit)

        # The unit hangs on the largest statistic of all rows: mostly that of the round before.
        guess = fixed_point_unit(self._largest) if self._largest > 0 else 0.0
        run_tasks(lambda number: fill(number, guess), range(len(parts)))
        self._largest = float(largest.max())
        unit = fixed_point_unit(self._largest)
        if unit != guess:
            run_tasks(lambda number: fill(number, unit), range(len(parts)))
        return row_stats, unit

    def all_rows(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Minus gradients of all rows, and their summed Hessians of shape (n_samples, 1)."""
        stats = np.empty((self.n_samples, self.n_scores + 1))

        def fill(part: slice) -> None:
            stats[part] = self._stats(part)

        run_tasks(fill, blocks(self.n_samples, ROWS))
        return stats[:, :-1], stats[:, -1:]

    def _stats(self, part: slice) -> NDArray[np.float64]:
        """Minus gradient and summed Hessian of a block of rows."""
        z = np.ascontiguousarray(self._z[part])
        descent, curvature = np.empty((2, *z.shape))
        self._newton.of_rows(part, self.n_scores, z, descent, curvature)
        return np.hstack([descent, curvature.sum(axis=1, keepdims=True)])

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
        totals = np.zeros((2, n_leaves, width))
        buffers = np.zeros((2, min(self.n_samples, _SECTION), width))
        one_tree = np.zeros(1, np.intp)
        for section in blocks(self.n_samples, _SECTION):

            def fill(part: slice, first: int = section.start) -> None:
                block = slice(first + part.start, first + part.stop)
                z = padded(self._z[block])
                descent, curvature = buffers[0, part], buffers[1, part]
                self._newton.of_rows(block, self.n_scores, z, descent, curvature)

            run_tasks(fill, blocks(section.stop - section.start, ROWS))
            leaves = leaf[None, section]
            used: Any = slice(0, section.stop - section.start)
            if rows is not None:
                first, last = np.searchsorted(rows, [section.start, section.stop])
                used = rows[first:last] - section.start
                leaves = leaves[:, used]

            def add(which: int, leaves: Any = leaves, used: Any = used) -> None:
                add_to_leaves(leaves, one_tree, buffers[which][used], totals[which], 0)

            run_tasks(add, range(2), serial=self.n_samples <= ROWS)
        descents, curvatures = totals[:, :, : self.n_scores]
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
        values = padded(steps)

        def add(part: slice) -> None:
            z = padded(self._z[part])
            add_leaf_values(leaf[None], np.zeros(1, np.intp), values, z, part.start)
            self._z[part] = z[:, : self.n_scores]

        run_tasks(add, blocks(self.n_samples, ROWS))

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
        terms = np.empty((loss.n_terms, self.n_samples))

        def fill(part: slice) -> None:
            z = np.ascontiguousarray(self._z[part])
            loss.differentiate(part, self.n_scores, z, np.empty_like(z), terms)

        run_tasks(fill, blocks(self.n_samples, ROWS))
        return loss.total(terms)
