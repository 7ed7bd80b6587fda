"""How many bytes the constant tables of a model take, symbol by symbol.

What is counted: the tables that give the label, for the declared input type. Code, padding,
class names and what only probabilities need are not, nor are single numbers that code holds as
constants, such as the common size of all trees.

Trees lie depth first: a node, its left subtree, its right subtree. A node is three numbers,
packed without gaps: its feature, its threshold, and the number of inner nodes to its left,
from which a walk knows where both children lie and which leaf it has come to. The side of
NaN is one bit more where any node learnt one. Trees that share nodes or leaves keep the two
children of each node as indices instead.

A threshold is kept in whichever of these forms makes the model smallest:

- as an index into a table of edges;
- as the edge itself;
- as a number of steps from the origin of its feature, where edges are evenly spaced;
- as an integer that the input of the linear part is compared with, where there is one and
  all edges are borders of its rounding. NaN, which that input reads as 0, goes its own way.

Numbers in tables are as wide as the widest needs: whole numbers as integers, others without
the bytes of their float32 that are zero in all of them, powers of two by their exponent.

Leaf values and weights take `value_bits` each, ternary ones five to a byte; a single tree
keeps the label of each leaf in their place. Bias is kept where it is not zero, and the scale
where every score has its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from skdistill.compact.execute import round_input
from skdistill.compact.quantize import simplest

_MAX = float(np.finfo(np.float32).max)

if TYPE_CHECKING:
    from skdistill.compact.grid import InputGrid
    from skdistill.compact.model import CompactModel
    from skdistill.compact.tables import LinearTable, TreeTable


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
    sizes = {}
    if trees is not None and model.grid is not None and len(trees.feature):
        layouts = [
            {**tables, **_node_sizes(trees, bits)}
            for bits, tables in threshold_layouts(model.grid, trees, linear, model.n_features)
        ]
        sizes = min(layouts, key=lambda tables: sum(tables.values()))
    if trees is not None and len(trees.roots) == 1 and linear is None and model.classes is not None:
        if len(trees.feature):
            sizes["labels"] = packed_bytes(len(trees.values), bits_for(len(model.classes)))
        return sizes
    if not isinstance(model.scale, float):
        sizes["scale"] = number_bytes(model.scale)
    if trees is not None:
        sizes["values"] = packed_bytes(trees.values.size, trees.value_bits)
    if linear is not None:
        sizes |= _columns("linear_columns", linear.features, model.n_features)
        sizes["linear_input"] = number_bytes(linear.offset) + number_bytes(linear.inv_step)
        sizes["weights"] = packed_bytes(linear.weights.size, linear.value_bits)
    if model.bias.any() and (sizes or model.classes is None):
        sizes["bias"] = number_bytes(model.bias)
    return sizes


def threshold_layouts(
    grid: InputGrid, trees: TreeTable, linear: LinearTable | None, n_features: int
) -> list[tuple[int, dict[str, int]]]:
    """Ways to keep features and thresholds: bits in each node, and tables beside them.

    Returns
    -------
    layouts : list of (bits, {table: bytes})
    """
    feature = bits_for(len(grid.features))
    columns = _columns("columns", grid.features, n_features)
    indexed = {
        **columns,
        "counts": len(grid.features) * index_bytes(int(grid.counts.max()) + 1),
        "edges": number_bytes(grid.edges, single=False),
    }
    layouts = [
        (feature + bits_for(int(grid.counts.max())), indexed),
        (feature + direct_bits(grid.edges), columns),
    ]
    if (even := even_steps(grid)) is not None:
        origin, step, steps = even
        tables = {**columns, "origins": number_bytes(origin), "steps": number_bytes(step)}
        layouts.append((feature + bits_for(int(steps.max()) + 1), tables))
    if linear is not None and (borders := rounding_borders(grid, linear)) is not None:
        bits = bits_for(int(borders.max() - borders.min()) + 1)
        layouts.append((bits_for(len(linear.features)) + bits, {}))
    return layouts


def even_steps(grid: InputGrid) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.int64]] | None:
    """Origin and step of each feature, and steps to each edge; None where there are none.

    ``edge = origin + steps * step`` exactly, all in the type of the input; steps are powers
    of two and at most 2¹⁶ − 1 of them reach an edge.
    """
    edges, first = grid.edges.astype(np.float64), grid.offsets[:-1]
    if not np.isfinite(edges).all():
        return None
    lowest = np.repeat(edges[first], grid.counts)
    away = edges - lowest
    step = np.minimum.reduceat(np.where(away > 0, _lowest_bit(away), np.inf), first)
    step = np.where(np.isfinite(step), step, 1.0)
    steps = away / np.repeat(step, grid.counts)
    if steps.max() > 2**16 - 1 or step.max() > 2.0**127:
        return None
    origin = edges[first]
    if grid.dtype == "float32":
        # The origin may lie lower as long as the steps take no more bits: a number of fewer bytes.
        spare = (1 << bits_for(int(steps.max()) + 1)) - 1 - np.maximum.reduceat(steps, first)
        low = np.maximum(origin - spare * step, -_MAX).astype(np.float32)
        lower = simplest(low, origin.astype(np.float32)).astype(np.float64)
        further = (origin - lower) / step
        whole = (further == np.floor(further)) & (further >= 0) & (further <= spare)
        origin = np.where(whole, lower, origin)
        steps = (edges - np.repeat(origin, grid.counts)) / np.repeat(step, grid.counts)
    kind = np.float32 if grid.dtype == "float32" else np.float64
    with np.errstate(over="ignore"):  # what cannot be told in the type of the input is refused
        reach = steps.astype(kind) * np.repeat(step, grid.counts).astype(kind)
        told = np.repeat(origin, grid.counts).astype(kind) + reach
    if not np.array_equal(told, grid.edges.astype(kind)):
        return None
    return origin.astype(grid.dtype), step.astype(np.float32), steps.astype(np.int64)


def rounding_borders(grid: InputGrid, linear: LinearTable) -> NDArray[np.int64] | None:
    """Rounded inputs `t` with ``x <= edge`` exactly where ``q(x) <= t``; None if there are none."""
    at = np.searchsorted(linear.features, grid.features)
    known = linear.features[np.minimum(at, len(linear.features) - 1)] == grid.features
    if grid.dtype != "float32" or not known.all():
        return None
    at = np.repeat(at, grid.counts)
    below = round_input(grid.edges, linear, at)
    above = round_input(np.nextafter(grid.edges, np.float32(np.inf)), linear, at)
    if not np.isfinite(grid.edges).all() or not (below < above).all():
        return None
    return below.astype(np.int64)


def _node_sizes(trees: TreeTable, bits: int) -> dict[str, int]:
    """Bytes of the nodes, `bits` of each being feature and threshold, and of what finds them."""
    n_nodes, n_trees = len(trees.feature), len(trees.roots)
    bits += bool(trees.nan_left.any())
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
        size = np.where(trees.roots >= 0, below[np.maximum(trees.roots, 0)], 0)
        if (size != size[0]).any():
            sizes["tree_sizes"] = packed_bytes(n_trees, bits_for(int(size.max()) + 1))
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


def _columns(name: str, features: NDArray[Any], n_features: int) -> dict[str, int]:
    """The table of columns that are read; none is needed where all are."""
    if len(features) == n_features:
        return {}
    return {name: len(features) * index_bytes(n_features)}


def number_bytes(numbers: NDArray[Any], *, single: bool = True) -> int:
    """Bytes of a table of numbers, each as wide as the widest; equal ones are one with `single`."""
    if single and (numbers == numbers[0]).all():
        numbers = numbers[:1]
    return len(numbers) * min(_integer_bytes(numbers), _float_bytes(numbers))


def direct_bits(edges: NDArray[Any]) -> int:
    """Bits that hold any of the edges itself."""
    whole = 8 * _integer_bytes(edges)
    if whole <= 32 and edges.min() >= 0:
        whole = bits_for(int(edges.max()) + 1)
    return min(whole, 8 * _float_bytes(edges))


def _integer_bytes(numbers: NDArray[Any]) -> int:
    """Width of whole numbers: 1, 2 or 4 bytes; 5, beyond any other width, for other numbers."""
    if not (np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all()):
        return 5
    low, high = float(numbers.min()), float(numbers.max())
    for width in (1, 2, 4):
        span = 2.0 ** (8 * width)
        if (low >= 0 and high < span) or (low >= -span / 2 and high < span / 2):
            return width
    return 5


def _float_bytes(numbers: NDArray[Any]) -> int:
    """Width of float32 without the bytes that are zero in all; powers of two by exponent."""
    if numbers.dtype != np.float32:
        return 5
    bits = numbers.view(np.uint32)
    if (numbers > 0).all() and not (bits & 0x7FFFFF).any():
        return 1
    union = int(np.bitwise_or.reduce(bits))
    return 2 if not union & 0xFFFF else 3 if not union & 0xFF else 4


def _lowest_bit(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest power of two that divides each positive number."""
    mantissa, exponent = np.frexp(numbers)
    whole = (mantissa * 2.0**53).astype(np.int64)
    bit: NDArray[np.float64] = np.ldexp((whole & -whole).astype(np.float64), exponent - 53)
    return bit


def bits_for(count: int) -> int:
    """Bits of an index into `count` things; none for a single one."""
    return max(0, count - 1).bit_length()


def index_bytes(count: int) -> int:
    """Bytes of an index into `count` things: 1, 2 or 4."""
    return 1 if count <= 2**8 else 2 if count <= 2**16 else 4


def packed_bytes(count: int, bits: int | str) -> int:
    """Bytes of `count` values of `bits` each, without gaps; ternary puts five into a byte."""
    return -(-count // 5) if bits == "ternary" else -(-count * int(bits) // 8)
