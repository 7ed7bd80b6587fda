"""`fit` opens and converts a data frame once, whatever there is to do with its rows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

from skdistill import (
    DistilledRegressor,
    Munge,
    Pool,
    SoftBoostingClassifier,
    SoftLinearRegressor,
    SoftTreeClassifier,
)
from tests.distillers import tree_classifier, tree_regressor

counts = Counter()
CONVERSIONS = ("to_numpy", "factorize", "astype", "unique", "__array__", "tolist", "map", "isin")


class CountedSeries(pd.Series):
    """Counts how often its values are read."""

    @property
    def _constructor(self):
        return CountedSeries

    @property
    def _constructor_expanddim(self):
        return CountedFrame


def counted(method):
    def wrapper(self, *args, **kwargs):
        counts[f"converted {self.name!r}"] += 1
        return getattr(pd.Series, method)(self, *args, **kwargs)

    return wrapper


for method in CONVERSIONS:
    setattr(CountedSeries, method, counted(method))


class CountedFrame(pd.DataFrame):
    """Counts how often its columns are opened, or all of it becomes an array."""

    @property
    def _constructor(self):
        return CountedFrame

    @property
    def _constructor_sliced(self):
        return CountedSeries

    def items(self):
        counts["opened"] += 1
        return super().items()

    def to_numpy(self, *args, **kwargs):
        counts["converted as a whole"] += 1
        return super().to_numpy(*args, **kwargs)

    def __array__(self, *args, **kwargs):
        counts["converted as a whole"] += 1
        return super().__array__(*args, **kwargs)


class Uncounted(BaseEstimator):
    """What the teacher reads of the frame does not count."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return pd.DataFrame(X).copy()


def rows(n=120, seed=0):
    rng = np.random.default_rng(seed)
    return CountedFrame(
        {
            "colour": pd.Categorical(rng.choice(["red", "green", "blue"], n)),
            # pandas 2 gives narwhals no other way to tell a column of objects than to read it.
            "city": pd.array(rng.choice(["Ulm", "Aachen", "Trier"], n), "string"),
            "size": rng.normal(size=n),
            "rooms": rng.integers(0, 9, n),
        }
    )


def teacher(model):
    encode = make_column_transformer(
        (OrdinalEncoder(), ["colour", "city"]), remainder="passthrough"
    )
    return make_pipeline(Uncounted(), encode, model)


def target(X):
    y = (X["colour"] == "red").to_numpy() ^ (X["size"] > 0).to_numpy()
    return y, y + X["size"].to_numpy()


CLASSIFIER = tree_classifier(teacher(RandomForestClassifier(3)), random_state=0)
REGRESSOR = tree_regressor(teacher(RandomForestRegressor(3)), random_state=0)


@pytest.mark.parametrize(
    "distiller",
    [
        CLASSIFIER,
        REGRESSOR,
        clone(CLASSIFIER).set_params(student=SoftBoostingClassifier(3), transfer_set=Munge(2)),
        clone(CLASSIFIER).set_params(student=DecisionTreeClassifier(max_depth=3)),
        clone(REGRESSOR).set_params(student=SoftLinearRegressor(), transfer_set=Munge(2)),
        clone(CLASSIFIER).set_params(alpha=0),
    ],
    ids=["classifier", "regressor", "boosting", "adapter", "linear", "plain"],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_training_rows_are_opened_and_converted_once(distiller, weighted):
    X = rows()
    y = target(X)[isinstance(distiller, DistilledRegressor)]
    weight = np.arange(len(X)) % 3 if weighted else None  # MUNGE takes the rows with weight
    counts.clear()
    distilled = clone(distiller).fit(X, y, sample_weight=weight)
    assert counts == {"opened": 1} | {f"converted {name!r}": 1 for name in X.columns}
    assert [len(labels) for labels in distilled.compact_.categories.labels] == [3, 3]
    plain = clone(distiller).fit(pd.DataFrame(X), y, sample_weight=weight)
    assert distilled.compact_.equals(plain.compact_)


@pytest.mark.parametrize("distiller", [CLASSIFIER, REGRESSOR])
def test_further_rows_of_the_user_are_opened_and_converted_once_each(distiller):
    X, pool, unlabeled = rows(), rows(50, 1), rows(30, 2)
    y = target(X)[isinstance(distiller, DistilledRegressor)]
    distilled = clone(distiller).set_params(transfer_set=Pool(pool))
    counts.clear()
    distilled.fit(X, y, X_unlabeled=unlabeled)
    assert counts == {"opened": 3} | {f"converted {name!r}": 3 for name in X.columns}


@pytest.mark.parametrize("make", [pl.from_pandas, pa.Table.from_pandas])
@pytest.mark.parametrize("distiller", [CLASSIFIER, REGRESSOR])
def test_every_container_gives_the_same_model(distiller, make):
    X = pd.DataFrame(rows())
    y = target(X)[isinstance(distiller, DistilledRegressor)]
    model = {"regressor": RandomForestRegressor(3), "classifier": RandomForestClassifier(3)}
    both = []
    for table, as_pandas in ((X, lambda rows: rows), (make(X), lambda rows: rows.to_pandas())):
        inner = model["regressor" if isinstance(distiller, DistilledRegressor) else "classifier"]
        encode = FunctionTransformer(
            lambda rows, as_pandas=as_pandas: as_pandas(rows).astype({"colour": str, "city": str})
        )
        steps = teacher(inner).steps[1:]
        copy = clone(distiller).set_params(teacher=make_pipeline(encode, *(s for _, s in steps)))
        both.append(copy.set_params(transfer_set=Munge(2)).fit(table, y).compact_)
    assert both[0].equals(both[1])


def test_further_rows_may_hold_labels_that_the_training_rows_lack():
    X, pool = pd.DataFrame(rows()), pd.DataFrame(rows(50, 1))
    pool["city"] = np.where(pool["city"] == "Ulm", "Bonn", pool["city"])
    y = target(X)[0]
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    encode = make_column_transformer((encode, ["colour", "city"]), remainder="passthrough")
    model = tree_classifier(
        make_pipeline(encode, RandomForestClassifier(3, random_state=0)), transfer_set=Pool(pool)
    )
    student = model.fit(X, y).student_
    assert student.compact_.categories.labels[1].tolist() == ["Aachen", "Bonn", "Trier", "Ulm"]


class Foreign(BaseEstimator):
    """A student of a user: it learns from soft targets and knows no table of ours."""

    def __init__(self, categorical_features="from_dtype"):
        self.categorical_features = categorical_features

    def fit(self, X, y, sample_weight=None, *, classes=None):
        self.inner_ = SoftTreeClassifier().fit(X, y, sample_weight, classes=classes)
        self.compact_, self.rows_ = self.inner_.compact_, X
        return self


def test_a_student_of_a_user_gets_the_rows_as_they_are():
    X = pd.DataFrame(rows())
    y = target(X)[0]
    foreign = clone(CLASSIFIER).set_params(student=Foreign(), transfer_set=Pool(X[:10])).fit(X, y)
    own = clone(CLASSIFIER).set_params(transfer_set=Pool(X[:10])).fit(X, y)
    assert isinstance(foreign.student_.rows_, pd.DataFrame)
    assert len(foreign.student_.rows_) == len(X) + 10
    assert foreign.compact_.equals(own.compact_)
