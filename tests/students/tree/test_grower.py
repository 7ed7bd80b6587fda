"""Growth of a tree, against scikit-learn's trees and against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill.quantization.binning import fit_grid
from skdistill.students.tree import grower
from skdistill.students.tree.fixed_point import to_fixed_point
from skdistill.students.tree.grower import grow_tree
from skdistill.students.tree.grown_tree import sum_by_leaf
from skdistill.students.tree.splitting import ENTROPY, SQUARED_ERROR
from tests.strategies import seeds

CRITERIA = [SQUARED_ERROR, ENTROPY]


def grown(X, P, weight=None, *, criterion=SQUARED_ERROR, bits=8, min_samples_leaf=1, **limits):
    """Grow a tree as a student does."""
    X = X.astype(np.float32)
    weight = np.ones(len(X)) if weight is None else weight
    grid = fit_grid(X, bits, weight)
    row_stats = to_fixed_point(P, weight, count=min_samples_leaf > 1)
    limits = {"max_leaf_nodes": len(X), "max_depth": len(X), "min_weight_fraction": 0.0, **limits}
    return grow_tree(
        grid.encode(X),
        grid.counts,
        row_stats,
        criterion=criterion,
        min_samples_leaf=min_samples_leaf,
        **limits,
    )


def data(seed, n, K, d=4, values=200):
    """Columns of at most 255 values, targets that depend on them and tie nowhere."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, values, (n, d)).astype(float)
    logits = np.sin(X / 40) @ rng.normal(size=(d, K))
    P = np.exp(logits + rng.normal(size=(n, K)) / 2)
    return X, P / P.sum(axis=1, keepdims=True), rng.uniform(0.2, 3, n)


def impurity(P, weight, criterion):
    """Weight times impurity of one group of rows."""
    total = weight.sum()
    if total == 0:
        return 0.0
    mean = weight @ P / total
    if criterion == SQUARED_ERROR:
        return float((weight[:, None] * (P - mean) ** 2).sum())
    return float(-total * sum(p * np.log2(p) for p in mean if p > 0))


def loss(groups, P, weight, criterion):
    return sum(impurity(P[groups == g], weight[groups == g], criterion) for g in np.unique(groups))


def n_leaves(tree):
    return int((tree.feature < 0).sum())


@pytest.mark.parametrize("K", [2, 3, 7])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("n", "limits"),
    [
        (60, {"max_leaf_nodes": 5}),
        (900, {"max_leaf_nodes": 40}),
        (900, {"max_leaf_nodes": 30, "min_samples_leaf": 15}),
        (900, {"max_leaf_nodes": 50, "max_depth": 4}),
        (400, {"max_depth": 3, "min_samples_leaf": 7}),
        (900, {"max_leaf_nodes": 40, "min_weight_fraction": 0.02}),
        (200, {}),
    ],
    ids=repr,
)
def test_squared_error_reaches_the_loss_of_scikit_learns_regressor(K, weighted, n, limits):
    X, P, weight = data(K, n, K)
    weight = weight if weighted else np.ones(n)
    tree = grown(X, P, weight, **limits)
    names = {"min_weight_fraction": "min_weight_fraction_leaf"}
    oracle = DecisionTreeRegressor(
        random_state=0, **{names.get(name, name): v for name, v in limits.items()}
    )
    oracle.fit(X, P, sample_weight=weight)
    expected = loss(oracle.apply(X), P, weight, SQUARED_ERROR)
    assert loss(tree.leaf, P, weight, SQUARED_ERROR) == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert n_leaves(tree) == oracle.get_n_leaves()


@pytest.mark.parametrize("K", [2, 3, 7])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("limits", [{"max_leaf_nodes": 30}, {"max_depth": 4}], ids=repr)
def test_entropy_reaches_the_loss_of_scikit_learns_classifier(K, soft, limits):
    X, P, weight = data(K, 700, K)
    if not soft:
        P = np.eye(K)[P.argmax(axis=1)]
    tree = grown(X, P, weight, criterion=ENTROPY, **limits)
    # A soft row is K hard rows that share its weight.
    rows, y = np.repeat(X, K, axis=0), np.tile(np.arange(K), len(X))
    oracle = DecisionTreeClassifier(criterion="entropy", random_state=0, **limits)
    oracle.fit(rows, y, sample_weight=(P * weight[:, None]).ravel())
    expected = loss(oracle.apply(X), P, weight, ENTROPY)
    assert loss(tree.leaf, P, weight, ENTROPY) == pytest.approx(expected, rel=1e-6)
    assert n_leaves(tree) == oracle.get_n_leaves()


def test_codes_of_more_than_8_bits_reach_the_same_loss_too():
    X, P, weight = data(0, 1500, 3, values=900)
    tree = grown(X, P, weight, bits=10, max_leaf_nodes=60)
    oracle = DecisionTreeRegressor(max_leaf_nodes=60, random_state=0).fit(
        X, P, sample_weight=weight
    )
    expected = loss(oracle.apply(X), P, weight, SQUARED_ERROR)
    assert loss(tree.leaf, P, weight, SQUARED_ERROR) == pytest.approx(expected, rel=1e-6)


def best_gain(X, P, weight, criterion, min_samples_leaf=1):
    """Try every cut of every column, with NaN on either side, and NaN against all numbers."""
    best, whole = 0.0, impurity(P, weight, criterion)
    for x in X.T:
        missing = np.isnan(x)
        sides = [
            (x <= cut) | (missing & nan_left)
            for cut in np.unique(x[~missing])
            for nan_left in (False, True)
        ]
        for left in sides:
            if min(left.sum(), (~left).sum()) < min_samples_leaf:
                continue
            parts = (impurity(P[side], weight[side], criterion) for side in (left, ~left))
            best = max(best, whole - sum(parts))
    return best


@pytest.mark.parametrize("criterion", CRITERIA)
@given(seed=seeds, min_samples_leaf=st.sampled_from([1, 4]), K=st.integers(2, 4))
def test_every_split_is_the_best_of_its_rows_and_the_best_open_one(
    criterion, seed, min_samples_leaf, K
):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 90))
    X = rng.integers(0, 6, (n, 3)).astype(float)
    X[rng.random(X.shape) < 0.2] = np.nan
    P, weight = rng.dirichlet(np.full(K, 0.7), n), rng.uniform(0.1, 2, n)
    tree = grown(
        X, P, weight, criterion=criterion, max_leaf_nodes=9, min_samples_leaf=min_samples_leaf
    )
    total, inside = weight.sum(), rows_of_nodes(tree)
    possible = [
        best_gain(X[r], P[r], weight[r], criterion, min_samples_leaf) / total for r in inside
    ]
    split = np.flatnonzero(tree.feature >= 0)
    assert tree.gain[split] == pytest.approx(np.array(possible)[split], rel=1e-5, abs=1e-8)
    is_open = {0}
    for node in sorted(split, key=lambda i: tree.children[i, 0]):
        assert possible[node] >= max(possible[i] for i in is_open) - 1e-8
        is_open.remove(node)
        is_open |= set(tree.children[node].tolist())
    if len(is_open) < 9:
        assert max(possible[i] for i in is_open) < 1e-8
    assert min(len(inside[i]) for i in is_open) >= min(min_samples_leaf, n)


def rows_of_nodes(tree):
    """Row numbers of every node, by its leaves."""
    rows = [np.flatnonzero(tree.leaf == node) for node in range(len(tree.feature))]
    for node in range(len(rows) - 1, -1, -1):
        if tree.feature[node] >= 0:
            rows[node] = np.concatenate([rows[child] for child in tree.children[node]])
    return rows


@pytest.mark.parametrize("criterion", CRITERIA)
@given(seed=seeds)
def test_rows_end_in_the_leaf_to_which_their_codes_lead_with_its_sums(criterion, seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 30, (80, 3)).astype(np.float32)
    X[rng.random(X.shape) < 0.1] = np.nan
    P, weight = rng.dirichlet(np.ones(3), 80), rng.uniform(0.1, 2, 80)
    grid, row_stats = fit_grid(X, 4), to_fixed_point(P, weight)
    codes = grid.encode(X)
    tree = grow_tree(
        codes,
        grid.counts,
        row_stats,
        criterion=criterion,
        max_leaf_nodes=12,
        max_depth=80,
        min_samples_leaf=1,
        min_weight_fraction=0.0,
    )
    for i in range(len(X)):
        node = 0
        while tree.feature[node] >= 0:
            f = tree.feature[node]
            missing = codes[f, i] == grid.counts[f] + 1
            left = tree.nan_left[node] if missing else codes[f, i] <= tree.threshold[node]
            node = tree.children[node, 0 if left else 1]
        assert node == tree.leaf[i]
    for node, rows in enumerate(rows_of_nodes(tree)):
        assert tree.sums[node].tolist() == row_stats[rows].astype(np.int64).sum(axis=0).tolist()
    sums = sum_by_leaf(row_stats, tree.leaf, len(tree.feature))
    assert np.array_equal(sums, np.where(tree.feature[:, None] < 0, tree.sums, 0))


def same_tree(a, b, factor=1):
    fields = ("feature", "threshold", "nan_left", "children", "gain")
    return all(np.array_equal(getattr(a, f), getattr(b, f)) for f in fields) and np.array_equal(
        a.sums * factor, b.sums
    )


@pytest.mark.parametrize("criterion", CRITERIA)
@given(seed=seeds)
def test_the_order_of_the_rows_changes_nothing_at_all(criterion, seed):
    rng = np.random.default_rng(seed)
    X, P, weight = data(seed, 150, 3, values=20)
    X[rng.random(X.shape) < 0.1] = np.nan
    order = rng.permutation(len(X))
    tree = grown(X, P, weight, criterion=criterion, max_leaf_nodes=30)
    other = grown(X[order], P[order], weight[order], criterion=criterion, max_leaf_nodes=30)
    assert same_tree(tree, other)
    assert np.array_equal(tree.leaf[order], other.leaf)


@pytest.mark.parametrize("criterion", CRITERIA)
@given(seed=seeds)
def test_weights_equal_repeated_rows_bit_for_bit(criterion, seed):
    rng = np.random.default_rng(seed)
    X, _, _ = data(seed, 120, 3, values=30)
    X[rng.random(X.shape) < 0.1] = np.nan
    P = rng.multinomial(64, [0.2, 0.3, 0.5], 120) / 64  # exact in fixed point
    weight = rng.integers(1, 4, 120)
    weight[0] = 3
    weighted = grown(X, P, weight.astype(float), criterion=criterion, max_leaf_nodes=20)
    repeated = grown(
        np.repeat(X, weight, axis=0),
        np.repeat(P, weight, axis=0),
        criterion=criterion,
        max_leaf_nodes=20,
    )
    assert same_tree(weighted, repeated, factor=2)  # the unit follows the largest weight
    assert np.array_equal(np.repeat(weighted.leaf, weight), repeated.leaf)


@pytest.mark.parametrize("slots", [2, 3, 5])
@pytest.mark.parametrize("n", [300, 3000])
@pytest.mark.parametrize("criterion", CRITERIA)
def test_an_exhausted_pool_of_histograms_gives_the_same_tree(monkeypatch, slots, n, criterion):
    X, P, weight = data(n, n, 3, values=25)
    whole = grown(X, P, weight, criterion=criterion)
    bins = sum(len(np.unique(x)) + 1 for x in X.T)
    monkeypatch.setattr(grower, "_HISTOGRAM_BYTES", slots * bins * 4 * 8)
    assert same_tree(grown(X, P, weight, criterion=criterion), whole)
    monkeypatch.setattr(grower, "_HISTOGRAM_BYTES", 1)
    assert same_tree(grown(X, P, weight, criterion=criterion), whole)


def by_hand(codes, n_edges, targets, weight=None, **limits):
    """One column given by its codes, two classes."""
    targets = np.array(targets, float)
    P, weight = (
        np.column_stack([1 - targets, targets]),
        np.ones(len(targets)) if weight is None else np.array(weight),
    )
    limits = {
        "max_leaf_nodes": 2,
        "max_depth": 9,
        "min_samples_leaf": 1,
        "min_weight_fraction": 0.0,
        **limits,
    }
    codes = np.atleast_2d(np.array(codes, np.uint8))
    row_stats = to_fixed_point(P, weight, count=limits["min_samples_leaf"] > 1)
    return grow_tree(
        codes, np.full(len(codes), n_edges, np.int32), row_stats, criterion=SQUARED_ERROR, **limits
    )


@pytest.mark.parametrize(("right", "cut"), [(1, 0), (2, 0), (3, 1), (9, 4)])
def test_a_cut_lies_halfway_through_the_codes_that_no_row_has(right, cut):
    assert by_hand([0, 0, right, right], 9, [0, 0, 1, 1]).threshold[0] == cut


def test_where_nan_parts_from_all_numbers_no_number_goes_with_it():
    tree = by_hand([0, 2, 5, 10, 10], 9, [0, 0, 0, 1, 1])  # 10 is NaN
    assert (tree.threshold[0], tree.nan_left[0]) == (8, False)
    assert tree.leaf.tolist() == [1, 1, 1, 2, 2]


@pytest.mark.parametrize("nan_left", [True, False])
def test_nan_goes_to_the_side_that_its_targets_resemble(nan_left):
    tree = by_hand([0, 0, 9, 9, 10], 9, [0, 0, 1, 1, not nan_left])
    assert tree.nan_left[0] == nan_left
    assert tree.gain[0] == pytest.approx(2 * (0.4 * 0.6))


@pytest.mark.parametrize("weight", [[1, 1, 1, 2], [3, 1, 1, 1]])
def test_a_column_without_nan_learns_no_side_for_it(weight):
    assert not by_hand([0, 0, 9, 9], 9, [0, 0, 1, 1], weight).nan_left.any()


def test_nan_unseen_in_a_node_goes_with_its_heavier_side():
    codes = [[0, 0, 0, 0, 9, 9, 9, 9], [0, 0, 0, 9, 10, 10, 10, 10]]
    tree = by_hand(codes, 9, [0, 0, 0, 0.5, 1, 1, 1, 1], max_leaf_nodes=3)
    assert tree.feature.tolist()[:2] == [0, 1]
    assert tree.nan_left[1]


@pytest.mark.parametrize(
    ("targets", "codes"),
    [([1, 1, 1, 1], [0, 1, 2, 3]), ([0.3] * 4, [0, 1, 2, 3]), ([0, 1, 0, 1], [2] * 4)],
)
def test_nothing_to_gain_is_nothing_split(targets, codes):
    tree = by_hand(codes, 9, targets, max_leaf_nodes=8)
    assert tree.feature.tolist() == [-1]
    assert tree.children.tolist() == [[-1, -1]]
    assert tree.leaf.tolist() == [0] * 4


def test_a_split_that_was_found_but_not_made_leaves_no_trace():
    tree = by_hand([0, 3, 6, 9], 9, [0, 1, 0, 1], max_leaf_nodes=2)
    leaf = tree.feature < 0
    assert leaf.sum() == 2
    assert not tree.threshold[leaf].any()
    assert not tree.nan_left[leaf].any()
    assert not tree.gain[leaf].any()
    assert (tree.children[leaf] == -1).all()


def test_rows_whose_weight_vanishes_beside_the_largest_do_not_split_a_node():
    tree = by_hand([0, 3, 6, 9], 9, [0, 1, 0, 1], [1e-30, 1e-30, 1, 1e-30], max_leaf_nodes=8)
    assert tree.feature.tolist() == [-1]


def test_limits_hold_in_every_leaf():
    X, P, weight = data(5, 500, 3)
    tree = grown(X, P, weight, min_samples_leaf=9, min_weight_fraction=0.03, max_depth=5)
    leaves = np.unique(tree.leaf)
    assert np.bincount(tree.leaf)[leaves].min() >= 9
    assert np.bincount(tree.leaf, weight)[leaves].min() >= 0.03 * weight.sum() * (1 - 1e-6)
    depth = np.zeros(len(tree.feature), int)
    for node in np.flatnonzero(tree.feature >= 0):
        depth[tree.children[node]] = depth[node] + 1
    assert depth.max() == 5
    assert len(leaves) == n_leaves(tree) > 10


@pytest.mark.parametrize(
    "weight", [5e-324, 1e-310, np.finfo(float).tiny, np.finfo(float).max, 2.0**31 - 0.6]
)
def test_weights_at_the_ends_of_float64_still_grow_a_tree(weight):
    tree = by_hand([0, 0, 9, 9], 9, [0, 0, 1, 1], [weight] * 4)
    assert tree.leaf.tolist() == [1, 1, 2, 2]
    assert tree.gain[0] == pytest.approx(0.5)
