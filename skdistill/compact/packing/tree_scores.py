"""Trees as they are packed: without constant ones, and sorted by score where each adds to one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.tree_table import TreeTable


def without_constants(trees: TreeTable) -> tuple[TreeTable, NDArray[np.int64]]:
    """Take trees that are a leaf alone out of a table.

    Boosters grow such trees where no split gains anything. What they add is the same for all rows
    and belongs to the bias.

    Parameters
    ----------
    trees : TreeTable
        Any.

    Returns
    -------
    trees : TreeTable
        The same where all trees are leaves, or none is.
    constant : int64 array of shape (n_scores,)
        What the others add to each score.
    """
    alone = trees.roots < 0
    if alone.all() or not alone.any():
        return trees, np.zeros(trees.n_scores, np.int64)
    constant = trees.scaled_values[~trees.roots[alone]].sum(axis=0, dtype=np.int64)
    return replace(trees, roots=trees.roots[~alone]), constant


def by_score(trees: TreeTable) -> tuple[TreeTable, NDArray[np.int64]] | None:
    """Sort trees by the only score that each adds to, as boosters of several classes grow them.

    The order of trees does not matter to integer sums. A leaf then has one value.

    Parameters
    ----------
    trees : TreeTable
        Any.

    Returns
    -------
    sorted : (TreeTable, int64 array of shape (n_scores,)) or None
        Trees of a single score, those of score 0 first, and how many each score has. None where a
        tree adds to several scores, and where there is one score only.

    Examples
    --------
    >>> from skdistill.compact import InputGrid, TreeTable
    >>> from skdistill.compact.packing.tree_scores import by_score
    >>> grid = InputGrid([0], [0, 1], np.float32([0.5]))
    >>> values = [[0, 7], [0, -7], [3, 0], [0, 0]]
    >>> trees = TreeTable(grid, [0, 1], [0, 0], [0, 0], [-1, -3], [-2, -4], [0, 0], values, 8)
    >>> table, counts = by_score(trees)
    >>> table.roots.tolist(), table.values.ravel().tolist(), counts.tolist()
    ([1, 0], [7, -7, 3, 0], [1, 1])
    """
    used = trees.tree_bounds > 0
    if trees.n_scores == 1 or (used.sum(axis=1) > 1).any():
        return None
    score = used.argmax(axis=1)
    # A leaf that no tree reaches may have values of several scores: any of them will do.
    only = np.abs(trees.values).argmax(axis=1)
    values = np.take_along_axis(trees.values, only[:, None], axis=1)
    roots = trees.roots[np.argsort(score, kind="stable")]
    return replace(trees, roots=roots, values=values), np.bincount(score, minlength=trees.n_scores)
