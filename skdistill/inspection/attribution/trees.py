"""Attributions of trees: differences along a path, and exact Shapley values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import TreeTable
from skdistill.inspection.attribution.rows import Additions, Estimate, Rows
from skdistill.utils.jit import njit


def path(table: TreeTable, rows: Rows) -> Additions:
    """Differences of the nodes' integer values along the path of a row; see `Attributor`.

    The value of a node is the rounded mean score of the background rows that reach it, that of a
    leaf its own score. What a step changes goes to the column that the node asks for [1]_.

    References
    ----------
    .. [1] A. Saabas, "Interpreting random forests", 2014.
    """
    values = node_values(table, rows.background)
    base = np.zeros(table.n_scores, np.int64)
    out = np.zeros((*rows.X.shape, table.n_scores), np.int64)
    leaf_values = table.scaled_values.astype(np.int64)
    for root in table.roots:
        base += values[root] if root >= 0 else leaf_values[~root]
    _add_differences(table.grid.cast(rows.X), *table.walk, values, leaf_values, out)
    return Additions(base, out)


def node_values(table: TreeTable, background: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rounded mean score of the rows that reach each inner node.

    Parameters
    ----------
    table : TreeTable
        Any trees.
    background : array of shape (n_background, n_features)
        Rows, with ranks in place of categories.

    Returns
    -------
    values : int64 array of shape (n_nodes, n_scores)
        Half to even. A node that no row reaches has the mean of its children.
    """
    row, tree, node = table.paths(background)
    n_nodes, scores = len(table.feature), table.scaled_values.astype(np.float64)
    leaf_of = np.zeros((len(background), len(table.roots)), np.intp)
    is_leaf = node >= n_nodes
    leaf_of[row[is_leaf], tree[is_leaf]] = node[is_leaf] - n_nodes
    row, tree, node = row[~is_leaf], tree[~is_leaf], node[~is_leaf]
    counts = np.bincount(node, minlength=n_nodes)
    reached = scores[leaf_of[row, tree]]
    means = np.zeros((n_nodes, table.n_scores))
    for k in range(table.n_scores):
        means[:, k] = np.bincount(node, reached[:, k], n_nodes) / np.maximum(counts, 1)
    for i in np.flatnonzero(counts == 0)[::-1]:  # children come after their parents
        left, right = (
            means[child] if child >= 0 else scores[~child]
            for child in (table.left[i], table.right[i])
        )
        means[i] = (left + right) / 2
    return np.rint(means).astype(np.int64)


def shapley(table: TreeTable, rows: Rows) -> Estimate:
    """Interventional Shapley values, exact but for float64; see `Attributor`.

    For a row and a background row only those leaves count that a mixture of the two reaches. A
    leaf that needs a columns from the row and b from the background row adds ``(a - 1)! b! / (a +
    b)!`` times its scores to each of the former, and takes ``a! (b - 1)! / (a + b)!`` times its
    scores from each of the latter [1]_.

    References
    ----------
    .. [1] S. Lundberg et al., "From local explanations to global understanding with explainable
       AI for trees", Nature Machine Intelligence 2, 2020, section "Interventional TreeSHAP".
    """
    X, background = table.grid.cast(rows.X), table.grid.cast(rows.background)
    out = np.zeros((*rows.X.shape, table.n_scores))
    scores = table.scaled_values.astype(np.float64)
    most = _largest_depth(table) + 1
    _add_shapley(X, background, *table.walk, scores, factors(most), most, out)
    base = np.zeros((len(background), table.n_scores), np.int32)
    table.add_scores(rows.background, base)
    return Estimate(base.mean(axis=0), out / len(background), None)


def factors(most: int) -> NDArray[np.float64]:
    """Weights of Shapley values.

    Parameters
    ----------
    most : int
        Largest number of columns on either side.

    Returns
    -------
    factors : float64 array of shape (most + 1, most + 1)
        ``(a - 1)! b! / (a + b)!`` at [a, b] for a > 0.
    """
    out = np.zeros((most + 1, most + 1))
    for a in range(1, most + 1):
        out[a, 0] = 1 / a
        for b in range(1, most + 1):
            out[a, b] = out[a, b - 1] * b / (a + b)
    return out


def _largest_depth(table: TreeTable) -> int:
    depths = np.zeros(len(table.feature), np.int64)
    for node in range(len(depths) - 1, -1, -1):  # children come after their parents
        for child in (table.left[node], table.right[node]):
            depths[node] = max(depths[node], 1 + (depths[child] if child >= 0 else 0))
    return int(depths.max(initial=0))


@njit
def _goes_left(v, node, threshold, nan_left):  # type: ignore[no-untyped-def]
    return v <= threshold[node] or (v != v and nan_left[node])  # only NaN differs from itself


@njit
def _add_differences(X, roots, column, threshold, left, right, nan_left, values, scores, out):  # type: ignore[no-untyped-def]
    """Give each step's change of value to the column of the node that it leaves."""
    for i in range(X.shape[0]):
        for t in range(len(roots)):
            node = roots[t]
            while node >= 0:
                j = column[node]
                child = (
                    left[node] if _goes_left(X[i, j], node, threshold, nan_left) else right[node]
                )
                for k in range(out.shape[2]):
                    after = values[child, k] if child >= 0 else scores[~child, k]
                    out[i, j, k] += after - values[node, k]
                node = child


@njit
def _add_shapley(  # type: ignore[no-untyped-def]
    X, background, roots, column, threshold, left, right, nan_left, scores, factor, most, out
):
    """Add the Shapley values of each tree, row and background row.

    The walk goes both ways where the two rows part, once the column has not been decided yet.
    `taken` holds for each level of the walk the column that was decided there, and from which
    row; a column is decided once on a way.
    """
    side = np.zeros(X.shape[1], np.int8)  # 0 open, 1 from the row, 2 from the background row
    # What is still to be walked: a node, and how many columns were decided when it was put there.
    nodes, levels = np.zeros(2 * most + 4, np.int64), np.zeros(2 * most + 4, np.int64)
    branch_column = np.zeros(2 * most + 4, np.int64)
    branch_side = np.zeros(2 * most + 4, np.int8)
    taken = np.zeros(most + 2, np.int64)
    for i in range(X.shape[0]):
        for r in range(background.shape[0]):
            for t in range(len(roots)):
                nodes[0], levels[0], branch_column[0], size, n_taken = roots[t], 0, -1, 1, 0
                a, b = 0, 0
                while size > 0:
                    size -= 1
                    node = nodes[size]
                    while n_taken > levels[size]:  # back to where the branch began
                        n_taken -= 1
                        j = taken[n_taken]
                        if side[j] == 1:
                            a -= 1
                        else:
                            b -= 1
                        side[j] = 0
                    if branch_column[size] >= 0:
                        j = branch_column[size]
                        side[j] = branch_side[size]
                        if side[j] == 1:
                            a += 1
                        else:
                            b += 1
                        taken[n_taken] = j
                        n_taken += 1
                    while node >= 0:
                        j = column[node]
                        of_row = _goes_left(X[i, j], node, threshold, nan_left)
                        of_background = _goes_left(background[r, j], node, threshold, nan_left)
                        if of_row == of_background or side[j] == 1:
                            node = left[node] if of_row else right[node]
                        elif side[j] == 2:
                            node = left[node] if of_background else right[node]
                        else:
                            nodes[size] = left[node] if of_background else right[node]
                            levels[size], branch_column[size], branch_side[size] = n_taken, j, 2
                            size += 1
                            node = left[node] if of_row else right[node]
                            side[j] = 1
                            a += 1
                            taken[n_taken] = j
                            n_taken += 1
                    for s in range(n_taken):
                        j = taken[s]
                        weight = factor[a, b] if side[j] == 1 else -factor[b, a]
                        for k in range(out.shape[2]):
                            out[i, j, k] += weight * scores[~node, k]
                for s in range(n_taken):
                    side[taken[s]] = 0
