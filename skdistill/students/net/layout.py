"""Where the parameters of a network lie, and its training rows, as the kernels read them.

Input codes and activations are in units of 1 / ONE.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ONE = 32
"""Input codes and activations: so many are 1.0."""
ACTIVATION_MAX = 255
"""Largest activation, a uint8."""
BIAS_UNIT = 2
"""Steps of an activation that one step of a bias is."""
CODE_MAX = 127
"""Largest input code, an int8."""
CODE_UNIT = 2
"""Step of a learnt input code: the ranks of categories have seven bits."""
INTERCEPT_MAX = 2**15 - 1
"""Largest score that a network starts from: models store it in two bytes."""
SHIFT_MAX = 11
"""Largest shift of a hidden unit: its weights are multiples of 2**-SHIFT_MAX or more."""


class Layout(NamedTuple):
    """Where each parameter lies in the flat array.

    Attributes
    ----------
    sizes : int64 array of shape (n_layers + 1,)
        Inputs, units of the hidden layers, scores.
    weights, biases : int64 arrays of shape (n_layers,)
        First weight and bias of each layer.
    exponents : int64 array of shape (n_layers - 1,)
        First exponent of each hidden layer, one a unit: weights are multiples of 2**exponent.
    step : int
        The step of the output weights.
    codes : int
        First learnt input code; the others follow.
    hint_weights, hint_biases : int
        First weight and bias of the linear outputs for hints, which read the last hidden layer.
        They are real numbers and no part of the integer network.
    length : int
        Number of parameters.
    """

    sizes: NDArray[np.int64]
    weights: NDArray[np.int64]
    biases: NDArray[np.int64]
    exponents: NDArray[np.int64]
    step: int
    codes: int
    hint_weights: int
    hint_biases: int
    length: int


class Batches(NamedTuple):
    """Training rows as the kernels read them.

    Attributes
    ----------
    codes : int8 array of shape (n_samples, n_inputs)
        Fixed input codes.
    lookup_inputs : int32 array of shape (n_lookups,)
        Inputs that have learnt codes.
    lookups : int32 array of shape (n_samples, n_lookups)
        Which learnt code takes the place of the fixed one, −1 is none.
    targets : float64 array of shape (n_parts, n_samples, n_outputs)
        Weighted probabilities for each temperature; values for squared errors.
    temperatures : float64 array of shape (n_parts,)
        Temperature of each part of the loss; empty for squared errors.
    weight : float64 array of shape (n_samples,)
        Weights of the rows, of mean 1.
    hints : float64 array of shape (n_samples, n_hints)
        What further outputs learn in training, in units of about a standard deviation.
    hint_weight : float
        Weight of half their squared errors in the loss.
    """

    codes: NDArray[np.int8]
    lookup_inputs: NDArray[np.int32]
    lookups: NDArray[np.int32]
    targets: NDArray[np.float64]
    temperatures: NDArray[np.float64]
    weight: NDArray[np.float64]
    hints: NDArray[np.float64]
    hint_weight: float


def layout_of(sizes: list[int], n_codes: int, n_hints: int = 0) -> Layout:
    """Places of the parameters of a network.

    Parameters
    ----------
    sizes : list of int
        Inputs, units of the hidden layers, scores.
    n_codes : int
        Number of learnt input codes.
    n_hints : int, default=0
        Number of hints.

    Returns
    -------
    layout : Layout
    """
    weights, biases, exponents, at = [], [], [], 0
    for n, m in pairwise(sizes):
        weights.append(at)
        biases.append(at + n * m)
        at += n * m + m
    for m in sizes[1:-1]:
        exponents.append(at)
        at += m
    hint_weights = at + 1 + n_codes
    hint_biases = hint_weights + sizes[-2] * n_hints
    return Layout(
        np.array(sizes, np.int64),
        np.array(weights, np.int64),
        np.array(biases, np.int64),
        np.array(exponents, np.int64),
        step=at,
        codes=at + 1,
        hint_weights=hint_weights,
        hint_biases=hint_biases,
        length=hint_biases + n_hints,
    )
