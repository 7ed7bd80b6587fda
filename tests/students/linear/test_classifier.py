"""The linear student, against scikit-learn's LogisticRegression and its own loss."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skdistill import SoftLinearClassifier, StudentAdapter
from skdistill.compact import LinearTable
from skdistill.compact.tables.limits import value_limits
from skdistill.compact.tables.linear_table import quantize_input
from skdistill.metrics import kl_divergence
from skdistill.targets import SoftTargets, temper

L2 = 1e-2
FINE = {"input_bits": 16, "weight_bits": 16}


def wine(K):
    """No value beyond eight deviations, where inputs saturate."""
    X, y = load_wine(return_X_y=True)
    return X, y if K == 3 else np.where(y == 1, 1, 0)


def logistic_regression(X, y, weight):
    """The same objective: l2_regularization beside the mean loss is C beside the sum."""
    weight = np.ones(len(X)) if weight is None else weight
    scaler = StandardScaler().fit(X, sample_weight=weight)
    model = LogisticRegression(C=1 / (L2 * weight.sum()), tol=1e-8, max_iter=1000)
    return model.fit(scaler.transform(X), y, sample_weight=weight), scaler


def standardised_coef(linear, X, weight):
    """Weights in units of each column's deviation, read off the integer tables."""
    table = linear.compact_.table(LinearTable)
    q = quantize_input(X.astype(np.float32), table).astype(np.float64)
    weight = np.ones(len(X)) if weight is None else weight
    mean = np.average(q, axis=0, weights=weight)
    deviation = np.sqrt(np.average((q - mean) ** 2, axis=0, weights=weight))
    return (linear.compact_.scale * table.weights * deviation[:, None]).T


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("K", [2, 3])
def test_hard_labels_give_logistic_regression(K, weighted):
    X, y = wine(K)
    weight = np.random.default_rng(0).random(len(X)) if weighted else None
    linear = SoftLinearClassifier(L2, **FINE).fit(X, y, weight)
    model, scaler = logistic_regression(X, y, weight)
    assert standardised_coef(linear, X, weight) == pytest.approx(model.coef_, abs=3e-3)
    Z = scaler.transform(X)
    assert linear.predict_proba(X) == pytest.approx(model.predict_proba(Z), abs=3e-3)
    assert linear.predict(X).tolist() == model.predict(Z).tolist()
    z = linear.decision_function(X)
    theirs = model.decision_function(Z)
    if K == 3:  # logits are free up to a constant a row
        z, theirs = (a - a.mean(axis=1, keepdims=True) for a in (z, theirs))
    assert z == pytest.approx(theirs, abs=1e-2)


@pytest.mark.parametrize("K", [2, 3])
def test_eight_bits_cost_little(K):
    X, y = wine(K)
    model, scaler = logistic_regression(X, y, None)
    linear = SoftLinearClassifier(L2).fit(X, y)
    assert np.abs(linear.predict_proba(X) - model.predict_proba(scaler.transform(X))).max() < 0.03


def test_soft_labels_are_rows_repeated_by_their_probabilities():
    X = load_iris().data
    P = np.random.default_rng(0).dirichlet(np.ones(3), len(X))
    soft = SoftLinearClassifier(L2, **FINE).fit(X, P)
    repeated = SoftLinearClassifier(L2, **FINE).fit(
        np.repeat(X, 3, axis=0), np.tile([0, 1, 2], len(X)), P.ravel()
    )
    assert soft.predict_proba(X) == pytest.approx(repeated.predict_proba(X), abs=1e-4)


def test_rows_without_weight_are_not_seen():
    X, y = load_wine(return_X_y=True)
    seen = np.arange(len(X)) % 4 > 0
    spoilt = np.where(seen[:, None], X, 1e6)
    a = SoftLinearClassifier().fit(spoilt, np.where(seen, y, 2 - y), seen.astype(float))
    b = SoftLinearClassifier().fit(X[seen], y[seen])
    assert (
        a.compact_.table(LinearTable).offset.tolist()
        == b.compact_.table(LinearTable).offset.tolist()
    )
    assert (
        a.compact_.table(LinearTable).inv_step.tolist()
        == b.compact_.table(LinearTable).inv_step.tolist()
    )
    assert a.predict_proba(X) == pytest.approx(b.predict_proba(X), abs=0.02)
    assert a.predict(X).tolist() == b.predict(X).tolist()


@pytest.mark.parametrize("K", [2, 4])
@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_probabilities_need_no_untempering(K, alpha):
    """The truth is linear, so at T = 4 a perfect student is the truth and not its root."""
    rng = np.random.default_rng(K)
    X = rng.normal(size=(20_000, 3))
    z = 2 * X @ rng.normal(size=(3, K))
    P = softmax(z, axis=1)
    y = (rng.random((len(X), 1)) > P.cumsum(axis=1)).sum(axis=1)
    targets = SoftTargets(P, y, alpha, 4.0)
    student = SoftLinearClassifier(0.0, **FINE).fit(X, targets).predict_proba(X)
    assert kl_divergence(P, student) < 1e-3
    assert kl_divergence(P, temper(student, 4.0)) > 0.05
    assert kl_divergence(P, temper(student, 0.25)) > 0.05


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("bits", ["ternary", *range(2, 17)])
def test_weights_fit_their_bits(K, bits):
    X, y = wine(K)
    model = SoftLinearClassifier(weight_bits=bits, input_bits=6).fit(X, y).compact_
    low, high = value_limits(bits, signed=True)
    assert model.table(LinearTable).value_bits == bits
    assert (
        low
        <= model.table(LinearTable).weights.min()
        < 0
        < model.table(LinearTable).weights.max()
        <= high
    )
    if bits != "ternary" and bits >= 8:  # nothing is clipped: the range is used up
        assert np.abs(model.table(LinearTable).weights).max() == high
    assert model.table(LinearTable).input_bits == 6
    q = quantize_input(X.astype(np.float32), model.table(LinearTable))
    assert 15 < np.abs(q).max() <= 31  # a step is a power of two
    assert model.score_bound.max() < 2**31


def test_few_bits_narrow_the_range_of_the_weights():
    """Rounded against the largest weight most others would be 0."""
    X, y = load_breast_cancer(return_X_y=True)
    ternary = SoftLinearClassifier(weight_bits="ternary").fit(X, y)
    assert set(np.unique(ternary.compact_.table(LinearTable).weights)) == {-1, 0, 1}
    real = SoftLinearClassifier(weight_bits=16).fit(X, y)
    largest = np.abs(real.compact_.table(LinearTable).weights).max()
    not_narrowed = (np.abs(real.compact_.table(LinearTable).weights) > largest / 2).sum()
    assert (ternary.compact_.table(LinearTable).weights != 0).sum() > not_narrowed
    assert ternary.score(X, y) > 0.94


def test_constant_columns_are_not_read():
    X, y = load_iris(return_X_y=True)
    wide = np.column_stack([np.full(150, 7.0), X[:, :2], np.zeros(150), X[:, 2:]])
    a, b = SoftLinearClassifier().fit(wide, y), SoftLinearClassifier().fit(X, y)
    assert a.compact_.table(LinearTable).features.tolist() == [1, 2, 4, 5]
    assert a.compact_.scores(wide).tolist() == b.compact_.scores(X).tolist()
    assert a.feature_importances_[[1, 2, 4, 5]] == pytest.approx(b.feature_importances_)
    assert a.feature_importances_[[0, 3]].tolist() == [0, 0]


@pytest.mark.parametrize("y", [[0, 0, 1, 0], [0, 1, 2, 2]])
def test_constant_rows_give_the_shares_of_the_classes(y):
    X = np.full((4, 2), 3.0)
    linear = SoftLinearClassifier(weight_bits=16).fit(X, y)
    assert not linear.compact_.tables_of(LinearTable)
    assert linear.predict_proba(X)[0] == pytest.approx(np.bincount(y) / 4, abs=1e-3)
    assert linear.feature_importances_.tolist() == [0, 0]
    assert linear.predict([[np.float32(5), -5]]) == np.bincount(y).argmax()


def test_one_class_and_a_class_that_no_row_has():
    X, y = load_iris(return_X_y=True)
    one = SoftLinearClassifier().fit(X, np.full(150, "only"))
    assert one.predict(X[:2]).tolist() == ["only", "only"]
    assert one.predict_proba(X[:2]).tolist() == [[1.0], [1.0]]
    assert one.n_iter_ == 0
    names = np.array(["setosa", "versicolor", "virginica"])
    more = SoftLinearClassifier().fit(X, names[y], classes=["zinnia", *names])
    assert more.classes_.tolist() == [*names, "zinnia"]
    assert more.predict_proba(X)[:, 3].max() < 0.01
    assert more.score(X, names[y]) > 0.95


def test_classes_name_the_columns_of_probabilities():
    X, y = load_iris(return_X_y=True)
    P = np.eye(3)[y]
    plain = SoftLinearClassifier().fit(X, P)
    assert plain.classes_.tolist() == [0, 1, 2]
    named = SoftLinearClassifier().fit(X, P[:, [2, 0, 1]], classes=["c", "a", "b"])
    framed = SoftLinearClassifier().fit(X, pd.DataFrame(P[:, [2, 0, 1]], columns=["c", "a", "b"]))
    hard = SoftLinearClassifier().fit(X, np.array(["a", "b", "c"])[y])
    for other in (named, framed, hard):
        assert other.classes_.tolist() == ["a", "b", "c"]
        assert other.compact_.scores(X).tolist() == plain.compact_.scores(X).tolist()


def test_far_values_saturate_and_outliers_do_not_take_the_resolution():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 1))
    y = (X[:, 0] > 0).astype(int)
    X[0] = 1e9 * (2 * y[0] - 1)
    linear = SoftLinearClassifier().fit(X, y)
    assert quantize_input(X.astype(np.float32), linear.compact_.table(LinearTable))[0] == 127 * (
        2 * y[0] - 1
    )
    # Eight deviations of a column with such a value are still wide: no more than that.
    deviation = X.std()
    step = 1 / linear.compact_.table(LinearTable).inv_step[0]
    assert step / 2 < 8 * deviation / 127 <= step
    edge = linear.predict_proba([[1e12]])
    assert edge.tolist() == linear.predict_proba([[1e300]]).tolist()


def test_integer_columns_equal_the_same_floats():
    X, y = load_wine(return_X_y=True)
    X = np.rint(10 * X)
    models = [SoftLinearClassifier().fit(X.astype(dtype), y) for dtype in ("f8", "f4", "i4", "i8")]
    for model in models[1:]:
        assert model.compact_.equals(models[0].compact_)


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e39])
def test_refuses_what_has_no_place_on_the_line(value):
    X, y = load_iris(return_X_y=True)
    X[3, 2] = value
    with pytest.raises(ValueError, match=r"infinity"):
        SoftLinearClassifier().fit(X, y)


def test_nan_and_infinity_are_defined_in_predict():
    X, y = load_iris(return_X_y=True)
    linear = SoftLinearClassifier().fit(X, y)
    rows = np.array([[np.nan] * 4, [np.inf] * 4, [1e300] * 4])
    scores = linear.compact_.scores(rows)
    assert scores[0].tolist() == linear.compact_.bias.tolist()
    assert scores[1].tolist() == scores[2].tolist()
    assert linear.predict(rows).tolist() == linear.compact_.predict(rows).tolist()


def test_says_when_it_stops_too_early():
    X, y = load_wine(return_X_y=True)
    with pytest.warns(ConvergenceWarning, match="max_iter=3 steps"):
        linear = SoftLinearClassifier(max_iter=3).fit(X, y)
    assert linear.n_iter_ == 3
    assert 3 < SoftLinearClassifier().fit(X, y).n_iter_ < 1000


def test_importances_are_shares_of_the_standardised_weights():
    X, y = load_wine(return_X_y=True)
    linear = SoftLinearClassifier(L2, **FINE).fit(X, y)
    size = np.abs(logistic_regression(X, y, None)[0].coef_).sum(axis=0)
    assert linear.feature_importances_ == pytest.approx(size / size.sum(), abs=1e-3)


@pytest.mark.parametrize(
    "parameters",
    [
        {"l2_regularization": -1.0},
        {"max_iter": 0},
        {"tol": 0.0},
        {"input_bits": 1},
        {"input_bits": 17},
        {"weight_bits": 1},
        {"weight_bits": "binary"},
    ],
)
def test_parameters_are_checked(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        SoftLinearClassifier(**parameters).fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize("weight", [[0.0, 0.0], [-1.0, 2.0], [1.0], [np.nan, 1.0]])
def test_weights_are_checked(weight):
    with pytest.raises(ValueError, match="weight"):
        SoftLinearClassifier().fit([[0.0], [1.0]], [0, 1], weight)


def test_hints_are_refused_where_there_is_no_structure():
    X, y = load_wine(return_X_y=True)
    targets = SoftTargets(np.eye(3)[y], hints=X)
    for student in (SoftLinearClassifier(), StudentAdapter(DecisionTreeClassifier())):
        with pytest.raises(ValueError, match=f"{type(student).__name__} cannot use hints"):
            student.fit(X, targets)
