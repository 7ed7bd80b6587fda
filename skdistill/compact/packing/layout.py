"""What a choice of tables is: the packed parts of a model, and every constant table by its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from skdistill.compact.model_tables import ModelTables
    from skdistill.compact.tables.categories import CategoryTable
    from skdistill.compact.tables.table import Table


class Request(NamedTuple):
    """What a packer is asked for.

    Attributes
    ----------
    model : ModelTables
        On whole numbers already where `input_dtype` is an integer type.
    input_dtype : str
        Type of the inputs, or "codes".
    labels_only : bool
        Whether the model is one table that gives each row the label of a leaf.
    branches : bool
        Whether the nodes of trees are left to code.
    shared_rows : bool
        Whether equal rows of leaf values may be stored once.
    max_is_missing : bool
        Whether the largest number of an integer `input_dtype` stands for NaN.
    optimize : {"size", "balanced", "speed"} or None
        Whether the fewest bytes are best, the smallest product of bytes and instructions, or the
        fewest instructions; None is up to the kind of table.
    never_missing : bool
        Whether no float32 input is NaN.
    """

    model: ModelTables
    input_dtype: str
    labels_only: bool
    branches: bool
    shared_rows: bool
    max_is_missing: bool = False
    optimize: str | None = None
    never_missing: bool = False


class Part(Protocol):
    """One table of a model, packed."""

    @property
    def table(self) -> Table:
        """What was packed."""

    @property
    def tables(self) -> dict[str, NDArray[Any]]:
        """Constant tables by name, as they are written."""

    @property
    def start(self) -> NDArray[np.int64] | int:
        """What scores begin with for it beside the bias, of shape (n_scores,), or 0."""

    @property
    def unit(self) -> int:
        """Score units that a value of 1 adds. Scores are multiplied by it behind the part."""

    @property
    def narrow_sums(self) -> bool:
        """Whether it adds to half words where registers are bytes, until `unit` scales these."""

    @property
    def compares_rounded(self) -> bool:
        """Whether it compares the rounded inputs of a linear part, which are made once then."""


AnyPart = TypeVar("AnyPart", bound=Part)


@dataclass(frozen=True, eq=False)
class Layout:
    """A model as constant tables.

    Attributes
    ----------
    model : ModelTables
        What was packed; on integers already where `input_dtype` is an integer type.
    input_dtype : str
        Type of the inputs, or "codes".
    labels_only : bool
        Whether leaves hold the labels of a single tree in place of its scores.
    label : int or None
        The label that every row has, where no input can change it.
    parts : tuple of Part
        One for each table of the model, in its order; empty where all rows have one label.
    categories : CategoryTable
        Of the columns that are read; without columns for inputs that are ready codes.
    tables : dict of str to array
        By name, as they are written: 8, 16 or 32 bits an entry; packed ones are bytes.
    bias : int64 array of shape (n_scores,)
        What scores begin with: the bias of the model and what parts add to all rows.
    missing_number : int or None
        The number of an integer type that stands for NaN.
    """

    model: ModelTables
    input_dtype: str
    labels_only: bool
    label: int | None
    parts: tuple[Part, ...]
    categories: CategoryTable
    tables: dict[str, NDArray[Any]]
    bias: NDArray[np.int64]
    missing_number: int | None = None

    @property
    def shares_rounding(self) -> bool:
        """Whether inputs are rounded once, for a linear part and for the nodes of trees."""
        return any(part.compares_rounded for part in self.parts)

    def parts_of(self, kind: type[AnyPart]) -> tuple[AnyPart, ...]:
        """Parts of one kind.

        Parameters
        ----------
        kind : type
            `PackedTrees`, `PackedLinear`, …

        Returns
        -------
        parts : tuple
            Empty, or with one part.
        """
        return tuple(part for part in self.parts if isinstance(part, kind))
