"""Which module prints the C of which kind of packed table.

A new kind of table is a module with the functions of `Printer`, and an entry here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from skdistill.compact.packing.layout import Part
from skdistill.compact.packing.linear import PackedLinear
from skdistill.compact.packing.net import PackedNet
from skdistill.compact.packing.packed_trees import PackedTrees
from skdistill.export.c import linear, net, trees
from skdistill.export.c.costs import Costs
from skdistill.export.c.text import CSource


class Printer(Protocol):
    """What the module of a kind answers.

    Every function takes the `source` that is printed and the `part` that is packed. Functions and
    statements of C are text, empty for none.
    """

    def packed_widths(self, source: CSource, part: Any) -> dict[str, list[int]]:
        """Tables of packed bits, and the widths of the numbers that are taken out of each."""

    def input_function(self, source: CSource, part: Any) -> str:
        """Functions that read an input."""

    def walk_function(self, source: CSource, part: Any) -> str:
        """Functions that find what the scores gain."""

    def value_function(self, source: CSource, part: Any) -> str:
        """Functions that add values to the scores."""

    def label_function(self, source: CSource, part: Any) -> str:
        """The function of the label, of a layout whose leaves hold labels."""

    def declared(self, source: CSource, part: Any) -> list[str]:
        """What the function of the scores declares for it."""

    def prepare(self, source: CSource, part: Any) -> str:
        """Statements before any score is added."""

    def add(self, source: CSource, part: Any) -> str:
        """Statements that add to the scores."""

    def costs(self, source: CSource, part: Any) -> Costs:
        """What all that costs at most."""


PRINTERS: dict[type, Printer] = {PackedTrees: trees, PackedLinear: linear, PackedNet: net}


def printed_parts(source: CSource) -> Iterator[tuple[Printer, Part]]:
    """Each part of a layout with its printer.

    Parameters
    ----------
    source : CSource
        With any parts.

    Yields
    ------
    printer : Printer
    part : Part
    """
    for part in source.layout.parts:
        yield PRINTERS[type(part)], part


def packed_widths(source: CSource) -> dict[str, list[int]]:
    """Packed tables of all parts, and the widths of the numbers that are taken out of each.

    Parameters
    ----------
    source : CSource
        With any parts.

    Returns
    -------
    widths : dict of str to list of int
    """
    widths: dict[str, list[int]] = {}
    for printer, part in printed_parts(source):
        widths |= printer.packed_widths(source, part)
    return {
        name: [width for width in each if width]
        for name, each in widths.items()
        if name in source.layout.tables
    }
