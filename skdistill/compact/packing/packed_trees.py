"""The record of trees as constants, and what a form costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from skdistill.compact.packing.threshold_codes import ThresholdCodes
from skdistill.compact.tables.tree_table import TreeTable

WIDEST_READ = 25  # bits at any offset that four bytes hold

# Bytes of Thumb code that a choice needs more than its cheapest alternative, roughly.
_SHAPE_CODE = {"fused": 0, "bytes": 36, "bits": 62, "children": 48}
_CODES_CODE = {"value": 0, "code": 0, "rounded": 0, "key": 24, "steps": 76}


@dataclass(frozen=True, eq=False)
class PackedTrees:
    """How the nodes of all trees are stored.

    Attributes
    ----------
    table : TreeTable
        What was packed.
    codes : ThresholdCodes
        What nodes compare in place of the inputs.
    prepared : bool
        Whether all codes are made once, before any tree is walked.
    columns : int array of shape (n_used,) or None
        Columns of the inputs that nodes number; None where the number is the column.
    edges, bases : int arrays or None
        Cuts that nodes index, and where each feature's begin; None where a node holds the cut
        itself, or the index counts through all features.
    low : int
        What the cuts of nodes, or of `edges`, are counted from.
    shape : {"fused", "depth", "children", "branches"}
        "fused": three bytes a node, labels of leaves among them. "depth": depth first, with
        the number of nodes to the left. "children": both children by number. "branches": no
        tables of nodes, for code that holds them.
    widths : tuple of int
        Bits of feature, threshold, NaN's side and link (nodes to the left, or one child).
    bits : int
        Of a node; a multiple of 8 where that costs less than code that unpacks.
    size : int or None
        Nodes of each tree where all have as many.
    leaf : {"label", "row", "value", "sums"}
        What a walk ends in: the label; the number of a leaf, whose row of values is in a table;
        and of "branches" also the only value, or statements that add the values.
    label_bits : int or None
        Of the label of a leaf, where leaves hold labels.
    row_bits : int or None
        Of an index into distinct rows of leaf values; None where each leaf has its own.
    rows : int array of shape (n_leaves,) or None
        Of "branches" that end in a "row": the row of values of each leaf of the table.
    tables : dict of str to array
        Constant tables by name.
    """

    table: TreeTable
    codes: ThresholdCodes
    prepared: bool
    leaf: str
    columns: NDArray[Any] | None = None
    edges: NDArray[Any] | None = None
    bases: NDArray[Any] | None = None
    low: int = 0
    shape: str = ""
    widths: tuple[int, int, int, int] = (0, 0, 0, 0)
    bits: int = 0
    size: int | None = None
    label_bits: int | None = None
    row_bits: int | None = None
    rows: NDArray[Any] | None = None
    tables: dict[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def compares_rounded(self) -> bool:
        """Whether nodes compare the rounded inputs of a linear part."""
        return self.codes.kind == "rounded"

    @property
    def whole_bytes(self) -> bool:
        """Whether a node is one number of whole bytes."""
        return self.bits % 8 == 0 and self.bits <= 32

    @cached_property
    def cost(self) -> int:
        """Bytes of the tables, and a guess at those of the code beside the common part."""
        kind = "bytes" if self.whole_bytes else "bits"
        code = _SHAPE_CODE[kind if self.shape == "depth" else self.shape]
        code += _CODES_CODE[self.codes.kind]
        code += 4 * (self.codes.drop > 0) + 6 * (self.edges is not None)
        code += 6 * (self.bases is not None) + 4 * (self.columns is not None)
        return code + sum(table.nbytes for table in self.tables.values())
