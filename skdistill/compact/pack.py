"""How many bytes the constant tables of a model take, symbol by symbol.

What is counted: the tables that give the label, for the declared input type. Code, padding,
class names and what only probabilities need are not.

Trees lie depth first: a node, its left subtree, its right subtree. A node is three numbers,
packed without gaps: its feature, its threshold among that feature's edges, and the number of
inner nodes to its left, from which a walk knows where both children lie and which leaf it
has come to. The side of NaN is one bit more where any node learnt one. Trees that share
nodes or leaves keep the two children of each node as indices instead.

Leaf values and weights take `value_bits` each, ternary ones five to a byte; a single tree
keeps the label of each leaf in their place. Bias is kept where it is not zero, and the scale
where every score has its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

if TYPE_CHECKING:
    from skdistill.compact.model import CompactModel
    from skdistill.compact.tables import TreeTable


def table_sizes(model: CompactModel) -> dict[str, int]:
    """Bytes of each constant table.

    Parameters
    ----------
    model : CompactModel

    Returns
    -------
    sizes : dict of str to int
        A table that the model does not need is absent.
    """
    trees, linear = model.trees, model.linear
    if trees is not None and model.grid is not None and len(trees.feature):
        grid = model.grid
        sizes = {
            "columns": len(grid.features) * index_bytes(model.n_features),
            "counts": len(grid.features) * index_bytes(int(grid.counts.max()) + 1),
            "edges": grid.edges.nbytes,
            **_node_sizes(trees, len(grid.features), int(grid.counts.max())),
        }
    else:
        sizes = {}
    if trees is not None and len(trees.roots) == 1 and linear is None and model.classes is not None:
        if len(trees.feature):
            sizes["labels"] = packed_bytes(len(trees.values), bits_for(len(model.classes)))
        return sizes
    if not isinstance(model.scale, float):
        sizes["scale"] = model.scale.nbytes
    if trees is not None:
        sizes["values"] = packed_bytes(trees.values.size, trees.value_bits)
    if linear is not None:
        sizes["linear_columns"] = len(linear.features) * index_bytes(model.n_features)
        sizes["linear_input"] = linear.offset.nbytes + linear.inv_step.nbytes
        sizes["weights"] = packed_bytes(linear.weights.size, linear.value_bits)
    if model.bias.any() and (sizes or model.classes is None):
        sizes["bias"] = model.bias.nbytes
    return sizes


def _node_sizes(trees: TreeTable, n_features: int, most_edges: int) -> dict[str, int]:
    n_nodes, n_trees = len(trees.feature), len(trees.roots)
    bits = bits_for(n_features) + bits_for(most_edges) + bool(trees.nan_left.any())
    below = inner_nodes(trees)
    sizes = {}
    if below is None:
        child = index_bytes(n_nodes + len(trees.values))
        sizes["children"] = 2 * n_nodes * child
        if n_trees > 1:
            sizes["roots"] = n_trees * child
    else:
        left = np.where(trees.left >= 0, below[np.maximum(trees.left, 0)], 0)
        bits += bits_for(int(left.max()) + 1)
        if n_trees > 1:
            most = int(below[np.maximum(trees.roots, 0)].max())
            sizes["tree_sizes"] = n_trees * index_bytes(most + 1)
    return {"nodes": packed_bytes(n_nodes, bits), **sizes}


def inner_nodes(trees: TreeTable) -> NDArray[Any] | None:
    """Inner nodes of the subtree below and with each node; None where subtrees are shared.

    Parameters
    ----------
    trees : TreeTable

    Returns
    -------
    count : int64 array of shape (N,) or None
    """
    uses = np.concatenate([trees.roots, trees.left, trees.right])
    if len(np.unique(uses)) < len(uses):
        return None
    count: NDArray[Any] = _inner_nodes(trees.left, trees.right)
    return count


@njit(nogil=True, cache=True)
def _inner_nodes(left, right):  # type: ignore[no-untyped-def]
    count = np.ones(len(left), np.int64)
    for node in range(len(left) - 1, -1, -1):  # children come after their parents
        if left[node] >= 0:
            count[node] += count[left[node]]
        if right[node] >= 0:
            count[node] += count[right[node]]
    return count


def bits_for(count: int) -> int:
    """Bits of an index into `count` things; none for a single one."""
    return max(0, count - 1).bit_length()


def index_bytes(count: int) -> int:
    """Bytes of an index into `count` things: 1, 2 or 4."""
    return 1 if count <= 2**8 else 2 if count <= 2**16 else 4


def packed_bytes(count: int, bits: int | str) -> int:
    """Bytes of `count` values of `bits` each, without gaps; ternary puts five into a byte."""
    return -(-count // 5) if bits == "ternary" else -(-count * int(bits) // 8)
