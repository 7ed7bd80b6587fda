"""Categories in students: their order, every container, what is unknown, what is refused."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.tree import DecisionTreeClassifier

from skdistill import (
    DistilledClassifier,
    Munge,
    SoftBoostingClassifier,
    SoftBoostingRegressor,
    SoftLinearClassifier,
    SoftLinearRegressor,
    SoftNetClassifier,
    SoftNetRegressor,
    SoftTreeClassifier,
    SoftTreeRegressor,
    StudentAdapter,
)
from skdistill.compact.tables.categories import MOST_RANK
from skdistill.students.category_order import SMOOTHING, learn_ranks
from tests.distillers import tree_regressor
from tests.strategies import seeds

CLASSIFIERS = [
    SoftTreeClassifier(max_leaf_nodes=16),
    SoftBoostingClassifier(6, random_state=0),
    SoftBoostingClassifier(6, init="linear", random_state=0),
    SoftLinearClassifier(),
    SoftNetClassifier((16,), max_iter=40, random_state=0),
    StudentAdapter(DecisionTreeClassifier(max_leaf_nodes=16, random_state=0)),
]
REGRESSORS = [
    SoftTreeRegressor(),
    SoftBoostingRegressor(6, random_state=0),
    SoftLinearRegressor(),
    SoftNetRegressor((16,), max_iter=40, random_state=0),
]
CITIES = np.array(["Basel", "Genève", "Lugano", "Zürich", "Bern", "Chur"])


def frame(n=400, seed=0):
    """Rows of mixed columns with blanks, and labels that hang on them."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "size": rng.normal(size=n).round(2),
            "city": rng.choice(CITIES, n),
            "floor": rng.integers(0, 5, n),
            "heating": rng.choice(["gas", "oil", "wood"], n),
        }
    )
    y = np.isin(X["city"], ["Lugano", "Chur", "Basel"]) ^ (X["heating"] == "oil")
    y = np.where(rng.random(n) < 0.1, ~y, y).astype(int) + (X["floor"] > 3)
    X.loc[::17, "city"] = None
    return X, y.to_numpy()


def containers(X):
    """The same rows in all containers, with what has to be said of their columns."""
    text = ["city", "heating"]
    yield X.astype(dict.fromkeys(text, "category")), "from_dtype"
    yield X.astype(dict.fromkeys(text, object)), "from_dtype"
    yield X, ["city", "heating"]  # "str" since pandas 3
    yield pl.from_pandas(X), "from_dtype"
    arrow = pa.Table.from_pandas(X, preserve_index=False)
    yield arrow, "from_dtype"
    yield arrow.set_column(1, "city", arrow["city"].dictionary_encode()), [False, True, False, True]
    yield X.to_numpy(object), [1, 3]


def gini(p, w):
    return 2 * w * p * (1 - p)


@given(seeds, st.integers(2, 7))
def test_with_two_classes_a_threshold_is_the_best_of_all_subsets(seed, C):
    rng = np.random.default_rng(seed)
    x, p = rng.integers(0, C, 300).astype(float), rng.random(C)
    y = (rng.random(300) < p[x.astype(int)]).astype(float)

    def impurity(left):
        parts = [y[np.isin(x, left)], y[~np.isin(x, left)]]
        return sum(gini(part.mean(), len(part)) for part in parts if len(part))

    every = [
        impurity(left) for k in range(1, C) for left in combinations(np.unique(x), min(k, C - 1))
    ]
    # Smoothing moves all means toward the middle, and rare categories more: without it here.
    many = np.repeat(np.arange(300), 2000)
    ranks = learn_ranks(x[many], C, np.column_stack([1 - y, y])[many], np.ones(len(many)))[:C]
    cut = [impurity(np.flatnonzero(ranks <= t)) for t in np.unique(ranks[np.unique(x).astype(int)])]
    assert min(cut) == pytest.approx(min(every), abs=1e-9)


def test_a_rare_category_lies_near_the_mean_of_all_and_an_unknown_one_on_it():
    index = np.repeat([0.0, 1.0, 2.0, 3.0], [500, 500, 500, 1])
    p = np.array([0.1, 0.5, 0.9, 1.0])[index.astype(int)]
    ranks = learn_ranks(index, 4, np.column_stack([1 - p, p]), np.ones(len(p))).astype(int)
    assert ranks[0] < ranks[1] < ranks[3] < ranks[2]
    assert ranks[4] == ranks[5] and ranks[1] <= ranks[4] <= ranks[3]
    assert SMOOTHING > 1


@pytest.mark.parametrize("C", [1, 2, 100, 127, 128, 200, 254])
def test_ranks_differ_while_there_are_enough(C):
    rng = np.random.default_rng(C)
    index = np.repeat(np.arange(C, dtype=float), 50)
    p = rng.random(C)[index.astype(int)] ** 3
    ranks = learn_ranks(index, C, np.column_stack([1 - p, p]), np.ones(len(p)))
    assert ranks.max() <= MOST_RANK
    means = np.array([p[index == k].mean() for k in range(C)])
    assert (np.diff(ranks[:C][np.argsort(means)].astype(int)) >= 0).all()
    if C < MOST_RANK:
        assert len(np.unique(ranks[:C])) == C


def test_categories_that_are_alike_or_alone_have_ranks():
    same = np.full((10, 2), 0.5)
    assert learn_ranks(np.arange(10) % 3.0, 3, same, np.ones(10)).tolist() == [0] * 5
    assert learn_ranks(np.full(10, np.nan), 1, same, np.ones(10)).tolist() == [0] * 3


@pytest.mark.parametrize("student", [*CLASSIFIERS, *REGRESSORS], ids=lambda s: type(s).__name__)
def test_the_same_model_whatever_the_container(student):
    X, y = frame()
    fitted = []
    for table, which in containers(X):
        model = student.set_params(categorical_features=which).fit(table, y)
        fitted.append((replace(model.compact_, feature_names=None), model.predict(table)))
        if not isinstance(table, np.ndarray):
            rest = [model.predict(other) for other, _ in list(containers(X))[:-1]]
            assert all(np.array_equal(model.predict(table), told) for told in rest)
    first, told = fitted[0]
    assert all(model.equals(first) and np.array_equal(own, told) for model, own in fitted)
    student.set_params(categorical_features="from_dtype")


@pytest.mark.parametrize("student", CLASSIFIERS, ids=lambda s: type(s).__name__)
def test_unknown_and_missing_categories_have_a_way(student):
    X, y = frame()
    model = student.fit(X, y)
    other = X.head(6).copy()
    other["city"] = ["Sion", "", None, np.nan, "Bern", "bern"]
    scores = model.compact_.scores(other.to_numpy(object))
    np.testing.assert_array_equal(
        model.decision_function(other), np.squeeze(scores * model.compact_.scale)
    )
    other["size"], other["floor"], other["heating"] = 0.0, 1, "gas"
    told = model.compact_.scores(other.to_numpy(object))
    assert (told[0] == told[5]).all() and (told[1] == told[2]).all() and (told[1] == told[3]).all()


def test_whole_numbers_are_labels_where_columns_are_named():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.choice([3, 11, 40, 7], 300), rng.normal(size=300)])
    y = np.isin(X[:, 0], [3, 40])
    model = SoftTreeClassifier(max_leaf_nodes=2, categorical_features=[0]).fit(X, y)
    assert model.score(X, y) == 1 and model.compact_.categories.labels[0].tolist() == [3, 7, 11, 40]
    assert SoftTreeClassifier(max_leaf_nodes=2).fit(X, y).score(X, y) < 0.9


@pytest.mark.parametrize("columns", ["frame", "array"])
def test_distillers(columns):
    X, y = frame()
    y = y > 0
    student = SoftTreeClassifier()
    if columns == "array":
        X = np.column_stack([X["size"], pd.factorize(X["city"])[0] + 1, X["floor"]]).astype(float)
        student.set_params(categorical_features=[1])
        teacher = ExtraTreesClassifier(50, random_state=0)
    else:
        from sklearn.compose import make_column_transformer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder

        encode = make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), ["city", "heating"]), remainder="passthrough"
        )
        teacher = make_pipeline(encode, ExtraTreesClassifier(50, random_state=0))
    model = DistilledClassifier(teacher, student, transfer_set="munge", random_state=0).fit(X, y)
    assert len(model.compact_.categories)
    assert (model.predict(X) == model.teacher_.predict(X)).mean() > 0.75
    again = DistilledClassifier(teacher, student, transfer_set=Munge(2), random_state=0)
    if columns == "frame":
        some = X.iloc[:50]
        again.fit(X, y, X_unlabeled=some)
        assert again.compact_.feature_names == tuple(X.columns)


def test_distilled_regressors():
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    X, y = frame()
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["city", "heating"]))
    model = tree_regressor(make_pipeline(encode, Ridge()), random_state=0).fit(X, y * 1.5)
    assert len(model.compact_.categories) and model.score(X, y * 1.5) > 0.1


class TestBadInput:
    X, y = frame(60)

    def refused(self, X, message, error=ValueError, **options):
        for student in (SoftTreeClassifier(**options), SoftLinearRegressor(**options)):
            with pytest.raises(error, match=message):
                student.fit(X, self.y)

    def test_too_many_categories(self):
        X = pd.DataFrame({"id": [f"customer {i}" for i in range(10_000)]})
        with pytest.raises(ValueError, match=r"column 'id' has 10,000 labels, at most 254"):
            SoftTreeClassifier().fit(X, np.arange(10_000) % 2)

    def test_mixed_kinds(self):
        X = self.X.astype({"city": object})
        X.loc[3, "city"] = 7
        self.refused(X, "column 'city' mixes strings and numbers")

    def test_points_in_time(self):
        X = self.X.assign(when=pd.Timestamp("2020-01-01"))
        self.refused(X, "'when'", TypeError)

    def test_names_that_occur_twice(self):
        X = self.X.set_axis(["size", "city", "floor", "city"], axis=1)
        self.refused(X, r"occur more than once: \['city'\]")

    @pytest.mark.parametrize("kind", [pd.DataFrame, pl.from_pandas, pa.Table.from_pandas])
    def test_tables_without_rows_or_columns(self, kind):
        X = kind(self.X.astype({"city": "str", "heating": "str"}))
        no_rows = X[:0]
        self.refused(no_rows, r"Found array with 0 sample\(s\) \(shape=\(0, 4\)\)")
        with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\) \(shape=\(0, 4\)\)"):
            SoftTreeClassifier().fit(X, self.y).predict(no_rows)

    def test_a_table_without_columns(self):
        self.refused(self.X[[]], r"Found array with 0 feature\(s\) \(shape=\(60, 0\)\)")

    def test_infinities(self):
        self.refused(self.X.assign(size=np.inf), "infinity")

    def test_columns_that_do_not_exist(self):
        self.refused(self.X, "'town' which is not a valid feature", categorical_features=["town"])
        self.refused(self.X, "must be in", categorical_features=[9])
        self.refused(self.X, "categorical_features", categorical_features="town")

    def test_a_column_without_any_value(self):
        X = self.X.assign(city=None)
        model = SoftTreeClassifier().fit(X, self.y)
        assert model.compact_.categories.columns.tolist() == [3]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda X: X.drop(columns="city"), "feature names should match"),
            (lambda X: X.assign(more=1), "feature names should match"),
            (lambda X: X[["city", "size", "floor", "heating"]], "in the same order"),
        ],
    )
    @pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
    def test_other_columns_at_prediction(self, change, message, kind):
        X = self.X.astype({"city": "str"})
        wrong = change(X)
        if kind == "polars":
            X, wrong = pl.from_pandas(X), pl.from_pandas(wrong)
        elif kind == "pyarrow":
            X, wrong = (pa.Table.from_pandas(each, preserve_index=False) for each in (X, wrong))
        model = SoftTreeClassifier().fit(X, self.y)
        with pytest.raises(ValueError, match=message):
            model.predict(wrong)
