"""What forms of nets take: bytes of code, and instructions, on a Cortex-M0.

Read off compiled C (zig, ``-Os``, uint8 inputs); `benchmarks/net_forms.py` measures them again.
They serve to choose a form. What a call can take at most is counted elsewhere, see
`skdistill.export.c.bounds`.
"""

from __future__ import annotations

from typing import NamedTuple


class WordCost(NamedTuple):
    """What takes a word of weights, or one of each of two rows.

    Attributes
    ----------
    code : int
        Bytes.
    work : float
        Instructions.
    """

    code: int
    work: float


SINGLE: dict[int | str, tuple[int, float]] = {
    "bits": (332, 17),
    "ternary": (324, 14),
    8: (288, 7),
    "mixed": (392, 21),
}
"""Bytes of code, and instructions of a product, where weights are taken one by one: of one width,
of 8 bits, or of several widths."""

LOOPED = {2: 448, 4: 400, 8: 376}
"""Bytes of code of one loop over all layers, by the bits of a field."""

LAYER = 180
"""Bytes of code of a layer that has its own, beside its words."""

WORDS: dict[int | str, WordCost] = {
    2: WordCost(0, 48),
    4: WordCost(0, 28),
    8: WordCost(0, 17),
    "wide": WordCost(0, 24),
}
WORDS_OF_TWO: dict[int | str, WordCost] = {
    2: WordCost(200, 83),
    4: WordCost(111, 50),
    8: WordCost(58, 25),
    "wide": WordCost(97, 38),
}
"""Of a word, in a loop, and of two without one; by the bits of a field, or "wide" where no pair
fits 16 bits."""

ROW, TURN = 32, 5
"""Instructions of a row with its unit, and of a turn of the loop over a row."""
