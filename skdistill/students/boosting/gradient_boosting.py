"""The story of a boosted student: start, grow round by round, refit, round, assemble.

What is learnt from comes as a `Given`, a set of rows that knows its own loss and how tables
become a model, so that classification and regression are told alike.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import InputGrid, LinearTable
from skdistill.model import CompactModel
from skdistill.quantization.assemble import QuantizedTree, assemble, drop_idle_splits
from skdistill.quantization.binning import fit_grid, rounding_grid
from skdistill.quantization.linear_weights import RANGE_FRACTIONS, linear_weights
from skdistill.students.boosting.leaf_refit import Ensemble, add_to_leaves, refit, round_values
from skdistill.students.linear.design import Reading, standardised
from skdistill.students.loss import Loss, Newton
from skdistill.students.tree import histogram
from skdistill.students.tree.fixed_point import round_channels

LINEAR_L2 = 1e-4
INTERCEPT_STEP = 16  # parts of a leaf's unit that the bias is counted in, without linear part


class Given(Protocol):
    """Rows to learn from; see `TrainingSet`."""

    X: NDArray[Any]
    weight: NDArray[np.float64]
    n_scores: int
    hessian_factor: int
    least_scale: float
    intercept: bool
    hints: tuple[NDArray[np.float64], float] | None

    def loss(self, weight: NDArray[np.float64] | None = None) -> Loss:
        """The loss, with other weights of the rows if they are given."""
        ...

    def newton_terms(self) -> Newton:
        """What a round reads."""
        ...

    def model(self, bias: Any, scale: Any, **tables: Any) -> CompactModel:
        """The compact model of some tables."""
        ...


class Grown(NamedTuple):
    """Trees as they were grown.

    Attributes
    ----------
    trees : list of histogram.Grown
    leaves : int32 array of shape (n, T)
        Leaf of each row in each tree, numbered through all trees.
    tree : int array of shape (M,)
        Tree of each leaf.
    steps : float64 array of shape (M, S)
        Shrunken Newton steps: first values of the leaves.
    """

    trees: list[histogram.Grown]
    leaves: NDArray[np.int32]
    tree: NDArray[np.intp]
    steps: NDArray[np.float64]


class Boosted(NamedTuple):
    """A model, the importances of the columns, and the rounds that were kept."""

    model: CompactModel
    importances: NDArray[np.float64]
    rounds: int


def boost(student: Any, given: Given, rng: np.random.RandomState) -> Boosted:
    """Learn a boosted model.

    Parameters
    ----------
    student : SoftBoostingClassifier or SoftBoostingRegressor
        Its parameters are read, nothing else.
    given : Given
    rng : RandomState

    Returns
    -------
    boosted : Boosted
    """
    loss, n = given.loss(), len(given.X)
    reading, Z, unit = _inputs(given, student.threshold_bits, student.init)
    free = {"linear": Z.shape[1] > 0 or given.intercept, "l2_linear": LINEAR_L2}
    nothing = np.zeros((n, 0), np.int32), np.zeros(0, np.intp), np.zeros((0, given.n_scores))
    fitted = Ensemble(*nothing, Z, np.zeros((Z.shape[1], given.n_scores)), np.zeros(given.n_scores))
    if free["linear"]:
        fitted = refit(fitted, loss, l2_regularization=0.0, max_iter=60, **free)
    if student.binning == "uniform" and Z.shape[1] and given.X.dtype != np.int32:
        grid = rounding_grid(*reading)
    else:
        binning = student.binning
        grid = fit_grid(given.X, student.threshold_bits, given.weight, binning=binning)

    grown = _grow(student, given, grid, fitted.logits(), rng)
    fitted = replace(fitted, leaves=grown.leaves, tree=grown.tree, W=grown.steps)
    fitted = refit(fitted, loss, l2_regularization=student.refit_l2_regularization, **free)

    beside: list[LinearTable] = []
    bias, score_step = np.zeros(given.n_scores, np.int32), 0.0
    if Z.shape[1]:
        linear, bias, score_step = _round_linear(fitted, reading, unit, student, given.least_scale)
        beside.append(linear)
        B = linear.weights * score_step / unit[:, None]
        fitted = replace(fitted, B=B, b=bias * score_step)
    values, step = round_values(
        fitted,
        loss,
        given.weight,
        student.value_bits,
        l2_regularization=student.refit_l2_regularization,
        rng=rng,
        score_step=score_step,
    )
    scale, worth = step, 1
    if beside:
        scale, worth = score_step, round(step / score_step)
    elif given.intercept:
        values, bias, scale, worth = beside_intercept(values, step, fitted.b)

    learnt = _with_values(grown.trees, values)
    models = []
    for trees in (learnt, [drop_idle_splits(tree) for tree in learnt]):
        table = assemble(grid, trees, student.value_bits, worth)
        models.append(given.model(bias, scale, table, *beside))
    model = min(models, key=lambda each: each.nbytes)  # trees of one size need no sizes
    return Boosted(model, _importances(grown.trees, grid, given.X.shape[1]), len(grown.trees))


def _grow(
    student: Any,
    given: Given,
    grid: InputGrid,
    z: NDArray[np.float64],
    rng: np.random.RandomState,
) -> Grown:
    """Newton steps, a tree a round, from the logits `z`."""
    n, n_scores = z.shape
    codes, n_edges = grid.encode(given.X), grid.counts
    terms, prices = given.newton_terms(), _Prices(student, given, n_edges)
    hints = None if given.hints is None else _Hints(given.hints, student.learning_rate)
    seen, held_out = np.arange(n), None
    if student.n_iter_no_change is not None:
        seen, held_out = _hold_out(given, student.validation_fraction, rng)
    losses = [] if held_out is None else [held_out(z)[0]]
    trees, columns, owner, steps = [], [], [], []
    for number in range(student.n_estimators):
        descent, curvature = terms(z)
        rows = seen
        if student.subsample < 1:
            few = rng.permutation(len(seen))[: max(1, int(student.subsample * len(seen)))]
            rows = seen[np.sort(few)]
        mass = curvature.sum(axis=1, keepdims=True)
        beside = [] if hints is None else [hints.ask(descent, mass)]
        channels = np.hstack([descent, *beside, mass])
        fixed, unit = round_channels(channels if len(rows) == n else channels[rows])
        if student.min_samples_leaf > 1:
            fixed = np.column_stack([fixed, np.ones(len(fixed), np.int32)])
        tree = histogram.grow(
            codes if len(rows) == n else np.ascontiguousarray(codes[:, rows]),
            n_edges,
            fixed,
            criterion=histogram.SQUARED_ERROR,
            max_leaf_nodes=student.max_leaf_nodes or n,
            max_depth=student.max_depth or n,
            min_samples_leaf=student.min_samples_leaf,
            l2_regularization=student.l2_regularization * unit,
            prices=prices.ask(unit),
        )
        prices.pay(tree)
        node = tree.leaf if len(rows) == n else histogram.find_leaves(tree, codes, n_edges)
        down, up = np.zeros((2, len(tree.feature), n_scores))
        add_to_leaves(node[rows, None], descent[rows], down)
        add_to_leaves(node[rows, None], curvature[rows], up)
        step = down / (given.hessian_factor * up + student.l2_regularization + 1e-12)
        step *= student.learning_rate
        z = z + step[node]
        if hints is not None:
            hints.learn(node, rows, mass)
        steps.append(step[tree.feature < 0])
        leaf_number = len(owner) + np.cumsum(tree.feature < 0) - 1
        owner += [number] * int((tree.feature < 0).sum())
        trees.append(tree)
        columns.append(leaf_number[node].astype(np.int32))
        if held_out is not None:
            losses.append(held_out(z)[0])
            if number + 1 - int(np.argmin(losses)) >= student.n_iter_no_change:
                break
    kept = max(1, int(np.argmin(losses))) if losses else len(trees)
    tree_of = np.array(owner)
    return Grown(
        trees[:kept],
        np.column_stack(columns[:kept]),
        tree_of[tree_of < kept],
        np.concatenate(steps[:kept]),
    )


def _hold_out(
    given: Given, share: float, rng: np.random.RandomState
) -> tuple[NDArray[np.intp], Loss]:
    """Rows that growth sees, and the loss of the others."""
    n = len(given.X)
    few = max(1, int(share * n))
    if few == n:
        raise ValueError(f"n_iter_no_change needs two rows or more to hold some out, got {n}")
    order = rng.permutation(n)
    weight = np.zeros(n)
    weight[order[:few]] = given.weight[order[:few]]
    return np.sort(order[few:]), given.loss(weight)


class _Prices:
    """What a split must gain for each feature, and each kept threshold, that it is first to use.

    Evenly spaced thresholds are kept in no table and cost nothing.
    """

    def __init__(self, student: Any, given: Given, n_edges: NDArray[np.int32]) -> None:
        self.each = 2 * given.hessian_factor * student.reuse_penalty * float(given.weight.sum())
        self.feature_paid = np.zeros(len(n_edges), bool)
        self.first = np.cumsum([0, *(n_edges.astype(np.int64) + 2)])
        free = student.binning == "uniform"
        self.threshold_paid = np.full(self.first[-1], free)

    def ask(self, unit: float) -> histogram.Prices:
        """Prices in the unit of a round's gains."""
        return histogram.Prices(
            np.where(self.feature_paid, 0.0, self.each * unit),
            np.where(self.threshold_paid, 0.0, self.each * unit),
        )

    def pay(self, tree: histogram.Grown) -> None:
        """Take note of what a tree uses."""
        split = tree.feature >= 0
        self.feature_paid[tree.feature[split]] = True
        self.threshold_paid[self.first[tree.feature[split]] + tree.threshold[split]] = True


class _Hints:
    """Further targets of the rounds, of which each round learns a part, as of the others.

    Beside the gradients they count as much in every round as beside the targets.
    """

    def __init__(self, hints: tuple[NDArray[np.float64], float], learning_rate: float) -> None:
        self.left, self.weight = hints
        self.learning_rate = learning_rate

    def ask(self, descent: NDArray[np.float64], mass: NDArray[np.float64]) -> NDArray[np.float64]:
        """Channels beside `descent`, which `mass` divides."""
        ours, theirs = (descent**2 / mass).sum(), (mass * self.left**2).sum()
        return np.sqrt(self.weight * ours / theirs) * mass * self.left if theirs > 0 else self.left

    def learn(
        self, node: NDArray[np.int32], rows: NDArray[np.intp], mass: NDArray[np.float64]
    ) -> None:
        """Take away what a round has learnt from its `rows`."""
        total = np.zeros((node.max() + 1, self.left.shape[1] + 1))
        add_to_leaves(node[rows, None], np.hstack([mass * self.left, mass])[rows], total)
        mean = total[:, :-1] / np.maximum(total[:, -1:], np.finfo(float).tiny)
        self.left = self.left - self.learning_rate * mean[node]


def _inputs(
    given: Given, bits: int, init: str | None
) -> tuple[Reading, NDArray[np.float64], NDArray[np.float64]]:
    if init is None:
        nothing = np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros(0, np.float32), bits
        return nothing, np.zeros((len(given.X), 0)), np.zeros(0)
    return standardised(given.X, given.weight, bits)


def _round_linear(
    fitted: Ensemble, reading: Reading, unit: NDArray[np.float64], student: Any, least: float
) -> tuple[LinearTable, NDArray[np.int32], float]:
    """Integer linear part, bias, and the worth of a score."""
    features, offset, inv_step, bits = reading
    q_max = (1 << (bits - 1)) - 1
    B = fitted.B * unit[:, None]
    # A score is one unit of the linear part. Leaves must stay within 2²⁴ of them, which
    # rounding to few bits may come near to, and all trees and the linear part in int32.
    leaf = float(np.abs(fitted.W).max(initial=0)) / min(2**20, 2**28 / student.n_estimators)
    reach = float((np.abs(B).sum(axis=0) * q_max + np.abs(fitted.b)).max()) / 2**30
    least = max(leaf, reach, least)
    few = student.linear_bits
    candidates = [
        linear_weights(B, fitted.b, few, q_max, shrink, least)
        for shrink in (RANGE_FRACTIONS if few == "ternary" or few < 8 else RANGE_FRACTIONS[:1])
    ]
    # Where bits are few, the range that changes the logits least, as if columns had no
    # correlation: a column that hardly varies may have a weight that is far off.
    weights, bias, scale = min(
        candidates,
        key=lambda found: float((((found[0] * found[2] - B) / unit[:, None]) ** 2).sum()),
    )
    return LinearTable(features, offset, inv_step, bits, weights, few), bias, scale


def beside_intercept(
    values: NDArray[np.int32], step: float, b: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.int32], float, int]:
    """Leaf values in units of `step`, and an integer bias in a finer one.

    Parameters
    ----------
    values : int32 array of shape (M, S)
    step : float
    b : float64 array of shape (S,)

    Returns
    -------
    values : int32 array of shape (M, S)
    bias : int32 array of shape (S,)
    scale : float
        ``scale * bias`` is b.
    unit : int
        ``scale * unit * values`` are the leaf values.
    """
    most = float(np.abs(b).max())
    if step < most / 2**20:  # leaves that are nothing beside the intercept
        values, step = np.zeros_like(values), most / 2**11
    scale = step / INTERCEPT_STEP
    return values, np.rint(b / scale).astype(np.int32), scale, INTERCEPT_STEP


def _with_values(trees: list[histogram.Grown], values: NDArray[np.int32]) -> list[QuantizedTree]:
    """Trees with the values of their leaves, which are numbered through all of them."""
    learnt, first = [], 0
    for tree in trees:
        is_leaf = tree.feature < 0
        table = np.zeros((len(is_leaf), values.shape[1]), np.int32)
        table[is_leaf] = values[first : first + int(is_leaf.sum())]
        first += int(is_leaf.sum())
        learnt.append(
            QuantizedTree(tree.feature, tree.threshold, tree.nan_left, tree.children, table)
        )
    return learnt


def _importances(
    trees: list[histogram.Grown], grid: InputGrid, n_features: int
) -> NDArray[np.float64]:
    """Share of each column in the total gain."""
    gain = np.zeros(n_features)
    for tree in trees:
        split = tree.feature >= 0
        column = grid.features[tree.feature[split]]
        gain += np.bincount(column, tree.gain[split], minlength=n_features)
    return gain / gain.sum() if gain.sum() > 0 else gain
