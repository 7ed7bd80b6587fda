"""Weights of a net as words and bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.net_table import HiddenLayer, NetTable


def width_in_bits(value_bits: int | str) -> int:
    """Bits of a weight where each has its own.

    Parameters
    ----------
    value_bits : int in [2, 8] or "ternary"
        Width of a layer.

    Returns
    -------
    bits : int
    """
    return 2 if value_bits == "ternary" else int(value_bits)


def field_bits(bits: int) -> int:
    """Bits of words that weights of `bits` bits take.

    Parameters
    ----------
    bits : int in [2, 8]
        Their width.

    Returns
    -------
    field : int
        2, 4 or 8.
    """
    return 2 if bits <= 2 else 4 if bits <= 4 else 8


def sequence(layers: Sequence[HiddenLayer | NetTable]) -> dict[str, NDArray[Any]]:
    """Weights as a device reads them one by one; those of a layer begin with a byte.

    Parameters
    ----------
    layers : sequence of HiddenLayer or NetTable
        Their widths may differ.

    Returns
    -------
    tables : dict of str to array
        "net_weights": int8 where all have 8 bits, else ``weight + 2**(bits - 1)``, its highest bit
        first. "ternary": five to a byte, as the fraction of 256 whose digits in base 3 are
        ``weight + 1``, the first weight as the first digit. "layer_bits" where widths differ, 1
        for "ternary".

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compact import HiddenLayer
    >>> from skdistill.compact.packing.net_weights import sequence
    >>> layer = HiddenLayer([[-8, -7, -6]], [0], [0], value_bits=4)
    >>> [hex(byte) for byte in sequence([layer])["net_weights"]]
    ['0x1', '0x20']
    """
    if {layer.value_bits for layer in layers} == {8}:
        return {"net_weights": np.concatenate([layer.weights.ravel() for layer in layers])}
    parts = []
    for layer in layers:
        weights = layer.weights.ravel().astype(np.int64)
        if layer.value_bits == "ternary":
            digits = np.concatenate([weights + 1, np.zeros(-len(weights) % 5, np.int64)])
            # Rounded up, three times the fraction never falls below the next digit: 243 < 256.
            fractions = -(digits.reshape(-1, 5) @ 3 ** np.arange(4, -1, -1) * -256 // 243)
            parts.append(fractions.astype(np.uint8))
        else:
            bits = int(layer.value_bits)
            stored = weights + (1 << (bits - 1))
            ones = (stored[:, None] >> np.arange(bits)[::-1] & 1).astype(np.uint8)
            parts.append(np.packbits(ones.ravel()))
    tables = {"net_weights": np.concatenate(parts)}
    if len({layer.value_bits for layer in layers}) > 1:
        widths = [1 if layer.value_bits == "ternary" else layer.value_bits for layer in layers]
        tables["layer_bits"] = np.array(widths, np.uint8)
    return tables


def in_pairs(stored: NDArray[np.int64], field: int, together: int) -> NDArray[np.int64]:
    """Weights or inputs as they are multiplied together.

    Neighbours where two rows are taken together. Else the numbers k and k + lane of a word of
    twice as many, so that words hold the weights in their order.

    Parameters
    ----------
    stored : int64 array of shape (n_rows, n_inputs)
        Inputs are a multiple of ``32 // field``.
    field : int
        Bits of a weight.
    together : int
        Rows at a time.

    Returns
    -------
    pairs : int64 array of shape (n_rows, n_words, 16 // field, 2)
    """
    lane = 16 // field
    if together == 2:
        return stored.reshape(len(stored), -1, lane, 2)
    return stored.reshape(len(stored), -1, 2, lane).swapaxes(2, 3)


def pairs_that_fit(pairs: NDArray[np.int64], most: NDArray[np.int64], unroll: int) -> int:
    """Pairs of inputs whose products may be added in 16 bits.

    Parameters
    ----------
    pairs : int64 array of shape (n_rows, n_words, lane, 2)
        Weights as they are stored, not negative.
    most : int64 array of shape (1, n_words, lane, 2)
        Largest absolute value of each input.
    unroll : int
        Words of a turn of the loop, behind which sums begin anew.

    Returns
    -------
    n_pairs : int
        At most the pairs of a turn; 0 if not even one is safe.
    """
    turn = unroll * pairs.shape[2]
    w, x = pairs.reshape(len(pairs), -1, turn, 2), most.reshape(1, -1, turn, 2)
    upper = w[..., 0] * x[..., 0] + w[..., 1] * x[..., 1]
    lower = w[..., 0] * x[..., 1]  # what leaves the lower lane would be carried to the upper
    for n_pairs in range(turn, 0, -1):
        starts = range(0, turn, n_pairs)
        sums = [np.add.reduceat(lane, starts, axis=2) for lane in (upper, lower)]
        if max(int(each.max()) for each in sums) < 2**15:
            return n_pairs
    return 0


def pair_words(pairs: NDArray[np.int64], field: int, together: int) -> NDArray[np.uint32]:
    """Words of pairs of weights; the second weight of a pair lies 16 bits above the first.

    Parameters
    ----------
    pairs : int64 array of shape (n_rows, n_words, 16 // field, 2)
        Weights as they are stored; rows are a multiple of `together`.
    field : int
        Bits of a weight.
    together : int
        Rows that follow each other word by word.

    Returns
    -------
    words : uint32 array

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compact.packing.net_weights import in_pairs, pair_words
    >>> weights = np.arange(8)[None]
    >>> [hex(word) for word in pair_words(in_pairs(weights, 4, together=1), 4, together=1)]
    ['0x76543210']
    """
    shifts = (field * np.arange(16 // field)[:, None] + np.array([0, 16])).astype(np.uint32)
    words: NDArray[np.uint32]
    words = (pairs.astype(np.uint32) << shifts).sum(axis=(2, 3), dtype=np.uint32)
    return words.reshape(-1, together, words.shape[1]).swapaxes(1, 2).ravel()
