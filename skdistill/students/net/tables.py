"""From a trained network to its integer table."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import HiddenLayer, NetTable
from skdistill.students.net.inputs import NetInputs
from skdistill.students.net.layout import SHIFT_MAX
from skdistill.students.net.training import IntegerNet


def largest_weight(bits: int | str) -> int:
    """Largest magnitude of a weight: levels lie evenly around 0.

    Parameters
    ----------
    bits : int in [2, 8] or "ternary"
        Width of a weight.

    Returns
    -------
    most : int

    Examples
    --------
    >>> from skdistill.students.net.tables import largest_weight
    >>> largest_weight("ternary"), largest_weight(4)
    (1, 7)
    """
    return 1 if isinstance(bits, str) else 2 ** (int(bits) - 1) - 1


def net_table(
    inputs: NetInputs,
    net: IntegerNet,
    missing_code: NDArray[np.int32],
    weight_bits: int | str,
    output_bits: int | str,
) -> NetTable:
    """The table of a network.

    Parameters
    ----------
    inputs : NetInputs
        What it reads.
    net : IntegerNet
        Its integers.
    missing_code : int32 array of shape (n_inputs,)
        Codes of NaN.
    weight_bits, output_bits : int in [2, 8] or "ternary"
        Width of a weight of the hidden layers, and of the scores.

    Returns
    -------
    table : NetTable
    """
    hidden = [
        HiddenLayer(W.T, bias, shift, weight_bits)
        for W, bias, shift in zip(net.weights, net.biases, net.shifts, strict=True)
    ]
    return NetTable(
        inputs.features,
        inputs.offset,
        inputs.power,
        missing_code,
        hidden,
        net.output.T,
        output_bits,
    )


def largest_table(
    inputs: NetInputs,
    hidden: tuple[int, ...],
    n_scores: int,
    weight_bits: int | str,
    output_bits: int | str,
) -> NetTable:
    """A table that takes as many bytes as one of these sizes can.

    Parameters
    ----------
    inputs : NetInputs
        What it reads.
    hidden : tuple of int
        Units of the hidden layers.
    n_scores : int
        Number of scores.
    weight_bits, output_bits : int in [2, 8] or "ternary"
        Width of a weight of the hidden layers, and of the scores.

    Returns
    -------
    table : NetTable
        Its weights mean nothing.
    """
    rng = np.random.RandomState(0)

    def integers(most: int, *shape: int) -> NDArray[np.int32]:
        return rng.randint(-most, most + 1, shape).astype(np.int32)

    sizes = [len(inputs.features), *hidden]
    most = largest_weight(weight_bits)
    net = IntegerNet(
        [integers(most, n, m) for n, m in pairwise(sizes)],
        [integers(127, m) for m in hidden],
        [(np.arange(m) % SHIFT_MAX).astype(np.int32) for m in hidden],
        integers(largest_weight(output_bits), hidden[-1], n_scores),
        np.zeros(n_scores),
        1.0,
        integers(63, len(inputs.codes)) * 2,
    )
    # Missing values have learnt codes, no two alike, in the columns that have any.
    missing_code = np.zeros(len(inputs.features), np.int32)
    missing = [
        which
        for which, ranks in zip(inputs.lookup_inputs, inputs.ranks, strict=True)
        if ranks is None
    ]
    missing_code[missing] = 1 + np.arange(len(missing)) % 127
    return net_table(inputs, net, missing_code, weight_bits, output_bits)
