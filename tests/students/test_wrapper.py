"""Plain scikit-learn classifiers as students, against those classifiers themselves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, load_wine, make_classification
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import SoftLinearClassifier, SoftTreeClassifier, StudentAdapter
from skdistill.compact import LinearTable, TreeTable, evaluate
from skdistill.compact.tables.limits import value_limits
from skdistill.metrics import kl_divergence
from skdistill.targets import SoftTargets, temper

FINE = {"threshold_bits": 8, "value_bits": 16}


def few_values(K, missing=0.0, n=400):
    """Columns of at most 254 distinct values: the grid keeps them all apart."""
    X, y = make_classification(
        n, 6, n_informative=4, n_redundant=0, n_classes=K, n_clusters_per_class=1, flip_y=0.2,
        class_sep=0.7, random_state=K,
    )  # fmt: skip
    X = np.rint(8 * X)
    rng = np.random.default_rng(0)
    X[rng.random(X.shape) < missing * (np.arange(6) % 2)] = np.nan
    assert max(len(np.unique(column)) for column in X.T) <= 254
    return X, y


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize(
    "tree",
    [
        DecisionTreeClassifier(max_leaf_nodes=20, random_state=0),
        DecisionTreeClassifier(criterion="entropy", max_depth=5, random_state=1),
        DecisionTreeClassifier(random_state=2),
        DecisionTreeClassifier(max_features=2, min_samples_leaf=5, random_state=3),
    ],
    ids=["best-first", "entropy", "full", "few-features"],
)
@pytest.mark.parametrize("K", [2, 4])
def test_tree_predicts_what_scikit_learns_does(K, tree, missing):
    X, y = few_values(K, missing)
    adapted = StudentAdapter(tree, **FINE).fit(X, y)
    plain = clone(tree).fit(X, y)
    assert adapted.estimator_.tree_.node_count == plain.tree_.node_count
    assert adapted.predict(X).tolist() == plain.predict(X).tolist()
    # Odds are clipped at 1000 : 1.
    assert adapted.predict_proba(X) == pytest.approx(plain.predict_proba(X), abs=K / 1000)
    assert adapted.feature_importances_ == pytest.approx(plain.feature_importances_)


def test_missing_parts_from_everything_else():
    X = np.array([[1.0], [5.0], [9.0], [np.nan]])
    adapted = StudentAdapter(DecisionTreeClassifier()).fit(X, [0, 0, 0, 1])
    rows = [[-np.inf], [5.0], [9.0], [np.nan]]
    assert adapted.predict(rows).tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("K", [2, 4])
def test_nan_in_a_column_that_had_none_goes_where_scikit_learn_sends_it(K):
    X, y = few_values(K)
    tree = DecisionTreeClassifier(max_leaf_nodes=20, random_state=0)
    adapted, plain = StudentAdapter(tree, **FINE).fit(X, y), clone(tree).fit(X, y)
    for j in range(X.shape[1]):
        rows = X.copy()
        rows[:, j] = np.nan
        assert adapted.predict(rows).tolist() == plain.predict(rows).tolist()


def test_digits_tree_in_sixteen_levels():
    X, y = load_digits(return_X_y=True)
    tree = DecisionTreeClassifier(max_leaf_nodes=64, random_state=0)
    adapted = StudentAdapter(tree, threshold_bits=5).fit(X[:900], y[:900])
    plain = clone(tree).fit(X[:900], y[:900])
    assert adapted.predict(X[:900]).tolist() == plain.predict(X[:900]).tolist()
    assert adapted.score(X[900:], y[900:]) == pytest.approx(plain.score(X[900:], y[900:]), abs=0.02)


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("bits", ["ternary", 2, 5, 8, 16])
@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
@pytest.mark.parametrize("K", [2, 4])
def test_forest_votes_softly(K, kind, bits, missing):
    """Every vote is rounded once, so the mean is no farther off than half a step."""
    X, y = few_values(K, missing)
    forest = kind(7, max_depth=4, random_state=0)
    adapted = StudentAdapter(forest, value_bits=bits).fit(X, y)
    votes = clone(forest).fit(codes(X), y, np.ones(len(X))).predict_proba(codes(X))
    if K == 2:
        step = 1 / (2 * value_limits(bits, signed=True)[1])
    else:
        low, high = value_limits(bits, signed=False)
        step = 1 / (high - low)
    model = adapted.compact_
    voted = model.scores(X) * model.scale + (0.5 if K == 2 else 0)
    wanted = votes[:, 1:] if K == 2 else votes
    assert np.abs(voted - wanted).max() <= step / 2 + 1e-6
    assert adapted.predict_proba(X).sum(axis=1) == pytest.approx(np.ones(len(X)))
    if bits == 16:
        assert adapted.predict_proba(X) == pytest.approx(votes, abs=K * step)


def codes(X):
    """Rank of each value in its column, which a grid that keeps all apart gives."""
    ranks = np.full(X.shape, np.nan, np.float32)
    for j, column in enumerate(X.T):
        known = ~np.isnan(column)
        ranks[known, j] = np.unique(column[known], return_inverse=True)[1]
    return ranks


@pytest.mark.parametrize("K", [2, 4])
def test_logistic_regression_is_scikit_learns(K):
    X, y = few_values(K)
    adapted = StudentAdapter(LogisticRegression(C=0.3, tol=1e-6), threshold_bits=16, value_bits=16)
    adapted.fit(X, y)
    Z = StandardScaler().fit_transform(X)
    plain = LogisticRegression(C=0.3, tol=1e-6).fit(Z, y)
    assert adapted.estimator_.coef_ == pytest.approx(plain.coef_, abs=1e-3)
    assert adapted.predict(X).tolist() == plain.predict(Z).tolist()
    assert adapted.predict_proba(X) == pytest.approx(plain.predict_proba(Z), abs=1e-3)
    size = np.abs(plain.coef_).sum(axis=0)
    assert adapted.feature_importances_ == pytest.approx(size / size.sum(), abs=1e-3)


def test_soft_labels_are_rows_repeated_by_their_probabilities():
    X = few_values(4)[0]
    P = np.random.default_rng(0).dirichlet(np.full(4, 0.3), len(X))
    P[P < 0.05] = 0
    P /= P.sum(axis=1, keepdims=True)
    for estimator in (
        DecisionTreeClassifier(max_leaf_nodes=9, random_state=0),
        LogisticRegression(),
    ):
        soft = StudentAdapter(estimator, value_bits=16).fit(X, P)
        row, number = np.nonzero(P)
        repeated = StudentAdapter(estimator, value_bits=16).fit(X[row], number, P[row, number])
        assert soft.predict_proba(X) == pytest.approx(repeated.predict_proba(X), abs=0.01)


@pytest.mark.parametrize("K", [2, 3])
def test_gini_on_repeated_rows_is_squared_error_on_soft_targets(K):
    X = few_values(K)[0]
    P = np.random.default_rng(1).dirichlet(np.full(K, 0.3), len(X))
    tree = DecisionTreeClassifier(max_leaf_nodes=12, random_state=0)
    adapted = StudentAdapter(tree, **FINE).fit(X, P)
    grown = SoftTreeClassifier(max_leaf_nodes=12, **FINE).fit(X, P)
    assert adapted.predict(X).tolist() == grown.predict(X).tolist()
    assert adapted.predict_proba(X) == pytest.approx(grown.predict_proba(X), abs=1e-3)


def taught(K, alpha=0.4, T=3.0, n=400):
    X, y = few_values(K, n=n)
    rng = np.random.default_rng(5)
    P = rng.dirichlet(np.full(K, 0.5), n)
    weight = rng.random(n) * (np.arange(n) % 7 > 0)
    return X, SoftTargets(P, np.where(np.arange(n) % 3 > 0, y, -1), alpha, T), weight


@pytest.mark.parametrize("K", [2, 4])
def test_leaves_hold_the_untempered_means(K):
    X, targets, weight = taught(K)
    tree = DecisionTreeClassifier(max_leaf_nodes=10, random_state=0)
    adapted = StudentAdapter(tree, value_bits=16).fit(X, targets, weight)
    assert adapted.classes_.tolist() == list(range(K))
    leaf = evaluate.leaves(adapted.compact_, X)[:, 0]
    P = adapted.predict_proba(X)
    for number in range(10):
        rows = leaf == number
        mean = np.average(targets.mixture()[rows], axis=0, weights=weight[rows])
        assert P[rows][0] == pytest.approx(mean, abs=1e-3)
    flat = SoftTargets(targets.mixture(3.0))
    structure = StudentAdapter(tree, value_bits=16).fit(X, flat, weight)
    assert evaluate.leaves(structure.compact_, X).tolist() == leaf[:, None].tolist()
    assert structure.predict_proba(X).max() < P.max()


@pytest.mark.parametrize("K", [2, 4])
def test_logits_are_sharpened_to_the_untempered_targets(K):
    rng = np.random.default_rng(K)
    X = rng.normal(size=(3000, 3))
    P = softmax(2 * X @ rng.normal(size=(3, K)), axis=1)
    adapted = StudentAdapter(LogisticRegression(C=100), threshold_bits=12, value_bits=12)
    student = adapted.fit(X, SoftTargets(P, temperature=4.0)).predict_proba(X)
    assert kl_divergence(P, student) < 1e-3
    assert kl_divergence(P, temper(student, 4.0)) > 0.05


def test_rows_without_weight_are_not_seen():
    X, y = few_values(4)
    seen = np.arange(len(X)) % 4 > 0
    spoilt = np.where(seen[:, None], X, 1e6)
    for estimator in (
        DecisionTreeClassifier(max_leaf_nodes=9, random_state=0),
        RandomForestClassifier(3, random_state=0),
        LogisticRegression(),
    ):
        a = StudentAdapter(estimator).fit(spoilt, y, seen.astype(float))
        b = StudentAdapter(estimator).fit(X[seen], y[seen])
        assert a.compact_.equals(b.compact_)


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeClassifier(max_leaf_nodes=6, random_state=0),
        RandomForestClassifier(5, max_depth=3, random_state=0),
        LogisticRegression(),
    ],
    ids=["tree", "forest", "linear"],
)
class TestClasses:
    def test_labels_of_any_kind(self, estimator):
        X, y = load_iris(return_X_y=True)
        plain = StudentAdapter(estimator).fit(X, y)
        for names in (np.array(["a", "b", "c"]), np.array([-5, 2, 900]), np.array([1.0, 2.0, 7.0])):
            other = StudentAdapter(estimator).fit(X, names[y])
            assert other.classes_.tolist() == names.tolist()
            assert other.predict(X).tolist() == names[plain.predict(X)].tolist()

    def test_two_of_many(self, estimator):
        X, y = load_iris(return_X_y=True)
        X, y = X[y > 0], 2 * y[y > 0] - 1  # classes 1 and 3
        many = StudentAdapter(estimator, value_bits=16).fit(X, y, classes=range(5))
        two = StudentAdapter(estimator, value_bits=16).fit(X, y)
        assert many.classes_.tolist() == [0, 1, 2, 3, 4]
        assert many.predict(X).tolist() == two.predict(X).tolist()
        P = many.predict_proba(X)
        assert P[:, [0, 2, 4]].max() < 0.002
        assert P[:, [1, 3]] == pytest.approx(two.predict_proba(X), abs=0.005)

    def test_three_of_five(self, estimator):
        X, y = load_iris(return_X_y=True)
        more = StudentAdapter(estimator, value_bits=16).fit(X, y + 1, classes=range(5))
        plain = StudentAdapter(estimator, value_bits=16).fit(X, y)
        assert more.predict(X).tolist() == (plain.predict(X) + 1).tolist()
        P = more.predict_proba(X)
        assert P[:, [0, 4]].max() < 0.002
        assert P[:, 1:4] == pytest.approx(plain.predict_proba(X), abs=0.005)

    def test_constant_rows(self, estimator):
        X, y = np.full((8, 2), 3.0), np.array([0, 1, 1, 1] * 2)
        adapted = StudentAdapter(estimator, value_bits=16).fit(X, y)
        if not isinstance(estimator, RandomForestClassifier):  # which draws its own shares
            assert adapted.predict_proba(X)[0] == pytest.approx([0.25, 0.75], abs=1e-3)
        assert adapted.predict([[-7.0, 1e9]]).tolist() == [1]
        assert adapted.feature_importances_.tolist() == [0, 0]

    def test_constant_columns(self, estimator):
        X, y = load_wine(return_X_y=True)
        X[:, [0, 5]] = 1.0
        adapted = StudentAdapter(estimator).fit(X, y)
        assert adapted.feature_importances_[[0, 5]].tolist() == [0, 0]
        assert adapted.feature_importances_.sum() == pytest.approx(1)
        assert adapted.score(X, y) > 0.9

    def test_bits(self, estimator):
        X, y = load_wine(return_X_y=True)
        for bits in ("ternary", 2, 3, 8, 16):
            adapted = StudentAdapter(estimator, threshold_bits=4, value_bits=bits).fit(X, y)
            model = adapted.compact_
            values = (
                model.table(LinearTable).weights
                if not model.tables_of(TreeTable)
                else model.table(TreeTable).values
            ).ravel()
            low, high = value_limits(bits, signed=bool(values.min() < 0))
            assert low <= values.min() < values.max() <= high
            assert adapted.score(X, y) > 0.75
            if model.tables_of(TreeTable):
                assert model.table(TreeTable).grid.counts.max() <= 14
            else:
                assert model.table(LinearTable).input_bits == 4

    def test_the_users_estimator_is_not_touched(self, estimator):
        X, y = load_iris(return_X_y=True)
        before = estimator.get_params()
        adapted = StudentAdapter(estimator).fit(X, y)
        assert not hasattr(estimator, "classes_")
        assert adapted.estimator is estimator
        assert type(adapted.estimator_) is type(estimator)
        assert estimator.get_params() == before


def test_one_class_of_trees():
    X = load_iris().data
    for estimator in (DecisionTreeClassifier(), RandomForestClassifier(3)):
        adapted = StudentAdapter(estimator).fit(X, np.full(150, "only"))
        assert adapted.predict(X[:2]).tolist() == ["only", "only"]
        assert adapted.predict_proba(X[:2]).tolist() == [[1.0], [1.0]]


@pytest.mark.parametrize(
    "estimator",
    [
        GaussianNB(),
        HistGradientBoostingClassifier(),
        SoftTreeClassifier(),
        SoftLinearClassifier(),
        StudentAdapter(DecisionTreeClassifier()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_refuses_what_it_cannot_read(estimator):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(TypeError, match="DecisionTreeClassifier, RandomForestClassifier"):
        StudentAdapter(estimator).fit(X, y)


@pytest.mark.parametrize("estimator", [LinearSVC(), DecisionTreeRegressor(), None, "tree"])
def test_refuses_what_gives_no_probabilities(estimator):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="'estimator' parameter of StudentAdapter"):
        StudentAdapter(estimator).fit(X, y)


@pytest.mark.parametrize(
    "kind", [DecisionTreeClassifier, RandomForestClassifier, ExtraTreesClassifier]
)
def test_nan_where_the_estimator_allows_it(kind):
    X, y = few_values(3, missing=0.3)
    adapted = StudentAdapter(kind(random_state=0, max_leaf_nodes=30)).fit(X, y)
    assert adapted.score(X, y) > 0.6
    rows = np.where(np.isnan(X), np.nan, np.where(X > 0, 1e30, -1e30))
    beyond = np.copysign(np.inf, rows, where=~np.isnan(rows), out=rows.copy())
    assert adapted.predict(beyond).tolist() == adapted.predict(rows).tolist()
    X[0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        adapted.fit(X, y)


def test_nan_where_the_estimator_refuses_it():
    X, y = few_values(3, missing=0.3)
    with pytest.raises(ValueError, match="NaN"):
        StudentAdapter(LogisticRegression()).fit(X, y)
    adapted = StudentAdapter(LogisticRegression()).fit(np.nan_to_num(X), y)
    with pytest.raises(ValueError, match="NaN"):
        adapted.predict(X)
