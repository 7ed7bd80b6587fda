"""What the leaves of trees hold, as constants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.evaluate import labels
from skdistill.compact.packing.bits import bits_for, pack_bits, pack_values
from skdistill.compact.packing.node_order import Order
from skdistill.compact.packing.tree_costs import UNPACK, FormCost, index_cost, row_cost
from skdistill.compact.tables.limits import INT32_MAX
from skdistill.compact.tables.tree_table import TreeTable

if TYPE_CHECKING:
    from skdistill.compact.model_tables import ModelTables
    from skdistill.compact.packing.layout import Request

NIBBLE_BIAS = 8  # what nibbles of values that may be negative are stored with
_SPARSE = 3.0  # values that are not zero in a leaf, on average, up to which code adds them
_NOTHING = FormCost(0, 0)
_PURE = FormCost(20, 4)  # what tells pure leaves from others
_PAIR = FormCost(44, 18)  # what adds two values
_PAIR_BYTES, _PAIR_SCORES = 3, 16  # a nibble for each score, and the values


@dataclass(frozen=True, eq=False)
class PackedLeaves:
    """What a walk ends in.

    Attributes
    ----------
    kind : {"label", "row", "value", "sums"}
        The label; the number of a leaf, whose row of values is in a table; and of branches also
        the only value, or statements that add the values.
    label_bits : int or None
        Of the label of a leaf, where leaves hold labels.
    value_bits : int, "ternary", "nibble" or None
        How values are stored: so many bits each, five a byte, or unsigned and two a byte, which
        are read together; None where no table has any.
    bias : int
        What stored values are too large by. The scores begin with as much less.
    row_bits : int or None
        Of an index into distinct rows of values; None where each leaf has its own.
    pure : int or None
        The value of pure leaves: an index below the number of scores is that of the only score
        they add to. They have no row. None where all leaves have a row.
    pairs : int
        Rows of two values that are stored as three bytes: a nibble each for their scores, and both
        values. They follow the pure leaves, and rows of all values follow them.
    rows : int array of shape (n_leaves,) or None
        Of branches that end in a "row": the index of each leaf of the table.
    tables : dict of str to array
        "labels", or "values", "pairs" and "rows", as far as they are needed.
    value_cost : FormCost
        Code that adds the values of a leaf, and instructions of a leaf.
    """

    kind: str
    label_bits: int | None = None
    value_bits: int | str | None = None
    bias: int = 0
    row_bits: int | None = None
    pure: int | None = None
    pairs: int = 0
    rows: NDArray[Any] | None = None
    tables: dict[str, NDArray[Any]] = field(default_factory=dict)
    value_cost: FormCost = _NOTHING

    @property
    def reads_bits(self) -> bool:
        """Whether a table needs code that unpacks numbers."""
        packed = self.value_bits not in (None, "nibble", 8, 16, "ternary")
        return packed or (self.row_bits or 0) not in (0, 8, 16)

    @property
    def cost(self) -> FormCost:
        """Bytes of the tables and of code beside the common part, and instructions of a leaf."""
        code, work = index_cost(self.row_bits)
        tables = sum(table.nbytes for table in self.tables.values())
        return FormCost(code + tables + self.value_cost.code, work + self.value_cost.work)


def label_leaves(trees: TreeTable, order: Order | None, request: Request) -> PackedLeaves:
    """Labels in the order of the leaves.

    Parameters
    ----------
    trees : TreeTable
        A single tree.
    order : Order or None
        None where leaves keep their order.
    request : Request
        Whose model has the labels.

    Returns
    -------
    leaves : PackedLeaves
    """
    if request.branches:
        return PackedLeaves("label")
    values = trees.values if order is None else trees.values[order.leaves]
    numbers = leaf_labels(request.model, trees, values)
    bits = bits_for(request.model.n_classes)
    # Few labels take a byte each: code that unpacks would need more than it saves.
    if bits <= 8 and len(numbers) * (8 - bits) <= 8 * UNPACK:
        return PackedLeaves("label", 8, tables={"labels": numbers.astype(np.uint8)})
    return PackedLeaves("label", bits, tables={"labels": pack_bits(numbers, bits)})


def leaf_labels(model: ModelTables, trees: TreeTable, values: NDArray[Any]) -> NDArray[np.intp]:
    """Class numbers of leaf values of a single tree; the bias of its model is part of them.

    Parameters
    ----------
    model : ModelTables
        Whose bias and threshold hold.
    trees : TreeTable
        Whose unit holds.
    values : int array of shape (n_leaves, n_scores)
        Values of the leaves that are asked for.

    Returns
    -------
    labels : int array of shape (n_leaves,)
    """
    scores = (model.bias + values * trees.unit).astype(np.int32)
    return labels(scores, model.threshold)


def value_leaves(trees: TreeTable, order: Order | None, request: Request) -> list[PackedLeaves]:
    """All ways to store the values of leaves.

    Parameters
    ----------
    trees : TreeTable
        Of one score where each tree adds to one.
    order : Order or None
        Of nodes and leaves; None where they keep theirs.
    request : Request
        Whether rows may be shared, and nodes are branches.

    Returns
    -------
    leaves : list of PackedLeaves
        At least one.
    """
    if request.branches:
        order = None
    values = trees.values if order is None else trees.values[order.leaves]
    if not request.shared_rows:
        bits = trees.value_bits  # the program changes the values that are there
        row = np.arange(len(values)) if request.branches else None
        table = pack_values(values, bits)
        return [PackedLeaves("row", value_bits=bits, rows=row, tables={"values": table})]
    if request.branches and trees.n_scores == 1:
        return [PackedLeaves("value", value_cost=FormCost(0, 6))]
    if request.branches:
        filled = float((values != 0).sum(axis=1).mean())
        if filled <= _SPARSE:
            return [PackedLeaves("sums", value_cost=FormCost(0, 4 * filled))]
    return list(_rows_of_values(values, trees, request))


def _rows_of_values(
    values: NDArray[Any], trees: TreeTable, request: Request
) -> Iterator[PackedLeaves]:
    S = trees.n_scores
    rows, row = np.unique(values, axis=0, return_inverse=True)
    row = row.ravel()
    for bits, bias in _widths(trees, request):
        form = PackedLeaves("row", value_bits=bits, bias=bias, value_cost=row_cost(S, bits))
        if not request.branches:
            yield replace(form, tables={"values": _packed(values + bias, bits)})
        if len(rows) == 1 and not request.branches:
            continue
        # Leaves of few bits often have equal rows: an index into distinct rows may be smaller.
        distinct = replace(form, tables={"values": _packed(rows + bias, bits)})
        yield from _indexed(distinct, row, len(rows), request)
        if bias == 0 and S > 1 and (pure := _pure(values)) is not None:
            for in_pairs in (False, True):
                pure_form, index, count = _with_pure(form, values, pure, in_pairs)
                if pure_form.pairs or not in_pairs:
                    yield from _indexed(pure_form, index, count, request)


def _with_pure(
    form: PackedLeaves,
    values: NDArray[Any],
    pure: tuple[int, NDArray[np.bool_], NDArray[np.intp]],
    in_pairs: bool,
) -> tuple[PackedLeaves, NDArray[np.intp], int]:
    """A form without rows for pure leaves, the index of each leaf, and how many indexes there are.

    With `in_pairs`, rows of two values below 256 are pairs of a score and a value.
    """
    top, is_pure, index = pure
    S, index = values.shape[1], np.array(index)
    filled = (values != 0).sum(axis=1)
    fits = in_pairs and S <= _PAIR_SCORES and values.max() < 256
    is_pair = ~is_pure & (filled == 2) & fits
    is_row = ~(is_pure | is_pair)
    pairs, pair = np.unique(values[is_pair], axis=0, return_inverse=True)
    others, other = np.unique(values[is_row], axis=0, return_inverse=True)
    index[is_pair] = S + pair.ravel()
    index[is_row] = S + len(pairs) + other.ravel()
    tables = {}
    if len(pairs):
        first = (pairs != 0).argmax(axis=1)
        last = S - 1 - (pairs[:, ::-1] != 0).argmax(axis=1)
        each = np.arange(len(pairs))
        columns = [last << 4 | first, pairs[each, first], pairs[each, last]]
        tables["pairs"] = np.column_stack(columns).astype(np.uint8).ravel()
    if len(others):
        tables["values"] = _packed(others, form.value_bits or 8)
    cost, share = form.value_cost, (is_pure.mean(), is_pair.mean(), is_row.mean())
    work = _PURE.work + share[0] * 6 + share[1] * _PAIR.work + share[2] * cost.work
    code = _PURE.code + cost.code * bool(len(others)) + _PAIR.code * bool(len(pairs))
    form = replace(
        form,
        pure=top,
        pairs=len(pairs),
        value_bits=form.value_bits if len(others) else None,
        tables=tables,
        value_cost=FormCost(code, float(work)),
    )
    return form, index, S + len(pairs) + len(others)


def _packed(values: NDArray[Any], bits: int | str) -> NDArray[Any]:
    return pack_values(values, 4 if bits == "nibble" else bits)


def _widths(trees: TreeTable, request: Request) -> list[tuple[int | str, int]]:
    """Widths in which values may be stored, and what is added to them: the narrowest first."""
    bits = trees.value_bits
    narrow = 2 if bits == "ternary" else int(bits)
    bias = NIBBLE_BIAS if (trees.values < 0).any() else 0
    # Scores begin with the sum of all biases, which must not leave 32 bits.
    most = request.model.score_bound.max(initial=0) + bias * trees.unit * len(trees.roots)
    nibbles = narrow <= 4 and most <= INT32_MAX
    choices: list[tuple[int | str, int]] = [(bits, 0)]
    if nibbles:
        choices.append(("nibble", bias))
    if narrow % 8:
        choices.append((8 if narrow < 8 else 16, 0))
    return choices


def _indexed(
    form: PackedLeaves, row: NDArray[Any], count: int, request: Request
) -> Iterator[PackedLeaves]:
    """Forms with an index of a row in each leaf: packed, or in whole bytes."""
    if request.branches:
        yield replace(form, rows=row)
        return
    bits = bits_for(count)
    whole = 8 if bits <= 8 else 16
    if bits <= 16:
        table = row.astype(f"uint{whole}")
        yield replace(form, row_bits=whole, tables={"rows": table, **form.tables})
    if bits % 8:
        table = pack_bits(row, bits)
        yield replace(form, row_bits=bits, tables={"rows": table, **form.tables})


def _pure(
    values: NDArray[Any],
) -> tuple[int, NDArray[np.bool_], NDArray[np.intp]] | None:
    """The value that most pure leaves have, which leaves are pure, and their scores."""
    if (values < 0).any():
        return None
    alone = (values != 0).sum(axis=1) == 1
    if not alone.any():
        return None
    counted, counts = np.unique(values[alone].max(axis=1), return_counts=True)
    top = int(counted[counts.argmax()])
    return top, alone & (values.max(axis=1) == top), values.argmax(axis=1)
