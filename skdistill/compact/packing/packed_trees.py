"""The record of trees as constants, and what a form costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.packing.threshold_codes import ThresholdCodes
from skdistill.compact.packing.tree_costs import (
    BASES,
    CODES,
    COLUMNS,
    DROP,
    EDGES,
    NAN,
    NODES,
    FormCost,
)
from skdistill.compact.packing.tree_leaves import PackedLeaves
from skdistill.compact.tables.tree_table import TreeTable

WIDEST_READ = 25  # bits at any offset that four bytes hold


@dataclass(frozen=True, eq=False)
class PackedTrees:
    """How the nodes and leaves of all trees are stored.

    Attributes
    ----------
    table : TreeTable
        What was packed: without constant trees, and of one score where `counts` are.
    codes : ThresholdCodes
        What nodes compare in place of the inputs.
    prepared : bool
        Whether all codes are made once, before any tree is walked.
    counts : int array of shape (n_scores,) or None
        Trees of each score, which follow each other; None where trees add to all scores.
    constant : int64 array of shape (n_scores,)
        What constant trees add.
    leaves : PackedLeaves
        What a walk ends in.
    columns : int array of shape (n_used,) or None
        Columns of the inputs that nodes number; None where the number is the column.
    edges, bases : int arrays or None
        Cuts that nodes index, and where each feature's begin; None where a node holds the cut
        itself, or the index counts through all features.
    low : int
        What the cuts of nodes, or of `edges`, are counted from.
    shape : {"fused", "flags", "depth", "children", "branches"}
        "fused": three bytes a node, labels of leaves among them. "flags": depth first in whole
        bytes, with the number of nodes to the left, and two bits that say which children are
        leaves. "depth": depth first, with the number of nodes to the left. "children": both
        children by number. "branches": no tables of nodes, for code that holds them.
    widths : tuple of int
        Bits of feature, threshold, NaN's side and link (nodes to the left, or one child).
    bits : int
        Of a node; a multiple of 8 where that costs less than code that unpacks.
    size : int or None
        Nodes of each tree where all have as many.
    compares_bits : bool
        Of "branches" on float32: whether nodes compare the bits of the inputs themselves as whole
        numbers, which holds where no input is NaN.
    long_jumps : bool
        Of "flags": whether a link of all ones says that the next half word holds it.
    node_tables : dict of str to array
        Constant tables by name, without those of the leaves.
    """

    table: TreeTable
    codes: ThresholdCodes
    prepared: bool
    counts: NDArray[np.int64] | None
    constant: NDArray[np.int64]
    leaves: PackedLeaves
    columns: NDArray[Any] | None = None
    edges: NDArray[Any] | None = None
    bases: NDArray[Any] | None = None
    low: int = 0
    shape: str = ""
    widths: tuple[int, int, int, int] = (0, 0, 0, 0)
    bits: int = 0
    size: int | None = None
    compares_bits: bool = False
    long_jumps: bool = False
    node_tables: dict[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def tables(self) -> dict[str, NDArray[Any]]:
        """Constant tables by name."""
        return self.node_tables | self.leaves.tables

    @property
    def start(self) -> NDArray[np.int64]:
        """What scores begin with beside the bias of the model, int64 array of shape (n_scores,)."""
        counts = len(self.table.roots) if self.counts is None else self.counts
        return self.constant - self.leaves.bias * self.table.unit * counts

    @property
    def unit(self) -> int:
        """Score units that a value of 1 adds."""
        return self.table.unit

    @property
    def narrow_sums(self) -> bool:
        """Whether sums of stored values fit a half word, until the unit of the trees scales them.

        That saves a core with registers of a byte half the work. They are nibbles of all scores.
        """
        nibbles = self.leaves.value_bits == "nibble" and self.leaves.pure is None
        several = self.counts is None and self.table.n_scores > 1
        return nibbles and several and self.unit != 1 and 15 * len(self.table.roots) < 2**16

    @property
    def compares_rounded(self) -> bool:
        """Whether nodes compare the rounded inputs of a linear part."""
        return self.codes.kind == "rounded"

    @property
    def whole_bytes(self) -> bool:
        """Whether a node is one number of whole bytes."""
        return self.bits % 8 == 0 and self.bits <= 32

    @property
    def reads_bits(self) -> bool:
        """Whether nodes need code that unpacks numbers."""
        return self.shape == "children" or (self.shape == "depth" and not self.whole_bytes)

    @cached_property
    def node_cost(self) -> FormCost:
        """Bytes of the tables of nodes and of code, and instructions of a node.

        Bytes of code are a guess, at what is not common to all forms.
        """
        form = NODES[self.form]
        code, work = form
        code += CODES[self.codes.kind].code
        for used, each in (
            (self.columns is not None, COLUMNS),
            (self.edges is not None, EDGES),
            (self.bases is not None, BASES),
            (self.codes.drop > 0, DROP),
            (self.widths[2] > 0, NAN),
        ):
            if used:
                code, work = code + each.code, work + each.work
        if not self.prepared:
            work += CODES[self.codes.kind].work
        tables = sum(table.nbytes for table in self.node_tables.values())
        return FormCost(code + tables, work)

    @property
    def form(self) -> str:
        """Name of the form of the nodes in `NODES`."""
        if self.long_jumps:
            return "long2"
        if self.shape == "flags":
            return f"flags{self.bits // 8}"
        if self.shape != "depth":
            return self.shape
        if self.whole_bytes:
            return f"bytes{self.bits // 8}"
        return "bits" if self.bits <= WIDEST_READ else "fields"
