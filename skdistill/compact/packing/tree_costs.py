"""What forms of trees take: bytes of code, and instructions of a node or a leaf, on a Cortex-M0.

Read off compiled C (gcc 12, ``-Os``); `benchmarks/forms.py` measures them again. They serve to
choose a form. What a call can take at most is counted elsewhere, see `skdistill.export.c.bounds`.
"""

from __future__ import annotations

from typing import NamedTuple

UNPACK = 24  # bytes of code that take a number out of packed bits
UNPACK_TWICE = 56  # where both nodes and leaves do, so that it is a function with arguments


class FormCost(NamedTuple):
    """What a form takes beside its tables.

    Attributes
    ----------
    code : int
        Bytes of code, beyond those that all forms share.
    work : float
        Instructions a node or an input.
    """

    code: int
    work: float


NODES = {
    "fused": FormCost(0, 11),
    "flags2": FormCost(13, 13),
    "long2": FormCost(48, 20.5),
    "flags3": FormCost(12, 14),
    "flags4": FormCost(16, 14),
    "bytes0": FormCost(8, 12),
    "bytes1": FormCost(48, 24),
    "bytes2": FormCost(56, 27),
    "bytes3": FormCost(44, 22),
    "bytes4": FormCost(52, 30),
    "bits": FormCost(28, 38),
    "fields": FormCost(56, 100),
    "children": FormCost(24, 110),
    "branches": FormCost(0, 4),
}
"""Of a node, by its shape and bytes."""

CODES = {
    "value": FormCost(0, 0),
    "code": FormCost(0, 0),
    "rounded": FormCost(0, 0),
    "key": FormCost(24, 12),
    "steps": FormCost(76, 32),
}
"""Of an input, by the kind of its code."""

TREE = 10  # instructions of a tree beside its nodes and its leaf
COLUMNS, EDGES, BASES, DROP, NAN = (
    FormCost(8, 3),
    FormCost(20, 5),
    FormCost(20, 8),
    FormCost(4, 1),
    FormCost(20, 5),
)
"""Of a node that reads the column of a feature, the edge of a threshold, the first edge of a
feature, a threshold without its low bits, and the side of NaN."""


def row_cost(n_scores: int, bits: int | str) -> FormCost:
    """What takes a row of values out of a table and adds it, beside code that unpacks bits.

    Parameters
    ----------
    n_scores : int
        Values of a row.
    bits : int in [2, 16], "ternary" or "nibble"
        How they are stored.

    Returns
    -------
    cost : FormCost
        Of a leaf.
    """
    if bits == "ternary":
        return FormCost(72, 40 + 21 * n_scores)
    if bits in (8, 16):
        return FormCost(0, 12 + 9 * n_scores)
    if bits == "nibble":  # two values at a time; a row may begin or end within a byte
        code = 20 if n_scores % 2 == 0 else 55 if n_scores == 1 else 80
        return FormCost(code, 26 + 7.5 * n_scores)
    return FormCost(8, 10 + 27 * n_scores)


def index_cost(bits: int | None) -> FormCost:
    """What reads the number of a row of values, beside code that unpacks bits.

    Parameters
    ----------
    bits : int or None
        Width in which it is stored; None where the number is that of the leaf.

    Returns
    -------
    cost : FormCost
        Of a leaf.
    """
    if bits is None:
        return FormCost(0, 0)
    return FormCost(8, 2) if bits in (8, 16) else FormCost(12, 16)
