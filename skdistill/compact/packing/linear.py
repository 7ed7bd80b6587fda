"""A linear table as constants: packed weights, and what rounds its inputs on a device."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

from skdistill.compact.packing.bits import narrowest, pack_values
from skdistill.compact.packing.layout import Request
from skdistill.compact.packing.rounding import Rounding, pack_rounding
from skdistill.compact.tables.linear_table import LinearTable


class PackedLinear(NamedTuple):
    """How the inputs of a linear table are rounded, and its weights.

    Attributes
    ----------
    table : LinearTable
        What was packed.
    rounding : Rounding
        How inputs are rounded.
    tables : dict of str to array
        "linear_columns", those of `rounding`, as far as they are needed, and "weights".
    """

    table: LinearTable
    rounding: Rounding
    tables: dict[str, NDArray[Any]]

    @property
    def start(self) -> int:
        """0: it adds to the bias what its inputs say."""
        return 0

    @property
    def unit(self) -> int:
        """1: it adds score units."""
        return 1

    @property
    def narrow_sums(self) -> bool:
        """False: scores are not scaled behind it."""
        return False

    @property
    def compares_rounded(self) -> bool:
        """False: it rounds them itself."""
        return False


def pack_linear(linear: LinearTable, request: Request) -> PackedLinear:
    """Pack the weights, and choose the arithmetic that rounds the inputs.

    Parameters
    ----------
    linear : LinearTable
        The table of the model.
    request : Request
        Whose input type decides on the arithmetic.

    Returns
    -------
    part : PackedLinear
    """
    tables: dict[str, NDArray[Any]] = {}
    if request.input_dtype != "codes" and len(linear.features) < request.model.n_features:
        tables["linear_columns"] = narrowest(linear.features)
    rounding = pack_rounding(
        linear.offset, linear.inv_step, linear.q_max, request.input_dtype, tables
    )
    tables["weights"] = pack_values(linear.weights, linear.value_bits)
    return PackedLinear(linear, rounding, tables)
