"""Training of a network of integer weights: a schedule of steps, and what they end in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.students.net.kernels import (
    EXPONENT_RATE,
    loss_gradient,
    raw_predictions,
    train_steps,
)
from skdistill.students.net.layout import (
    BIAS_UNIT,
    CODE_MAX,
    CODE_UNIT,
    ONE,
    SHIFT_MAX,
    Batches,
    Layout,
    layout_of,
)

STEPS = 100
"""Steps of an epoch."""
_REAL_NUMBERS = 0.3  # share of the epochs before weights are rounded
_WARM_UP = 0.02  # share of the steps in which the learning rate rises


class Schedule(NamedTuple):
    """How long and how fast a network learns.

    Attributes
    ----------
    max_iter : int
        Number of epochs of `STEPS` steps.
    learning_rate : float
        Largest learning rate of Adam.
    batch_size : int
        Rows of a step.
    n_iter_no_change : int or None
        Training ends when the loss of the validation rows has not fallen for so many epochs of
        rounded weights.
    l2_regularization : float
        Penalty ``l2_regularization / 2 * sum(W ** 2)`` of the weights, beside the mean loss.
    """

    max_iter: int
    learning_rate: float
    batch_size: int
    n_iter_no_change: int | None
    l2_regularization: float


class IntegerNet(NamedTuple):
    """An integer network.

    Attributes
    ----------
    weights : list of int32 arrays of shape (n_inputs of the layer, n_units)
        Of the hidden layers.
    biases : list of int32 arrays of shape (n_units,)
        In units of `BIAS_UNIT` steps of an activation.
    shifts : list of int32 arrays of shape (n_units,)
        Bits that sums are shifted to the right.
    output : int32 array of shape (n_units, n_scores)
        Weights of the scores.
    intercept : float64 array of shape (n_scores,)
        Raw predictions before all weights.
    scale : float
        Raw prediction that a score of 1 is.
    codes : int32 array of shape (n_codes,)
        Learnt input codes, even numbers.
    """

    weights: list[NDArray[np.int32]]
    biases: list[NDArray[np.int32]]
    shifts: list[NDArray[np.int32]]
    output: NDArray[np.int32]
    intercept: NDArray[np.float64]
    scale: float
    codes: NDArray[np.int32]


class LearntParameters(NamedTuple):
    """Parameters of a network, before they are rounded.

    Attributes
    ----------
    params : float32 array
        All of them.
    layout : Layout
        Where each lies.
    levels : int64 array of shape (n_layers,)
        Largest magnitude of the integer weights of each layer.
    n_iter : int
        Epochs.
    """

    params: NDArray[np.float32]
    layout: Layout
    levels: NDArray[np.int64]
    n_iter: int


def initial_parameters(
    layout: Layout, codes: NDArray[np.float64], rng: np.random.RandomState
) -> NDArray[np.float32]:
    """Normal weights of variance 1.5 / fan-in (first layer) or 2 / fan-in (He et al. 2015).

    Those of the output are halved. Biases of the first layer are uniform in [-1, 1].
    """
    params = np.zeros(layout.length, np.float32)
    sizes = layout.sizes
    for layer, (start, bias) in enumerate(zip(layout.weights, layout.biases, strict=True)):
        n, m = sizes[layer], sizes[layer + 1]
        deviation = np.sqrt((2.0 if layer else 1.5) / n)
        if layer == len(sizes) - 2:
            deviation /= 2
        params[start : start + n * m] = deviation * rng.standard_normal(n * m)
        if layer == 0:
            params[bias : bias + m] = rng.uniform(-1, 1, m)
    params[layout.step] = 1
    params[layout.codes : layout.hint_weights] = codes / ONE
    return params


def learn(
    sizes: list[int],
    levels: list[int],
    batches: Batches,
    codes: NDArray[np.float64],
    schedule: Schedule,
    rng: np.random.RandomState,
    validation: NDArray[np.int32] | None = None,
    min_scale: float = 0.0,
) -> LearntParameters:
    """Learn the parameters of an integer network by Adam, rounded in the forward pass.

    Parameters
    ----------
    sizes : list of int
        Inputs, units of the hidden layers, scores.
    levels : list of int
        Largest magnitude of the integer weights of each layer.
    batches : Batches
        Training rows and their loss.
    codes : float64 array of shape (n_codes,)
        Where learnt input codes start.
    schedule : Schedule
        How long and how fast.
    rng : RandomState
        Draws the first weights and the batches.
    validation : int32 array, default=None
        Rows that are held out for early stopping.
    min_scale : float, default=0.0
        Least value of a score.

    Returns
    -------
    learnt : LearntParameters

    Raises
    ------
    ValueError
        For weights that are not finite.
    """
    layout = layout_of(sizes, len(codes), batches.hints.shape[1])
    params = initial_parameters(layout, codes, rng)
    moments = np.zeros((2, layout.length), np.float32)
    rates = np.ones(layout.length, np.float32)
    rates[layout.exponents[0] : layout.codes] = 0  # until weights are rounded
    level = np.array(levels, np.int64)
    rows = np.arange(len(batches.codes))
    if validation is not None:
        rows = np.setdiff1d(rows, validation)
    drawn = _BatchOrder(rows, schedule.batch_size, rng)
    learning_rates = _learning_rates(schedule)
    first_rounded = int(_REAL_NUMBERS * schedule.max_iter)
    best, best_loss, best_epoch = params, np.inf, 0
    for epoch in range(schedule.max_iter):
        rounded = epoch >= first_rounded
        if epoch == first_rounded:
            _start_rounding(params, rates, layout, levels)
            params[layout.step] = max(params[layout.step], min_scale * ONE)
        train_steps(
            params,
            moments,
            rates,
            layout,
            level,
            batches,
            drawn.take(STEPS),
            learning_rates[epoch * STEPS : (epoch + 1) * STEPS],
            epoch * STEPS,
            rounded,
            schedule.l2_regularization,
            min_scale * ONE,
        )
        if validation is not None and rounded:
            loss = _mean_loss(params, layout, level, batches, validation)
            if loss < best_loss:
                best, best_loss, best_epoch = params.copy(), loss, epoch
            if epoch - best_epoch >= (schedule.n_iter_no_change or schedule.max_iter):
                break
    if validation is None:
        best = params
    if not np.isfinite(best).all():
        cause = f"learning_rate_init={schedule.learning_rate}"
        if schedule.l2_regularization > 1:
            cause = f"l2_regularization={schedule.l2_regularization}"
        raise ValueError(f"training ended in weights that are not finite: lower {cause}")
    return LearntParameters(best, layout, level, epoch + 1)


class _BatchOrder:
    """Rows in passes of a new order each; all rows a step where a batch holds them."""

    def __init__(self, rows: NDArray[np.intp], batch_size: int, rng: np.random.RandomState) -> None:
        self.rows, self.batch_size, self.rng = rows, min(batch_size, len(rows)), rng
        self.left = rows[:0]

    def take(self, n_steps: int) -> NDArray[np.int32]:
        """Rows of the next batches, int32 array of shape (n_steps, batch_size)."""
        if self.batch_size == len(self.rows):
            return np.tile(self.rows.astype(np.int32), (n_steps, 1))
        needed = n_steps * self.batch_size
        passes = [self.left]
        while sum(len(each) for each in passes) < needed:
            passes.append(self.rng.permutation(self.rows))
        order = np.concatenate(passes)
        self.left = order[needed:]
        return order[:needed].reshape(n_steps, self.batch_size).astype(np.int32)


def _learning_rates(schedule: Schedule) -> NDArray[np.float64]:
    """A linear warm-up, then half a cosine down to 0."""
    total = schedule.max_iter * STEPS
    step = np.arange(1, total + 1)
    warm = np.minimum(1.0, step / (_WARM_UP * total + 1))
    falling: NDArray[np.float64] = 0.5 * (1 + np.cos(np.pi * step / total))
    return schedule.learning_rate * warm * falling


def _start_rounding(
    params: NDArray[np.float32], rates: NDArray[np.float32], layout: Layout, levels: list[int]
) -> None:
    """Set the steps to those of least squared error; from now on they are learnt."""
    n_hidden = len(layout.exponents)
    for layer in range(n_hidden + 1):
        n, m = layout.sizes[layer], layout.sizes[layer + 1]
        W = params[layout.weights[layer] :][: n * m].reshape(n, m).astype(np.float64)
        if layer < n_hidden:
            exponents = np.arange(-SHIFT_MAX, 1.0)
            errors = [_rounding_error(W, 2.0**e, levels[layer]) for e in exponents]
            at = layout.exponents[layer]
            params[at : at + m] = exponents[np.argmin(errors, axis=0)]
        else:
            spread = np.sqrt((W**2).mean()) + 1e-12
            steps = spread * np.append(np.geomspace(0.1, 2.5, 40), 1 / levels[layer])
            errors = [_rounding_error(W, step, levels[layer]).sum() for step in steps]
            params[layout.step] = steps[int(np.argmin(errors))]
    rates[layout.exponents[0] : layout.step] = EXPONENT_RATE


def _rounding_error(W: NDArray[np.float64], step: float, most: int) -> NDArray[np.float64]:
    """Summed squared errors of the weights of each column."""
    rounded = np.clip(np.rint(W / step), -most, most) * step
    error: NDArray[np.float64] = ((rounded - W) ** 2).sum(axis=0)
    return error


def as_integers(learnt: LearntParameters) -> IntegerNet:
    """The rounded parameters as integers: what was trained is what runs.

    Parameters
    ----------
    learnt : LearntParameters
        Real numbers.

    Returns
    -------
    net : IntegerNet
    """
    params, layout, levels = learnt.params, learnt.layout, learnt.levels
    n_hidden = len(layout.exponents)
    flat = params.astype(np.float64)
    weights, biases, shifts = [], [], []
    for layer in range(n_hidden + 1):
        n, m = layout.sizes[layer], layout.sizes[layer + 1]
        most = levels[layer]
        if layer < n_hidden:
            exponents = np.rint(flat[layout.exponents[layer] :][:m])
            inverse = 2.0**-exponents
            bias = np.rint(flat[layout.biases[layer] :][:m] * (ONE / BIAS_UNIT))
            biases.append(np.clip(bias, -128, 127).astype(np.int32))
            shifts.append((-exponents).astype(np.int32))
        else:
            # In float32, as in training: a weight half-way between two integers must not move.
            inverse = np.full(m, np.float32(1) / params[layout.step], np.float32)
        W = params[layout.weights[layer] :][: n * m].reshape(n, m) * inverse.astype(np.float32)
        weights.append(np.clip(np.rint(W), -most, most).astype(np.int32))
    most_code = CODE_MAX // CODE_UNIT
    codes = np.rint(params[layout.codes : layout.hint_weights] * np.float32(ONE / CODE_UNIT))
    codes = (np.clip(codes, -most_code, most_code) * CODE_UNIT).astype(np.int32)
    return IntegerNet(
        weights[:-1],
        biases,
        shifts,
        weights[-1],
        flat[layout.biases[-1] :][: layout.sizes[-1]],
        float(params[layout.step]) / ONE,
        codes,
    )


def _mean_loss(
    params: NDArray[np.float32],
    layout: Layout,
    levels: NDArray[np.int64],
    batches: Batches,
    rows: NDArray[np.int32],
) -> float:
    """Mean loss of the rounded network on some rows."""
    z = raw_predictions(params, layout, levels, batches, rows)
    total = loss_gradient(z, rows, batches, np.empty_like(z))
    return float(total) / float(batches.weight[rows].sum())
