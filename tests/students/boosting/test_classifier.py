"""Soft boosting: its integers row by row, the same in ONNX Runtime, and what it accepts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, train_test_split

from skdistill import DistilledClassifier, SoftBoostingClassifier, SoftTreeClassifier, load
from skdistill.compact import LinearTable, TreeTable, evaluate
from skdistill.compact.tables.limits import value_limits
from skdistill.export.onnx.parity import count_mismatches, open_session, probe_rows
from skdistill.metrics import kl_divergence
from skdistill.targets import SoftTargets, temper
from tests.compact.test_evaluate import scores_of_row
from tests.strategies import adversarial_rows

LOADERS = {2: load_breast_cancer, 3: load_wine, 10: load_digits}
INITS = pytest.mark.parametrize("init", [None, "linear"])


def boosted(n_estimators=5, **parameters):
    return SoftBoostingClassifier(n_estimators, **{"random_state": 0, **parameters})


def split(K):
    X, y = LOADERS[K](return_X_y=True)
    return train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)


@INITS
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("bits", ["ternary", 4, 8])
def test_one_set_of_integers_in_plain_python_onnx_and_files(K, bits, init, tmp_path):
    X, held_out, y, _ = split(K)
    names = np.array(["größe", "b", "c"])
    student = boosted(init=init, value_bits=bits).fit(X, names[y])
    model = student.compact_
    assert model.n_scores == (1 if K == 2 else 3)
    assert len(model.table(TreeTable).roots) == 5
    assert (not model.tables_of(LinearTable)) == (init is None)
    low, high = value_limits(bits, signed=True)
    assert model.table(TreeTable).value_bits == bits
    assert (
        low <= model.table(TreeTable).values.min() < 0 < model.table(TreeTable).values.max() <= high
    )
    rows = np.concatenate([held_out[:40], adversarial_rows(model, 0, n=60)])
    expected = [scores_of_row(model, row) for row in rows.tolist()]
    assert model.scores(rows).tolist() == expected
    assert (np.abs(expected) <= model.score_bound).all()
    numbers = [int(s[0] > 0) if K == 2 else int(np.argmax(s)) for s in expected]
    assert model.predict(rows).tolist() == np.unique(names[y])[numbers].tolist()

    session = open_session(student.to_onnx(tmp_path / "m.onnx").SerializeToString())
    probes = probe_rows(model, X.astype(np.float32))
    assert len(probes) >= 2 * 8 * len(model.table(TreeTable).feature)
    assert count_mismatches(model, session, probes) == 0
    assert count_mismatches(model, session, held_out.astype(np.float32)) == 0
    student.save(tmp_path / "m.skd")
    assert load(tmp_path / "m.skd").equals(model)


@INITS
@pytest.mark.parametrize("K", [2, 3])
def test_fine_bits_lose_nothing_and_trees_only_gain(K, init):
    """The training loss is what refit brings down, so that more trees have less of it."""
    X, _, y, _ = split(K)

    def loss(n_estimators, bits):
        student = boosted(
            n_estimators, init=init, value_bits=bits, max_leaf_nodes=4, refit_l2_regularization=1e-3
        )
        return log_loss(y, student.fit(X, y).predict_proba(X))

    fine = [loss(n, 16) for n in (1, 4, 16)]
    assert fine[0] > fine[1] > fine[2]
    assert loss(4, 8) == pytest.approx(fine[1], abs=0.02)


def test_sixteen_small_trees_beat_one_tree_of_as_many_leaves():
    X, held_out, y, truth = split(10)
    boost = boosted(16, max_leaf_nodes=16).fit(X, y)
    tree = SoftTreeClassifier(max_leaf_nodes=256).fit(X, y)
    assert len(boost.compact_.table(TreeTable).values) <= 256
    assert boost.score(held_out, truth) > tree.score(held_out, truth) + 0.05
    assert boost.score(held_out, truth) > 0.93


def smooth_truth(K, n=3000):
    """Probabilities that a linear start can tell but for a step."""
    rng = np.random.default_rng(K)
    X = rng.normal(size=(n, 3))
    z = X @ rng.normal(size=(3, K)) + 2 * (X[:, :1] > 0.5) * rng.normal(size=K)
    return X, softmax(z, axis=1), rng


@INITS
@pytest.mark.parametrize("K", [2, 3])
def test_soft_targets_are_learnt_as_they_are_at_every_temperature(K, init):
    X, P, rng = smooth_truth(K)
    hard = (rng.random((len(X), 1)) > P.cumsum(axis=1)).sum(axis=1)
    baseline = kl_divergence(P, np.tile(P.mean(axis=0), (len(P), 1)))
    plain = boosted(16, init=init).fit(X, P)
    assert kl_divergence(P, plain.predict_proba(X)) < baseline / 10
    warm = boosted(16, init=init).fit(X, SoftTargets(P, hard, 0.5, 4.0)).predict_proba(X)
    assert kl_divergence(P, warm) < baseline / 5
    assert kl_divergence(P, warm) < kl_divergence(P, temper(warm, 4.0))
    assert kl_divergence(P, warm) < kl_divergence(P, temper(warm, 0.25))


def test_a_linear_start_with_its_leaves_beats_leaves_alone_on_what_is_linear():
    X, P, _ = smooth_truth(3)
    alone, started = (
        kl_divergence(P, boosted(4, init=init).fit(X, P).predict_proba(X))
        for init in (None, "linear")
    )
    assert started < alone / 2


def depth(model, node):
    if node < 0:
        return 0
    trees = model.table(TreeTable)
    return 1 + max(
        depth(model, int(trees.left[node])),
        depth(model, int(trees.right[node])),
    )


@INITS
def test_limits_of_the_trees_are_kept(init):
    X, _, y, _ = split(10)
    few = boosted(init=init, min_samples_leaf=60, max_leaf_nodes=None).fit(X, y).compact_
    reached = evaluate.leaves(few, X)
    counts = np.bincount(reached.ravel(), minlength=len(few.table(TreeTable).values))
    assert 60 <= counts.min() < 120
    shallow = boosted(init=init, max_depth=2, max_leaf_nodes=None).fit(X, y).compact_
    assert {depth(shallow, int(root)) for root in shallow.table(TreeTable).roots} == {2}
    narrow = boosted(init=init, max_leaf_nodes=3).fit(X, y).compact_
    assert len(narrow.table(TreeTable).values) == 15
    coarse = boosted(20, init=init, threshold_bits=2).fit(X, y).compact_
    assert 1 <= coarse.table(TreeTable).grid.counts.max() <= 2


@INITS
def test_random_state_decides_which_rows_a_round_sees(init):
    X, _, y, _ = split(3)
    a, b, c = (
        boosted(init=init, subsample=0.5, random_state=seed).fit(X, y).compact_
        for seed in (0, 0, 1)
    )
    assert a.equals(b)
    assert not np.array_equal(a.table(TreeTable).threshold, c.table(TreeTable).threshold)
    x = np.random.default_rng(0).normal(size=(500, 3))
    one = boosted(1, subsample=0.5, max_leaf_nodes=2).fit(x, x[:, 1] > 0.3)
    assert one.compact_.table(TreeTable).grid.features.tolist() == [1]
    assert 0.97 < one.score(x, x[:, 1] > 0.3) < 1  # the rows beside the step were not seen
    tiny = boosted(init=init, subsample=1e-9).fit(X, y).compact_
    assert len(tiny.table(TreeTable).values) == 5  # a round that sees one row has nothing to split


@pytest.mark.parametrize("binning", ["uniform", "quantile"])
@INITS
def test_nan_is_learnt(init, binning):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    X[rng.random(400) < 0.3, 0] = np.nan
    y = np.where(np.isnan(X[:, 0]), X[:, 1] > 0, X[:, 0] > 0.5)
    for subsample in (1.0, 0.7):
        student = boosted(subsample=subsample, init=init, binning=binning).fit(X, y)
        assert student.score(X, y) > 0.98
    assert student.predict([[np.inf, 0], [-np.inf, 0]]).tolist() == [True, False]
    session = open_session(student.to_onnx().SerializeToString())
    assert count_mismatches(student.compact_, session, probe_rows(student.compact_, X)) == 0


@INITS
def test_constant_columns_are_not_read(init):
    X, _, y, _ = split(3)
    X = X[:, :4].copy()
    X[:, 1] = 7
    student = boosted(init=init).fit(X, y)
    assert 1 not in student.compact_.table(TreeTable).grid.features
    assert init is None or student.compact_.table(LinearTable).features.tolist() == [0, 2, 3]
    assert student.feature_importances_[1] == 0
    assert student.feature_importances_.sum() == pytest.approx(1)


@INITS
@pytest.mark.parametrize("y", [[0, 0, 1, 0], [0, 1, 2, 2]])
def test_constant_rows_give_the_shares_of_the_classes(y, init):
    student = boosted(init=init, value_bits=16).fit(np.full((4, 2), 3.0), y)
    assert not student.compact_.tables_of(LinearTable)
    assert student.predict_proba([[9, -9]])[0] == pytest.approx(np.bincount(y) / 4, abs=1e-2)
    assert student.feature_importances_.tolist() == [0, 0]


@INITS
def test_one_class_is_a_constant_and_classes_without_rows_are_kept(init):
    X, y = load_iris(return_X_y=True)
    one = boosted(init=init).fit(X, ["only"] * 150)
    assert one.predict(X[:2]).tolist() == ["only"] * 2
    assert one.predict_proba(X[:2]).tolist() == [[1.0]] * 2
    assert one.feature_importances_.tolist() == [0] * 4
    names = np.array(["setosa", "versicolor", "virginica"])
    more = boosted(init=init).fit(X, names[y], classes=["zinnia", *names])
    assert more.classes_.tolist() == [*names, "zinnia"]
    assert more.predict_proba(X)[:, 3].max() < 0.01
    assert more.score(X, names[y]) > 0.95
    never = boosted(init=init).fit(X, ["a"] * 150, classes=["a", "b"])
    assert never.predict_proba(X)[:, 1].max() < 0.01
    framed = boosted(init=init).fit(X, pd.DataFrame(np.eye(3)[y], columns=names))
    assert framed.compact_.equals(boosted(init=init).fit(X, names[y]).compact_)


@INITS
@pytest.mark.parametrize("bits", ["ternary", 8])
@pytest.mark.parametrize("K", [2, 3])
def test_weights_equal_repeated_rows(K, bits, init):
    X, _, y, _ = split(K)
    X, y = X[:120, :6], y[:120]
    weight = np.random.default_rng(0).integers(0, 4, 120)
    # Enough l2_regularization that no two splits of a pure leaf gain the same but for rounding.
    student = boosted(
        init=init, value_bits=bits, l2_regularization=5e-3, refit_l2_regularization=1e-3
    )
    weighted = student.fit(X, y, weight).compact_
    assert student.fit(np.repeat(X, weight, axis=0), np.repeat(y, weight)).compact_.equals(weighted)
    assert not student.fit(X, y).compact_.equals(weighted)
    wild = np.where(weight[:, None] == 0, 1e6, X)
    assert student.fit(wild, y, weight).compact_.equals(weighted)


@INITS
@pytest.mark.parametrize("factor", [2.0**-40, 2.0**40])
def test_only_proportions_of_weights_count(factor, init):
    """Powers of two change no digit of a weight, so that the models are equal."""
    X, _, y, _ = split(3)
    X, y = X[:120, :6], y[:120]
    weight = np.random.default_rng(0).integers(0, 4, 120).astype(float)
    student = boosted(init=init, l2_regularization=1e-3, subsample=0.8, n_iter_no_change=4)
    model = student.fit(X, y, weight).compact_
    assert student.fit(X, y, factor * weight).compact_.equals(model)


@pytest.mark.parametrize(
    ("n_estimators", "refit_l2_regularization"), [(16, 1e-5), (16, 1.0), (600, 100.0)]
)
def test_no_score_leaves_int32_however_fine_the_linear_part(n_estimators, refit_l2_regularization):
    """Wide inputs and weights fill int32 on their own: trees need room beside them."""
    X, y = load_wine(return_X_y=True)
    bits = {"linear_bits": 16, "threshold_bits": 16, "value_bits": 16}
    student = boosted(
        n_estimators,
        init="linear",
        refit_l2_regularization=refit_l2_regularization,
        max_leaf_nodes=2,
        **bits,
    )
    model = student.fit(X, y).compact_
    model.validate()
    assert model.score_bound.max() < 2**31
    assert student.score(X, y) > 0.95


@INITS
def test_is_a_student_whose_size_is_searched(init):
    X, y = load_iris(return_X_y=True)
    teacher = RandomForestClassifier(10, random_state=0)
    distilled = DistilledClassifier(teacher, boosted(init=init), transfer_set=None, random_state=0)
    found = GridSearchCV(distilled, {"student__n_estimators": [1, 6]}, cv=3).fit(X, y)
    assert found.best_score_ > 0.9
    best = found.best_estimator_
    assert len(best.compact_.table(TreeTable).roots) == found.best_params_["student__n_estimators"]
    assert best.predict(X).tolist() == best.compact_.predict(X).tolist()


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_estimators": 0},
        {"n_estimators": 2.0},
        {"learning_rate": 0.0},
        {"max_leaf_nodes": 1},
        {"max_depth": 0},
        {"min_samples_leaf": 0},
        {"l2_regularization": -1.0},
        {"refit_l2_regularization": -1.0},
        {"subsample": 0.0},
        {"subsample": 1.5},
        {"init": "zero"},
        {"linear_bits": 1},
        {"linear_bits": "binary"},
        {"threshold_bits": 17},
        {"value_bits": 1},
        {"value_bits": "binary"},
        {"random_state": "x"},
    ],
    ids=repr,
)
def test_parameters_out_of_range_are_refused_by_name(parameters):
    message = f"The '{next(iter(parameters))}' parameter of SoftBoostingClassifier must be"
    with pytest.raises(ValueError, match=message):
        SoftBoostingClassifier(**parameters).fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize("bits", ["ternary", 3, 4])
def test_few_bits_of_the_linear_part_are_not_lost_to_columns_that_hardly_vary(bits):
    """Rare pixels have weights far above the others: against them those would round to 0."""
    X, held_out, y, truth = split(10)
    student = boosted(12, init="linear", linear_bits=bits, value_bits="ternary").fit(X, y)
    assert student.compact_.table(LinearTable).value_bits == bits
    assert student.score(held_out, truth) > 0.93


def test_early_stopping_goes_back_to_the_best_round():
    X, _, y, _ = split(3)
    settings = {"n_iter_no_change": 3, "validation_fraction": 0.3, "learning_rate": 1.0}
    stopped = boosted(200, **settings).fit(X, y)
    assert 1 <= stopped.n_estimators_ < 100
    assert len(stopped.compact_.table(TreeTable).roots) == stopped.n_estimators_
    short = boosted(stopped.n_estimators_, **settings | {"n_iter_no_change": 200}).fit(X, y)
    assert short.n_estimators_ == stopped.n_estimators_
    assert boosted(5).fit(X, y).n_estimators_ == 5
    with pytest.raises(ValueError, match="n_iter_no_change needs two rows"):
        boosted(n_iter_no_change=1).fit(X[:1], y[:1], classes=[0, 1, 2])


def test_a_reuse_penalty_keeps_to_columns_and_thresholds_in_use():
    X, _, y, _ = split(10)
    settings = {"binning": "quantile", "max_leaf_nodes": 8}
    free, dear = (
        boosted(20, reuse_penalty=p, **settings).fit(X, y).compact_.table(TreeTable).grid
        for p in (0.0, 3e-3)
    )
    assert len(dear.features) < len(free.features)
    assert len(dear.edges) < 0.7 * len(free.edges)


@INITS
def test_no_split_is_left_between_equal_leaves(init):
    X, _, y, _ = split(2)
    trees = boosted(40, init=init, value_bits="ternary").fit(X, y).compact_.table(TreeTable)
    both = (trees.left < 0) & (trees.right < 0)
    same = (trees.values[~trees.left[both]] == trees.values[~trees.right[both]]).all(axis=1)
    assert not same.any() or len(trees.feature) % len(trees.roots) == 0  # trees of one size


def test_an_intercept_takes_what_is_common_to_all_rows():
    X, y = load_iris(return_X_y=True)
    rare = boosted(1, max_leaf_nodes=2, value_bits="ternary").fit(X, y == 0, np.where(y, 99, 1.0))
    assert rare.compact_.bias[0] < 0


@INITS
@pytest.mark.parametrize("binning", ["uniform", "quantile"])
@pytest.mark.parametrize("case", ["offset", "tiny weights", "ends of float32", "int32"])
def test_columns_and_weights_of_any_size(case, binning, init):
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(300, 2)), None
    y = X[:, 0] > 0
    if case == "offset":
        X = (1.7e9 + 1e4 * X).astype(np.float32)
    elif case == "tiny weights":
        weight = np.full(300, 1e-300)
    elif case == "ends of float32":
        X[:, 0] = np.where(y, 3.3e38, -3.2e38)
        if init == "linear":
            X[:, 0] /= 1e3  # the mean of such columns is beyond what its own check adds up
    else:
        X = (1_700_000_000 + 1000 * X).astype(np.int32)
    student = boosted(init=init, binning=binning).fit(X, y, weight)
    # Such weights are nothing beside the penalty of growing, so that trees have no leaves to part.
    assert student.score(X, y) > (0.5 if case == "tiny weights" else 0.9)
    assert student.compact_.nbytes > 0 or case == "tiny weights"


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("settings", [{}, {"subsample": 0.7}, {"n_iter_no_change": 2}])
def test_hints_guide_where_the_rounds_cut_and_nothing_else(K, settings):
    X, _, y, _ = split(K)
    P = np.eye(K)[y]
    hints = np.sin(X[:, -1:] / X[:, -1].std())
    plain = boosted(4, **settings).fit(X, SoftTargets(P))
    silent = boosted(4, **settings).fit(X, SoftTargets(P, hints=hints, hint_weight=0.0))
    assert np.array_equal(plain.compact_.scores(X), silent.compact_.scores(X))
    loud = boosted(4, **settings).fit(X, SoftTargets(P, hints=hints, hint_weight=1e6))
    assert loud.feature_importances_[-1] > max(0.9, plain.feature_importances_[-1])
    assert loud.compact_.n_scores == plain.compact_.n_scores


def test_later_rounds_learn_what_is_left_of_the_hints():
    X, _, y, _ = split(3)
    hints = np.column_stack([X[:, 0] > np.median(X[:, 0]), 0.7 * (X[:, 1] > np.median(X[:, 1]))])
    targets = SoftTargets(np.eye(3)[y], hints=hints, hint_weight=1e6)
    student = boosted(2, max_leaf_nodes=2, learning_rate=1.0).fit(X, targets)
    assert np.flatnonzero(student.feature_importances_).tolist() == [0, 1]
