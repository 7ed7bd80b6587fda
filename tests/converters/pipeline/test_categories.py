"""Columns of categories may be moved by the steps of a Pipeline, and nothing else."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import (
    SoftBoostingClassifier,
    SoftLinearClassifier,
    SoftTreeClassifier,
)
from tests.converters.pipeline.harness import differences, fold

STUDENTS = [
    SoftTreeClassifier(),
    SoftBoostingClassifier(4, random_state=0),
    SoftLinearClassifier(),
]


def frame(n=300):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "heat": rng.choice(["gas", "oil", None], n),
            "size": rng.normal(size=n).astype(np.float32),
            "city": rng.choice(["a", "b", "c"], n),
            "rent": rng.normal(size=n).astype(np.float32),
        }
    )
    return X, np.where((X["city"] == "b") ^ (X["size"] > 0) ^ (X["heat"] == "oil"), 1, 0)


def pipeline(*steps, student):
    move = make_column_transformer(*steps, remainder="passthrough", verbose_feature_names_out=False)
    return make_pipeline(move.set_output(transform="pandas"), student)


@pytest.mark.parametrize("student", STUDENTS, ids=lambda s: type(s).__name__)
def test_scaled_numbers_beside_them(student):
    X, y = frame()
    fitted = pipeline(
        (StandardScaler(), ["rent", "size"]), ("passthrough", ["city"]), student=student
    ).fit(X, y)
    assert fitted[-1].compact_.categories.columns.tolist() == [2, 3]
    with warnings.catch_warnings(record=True) as caught:
        model = fold(fitted, X)
    assert all("0 of them other labels" in str(warning.message) for warning in caught)
    assert differences(fitted, model, X).predictions == 0
    assert model.categories.columns.tolist() == [0, 2]
    assert model.categories.labels[0].tolist() == ["gas", "oil"]
    other = X.assign(city="never seen", heat=None)
    np.testing.assert_array_equal(model.predict(other.to_numpy(object)), fitted.predict(other))


def test_an_imputer_before_them_is_refused():
    X, y = frame()
    X["heat"] = X["heat"].astype(object).where(X["heat"].notna(), np.nan)
    steps = (SimpleImputer(strategy="most_frequent"), ["heat"])
    fitted = pipeline(steps, student=SoftTreeClassifier()).fit(X, y)
    with pytest.raises(ValueError, match="SimpleImputer of strings cannot be folded"):
        fold(fitted, X)
