"""The constant tables of a model, as C and every byte count read them.

A layout is a choice among ways to keep the same model; the one that needs the fewest bytes
of flash is taken, with what its code needs more than that of others. Its tables are what is
counted: code, padding, class names and what only probabilities need are not, nor are single
numbers that code holds as constants, such as the common size of all trees.

Symbols: T trees, N inner nodes and L leaves of all of them, S score columns, K classes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.evaluate import labels
from skdistill.compact.packing.bits import bits_for, narrowest, pack_bits, pack_fields, pack_values
from skdistill.compact.packing.integer_inputs import on_integers
from skdistill.compact.packing.layout import Layout, TreeLayout
from skdistill.compact.packing.linear_inputs import linear_input
from skdistill.compact.packing.node_order import Order, depth_first, depths
from skdistill.compact.packing.threshold_codes import Reading, codes, readings

if TYPE_CHECKING:
    from skdistill.compact.model_tables import ModelTables
    from skdistill.compact.tables.categories import CategoryTable
    from skdistill.compact.tables.grid import InputGrid
    from skdistill.compact.tables.tree_table import TreeTable

WIDEST_READ = 25  # bits at any offset that four bytes hold
MOST_JUMP = 255

_UNPACK = 24  # bytes of code that take a number out of packed bits


def lay_out(
    model: ModelTables,
    input: str | None = None,
    output: str = "label",
    *,
    branches: bool = False,
    shared_rows: bool = True,
    missing: bool = False,
) -> Layout:
    """Choose the tables of a model.

    Parameters
    ----------
    model : ModelTables
        An integer type of `input` puts it on whole numbers first; see `on_integers`.
    input : {"float32", "int8", "uint8", "int16", "uint16", "int32", "codes"}, default=None
        None is the declared type of the model.
    output : {"label", "scores"}, default="label"
        What the tables must give. Scores of a regression are its label.
    branches : bool, default=False
        Whether the nodes are left to code.
    shared_rows : bool, default=True
        Whether equal rows of leaf values may be kept once.
    missing : bool, default=False
        Whether the largest number of an integer `input` stands for NaN.

    Returns
    -------
    layout : Layout
    """
    input = input or model.input_dtype
    nan = None
    if input not in ("float32", "codes"):
        model = on_integers(model, input, missing=missing)
        nan = int(np.iinfo(input).max) if missing else None
    if output == "label" and model.classes is not None and len(model.classes) == 1:
        return Layout(model, input, True, None, None, None, {}, nan)
    trees, linear = model.trees, model.linear
    alone = trees is not None and len(trees.roots) == 1 and linear is None
    labels_only = alone and model.classes is not None and output == "label"
    tables: dict[str, NDArray[Any]] = {}
    nodes = None
    if trees is not None and model.grid is not None and (len(trees.feature) or not labels_only):
        choose = _branches if branches else _best_nodes
        nodes = choose(model, model.grid, trees, input, labels_only, shared_rows)
        tables |= nodes.tables
    read = None
    if linear is not None:
        read = linear_input(linear, model.n_features, input)
        tables |= read.tables
        tables["weights"] = pack_values(linear.weights, linear.value_bits)
    if not labels_only and (model.bias != model.bias[0]).any():
        tables["bias"] = narrowest(model.bias)
    if not isinstance(model.scale, float):
        tables["scale"] = model.scale
    categories = None if input == "codes" else read_categories(model)
    if categories is not None:
        tables |= _rank_tables(categories)
    return Layout(model, input, labels_only, nodes, read, categories, tables, nan)


def read_categories(model: ModelTables) -> CategoryTable | None:
    """The columns of categories that trees or weights read; None without any."""
    if model.categories is None:
        return None
    columns = [] if model.linear is None else [model.linear.features]
    if model.trees is not None and model.grid is not None:
        columns.append(model.grid.features[model.trees.feature])
    return model.categories.of_columns(np.concatenate([np.zeros(0, np.int32), *columns]))


def _rank_tables(categories: CategoryTable) -> dict[str, NDArray[Any]]:
    """A byte for each category; where there are several columns, which, and their sizes."""
    tables = {"ranks": categories.ranks}
    if len(categories.columns) > 1:
        tables["rank_columns"] = narrowest(categories.columns)
        tables["rank_counts"] = categories.counts.astype(np.uint8)
    return tables


def table_sizes(model: ModelTables) -> dict[str, int]:
    """Bytes of each constant table that the label takes, for inputs of the declared type.

    Parameters
    ----------
    model : ModelTables

    Returns
    -------
    sizes : dict of str to int
        A table that the model does not need is absent.
    """
    return {name: table.nbytes for name, table in lay_out(model).tables.items()}


def _best_nodes(
    model: ModelTables,
    grid: InputGrid,
    trees: TreeTable,
    input: str,
    labels_only: bool,
    shared_rows: bool,
) -> TreeLayout:
    order = depth_first(trees)
    leaves = _leaf_tables(model, trees, order, labels_only, shared_rows)
    found: list[TreeLayout] = []
    if not len(trees.feature):  # leaves alone, which read no input
        nothing = (np.zeros(0, np.int64),) * 3
        bare = TreeLayout(
            Reading("value", nothing[0]), False, None, None, None, 0, "", (0, 0, 0, 0), 0, None,
            *leaves,
        )  # fmt: skip
        if order is None:
            return _by_children(bare, trees, nothing, (0, 0, 0))
        return _by_depth(bare, order, nothing, (0, 0, 0))[0]
    for reading in [codes(grid)] if input == "codes" else readings(grid, model.linear):
        prepared = not labels_only and _prepared(reading, grid, trees, order)
        for features, count, columns in _numberings(reading, prepared, model, grid):
            base = TreeLayout(
                reading, prepared, columns, None, None, 0, "", (0, 0, 0, 0), 0, None, *leaves
            )
            for form, threshold, width in _thresholds(reading, grid, trees):
                if "bases" in form and features is grid.features:
                    continue  # bases are found by the number among the features of the grid
                layout = replace(base, **form)
                widths = bits_for(count), width, int(trees.nan_left.any())
                numbers = features[trees.feature], threshold, trees.nan_left.astype(np.int64)
                if order is None:
                    found.append(_by_children(layout, trees, numbers, widths))
                    continue
                found += _by_depth(layout, order, numbers, widths)
                if labels_only:
                    found += _fused(layout, model, trees, order, numbers, widths)
    return min(found, key=lambda layout: layout.cost)


def _branches(
    model: ModelTables,
    grid: InputGrid,
    trees: TreeTable,
    input: str,
    labels_only: bool,
    shared_rows: bool,
) -> TreeLayout:
    """Code compares with any number at no cost, so that one reading is best: the quickest."""
    order = depth_first(trees)
    ways = {"codes": lambda: [codes(grid)]}.get(input, lambda: readings(grid, model.linear))()
    rank = {"rounded": 0, "value": 1, "code": 1, "key": 2, "steps": 3}
    reading = min(ways, key=lambda way: (rank[way.kind], way.drop))
    prepared = not labels_only and _prepared(reading, grid, trees, order)
    columns, rows, tables = None, None, {}
    if prepared and reading.kind != "rounded" and len(grid.features) < model.n_features:
        columns = narrowest(grid.features)
        tables["columns"] = columns
    if not labels_only:
        distinct, rows = trees.values, np.arange(len(trees.values))
        if shared_rows:
            distinct, rows = np.unique(trees.values, axis=0, return_inverse=True)
        tables["values"] = pack_values(distinct, trees.value_bits)
    return TreeLayout(
        reading, prepared, columns, None, None, 0, "branches", (0, 0, 0, 0), 0, None, None, None,
        tables, None if rows is None else rows.ravel(),
    )  # fmt: skip


def _leaf_tables(
    model: ModelTables,
    trees: TreeTable,
    order: Order | None,
    labels_only: bool,
    shared_rows: bool,
) -> tuple[int | None, int | None, dict[str, NDArray[Any]]]:
    """Bits of a label, bits of an index into distinct rows, and the tables of leaves."""
    values = trees.values if order is None else trees.values[order.leaves]
    if labels_only:
        labels = _labels(model, values)
        bits = bits_for(len(model.classes))  # type: ignore[arg-type]
        if bits <= 8 and len(labels) * (8 - bits) <= 8 * _UNPACK:
            return 8, None, {"labels": labels.astype(np.uint8)}
        return bits, None, {"labels": pack_bits(labels, bits)}
    if not shared_rows:
        return None, None, {"values": pack_values(values, trees.value_bits)}
    rows, row = np.unique(values, axis=0, return_inverse=True)
    plain, distinct = (pack_values(each, trees.value_bits) for each in (values, rows))
    index = pack_bits(row.ravel(), bits_for(len(rows)))
    if len(rows) > 1 and distinct.nbytes + index.nbytes + _UNPACK < plain.nbytes:
        return None, bits_for(len(rows)), {"rows": index, "values": distinct}
    return None, None, {"values": plain}


def _labels(model: ModelTables, values: NDArray[Any]) -> NDArray[np.intp]:
    """Class numbers of the leaves of a single tree; its bias is part of them."""
    scores = (model.bias + values * model.trees.unit).astype(np.int32)  # type: ignore[union-attr]
    return labels(scores, model.threshold)


def _prepared(reading: Reading, grid: InputGrid, trees: TreeTable, order: Order | None) -> bool:
    """Whether reading every input once costs less than reading one at each node."""
    if reading.kind in ("value", "code"):
        return False
    if reading.kind == "rounded":
        return True
    steps = order.steps if order is not None else float(depths(trees).sum())
    return steps > 1.25 * len(grid.features)


def _numberings(
    reading: Reading, prepared: bool, model: ModelTables, grid: InputGrid
) -> list[tuple[NDArray[Any], int, NDArray[Any] | None]]:
    """Ways to number the inputs: of each feature of the grid, how many, columns of the numbers."""
    own = np.arange(len(grid.features))
    if reading.kind == "rounded" and model.linear is not None:
        at = np.searchsorted(model.linear.features, grid.features)
        return [(at, len(model.linear.features), None)]
    if reading.kind == "code" or len(own) == model.n_features:
        return [(own, len(own), None)]
    ways: list[tuple[NDArray[Any], int, NDArray[Any] | None]] = [
        (own, len(own), narrowest(grid.features))
    ]
    if reading.kind in ("value", "key") and not prepared:
        ways.append((grid.features, model.n_features, None))
    return ways


def _thresholds(
    reading: Reading, grid: InputGrid, trees: TreeTable
) -> list[tuple[dict[str, Any], NDArray[np.int64], int]]:
    """Ways to keep the cuts: what the layout has then, a number for each node, its bits."""
    edge = grid.offsets[trees.feature] + trees.threshold
    cut = reading.cut[edge]
    low = _lowest(cut)
    ways: list[tuple[dict[str, Any], NDArray[np.int64], int]] = []
    direct = bits_for(int(cut.max()) - low + 1)
    if direct <= WIDEST_READ:
        ways.append(({"low": low}, cut - low, direct))
    cuts, place = np.unique(cut, return_inverse=True)
    if len(cuts) < 2:
        return ways or [({"low": int(cut[0])}, cut * 0, 0)]
    together = {"low": low, "edges": narrowest(cuts - low)}
    ways.append((together, place, bits_for(len(cuts))))
    widest = int(grid.counts.max())
    if bits_for(widest) < bits_for(len(cuts)) and reading.kind != "rounded":
        own = {
            "low": (low := _lowest(reading.cut)),
            "edges": narrowest(reading.cut - low),
            "bases": narrowest(grid.offsets[:-1]),
        }
        ways.append((own, trees.threshold.astype(np.int64), bits_for(widest)))
    return ways


def _lowest(cut: NDArray[np.int64]) -> int:
    """What cuts are counted from: 0 where their differences take no fewer bits."""
    low, high = int(cut.min(initial=0)), int(cut.max(initial=0))
    if len(cut):
        low = int(cut.min())
    return 0 if low >= 0 and bits_for(high + 1) == bits_for(high - low + 1) else low


def _by_depth(
    layout: TreeLayout,
    order: Order,
    numbers: tuple[NDArray[Any], ...],
    widths: tuple[int, int, int],
) -> list[TreeLayout]:
    """Nodes depth first, packed or in whole bytes, with the nodes to the left of each."""
    feature, threshold, nan = (each[order.nodes] for each in numbers)
    link = bits_for(int(order.left.max(initial=0)) + 1)
    tables, size = _own_tables(layout), None
    if (order.sizes == order.sizes[0]).all():
        size = int(order.sizes[0])
    else:
        tables["sizes"] = narrowest(order.sizes)
    found = []
    exact = (*widths, link)
    ways = [exact]
    if sum(exact) % 8 and sum(exact) <= 32:
        wide = -sum(exact) % 8
        ways.append((*widths, link + wide))
        if max(widths[0], widths[1], widths[2] + link) <= 8:
            ways.insert(1, (8, 8, widths[2], 8 - widths[2]))
    for way in ways:
        bits = sum(way)
        nodes = pack_fields((feature, threshold, nan, order.left), way)
        found.append(
            replace(
                layout,
                shape="depth",
                widths=way,
                bits=bits,
                size=size,
                tables={"nodes": nodes, **tables} if bits else tables,
            )
        )
    return found


def _by_children(
    layout: TreeLayout,
    trees: TreeTable,
    numbers: tuple[NDArray[Any], ...],
    widths: tuple[int, int, int],
) -> TreeLayout:
    """Nodes with the numbers of both children; leaves follow the inner nodes."""
    N, L = len(trees.feature), len(trees.values)
    link = bits_for(N + L)
    left, right, roots = (
        np.where(child >= 0, child, N + ~np.minimum(child, -1)).astype(np.int64)
        for child in (trees.left, trees.right, trees.roots)
    )
    tables = _own_tables(layout)
    if len(roots) > 1:
        tables["roots"] = narrowest(roots)
    bits = sum(widths) + 2 * link
    packed = pack_fields((*numbers, left, right), (*widths, link, link))
    nodes = {"nodes": packed} if N else {}
    return replace(
        layout,
        shape="children",
        widths=(*widths, link),
        bits=bits,
        size=int(roots[0]) if len(roots) == 1 else None,
        tables={**nodes, **tables},
    )


def _fused(
    layout: TreeLayout,
    model: ModelTables,
    trees: TreeTable,
    order: Order,
    numbers: tuple[NDArray[Any], ...],
    widths: tuple[int, int, int],
) -> list[TreeLayout]:
    """Three bytes a node: input and which sides are leaves, threshold, labels or jump."""
    n_classes = len(model.classes)  # type: ignore[arg-type]
    most = int(order.left.max(initial=0))
    if widths[0] + widths[2] > 6 or widths[1] > 8 or n_classes > 16 or most >= MOST_JUMP:
        return []
    feature, threshold, nan = (each[order.nodes] for each in numbers)
    ends = trees.left[order.nodes] < 0, trees.right[order.nodes] < 0
    label = _labels(model, trees.values)
    left, right = (
        np.where(end, label[~np.minimum(child[order.nodes], -1)], 0)
        for end, child in zip(ends, (trees.left, trees.right), strict=True)
    )
    step = 3 if 3 * (most + 1) <= MOST_JUMP else 1
    third = np.where(ends[0] | ends[1], left << 4 | right, (order.left + 1) * step)
    first = ((feature << widths[2] | nan) << 2) | ends[1] << 1 | ends[0]
    nodes = np.column_stack([first, threshold, third]).astype(np.uint8).ravel()
    tables = {"nodes": nodes, **_own_tables(layout)}
    del tables["labels"]
    return [
        replace(layout, shape="fused", widths=(*widths, step), bits=24, size=None, tables=tables)
    ]


def _own_tables(layout: TreeLayout) -> dict[str, NDArray[Any]]:
    """Tables beside the nodes."""
    reading, own = layout.reading, {}
    for name, numbers in (("origins", reading.origin), ("exponents", reading.exponent)):
        if numbers is not None and (numbers != numbers[0]).any():
            own[name] = narrowest(numbers)
    for name, table in (
        ("columns", layout.columns),
        ("edges", layout.edges),
        ("bases", layout.bases),
    ):
        if table is not None:
            own[name] = table
    return own | layout.tables
