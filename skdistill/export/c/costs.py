"""What pieces of the emitted code cost at most, read off compiled code for a Cortex-M0.

What other cores take of that, and what functions keep on the stack beside arrays, was searched for
with random models and with rows that go deep, compiled by gcc and by clang at ``-Os``, and rounded
up by a fifth and more.
"""

from __future__ import annotations

import math
from typing import NamedTuple

CALL = 30  # a call of a function, with what it pushes and pops
UNPACK = 26  # a number out of packed bits
# Cycles of an AVR, beside: by how many bits, a bit after the other; four bytes times four.
SHIFT, PRODUCT = 200, 50
SOFT_FLOAT = {"subtract": 170, "multiply": 150, "divide": 320, "convert": 70}


class Core(NamedTuple):
    """What a core takes for the work of a Cortex-M0.

    Attributes
    ----------
    work, floats : float
        Instructions for one of a Cortex-M0: for work with integers, and for routines such as
        those for floats. For an AVR these are cycles, of which an instruction takes one or more.
    words : float
        What counts of the cycles that an AVR takes beside for words of 32 bits.
    frame : int
        Bytes of stack that a function keeps, beside its arrays.
    """

    work: float
    floats: float
    words: float
    frame: int


CORES = {
    "cortex-m0": Core(1.0, 1.0, 0.0, 40),
    "cortex-m3": Core(0.9, 0.6, 0.0, 40),
    "cortex-m4f": Core(0.9, 0.2, 0.0, 40),
    "cortex-m7": Core(0.9, 0.2, 0.0, 40),
    "cortex-m33": Core(0.9, 0.2, 0.0, 40),
    "rv32imc": Core(1.0, 0.9, 0.0, 48),
    "avr": Core(5.0, 2.5, 1.0, 32),
}
"""Cores that have bounds, by the name of the target."""


class Costs(NamedTuple):
    """Worst cases of a piece of code, whatever the input.

    Attributes
    ----------
    splits : int
        Nodes that are visited.
    steps : int
        Turns of all other loops.
    instructions : int
        On a Cortex-M0, compiled for size, without `floats`.
    stack : int
        Bytes of arrays.
    floats : int
        Instructions that a Cortex-M0 takes for what larger cores have instructions for:
        arithmetic of floats, division, products of 64 bits.
    calls : int
        Functions that are nested, each of which keeps registers on the stack.
    words : int
        Cycles that an AVR, which shifts bit by bit and multiplies bytes, takes beside for words
        of 32 bits.
    """

    splits: int = 0
    steps: int = 0
    instructions: int = 0
    stack: int = 0
    floats: int = 0
    calls: int = 0
    words: int = 0

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

    def times(self, n: int) -> Costs:
        """Return the costs of a piece that is run several times, one after the other.

        Parameters
        ----------
        n : int
            How often.

        Returns
        -------
        costs : Costs
            `stack` and `calls` are those of one time.
        """
        both = self.stack, self.calls
        splits, steps, instructions, _, floats, _, words = (n * each for each in self)
        return Costs(splits, steps, instructions, both[0], floats, both[1], words)

    def on(self, core: Core) -> Costs:
        """Return the costs on a core.

        Parameters
        ----------
        core : Core
            Which core.

        Returns
        -------
        costs : Costs
            `instructions` with those for floats, and `stack` with all that functions keep.
        """
        work = math.ceil(
            self.instructions * core.work + self.floats * core.floats + self.words * core.words
        )
        calls = self.calls + (self.floats > 0)  # a routine is one more
        stack = -(-(self.stack + calls * core.frame) // 8) * 8
        return self._replace(instructions=work, stack=stack)


def row_cost(n_scores: int, bits: int | str, *, factor: bool = False) -> Costs:
    """What adds a row of values to the scores.

    Parameters
    ----------
    n_scores : int
        Values of a row.
    bits : int in [2, 16] or "ternary"
        Width of a value.
    factor : bool, default=False
        Whether values are multiplied by a number.

    Returns
    -------
    costs : Costs
    """
    words = n_scores * factor * PRODUCT
    if bits == "ternary":
        return Costs(instructions=70 + 24 * n_scores, words=words + SHIFT)
    if bits in (8, 16):
        return Costs(instructions=26 + 12 * n_scores, words=words)
    work = 26 + n_scores * (14 + UNPACK)
    return Costs(instructions=work, words=words + n_scores * SHIFT)
