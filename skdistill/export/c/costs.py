"""What pieces of the emitted code cost at most, read off compiled code for a Cortex-M0."""

from __future__ import annotations

from typing import NamedTuple

CALL = 30  # a call of a function, with what it pushes and pops
UNPACK = 26  # a number out of packed bits
SOFT_FLOAT = {"subtract": 170, "multiply": 150, "divide": 320, "convert": 70}


class Costs(NamedTuple):
    """Worst cases of a piece of code, whatever the input.

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

    splits: int = 0
    steps: int = 0
    instructions: int = 0
    stack: int = 0

    def plus(self, other: Costs) -> Costs:
        """Return the costs of both, one after the other.

        Parameters
        ----------
        other : Costs
            Of another piece of code, whose stack is in use at the same time.

        Returns
        -------
        costs : Costs
        """
        return Costs(*(a + b for a, b in zip(self, other, strict=True)))


def row_cost(n_scores: int, bits: int | str) -> int:
    """Instructions that add a row of values to the scores.

    Parameters
    ----------
    n_scores : int
        Values of a row.
    bits : int in [2, 16] or "ternary"
        Width of a value.

    Returns
    -------
    instructions : int
    """
    if bits == "ternary":
        return 70 + 24 * n_scores
    return 26 + n_scores * (12 if bits in (8, 16) else 14 + UNPACK)
