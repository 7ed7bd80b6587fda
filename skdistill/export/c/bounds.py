"""What a call can cost at most, added up from the tables.

How often each loop turns follows from the tables alone. What a turn takes was read off
compiled code for a Cortex-M0, and rounded up: of the compilers and models that the tests try,
none needs more.

Symbols: S score columns, K classes.
"""

from __future__ import annotations

from typing import NamedTuple

from skdistill.compact.packing.layout import TreeLayout
from skdistill.compact.packing.node_order import depths
from skdistill.compact.packing.pack import WIDEST_READ
from skdistill.export.c.inputs import prepared_inputs
from skdistill.export.c.text import Source
from skdistill.export.c.tree_branches import leaf_kind

_CALL = 30
_SPLIT = {"fused": 17, "depth": 34, "children": 34, "branches": 7}
_READ = {"value": 0, "code": 0, "rounded": 0, "key": 14, "steps": 60}
_BITS = 26  # a number out of packed bits
_RANK, _INDEX = 30, 30  # the rank of a category; its index as a float
_SOFT = {"subtract": 170, "multiply": 150, "divide": 320, "convert": 70, "whole divide": 260}


class Bounds(NamedTuple):
    """Worst cases of a call, whatever the input.

    Attributes
    ----------
    splits : int
        Nodes that are visited.
    steps : int
        Turns of all other loops.
    instructions : int
        On a Cortex-M0, which has no instructions for floats, compiled for size.
    stack : int
        Bytes on a 32-bit core.
    """

    splits: int
    steps: int
    instructions: int
    stack: int


def bounds(source: Source, output: str) -> Bounds:
    """Add up the largest costs of all parts.

    Parameters
    ----------
    source : Source
    output : str
        As in `to_c`.

    Returns
    -------
    bounds : Bounds
    """
    layout, model = source.layout, source.layout.model
    S = model.n_scores
    if layout.trees is None and layout.linear is None and layout.labels_only:
        return Bounds(0, 0, _CALL, 32)
    splits = steps = work = 0
    stack = 96
    trees = layout.trees
    if layout.categories is not None:
        n, m = model.n_features, len(layout.categories.columns)
        steps += n + m
        work += _CALL + 8 * n + m * (_RANK + (_INDEX if source.x_type == "float" else 0))
        stack += n * {"float": 4, "int32_t": 4, "int16_t": 2, "uint16_t": 2}.get(source.x_type, 1)
    if trees is not None and model.trees is not None:
        splits = int(depths(model.trees).sum())
        work += splits * _split_cost(source, trees)
        if trees.prepared:
            n = prepared_inputs(source, trees)
            steps += n
            work += n * (_READ[trees.reading.kind] + 12)
            stack += n * (4 if trees.reading.kind == "key" else 2)
        if trees.label_bits is not None:
            work += _BITS
    if not layout.labels_only:
        stack += 4 * S + 64
        steps += 2 * S
        work += 2 * _CALL + S * 26
        if model.trees is not None and trees is not None:
            T = len(model.trees.roots)
            steps += 4 * T * (model.trees.value_bits == "ternary")  # to the first of five
            rows = (
                0
                if trees.shape == "branches" and leaf_kind(model, False, source.ram) != "row"
                else T
            )
            each = _row_cost(source, "values", model.trees.value_bits)
            work += T * (_CALL + 10 + (_BITS if trees.row_bits else 0)) + rows * each
            work += (T - rows) * 7 * S
            steps += T + rows * S
        if model.linear is not None:
            u = len(model.linear.features)
            each = _round_cost(source) + _row_cost(source, "weights", model.linear.value_bits)
            work += u * (each + 16)
            steps += u * (S + 1 + 4 * (model.linear.value_bits == "ternary"))
    if output in ("proba_float", "proba_fixed"):
        K = model.n_classes
        steps += 4 * K + 32 * (model.link == "normalize")
        stack += 4 * K + 64
        work += K * _probability_cost(model.link, output) + 60
    return Bounds(splits, steps, work + _CALL, -(-stack // 8) * 8)


def _split_cost(source: Source, trees: TreeLayout) -> int:
    cost = _SPLIT[trees.shape]
    if not trees.prepared:
        cost += _READ[trees.reading.kind]
    cost += 4 * (trees.columns is not None) + 5 * (trees.edges is not None)
    cost += 5 * (trees.bases is not None) + 12 * trees.widths[2]
    cost += 6 * bool(trees.reading.drop) + 3 * bool(trees.low)
    cost += 6 * (source.layout.missing is not None)
    if trees.shape == "children":
        return cost + 5 * _BITS
    if trees.shape == "depth" and not trees.whole_bytes:
        cost += _BITS * (1 if trees.bits <= WIDEST_READ else 4)
    elif trees.shape == "depth" and trees.bits > 16:
        cost += 14  # three or four bytes are put together
    return int(cost)


def _row_cost(source: Source, table: str, bits: int | str) -> int:
    """A row of values, added to the scores."""
    S = source.layout.model.n_scores
    if bits == "ternary":
        return 70 + 24 * S
    return 26 + S * (12 if bits in (8, 16) else 14 + _BITS)


def _round_cost(source: Source) -> int:
    """One rounded input of the linear part."""
    read, trees = source.layout.linear, source.layout.trees
    assert read is not None
    cost = 8 if trees is not None and trees.reading.kind == "rounded" else 0
    cost += 12 * (source.layout.missing is not None)
    if read.arithmetic == "code":
        return cost
    if read.arithmetic == "integer":
        return cost + (16 if read.shift == 0 else 40)
    cost += 50
    if read.offset != 0:
        cost += _SOFT["subtract"] + _SOFT["convert"]
    if read.factors:
        cost += _SOFT["multiply"]
    if source.x_type != "float":
        cost += _SOFT["convert"]
    return cost


def _probability_cost(link: str, output: str) -> int:
    if output == "proba_fixed":
        return _SOFT["whole divide"] + 140
    power = 7 * (_SOFT["multiply"] + _SOFT["subtract"]) + 4 * _SOFT["convert"]
    if link == "normalize":
        return _SOFT["divide"] + 3 * _SOFT["convert"] + _SOFT["subtract"]
    return 2 * power + _SOFT["divide"]
