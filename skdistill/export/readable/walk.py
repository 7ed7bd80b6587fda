"""Trees unfolded node by node, for all that print or draw them.

Inner node i has the number i, leaf l the number ``n_nodes + l``: as in `apply`, `decision_path` and
`to_frame`. Subtrees that several parents share keep their number wherever they appear.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.tree_table import TreeTable
from skdistill.export.readable.conditions import Split, split_of


class Node(NamedTuple):
    """A node of an unfolded tree.

    Attributes
    ----------
    number : int
        Of the node.
    depth : int
        0 for the root.
    is_left : bool or None
        Whether it is the left child; None for the root.
    split : Split or None
        Its question; None for a leaf.
    children : tuple of int
        Numbers of the left and the right child; empty for a leaf.
    scores : tuple of int
        What a leaf adds to the scores; empty for an inner node.
    n_hidden : int
        Leaves below that are not shown, because the node lies at the largest depth.
    """

    number: int
    depth: int
    is_left: bool | None
    split: Split | None
    children: tuple[int, ...]
    scores: tuple[int, ...]
    n_hidden: int


def check_tree(trees: TreeTable, tree: int) -> int:
    """Refuse the number of a tree that is not there.

    Parameters
    ----------
    trees : TreeTable
        Of a model.
    tree : int
        From 0, or negative to count from the last one.

    Returns
    -------
    tree : int
        From 0.

    Raises
    ------
    ValueError
        If there is no such tree.
    """
    n_trees = len(trees.roots)
    if not -n_trees <= tree < n_trees:
        raise ValueError(f"tree={tree} is not there: the model has the trees 0 to {n_trees - 1}")
    return tree % n_trees


def as_number(trees: TreeTable, child: int) -> int:
    """Number of a child or a root, which is negative for a leaf."""
    return child if child >= 0 else len(trees.feature) + ~child


def walk(
    model: ModelTables, trees: TreeTable, tree: int, max_depth: int | None = None
) -> Iterator[Node]:
    """Nodes of a tree, each before its children, the left one first.

    Parameters
    ----------
    model : ModelTables
        Whose names hold.
    trees : TreeTable
        Its trees.
    tree : int
        Number of the tree.
    max_depth : int, default=None
        Where an inner node is shown without what is below it.

    Yields
    ------
    node : Node
    """
    scores = trees.scaled_values
    sizes = leaf_counts(trees)
    stack: list[tuple[int, int, bool | None]] = [(int(trees.roots[tree]), 0, None)]
    while stack:
        child, depth, is_left = stack.pop()
        number = as_number(trees, child)
        if child < 0:
            yield Node(number, depth, is_left, None, (), tuple(scores[~child].tolist()), 0)
            continue
        split = split_of(model, trees, child)
        below = int(trees.left[child]), int(trees.right[child])
        hidden = max_depth is not None and depth >= max_depth
        children = (as_number(trees, below[0]), as_number(trees, below[1]))
        n_hidden = int(sizes[child]) if hidden else 0
        yield Node(number, depth, is_left, split, children, (), n_hidden)
        if not hidden:
            stack += [(below[1], depth + 1, False), (below[0], depth + 1, True)]


def leaf_counts(trees: TreeTable) -> NDArray[np.float64]:
    """Leaves below each inner node, those of shared subtrees as often as they are reached.

    Parameters
    ----------
    trees : TreeTable
        Any trees.

    Returns
    -------
    counts : float64 array of shape (n_nodes,)
        Floats, for shared subtrees may double with each level.
    """
    counts = np.zeros(len(trees.feature))
    for node in range(len(counts) - 1, -1, -1):  # children come after their parents
        for child in (trees.left[node], trees.right[node]):
            counts[node] += counts[child] if child >= 0 else 1
    return counts


def tree_depth(trees: TreeTable, tree: int) -> int:
    """Largest number of questions on a way through a tree.

    Parameters
    ----------
    trees : TreeTable
        Any trees.
    tree : int
        Number of the tree.

    Returns
    -------
    depth : int
    """
    depths = np.zeros(len(trees.feature), np.int64)
    for node in range(len(depths) - 1, -1, -1):
        for child in (trees.left[node], trees.right[node]):
            depths[node] = max(depths[node], 1 + (depths[child] if child >= 0 else 0))
    root = int(trees.roots[tree])
    return int(depths[root]) if root >= 0 else 0
