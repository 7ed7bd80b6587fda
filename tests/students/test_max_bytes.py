"""`max_bytes` of all students: never exceeded, nearly used up, and otherwise no other model."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import (
    DistilledClassifier,
    DistilledRegressor,
    SoftBoostingClassifier,
    SoftBoostingRegressor,
    SoftLinearClassifier,
    SoftLinearRegressor,
    SoftNetClassifier,
    SoftNetRegressor,
    SoftTreeClassifier,
    SoftTreeRegressor,
)
from skdistill.compact import LinearTable, TreeTable
from skdistill.compact.file_format import to_bytes
from skdistill.metrics import model_size_scorer
from skdistill.model_selection import best_under


def table(seed, *, regression, categories=False, missing=False):
    """Random rows with weights: a frame with columns of categories, or an array."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(150, 500)), int(rng.integers(2, 7))
    X = rng.normal(size=(n, d)).round(int(rng.integers(0, 4)))
    signal = np.sin(2 * X[:, 0]) + X[:, 1] / 2 + 0.3 * rng.normal(size=n)
    if missing:
        X[rng.random(X.shape) < 0.1] = np.nan
    if categories:
        X = pd.DataFrame(X, columns=[f"x{j}" for j in range(d)])
        for name, count in (("many", 90), ("some", 30)):
            codes = rng.integers(0, count, n)
            X[name] = pd.Categorical([f"{name} {code}" for code in codes])
            signal += (codes % 7 > 3) * rng.uniform(1, 2)
    weight = rng.uniform(0.5, 2, n)
    if regression:
        y = np.column_stack([signal, signal**2])[:, : int(rng.integers(1, 3))]
        return X, y, weight
    n_classes = int(rng.integers(2, 5))
    levels = np.quantile(signal, np.linspace(0, 1, n_classes + 1)[1:-1])
    return X, np.digitize(signal, levels), weight


def smallest_size(student, data):
    """Bytes that the error of too few bytes names; 1 where there is none."""
    try:
        assert student.set_params(max_bytes=1).fit(*data).compact_.nbytes == 1
    except ValueError as error:
        found = re.fullmatch(r"max_bytes=1 is too small: .* takes ([0-9]+) bytes", str(error))
        assert found and int(found[1]) > 1
        return int(found[1])
    return 1


KINDS = [
    {"regression": False},
    {"regression": True},
    {"regression": False, "categories": True},
    {"regression": True, "categories": True},
    {"regression": False, "missing": True},
]


class TestTrees:
    @pytest.mark.parametrize("kind", KINDS, ids=str)
    @pytest.mark.parametrize("seed", range(4))
    def test_as_many_leaves_as_fit(self, kind, seed):
        data = table(seed, **kind)
        Tree = SoftTreeRegressor if kind["regression"] else SoftTreeClassifier
        whole = Tree(max_leaf_nodes=None).fit(*data).compact_.nbytes
        smallest = smallest_size(Tree(), data)
        rng = np.random.default_rng(seed)
        for max_bytes in [smallest, *rng.integers(smallest, whole, 3).tolist()]:
            tree = Tree(max_bytes=max_bytes).fit(*data)
            assert tree.compact_.nbytes <= max_bytes
            if "categories" in kind:
                continue
            n_leaves = len(tree.compact_.table(TreeTable).values)
            equal = Tree(max_leaf_nodes=n_leaves).fit(*data)
            assert to_bytes(equal.compact_) == to_bytes(tree.compact_)
            larger = Tree(max_leaf_nodes=n_leaves + 1).fit(*data)
            assert larger.compact_.nbytes > max_bytes or n_leaves == rows(data)

    @pytest.mark.parametrize("Tree", [SoftTreeClassifier, SoftTreeRegressor])
    @pytest.mark.parametrize("settings", [{}, {"max_leaf_nodes": 20}, {"ccp_alpha": 1e-3}], ids=str)
    def test_enough_bytes_change_nothing(self, Tree, settings):
        data = table(3, regression=Tree is SoftTreeRegressor, categories=True)
        free = Tree(**{"max_leaf_nodes": None, **settings}).fit(*data)
        limited = Tree(max_bytes=10**6, **settings).fit(*data)
        assert to_bytes(limited.compact_) == to_bytes(free.compact_)
        assert (limited.feature_importances_ == free.feature_importances_).all()

    def test_without_max_bytes_there_are_64_leaves(self):
        X, y, weight = table(1, regression=True)
        values = SoftTreeRegressor().fit(X, y, weight).compact_.table(TreeTable).values
        assert len(values) == 64

    def test_columns_of_categories_are_read_where_they_fit(self):
        rng = np.random.default_rng(0)
        codes = rng.integers(0, 100, 2000)
        X = pd.DataFrame({"x": rng.normal(size=2000), "code": [f"c{code}" for code in codes]})
        y = (codes % 2 == 0) ^ (X["x"].to_numpy() > 1.5)
        small, large = (SoftTreeClassifier(max_bytes=b).fit(X, y) for b in (60, 200))
        assert small.compact_.columns.tolist() == [0]
        assert large.compact_.columns.tolist() == [0, 1]
        assert large.score(X, y) > 0.9 > small.score(X, y)
        with pytest.raises(ValueError, match=r"a tree of two leaves takes 10[0-9] bytes"):
            SoftTreeClassifier(max_bytes=60).fit(X[["code"]], y)

    @pytest.mark.parametrize("max_bytes", [30, 60, 120])
    def test_refined_trees_stay_within(self, max_bytes):
        X, y, weight = table(5, regression=False)
        tree = SoftTreeClassifier(max_bytes=max_bytes, tao_n_iter=3, ccp_alpha=1e-4)
        tree.fit(X, y, weight)
        assert 0.7 * max_bytes < tree.compact_.nbytes <= max_bytes

    def test_what_needs_no_split_fits(self):
        X = np.zeros((10, 2))
        assert SoftTreeClassifier(max_bytes=1).fit(X, [0, 1] * 5).compact_.nbytes == 0
        assert SoftTreeClassifier(max_bytes=1).fit(X, np.ones(10)).compact_.nbytes == 0
        assert SoftTreeRegressor(max_bytes=1).fit(X, np.ones(10)).compact_.nbytes == 0


class TestBoosting:
    @pytest.mark.parametrize("settings", [{}, {"init": "linear", "value_bits": "ternary"}], ids=str)
    @pytest.mark.parametrize("kind", KINDS, ids=str)
    @pytest.mark.parametrize("seed", range(2))
    def test_as_many_trees_as_fit(self, kind, seed, settings):
        data = table(seed, **kind)
        Boosting = SoftBoostingRegressor if kind["regression"] else SoftBoostingClassifier
        settings = {"max_leaf_nodes": 4, "random_state": 0, **settings}
        smallest = smallest_size(Boosting(**settings), data)
        rng = np.random.default_rng(seed)
        for max_bytes in [smallest, *rng.integers(smallest, smallest + 500, 2).tolist()]:
            boosted = Boosting(max_bytes=max_bytes, **settings).fit(*data)
            assert boosted.compact_.nbytes <= max_bytes
            if "categories" in kind and "init" not in settings:
                continue  # some columns may have been left out
            same = Boosting(boosted.n_estimators_, **settings).fit(*data)
            assert to_bytes(same.compact_) == to_bytes(boosted.compact_)
            larger = Boosting(boosted.n_estimators_ + 1, **settings).fit(*data)
            assert larger.compact_.nbytes > max_bytes or boosted.compact_.nbytes >= 0.9 * max_bytes

    @pytest.mark.parametrize("Boosting", [SoftBoostingClassifier, SoftBoostingRegressor])
    @pytest.mark.parametrize(
        "settings",
        [{}, {"subsample": 0.5}, {"init": "linear"}, {"n_iter_no_change": 2, "learning_rate": 1.0}],
        ids=str,
    )
    def test_enough_bytes_change_nothing(self, Boosting, settings):
        data = table(3, regression=Boosting is SoftBoostingRegressor, categories=True)
        free = Boosting(12, random_state=0, **settings).fit(*data)
        limited = Boosting(12, max_bytes=10**6, random_state=0, **settings).fit(*data)
        assert to_bytes(limited.compact_) == to_bytes(free.compact_)
        assert limited.n_estimators_ == free.n_estimators_
        assert (limited.feature_importances_ == free.feature_importances_).all()

    def test_without_max_bytes_there_are_16_trees(self):
        data = table(1, regression=True)
        assert SoftBoostingRegressor().fit(*data).n_estimators_ == 16
        with_limit = SoftBoostingRegressor(max_bytes=2000).fit(*data)
        assert with_limit.n_estimators_ > 16

    def test_early_stopping_may_leave_bytes(self):
        X, y, weight = table(4, regression=False)
        settings = {"n_iter_no_change": 1, "learning_rate": 1.0, "random_state": 0}
        stopped = SoftBoostingClassifier(max_bytes=5000, **settings).fit(X, y, weight)
        free = SoftBoostingClassifier(1000, **settings).fit(X, y, weight)
        assert to_bytes(stopped.compact_) == to_bytes(free.compact_)
        assert stopped.compact_.nbytes < 2500

    def test_growth_ends_where_no_split_gains(self):
        X = np.arange(6.0)[:, None] // 3
        constant = SoftBoostingClassifier(max_bytes=3000).fit(np.zeros((6, 1)), [0, 1] * 3)
        assert (constant.n_estimators_, constant.compact_.nbytes) == (1, 0)
        few = SoftBoostingRegressor(max_bytes=3000, learning_rate=1.0).fit(X, X[:, 0])
        assert few.n_estimators_ < 20
        assert few.predict(X) == pytest.approx(X[:, 0], abs=0.01)

    def test_columns_of_categories_are_split_where_they_fit(self):
        rng = np.random.default_rng(0)
        codes = rng.integers(0, 100, 2000)
        X = pd.DataFrame({"x": rng.normal(size=2000), "code": [f"c{code}" for code in codes]})
        y = (codes % 2 == 0) ^ (X["x"].to_numpy() > 1)
        small, large = (
            SoftBoostingClassifier(max_bytes=b, random_state=0).fit(X, y) for b in (80, 250)
        )
        assert small.compact_.columns.tolist() == [0]
        assert large.compact_.columns.tolist() == [0, 1]
        with pytest.raises(ValueError, match=r"one tree of max_leaf_nodes=8 takes 1[0-9]+ bytes"):
            SoftBoostingClassifier(max_bytes=60).fit(X[["code"]], y)

    def test_columns_that_the_start_reads_are_split(self):
        data = table(2, regression=False, categories=True)
        settings = {"init": "linear", "max_leaf_nodes": 4, "random_state": 0}
        smallest = smallest_size(SoftBoostingClassifier(**settings), data)
        boosted = SoftBoostingClassifier(max_bytes=smallest + 200, **settings).fit(*data)
        same = SoftBoostingClassifier(boosted.n_estimators_, **settings).fit(*data)
        assert to_bytes(same.compact_) == to_bytes(boosted.compact_)


class TestLinear:
    @pytest.mark.parametrize("weight_bits", [8, 3, "ternary"])
    @pytest.mark.parametrize("kind", KINDS, ids=str)
    @pytest.mark.parametrize("seed", range(3))
    def test_never_exceeds(self, kind, seed, weight_bits):
        data = table(seed, **kind)
        Linear = SoftLinearRegressor if kind["regression"] else SoftLinearClassifier
        whole = Linear(weight_bits=weight_bits).fit(*data).compact_.nbytes
        smallest = smallest_size(Linear(weight_bits=weight_bits), data)
        for max_bytes in [*range(smallest, whole, max(1, (whole - smallest) // 4)), whole]:
            linear = Linear(weight_bits=weight_bits, max_bytes=max_bytes).fit(*data)
            assert linear.compact_.nbytes <= max_bytes
            part = linear.compact_.table(LinearTable)
            assert weight_bits == "ternary" or part.value_bits in (
                *range(2, weight_bits + 1),
                "ternary",
            )
            read = np.flatnonzero(linear.feature_importances_)
            assert set(read) <= set(part.features.tolist())

    @pytest.mark.parametrize("sparse", [False, True])
    def test_most_of_the_bytes_are_used(self, sparse):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(400, 60)) * (rng.random((400, 60)) < 0.3)
        y = np.digitize(X @ rng.normal(size=60), [-1.5, 1.5])
        X = csr_array(X) if sparse else X
        accuracies = []
        for max_bytes in (60, 120, 240, 400):
            linear = SoftLinearClassifier(1e-3, max_bytes=max_bytes).fit(X, y)
            assert 0.9 * max_bytes < linear.compact_.nbytes <= max_bytes
            accuracies.append(linear.score(X, y))
        assert accuracies == sorted(accuracies)

    def test_bits_go_before_columns_where_scores_are_many(self):
        rng = np.random.default_rng(0)
        X = rng.integers(0, 9, size=(800, 12)).astype(float)
        y = (X @ rng.normal(size=(12, 8))).argmax(axis=1)
        whole = SoftLinearClassifier().fit(X, y)
        half = SoftLinearClassifier(max_bytes=whole.compact_.nbytes * 2 // 3).fit(X, y)
        part = half.compact_.table(LinearTable)
        assert len(part.features) == 12 and part.value_bits in range(2, 8)
        assert half.n_iter_ > whole.n_iter_

    def test_columns_go_first_where_there_is_one_score(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(800, 12))
        y = X[:, [2, 5, 7]].sum(axis=1) + 0.01 * X.sum(axis=1)
        linear = SoftLinearRegressor(max_bytes=20).fit(X, y)
        part = linear.compact_.table(LinearTable)
        assert {2, 5, 7} <= set(part.features.tolist()) and len(part.features) < 12
        assert linear.score(X, y) > 0.98

    @pytest.mark.parametrize("Linear", [SoftLinearClassifier, SoftLinearRegressor])
    def test_enough_bytes_change_nothing(self, Linear):
        data = table(3, regression=Linear is SoftLinearRegressor, categories=True)
        free = Linear(weight_bits=16).fit(*data)
        limited = Linear(weight_bits=16, max_bytes=free.compact_.nbytes).fit(*data)
        assert to_bytes(limited.compact_) == to_bytes(free.compact_)
        assert (limited.feature_importances_ == free.feature_importances_).all()


@pytest.mark.parametrize(
    "Student", [SoftTreeRegressor, SoftBoostingRegressor, SoftLinearRegressor, SoftNetRegressor]
)
def test_constants_of_several_targets_have_bytes(Student):
    X, y = np.arange(8.0)[:, None], np.ones((8, 2)) * [1.5, 2.5]
    size = Student().fit(X, y).compact_.nbytes
    assert Student(max_bytes=size).fit(X, y).compact_.nbytes == size > 1
    with pytest.raises(ValueError, match=rf"max_bytes=1 is too small: .* takes {size} bytes"):
        Student(max_bytes=1).fit(X, y)


STUDENTS = {
    "tree": (SoftTreeClassifier(), SoftTreeRegressor()),
    "boosting": (
        SoftBoostingClassifier(max_leaf_nodes=4, init="linear", linear_bits=4, random_state=0),
        SoftBoostingRegressor(max_leaf_nodes=4, random_state=0),
    ),
    "linear": (SoftLinearClassifier(), SoftLinearRegressor()),
    "net": (
        SoftNetClassifier(max_iter=5, random_state=0),
        SoftNetRegressor(max_iter=5, random_state=0),
    ),
}


@pytest.mark.parametrize("name", STUDENTS)
@pytest.mark.parametrize("regression", [False, True])
class TestEveryStudent:
    def test_through_a_distiller_in_a_grid(self, name, regression):
        """A frame with categories and weights, and synthetic rows."""
        X, y, weight = table(7, regression=regression, categories=True)
        student = STUDENTS[name][regression]
        teacher = teacher_of_numbers(regression, X)
        if regression:
            distilled = DistilledRegressor(teacher, student, random_state=0)
        else:
            distilled = DistilledClassifier(teacher, student, random_state=0)
        budgets = [250, 400]
        scoring = {"score": "r2" if regression else "accuracy", "size": model_size_scorer}
        search = GridSearchCV(
            distilled,
            {"student__max_bytes": budgets},
            cv=2,
            scoring=scoring,
            refit=best_under(400),
            error_score="raise",
        )
        search.fit(X, y, sample_weight=weight)
        sizes = [-search.cv_results_[f"split{k}_test_size"] for k in range(2)]
        assert (np.array(sizes) <= budgets).all()
        assert search.best_estimator_.compact_.nbytes <= search.best_params_["student__max_bytes"]
        again = clone(search.best_estimator_).fit(X, y, sample_weight=weight)
        assert to_bytes(again.compact_) == to_bytes(search.best_estimator_.compact_)

    def test_weight_zero_is_no_row(self, name, regression):
        X, y, weight = table(8, regression=regression)
        weight[::3] = 0
        used = weight > 0
        student = clone(STUDENTS[name][regression]).set_params(max_bytes=150)
        one = clone(student).fit(X, y, weight)
        other = clone(student).fit(X[used], y[used], weight[used])
        assert to_bytes(one.compact_) == to_bytes(other.compact_)

    def test_behind_a_scaler(self, name, regression):
        X, y, _ = table(9, regression=regression)
        student = clone(STUDENTS[name][regression]).set_params(max_bytes=200)
        pipeline = make_pipeline(StandardScaler(), student).fit(X, y)
        assert 0 < pipeline[-1].compact_.nbytes <= 200

    @pytest.mark.parametrize("max_bytes", [0, -1, 10.5, "2KB"])
    def test_what_is_no_number_of_bytes_is_refused(self, name, regression, max_bytes):
        X, y, _ = table(9, regression=regression)
        student = clone(STUDENTS[name][regression]).set_params(max_bytes=max_bytes)
        with pytest.raises(ValueError, match="The 'max_bytes' parameter"):
            student.fit(X, y)


def teacher_of_numbers(regression, X):
    """A teacher that reads the numbers of a frame."""
    numbers = make_column_transformer(("passthrough", X.columns[:2]), remainder="drop")
    model = LinearRegression() if regression else GaussianNB()
    return make_pipeline(numbers, model)


def rows(data):
    return len(data[1])
