"""What a choice of tables is: how nodes are kept, and every table by its name.

Symbols: L leaves of all trees, u features of the grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from skdistill.compact.packing.linear_inputs import LinearInput
from skdistill.compact.packing.threshold_codes import Reading

if TYPE_CHECKING:
    from skdistill.compact.model_tables import ModelTables
    from skdistill.compact.tables.categories import CategoryTable

# Bytes of Thumb code that a choice needs more than its cheapest alternative, roughly.
_CODE = {"fused": 0, "bytes": 36, "bits": 62, "children": 48}
_READ = {"value": 0, "code": 0, "rounded": 0, "key": 24, "steps": 76}


@dataclass(frozen=True, eq=False)
class TreeLayout:
    """How the nodes of all trees are kept.

    Attributes
    ----------
    reading : Reading
    prepared : bool
        Whether all inputs are read once, before any tree is walked.
    columns : int array of shape (u,) or None
        Columns of the inputs that nodes number; None where the number is the column.
    edges, bases : int arrays or None
        Cuts that nodes index, and where each feature's begin; None where a node keeps the cut
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
    label_bits : int or None
        Of the label of a leaf, where leaves keep labels.
    row_bits : int or None
        Of an index into distinct rows of leaf values; None where each leaf has its own.
    rows : int array of shape (L,) or None
        Of "branches": the row of values of each leaf of the model.
    tables : dict of str to array
    """

    reading: Reading
    prepared: bool
    columns: NDArray[Any] | None
    edges: NDArray[Any] | None
    bases: NDArray[Any] | None
    low: int
    shape: str
    widths: tuple[int, int, int, int]
    bits: int
    size: int | None
    label_bits: int | None
    row_bits: int | None
    tables: dict[str, NDArray[Any]]
    rows: NDArray[Any] | None = None

    @property
    def whole_bytes(self) -> bool:
        """Whether a node is one number of whole bytes."""
        return self.bits % 8 == 0 and self.bits <= 32

    @cached_property
    def cost(self) -> int:
        """Bytes of the tables, and a guess at those of the code beside the common part."""
        kind = "bytes" if self.whole_bytes else "bits"
        code = _CODE[kind if self.shape == "depth" else self.shape] + _READ[self.reading.kind]
        code += 4 * (self.reading.drop > 0) + 6 * (self.edges is not None)
        code += 6 * (self.bases is not None) + 4 * (self.columns is not None)
        return code + sum(table.nbytes for table in self.tables.values())


@dataclass(frozen=True, eq=False)
class Layout:
    """A model as constant tables.

    Attributes
    ----------
    model : ModelTables
    input : str
        Type of the inputs.
    labels_only : bool
        Whether leaves keep the labels of a single tree in place of its scores.
    trees : TreeLayout or None
    linear : LinearInput or None
    categories : CategoryTable or None
        Of the columns that are read; None for inputs that are ready codes.
    tables : dict of str to array
        By name, as they are written: 8, 16 or 32 bits an entry; packed ones are bytes.
    missing : int or None
        The number of an integer type that stands for NaN.
    """

    model: ModelTables
    input: str
    labels_only: bool
    trees: TreeLayout | None
    linear: LinearInput | None
    categories: CategoryTable | None
    tables: dict[str, NDArray[Any]]
    missing: int | None = None
