"""Where the nodes of a drawn tree stand: leaves side by side, parents above their children."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from skdistill.export.readable.walk import Node


class Placed(NamedTuple):
    """A node and its place.

    Attributes
    ----------
    node : Node
        What is drawn.
    x : float
        Centre, in widths of a leaf from the left.
    parent : int
        Index of its parent in the same list; −1 for the root.
    """

    node: Node
    x: float
    parent: int


def place(nodes: Sequence[Node]) -> list[Placed]:
    """Place the nodes of a tree.

    Parameters
    ----------
    nodes : sequence of Node
        From `walk`: parents before children.

    Returns
    -------
    placed : list of Placed
        In the same order.
    """
    parents: list[int] = []
    path: list[int] = []
    for i, node in enumerate(nodes):
        del path[node.depth :]
        parents.append(path[-1] if path else -1)
        path.append(i)
    below: list[list[int]] = [[] for _ in nodes]
    for i, parent in enumerate(parents[1:], 1):
        below[parent].append(i)
    x = [0.0] * len(nodes)
    n_ends = 0
    for i in range(len(nodes)):  # ends of branches come in order from the left
        if not below[i]:
            x[i], n_ends = n_ends + 0.5, n_ends + 1
    for i in range(len(nodes) - 1, -1, -1):
        if below[i]:
            x[i] = sum(x[child] for child in below[i]) / len(below[i])
    return [Placed(*each) for each in zip(nodes, x, parents, strict=True)]
