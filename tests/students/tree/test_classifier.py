"""The soft tree: what it accepts, what it refuses, and that it is what it learnt."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import skdistill
from skdistill import SoftTreeClassifier
from skdistill.compact import TreeTable, evaluate
from skdistill.quantization.leaf_values import LOGIT_RANGE
from skdistill.targets import SoftTargets
from tests.strategies import adversarial_rows
from tests.students.tree.test_grower import data

CRITERIA = ["squared_error", "entropy"]


def leaves_of(student, X):
    return evaluate.leaves(student.compact_, X)[:, 0]


def mean_targets(groups, P, weight):
    """Weighted mean of P over the group of each row."""
    _, group = np.unique(groups, return_inverse=True)
    sums = np.zeros((group.max() + 1, P.shape[1]))
    np.add.at(sums, group, P * weight[:, None])
    return (sums / sums.sum(axis=1, keepdims=True))[group]


def squared_loss(groups, P, weight):
    return float((weight[:, None] * (P - mean_targets(groups, P, weight)) ** 2).sum())


@pytest.mark.parametrize("K", [2, 3, 7])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("budget", [2, 17, 64])
def test_the_fitted_tree_reaches_the_loss_of_scikit_learns_regressor(K, weighted, budget):
    X, P, weight = data(K + budget, 800, K)
    weight = weight if weighted else np.ones(len(X))
    student = SoftTreeClassifier(max_leaf_nodes=budget).fit(X, P, weight)
    oracle = DecisionTreeRegressor(max_leaf_nodes=budget, random_state=0).fit(
        X, P, sample_weight=weight
    )
    expected = squared_loss(oracle.apply(X), P, weight)
    assert squared_loss(leaves_of(student, X), P, weight) == pytest.approx(expected, rel=1e-6)
    assert len(student.compact_.table(TreeTable).values) == oracle.get_n_leaves() == budget


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("K", [2, 3, 7])
def test_hard_labels_give_the_training_answers_of_scikit_learns_classifier(criterion, K):
    X, P, weight = data(K, 500, K)
    y = np.array(list("abcdefg"))[P.argmax(axis=1)]
    oracle = DecisionTreeClassifier(
        criterion="gini" if criterion == "squared_error" else "entropy",
        max_leaf_nodes=25,
        min_samples_leaf=8,
        random_state=0,
    )
    oracle.fit(X, y, sample_weight=weight)
    student = SoftTreeClassifier(criterion, max_leaf_nodes=25, min_samples_leaf=8).fit(X, y, weight)
    assert student.predict(X).tolist() == oracle.predict(X).tolist()
    assert student.classes_.tolist() == oracle.classes_.tolist()
    assert np.allclose(student.feature_importances_, oracle.feature_importances_, atol=1e-6)


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("K", [2, 3, 7])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_leaves_hold_the_weighted_means_of_the_untempered_targets(criterion, K, temperature):
    X, P, weight = data(K, 400, K)
    hard = P.argmax(axis=1)
    hard[::3] = -1
    targets = SoftTargets(P, hard, alpha=0.3, temperature=temperature)
    student = SoftTreeClassifier(criterion, max_leaf_nodes=12, value_bits=16).fit(
        X, targets, weight
    )
    expected = mean_targets(leaves_of(student, X), targets.mixture(), weight)
    assert np.allclose(student.predict_proba(X), expected, rtol=0, atol=5e-4)
    assert student.predict(X).tolist() == expected.argmax(axis=1).tolist()


def test_structure_follows_the_tempered_targets():
    X, P, weight = data(0, 400, 5)
    P = P**4 / (P**4).sum(axis=1, keepdims=True)
    for temperature in (1.0, 4.0):
        tempered = np.clip(P, 1e-6, 1) ** (1 / temperature)
        tempered /= tempered.sum(axis=1, keepdims=True)
        told = SoftTreeClassifier(max_leaf_nodes=12).fit(
            X, SoftTargets(P, temperature=temperature), weight
        )
        direct = SoftTreeClassifier(max_leaf_nodes=12).fit(X, tempered, weight)
        assert np.array_equal(leaves_of(told, X), leaves_of(direct, X))
    plain = SoftTreeClassifier(max_leaf_nodes=12).fit(X, P, weight)
    assert not np.array_equal(leaves_of(plain, X), leaves_of(told, X))


def with_nan(X, seed=0):
    X = X.copy()
    X[np.random.default_rng(seed).random(X.shape) < 0.1] = np.nan
    return X


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("K", [2, 4])
@pytest.mark.parametrize("values", [200, 10**6])
def test_the_order_of_the_rows_changes_nothing(criterion, K, values):
    X, P, weight = data(K, 600, K, values=values)
    X, order = with_nan(X), np.random.default_rng(1).permutation(600)
    student = SoftTreeClassifier(criterion).fit(X, P, weight)
    other = SoftTreeClassifier(criterion).fit(X[order], P[order], weight[order])
    assert student.compact_.equals(other.compact_)
    assert np.array_equal(student.feature_importances_, other.feature_importances_)


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("K", [2, 4])
@pytest.mark.parametrize("values", [200, 10**6])
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_weights_equal_repeated_rows_bit_for_bit(criterion, K, values, temperature):
    X, P, _ = data(K, 600, K, values=values)
    X, weight = with_nan(X), np.random.default_rng(2).integers(0, 4, 600)
    student = SoftTreeClassifier(criterion)
    weighted = student.fit(X, SoftTargets(P, temperature=temperature), weight).compact_
    repeated = SoftTargets(np.repeat(P, weight, axis=0), temperature=temperature)
    assert student.fit(np.repeat(X, weight, axis=0), repeated).compact_.equals(weighted)
    seen = weight > 0
    assert student.fit(
        X[seen], SoftTargets(P[seen], temperature=temperature), weight[seen]
    ).compact_.equals(weighted)
    for factor in (0.25, 1024.0):
        assert student.fit(
            X, SoftTargets(P, temperature=temperature), weight * factor
        ).compact_.equals(weighted)


def test_rows_without_weight_are_not_seen_in_any_way():
    X, P, _ = data(0, 300, 3)
    weight = np.ones(300)
    weight[::2] = 0
    wild, worse = X.copy(), P.copy()
    wild[::2] = np.nan
    worse[::2] = [0, 0, 1]
    a = SoftTreeClassifier().fit(X, P, weight)
    assert a.compact_.equals(SoftTreeClassifier().fit(wild, worse, weight).compact_)
    assert a.compact_.equals(SoftTreeClassifier().fit(X[1::2], P[1::2]).compact_)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_nan_goes_where_it_helps_and_predictions_follow(criterion):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    X[rng.random(400) < 0.3, 0] = np.nan
    y = np.where(np.isnan(X[:, 0]), X[:, 1] > 0, X[:, 0] > 0.5)
    student = SoftTreeClassifier(criterion, max_leaf_nodes=4).fit(X, y)
    assert student.score(X, y) == 1
    assert student.predict([[np.inf, 0], [-np.inf, 0], [1e300, 0]]).tolist() == [True, False, True]
    y = np.isnan(X[:, 0])
    student = SoftTreeClassifier(criterion, max_leaf_nodes=2).fit(X, y)
    assert student.predict(X).tolist() == y.tolist()


@pytest.mark.parametrize("bits", [2, 3, 5, 8, 9, 16])
def test_thresholds_respect_their_bits(bits):
    X, P, weight = data(0, 3000, 3, d=2, values=10**6)
    student = SoftTreeClassifier(threshold_bits=bits, max_leaf_nodes=300).fit(X, P, weight)
    assert student.compact_.table(TreeTable).grid.counts.max() <= 2**bits - 2
    if bits <= 5:
        assert student.compact_.table(TreeTable).grid.counts.max() == 2**bits - 2


@pytest.mark.parametrize("bits", ["ternary", 2, 4, 8, 16, np.int64(5)])
@pytest.mark.parametrize("K", [2, 5])
def test_values_respect_their_bits_and_never_change_a_label(bits, K):
    X, P, weight = data(1, 500, K)
    student = SoftTreeClassifier(value_bits=bits).fit(X, P, weight)
    fine = SoftTreeClassifier(value_bits=16).fit(X, P, weight)
    assert student.compact_.table(TreeTable).value_bits == bits
    assert student.predict(X).tolist() == fine.predict(X).tolist()


def test_probabilities_stay_within_a_thousand_to_one():
    X, y = np.arange(10.0)[:, None], np.arange(10) > 4
    P = SoftTreeClassifier().fit(X, y).predict_proba(X)
    assert P[0].tolist() == pytest.approx([1000 / 1001, 1 / 1001])
    assert np.log(P[0, 0] / P[0, 1]) == pytest.approx(LOGIT_RANGE)


def test_a_column_of_probabilities_is_named_by_classes_in_any_order():
    X, P, _ = data(0, 200, 3)
    plain = SoftTreeClassifier().fit(X, P)
    assert plain.classes_.tolist() == [0, 1, 2]
    named = SoftTreeClassifier().fit(X, P[:, [2, 0, 1]], classes=["c", "a", "b"])
    assert named.classes_.tolist() == ["a", "b", "c"]
    assert np.array_equal(named.compact_.scores(X), plain.compact_.scores(X))
    assert named.predict(X).tolist() == np.array(["a", "b", "c"])[plain.predict(X)].tolist()


@pytest.mark.parametrize("columns", [["no", "yes"], [7, 3]])
def test_a_frame_of_probabilities_names_its_columns(columns):
    X, P, _ = data(0, 200, 2)
    frame = pd.DataFrame(P, columns=columns)
    student = SoftTreeClassifier().fit(X, frame)
    assert student.classes_.tolist() == sorted(columns)
    expected = np.array(columns)[SoftTreeClassifier(value_bits=16).fit(X, P).predict(X)]
    assert student.predict(X).tolist() == expected.tolist()


def test_hard_labels_equal_one_hot_probabilities_and_soft_targets():
    X, P, weight = data(3, 300, 4)
    y = P.argmax(axis=1)
    one_hot = np.eye(4)[y]
    hard = SoftTreeClassifier().fit(X, y, weight).compact_
    assert hard.equals(SoftTreeClassifier().fit(X, one_hot, weight).compact_)
    assert hard.equals(SoftTreeClassifier().fit(X, SoftTargets(P, y, alpha=0.0), weight).compact_)
    soft = SoftTreeClassifier().fit(X, P, weight).compact_
    assert soft.equals(SoftTreeClassifier().fit(X, SoftTargets(P, y, alpha=1.0), weight).compact_)
    assert not soft.equals(hard)


def test_classes_that_no_row_has_are_kept():
    X, y = np.arange(20.0)[:, None], np.repeat(["b", "d"], 10)
    student = SoftTreeClassifier().fit(X, y, classes=["d", "c", "b", "a"])
    assert student.classes_.tolist() == ["a", "b", "c", "d"]
    assert student.predict(X).tolist() == y.tolist()
    P = student.predict_proba(X)
    assert P.shape == (20, 4)
    assert P[:, [0, 2]].max() < 0.002


@pytest.mark.parametrize("criterion", CRITERIA)
def test_one_class_is_a_constant(criterion):
    student = SoftTreeClassifier(criterion).fit([[0.0], [1.0]], ["only", "only"])
    assert student.predict([[5.0], [np.nan]]).tolist() == ["only"] * 2
    assert student.predict_proba([[5.0]]).tolist() == [[1]]
    assert student.compact_.nbytes == 0
    assert student.feature_importances_.tolist() == [0]


def test_constant_columns_are_never_split():
    X, P, _ = data(0, 200, 3)
    X[:, 1] = 7
    student = SoftTreeClassifier().fit(X, P)
    assert student.feature_importances_[1] == 0
    assert 1 not in student.compact_.table(TreeTable).grid.features
    single = SoftTreeClassifier().fit(np.full((4, 2), 3.0), [0, 0, 0, 1])
    assert len(single.compact_.table(TreeTable).values) == 1
    assert single.predict_proba([[0, 0]])[0] == pytest.approx([0.75, 0.25], abs=0.01)


def test_int32_columns_beyond_2_to_the_24_are_compared_exactly():
    X = 2**30 + np.arange(100, dtype=np.int32)[:, None]
    y = X[:, 0] % 2 == 0
    student = SoftTreeClassifier(max_leaf_nodes=None).fit(X, y)
    assert student.compact_.input_dtype == "int32"
    assert student.score(X, y) == 1
    assert student.predict(X.astype(np.int64)).tolist() == y.tolist()
    assert student.predict(X.astype(np.float64)).tolist() == y.tolist()
    frame = pd.DataFrame(X, columns=["a"])
    assert SoftTreeClassifier(max_leaf_nodes=None).fit(frame, y).score(frame, y) == 1


WIDE = 2**24 + 1


@pytest.mark.parametrize(
    "X",
    [
        np.array([[0], [WIDE]]),
        np.array([[0], [-WIDE]]),
        np.array([[0], [WIDE]], np.uint32),
        np.array([[0], [2**64 - 1]], np.uint64),
        [[0], [WIDE]],
        pd.DataFrame({"a": [0, WIDE]}),
        pd.DataFrame({"a": [0, WIDE], "b": [0.5, 1.5]}),
        pd.DataFrame({"a": np.array([0, WIDE], np.int32), "b": [0.5, 1.5]}),
        pd.DataFrame({"a": np.array([0, WIDE], np.int32), "b": np.array([0, 1], np.int64)}),
        pd.DataFrame({"a": pd.array([0, WIDE], dtype="Int64"), "b": [0.5, 1.5]}),
    ],
    ids=[
        "int64",
        "negative",
        "uint32",
        "uint64",
        "list",
        "frame",
        "mixed",
        "int32 of mixed",
        "int32 and int64",
        "Int64",
    ],
)
def test_integers_that_float32_would_round_are_refused(X):
    with pytest.raises(ValueError, match=r"beyond 2\*\*24"):
        SoftTreeClassifier().fit(X, [0, 1])


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int64, np.float64, bool])
def test_integers_that_float32_holds_are_accepted_in_every_type(dtype):
    X = np.array([[0], [1], [0], [1]]) if dtype is bool else np.array([[0], [2], [100], [127]])
    student = SoftTreeClassifier().fit(X.astype(dtype), X[:, 0] > 0)
    assert student.compact_.equals(
        SoftTreeClassifier().fit(X.astype(np.float32), X[:, 0] > 0).compact_
    )
    limit = np.array([[-(2**24)], [2**24]])
    assert SoftTreeClassifier().fit(limit, [0, 1]).predict(limit).tolist() == [0, 1]


def refused(
    message,
    X=((0.0,), (1.0,)),
    y=(0, 1),
    error=ValueError,
    classes=None,
    sample_weight=None,
    **parameters,
):
    with pytest.raises(error, match=message):
        SoftTreeClassifier(**parameters).fit(np.array(X), y, sample_weight, classes=classes)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([[0.5, 0.6], [1, 0]], "row 0 sums to 1.1"),
        ([[1, 0], [1.5, -0.5]], "row 1 has the negative value"),
        ([[1, 0], [0, 0]], "row 1 sums to 0"),
        ([[1, 0], [np.nan, 1]], "NaN"),
        ([[1, 0], [np.inf, 0]], "infinity"),
        ([["a", "b"], ["c", "d"]], "must hold probabilities"),
        ([[1, 0]], "inconsistent numbers"),
        ([0, 1, 0], "inconsistent numbers"),
        ([0.1, 0.7], "continuous"),
        ([0.0, np.nan], "NaN"),
        ([[[1, 0]], [[0, 1]]], "dim"),
        (None, "requires y"),
    ],
    ids=repr,
)
def test_targets_that_are_none_are_refused(y, message):
    refused(message, y=y)


@pytest.mark.parametrize(
    ("y", "classes", "message"),
    [
        ([0, 2], [0, 1], "not among classes"),
        ([[1, 0], [0, 1]], ["a"], "names 1 different classes, y has 2 columns"),
        ([[1, 0], [0, 1]], ["a", "a"], "names 1 different classes"),
        ([[1, 0], [0, 1]], ["a", "b", "c"], "names 3 different classes"),
    ],
)
def test_classes_that_do_not_fit_the_targets_are_refused(y, classes, message):
    refused(message, y=y, classes=classes)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[0.0], [np.inf]], "infinity"),
        ([[0.0], [-np.inf]], "infinity"),
        ([[0.0], [1e39]], "too large"),
        ([["a"], ["b"]], "could not convert|dtype"),
        (np.empty((0, 1)), "0 sample"),
        (np.empty((2, 0)), "0 feature"),
        ([0.0, 1.0], "2D array"),
    ],
    ids=repr,
)
def test_rows_that_cannot_be_learnt_from_are_refused(X, message):
    refused(message, X=X)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1, -1], "[Nn]egative"),
        ([0, 0], "positive for at least one|non-zero"),
        ([1, np.nan], "NaN"),
        ([1, 1, 1], "sample_weight"),
    ],
)
def test_weights_that_are_none_are_refused(weight, message):
    refused(message, sample_weight=weight)


@pytest.mark.parametrize(
    "parameters",
    [
        {"threshold_bits": 1},
        {"threshold_bits": 17},
        {"threshold_bits": 8.0},
        {"value_bits": 1},
        {"value_bits": 17},
        {"value_bits": "binary"},
        {"criterion": "gini"},
        {"max_leaf_nodes": 1},
        {"max_depth": 0},
        {"min_samples_leaf": 0},
        {"min_weight_fraction_leaf": 0.6},
        {"ccp_alpha": -1.0},
    ],
    ids=repr,
)
def test_parameters_out_of_range_are_refused_by_name(parameters):
    refused(next(iter(parameters)), **parameters)


def test_a_column_vector_is_a_warning_and_then_labels():
    X, y = np.arange(6.0)[:, None], np.arange(6) > 2
    with pytest.warns(DataConversionWarning, match="column-vector"):
        student = SoftTreeClassifier().fit(X, y[:, None])
    assert student.compact_.equals(SoftTreeClassifier().fit(X, y).compact_)


def test_an_unfitted_tree_says_so(tmp_path):
    student = SoftTreeClassifier()
    ask = [
        lambda: student.predict([[0]]),
        lambda: student.predict_proba([[0]]),
        lambda: student.decision_function([[0]]),
        lambda: student.score([[0]], [0]),
        lambda: student.to_onnx(),
        lambda: student.save(tmp_path / "x"),
    ]
    for question in ask:
        with pytest.raises(NotFittedError):
            question()


def test_predictions_refuse_another_number_or_other_names_of_columns():
    X, P, _ = data(0, 50, 2)
    student = SoftTreeClassifier().fit(pd.DataFrame(X, columns=list("abcd")), P)
    assert student.compact_.feature_names == ("a", "b", "c", "d")
    with pytest.raises(ValueError, match="feature names"):
        student.predict(pd.DataFrame(X, columns=list("abdc")))
    with pytest.raises(ValueError, match="features"):
        SoftTreeClassifier().fit(X, P).predict(X[:, :2])


@pytest.mark.parametrize("K", [2, 4])
def test_every_answer_is_a_reading_of_the_compact_model(K, tmp_path):
    X, P, weight = data(K, 300, K)
    student = SoftTreeClassifier(max_leaf_nodes=20).fit(with_nan(X), P, weight)
    rows = adversarial_rows(student.compact_, 0, n=200)
    scores = student.compact_.scores(rows)
    assert student.predict(rows).tolist() == student.compact_.predict(rows).tolist()
    assert np.array_equal(student.predict_proba(rows), student.compact_.predict_proba(rows))
    assert np.array_equal(student.predict_log_proba(rows), np.log(student.predict_proba(rows)))
    decision = student.decision_function(rows)
    assert np.array_equal(decision, (scores * student.compact_.scale).reshape(decision.shape))
    assert decision.shape == ((200,) if K == 2 else (200, K))
    assert student.score(rows, student.predict(rows)) == 1
    student.save(tmp_path / "tree.skd")
    assert skdistill.load(tmp_path / "tree.skd").equals(student.compact_)
    session = ort.InferenceSession(
        student.to_onnx(tmp_path / "tree.onnx", input_dtype="float64").SerializeToString()
    )
    label, _, told = session.run(None, {"X": rows})
    assert label.tolist() == student.predict(rows).tolist()
    assert np.array_equal(told, scores)
    assert (tmp_path / "tree.onnx").stat().st_size > 0


def test_score_is_the_accuracy_on_labels():
    X, P, weight = data(0, 200, 3)
    student = SoftTreeClassifier().fit(X, P)
    right = student.predict(X) == P.argmax(axis=1)
    assert student.score(X, P.argmax(axis=1)) == right.mean()
    expected = pytest.approx(np.average(right, weights=weight))
    assert student.score(X, P.argmax(axis=1), weight) == expected
    for table in (P, pd.DataFrame(P)):
        with pytest.raises(ValueError, match=r"of shape \(200, 3\): .* use .*soft_log_loss\(y, "):
            student.score(X, table)


def test_importances_are_shares_of_the_gain():
    X, P, weight = data(0, 500, 3)
    X[:, 2] = 0
    student = SoftTreeClassifier().fit(X, P, weight)
    assert student.feature_importances_.sum() == pytest.approx(1)
    assert student.feature_importances_[2] == 0
    assert (student.feature_importances_[[0, 1, 3]] > 0).all()


@pytest.mark.parametrize("K", [2, 4])
@pytest.mark.parametrize("share", [0.3, 50.0])
def test_with_hints_it_grows_as_scikit_learns_regressor_on_all_columns(K, share):
    X, P, weight = data(K, 800, K)
    hints = np.column_stack([np.sin(3 * X[:, 0]), 100 * X[:, 1] > 20])
    targets = SoftTargets(P, hints=hints, hint_weight=share)
    student = SoftTreeClassifier(max_leaf_nodes=17).fit(X, targets, weight)
    first = 1 if K == 2 else 0  # both columns of two classes would count twice
    columns = np.column_stack([P[:, first:], targets.scaled_hints(P[:, first:], weight)])
    oracle = DecisionTreeRegressor(max_leaf_nodes=17, random_state=0)
    oracle.fit(X, columns, sample_weight=weight)
    leaf = leaves_of(student, X)
    expected = squared_loss(oracle.apply(X), columns, weight)
    assert squared_loss(leaf, columns, weight) == pytest.approx(expected, rel=1e-6)
    assert len(student.compact_.table(TreeTable).values) == 17
    told = mean_targets(leaf, P, weight)  # the leaves know nothing of hints
    assert np.abs(student.predict_proba(X) - told).max() < 0.03


@pytest.mark.parametrize("hints", [np.zeros((500, 2)), np.eye(500)[:, :3]])
def test_hints_without_weight_or_content_change_nothing(hints):
    X, P, weight = data(0, 500, 3)
    plain = SoftTreeClassifier(max_leaf_nodes=9).fit(X, P, weight)
    targets = SoftTargets(P, hints=hints, hint_weight=0.0)
    guided = SoftTreeClassifier(max_leaf_nodes=9).fit(X, targets, weight)
    assert np.array_equal(guided.compact_.scores(X), plain.compact_.scores(X))


def test_pruning_keeps_its_units_beside_large_hints():
    X, P, weight = data(1, 500, 3)
    hints = X[:, :1] - X[:, 1:2]
    sizes = [
        len(
            SoftTreeClassifier(max_leaf_nodes=64, ccp_alpha=0.003)
            .fit(X, SoftTargets(P, hints=hints, hint_weight=share), weight)
            .compact_.table(TreeTable)
            .values
        )
        for share in (0.0, 1e-6, 100.0)
    ]
    assert sizes[0] == sizes[1] < sizes[2]


def test_entropy_knows_no_hints():
    X, P, _ = data(0, 50, 3)
    with pytest.raises(ValueError, match="hints need criterion='squared_error', got 'entropy'"):
        SoftTreeClassifier("entropy").fit(X, SoftTargets(P, hints=X))
