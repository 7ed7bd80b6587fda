"""Sums over the trees of a big teacher, in its own numbers and its own order, by compiled loops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.utils.jit import njit
from skdistill.utils.threads import even_slices, run_tasks

NODE = np.dtype([("threshold", np.float64), ("feature", np.int32), ("left", np.int32)])
ROWS = 1 << 14  # rows of a task: a tree is read from far memory once a task


class Tree(NamedTuple):
    """A tree as its library holds it; node 0 is the root.

    Attributes
    ----------
    feature, left, right : int arrays of shape (n_nodes,)
        Column, and children; both children of a leaf are -1.
    threshold : float64 array of shape (n_nodes,)
        A row goes left where its value is at most this.
    values : float64 array of shape (n_nodes, n_values)
        Of each node; read at leaves.
    column : int
        Score that the first value is added to.
    """

    feature: NDArray[np.intp]
    left: NDArray[np.intp]
    right: NDArray[np.intp]
    threshold: NDArray[np.float64]
    values: NDArray[np.float64]
    column: int = 0


class FloatForest(NamedTuple):
    """Trees side by side: siblings are neighbours, and a leaf leads every number to itself.

    Attributes
    ----------
    nodes : NODE array of shape (n_nodes,)
        Of all trees.
    roots : int array of shape (n_trees,)
        Where each begins.
    columns : int array of shape (n_trees,)
        Score that the first value of each is added to.
    leaf : int32 array of shape (n_nodes,)
        Row of `values`; `~k` where 1 is added to score k, as by pure leaves of a forest.
    values : float64 array of shape (n_nodes, n_values)
        By `leaf`.
    """

    nodes: NDArray[Any]
    roots: NDArray[np.intp]
    columns: NDArray[np.intp]
    leaf: NDArray[np.int32]
    values: NDArray[np.float64]

    def sums(self, X: NDArray[Any], start: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up the values of the leaves, tree by tree.

        Parameters
        ----------
        X : float32 or float64 array of shape (n_samples, n_features)
            Finite numbers, in any order of memory.
        start : float64 array of shape (n_scores,)
            What is there before the first tree.

        Returns
        -------
        sums : float64 array of shape (n_samples, n_scores)
            They do not depend on the number of threads.
        """
        out = np.empty((len(X), len(start)))

        def add(part: slice) -> None:
            out[part] = start
            _add(np.ascontiguousarray(X[part]), *self, out[part])

        run_tasks(add, even_slices(len(X), ROWS))
        return out


def float_forest(trees: Sequence[Tree]) -> FloatForest:
    """Lay out trees for `FloatForest.sums`.

    Parameters
    ----------
    trees : list of Tree
        With one number of values each.

    Returns
    -------
    forest : FloatForest
    """
    sizes = np.array([len(tree.feature) for tree in trees])
    roots = (np.cumsum(sizes) - sizes).astype(np.intp)
    nodes, leaf = np.empty(sizes.sum(), NODE), np.zeros(sizes.sum(), np.int32)
    n_leaves = sum(int(np.count_nonzero(tree.left < 0)) for tree in trees)
    values = np.empty((n_leaves, trees[0].values.shape[1]))
    n_values = 0
    for tree, root in zip(trees, roots.tolist(), strict=True):
        n_values = _lay_out(
            tree.feature.astype(np.intp),
            tree.left.astype(np.intp),
            tree.right.astype(np.intp),
            tree.threshold.astype(np.float64),
            np.ascontiguousarray(tree.values, np.float64),
            root,
            n_values,
            nodes,
            leaf,
            values,
        )
    columns = np.array([tree.column for tree in trees], np.intp)
    return FloatForest(nodes, roots, columns, leaf, values[:n_values].copy())


@njit
def _lay_out(feature, left, right, threshold, own_values, root, n_values, nodes, leaf, values):  # type: ignore[no-untyped-def]
    """Write a tree level by level, from node `root` and row `n_values` on; returns the next row."""
    old = np.zeros(len(feature), np.int32)
    end = 1
    for at in range(len(feature)):
        if at == end:  # nodes that the root does not lead to
            break
        node, here = old[at], root + at
        if left[node] >= 0:
            old[end], old[end + 1] = left[node], right[node]
            nodes[here].threshold, nodes[here].feature = threshold[node], feature[node]
            nodes[here].left = root + end
            end += 2
            continue
        nodes[here].threshold, nodes[here].feature, nodes[here].left = np.inf, 0, here
        row = own_values[node]
        if len(row) > 1 and np.count_nonzero(row) == 1 and row.max() == 1:
            leaf[here] = ~np.argmax(row)
        else:
            values[n_values] = row
            leaf[here] = n_values
            n_values += 1
    return n_values


@njit
def _add(X, nodes, roots, columns, leaf, values, out):  # type: ignore[no-untyped-def]
    """Add the values of all trees. Four rows walk at a time, without a branch, until all stay."""
    n, n_values = len(X), values.shape[1]
    ends = np.empty(4, np.intp)
    for t in range(len(roots)):
        for i in range(0, n, 4):
            i1, i2, i3 = min(i + 1, n - 1), min(i + 2, n - 1), min(i + 3, n - 1)
            a = b = c = d = roots[t]
            while True:
                to_a = nodes[a].left + (not X[i, nodes[a].feature] <= nodes[a].threshold)
                to_b = nodes[b].left + (not X[i1, nodes[b].feature] <= nodes[b].threshold)
                to_c = nodes[c].left + (not X[i2, nodes[c].feature] <= nodes[c].threshold)
                to_d = nodes[d].left + (not X[i3, nodes[d].feature] <= nodes[d].threshold)
                if ((to_a ^ a) | (to_b ^ b) | (to_c ^ c) | (to_d ^ d)) == 0:
                    break
                a, b, c, d = to_a, to_b, to_c, to_d
            ends[0], ends[1], ends[2], ends[3] = a, b, c, d
            for j in range(min(4, n - i)):
                row = leaf[ends[j]]
                if row < 0:
                    out[i + j, ~row] += 1.0
                else:
                    for k in range(n_values):
                        out[i + j, columns[t] + k] += values[row, k]
