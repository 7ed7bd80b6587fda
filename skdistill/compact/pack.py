"""How many bytes the constant tables of a model take, symbol by symbol.

The layout counted here: every index in the narrowest of one, two or four bytes, leaf
values and weights at `value_bits` (ternary: five to a byte), edges and input scaling in
the declared input type, bias only where it is not zero, NaN directions as one bit a
node where any is set. Labels, names, code and padding are not counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skdistill.compact.model import CompactModel


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
    sizes = {"bias": 4 * model.n_scores} if model.bias.any() else {}
    if model.trees is not None and model.grid is not None:
        grid, trees = model.grid, model.trees
        n_nodes, n_leaves = len(trees.feature), len(trees.values)
        sizes["values"] = packed_bytes(trees.values.size, trees.value_bits)
        if n_nodes:
            child = index_bytes(n_nodes + n_leaves)
            sizes["columns"] = len(grid.features) * index_bytes(model.n_features)
            sizes["offsets"] = len(grid.offsets) * index_bytes(len(grid.edges) + 1)
            sizes["edges"] = grid.edges.nbytes
            sizes["feature"] = n_nodes * index_bytes(len(grid.features))
            sizes["threshold"] = n_nodes * index_bytes(int(grid.counts.max()))
            sizes["children"] = 2 * n_nodes * child
            if trees.nan_left.any():
                sizes["nan_left"] = -(-n_nodes // 8)
            if len(trees.roots) > 1:
                sizes["roots"] = len(trees.roots) * child
    if model.linear is not None:
        linear = model.linear
        sizes["linear_columns"] = len(linear.features) * index_bytes(model.n_features)
        sizes["linear_input"] = linear.offset.nbytes + linear.inv_step.nbytes
        sizes["weights"] = packed_bytes(linear.weights.size, linear.value_bits)
    return sizes


def index_bytes(count: int) -> int:
    """Bytes of an index into `count` things: 1, 2 or 4."""
    return 1 if count <= 2**8 else 2 if count <= 2**16 else 4


def packed_bytes(count: int, bits: int | str) -> int:
    """Bytes of `count` values of `bits` each, without gaps; ternary puts five into a byte."""
    return -(-count // 5) if bits == "ternary" else -(-count * int(bits) // 8)
