"""A converted model knows its columns by name, or says that it takes them by position."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pandas as pd
import polars as pl
import pytest
import xgboost as xgb
from lightgbm import LGBMClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from skdistill import convert

NAMES = ["age", "body mass", "a b c"]
X = pd.DataFrame(np.random.default_rng(0).normal(size=(300, 3)), columns=NAMES)
Y = (X["age"] + 2 * X["body mass"] > 0).astype(int).to_numpy()
OPTIONS = {"n_estimators": 5, "n_jobs": 1}


def lightgbm_booster(rows):
    options = {"objective": "binary", "verbose": -1, "num_threads": 1}
    return lgb.train(options, lgb.Dataset(rows, Y), 5)


def lightgbm_file(rows):
    return lgb.Booster(model_str=lightgbm_booster(rows).model_to_string())


def xgboost_booster(rows):
    return xgb.train({"objective": "binary:logistic", "nthread": 1}, xgb.DMatrix(rows, Y), 5)


FITTERS = [
    lightgbm_booster,
    lightgbm_file,
    xgboost_booster,
    lambda rows: LGBMClassifier(**OPTIONS, verbose=-1).fit(rows, Y),
    lambda rows: XGBClassifier(**OPTIONS).fit(rows, Y),
    lambda rows: RandomForestClassifier(5, random_state=0).fit(rows, Y),
    lambda rows: make_pipeline(StandardScaler(), LGBMClassifier(**OPTIONS, verbose=-1)).fit(
        rows, Y
    ),
]
IDS = ["lgb.Booster", "lgb file", "xgb.Booster", "LGBM", "XGB", "forest", "Pipeline"]


@pytest.mark.parametrize("fit", FITTERS, ids=IDS)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_of_a_frame(fit):
    fitted = fit(X)
    model = convert(fitted)
    expected = model.predict(X.to_numpy())
    assert np.mean(expected == Y) > 0.9
    assert np.array_equal(model.predict(X), expected)
    assert np.array_equal(model.predict(pl.from_pandas(X)), expected)
    with pytest.raises(ValueError, match="The feature names should match those of the model"):
        model.predict(X[X.columns[::-1]])
    # Rows to convert with come by name, and the model takes their names.
    swapped = X[X.columns[::-1]].assign(note="text")
    moved = convert(fitted, swapped, threshold_bits=6)
    assert list(moved.feature_names) == NAMES
    assert moved.equals(convert(fitted, X, threshold_bits=6))
    with pytest.raises(ValueError, match=r"X has no column 'body.mass', which the model reads"):
        convert(fitted, X.drop(columns="body mass"), threshold_bits=6)


@pytest.mark.parametrize("fit", FITTERS, ids=IDS)
def test_of_an_array(fit):
    fitted = fit(X.to_numpy())
    model = convert(fitted)
    assert model.feature_names is None
    for call in (model.predict, model.scores, lambda X: convert(fitted, X, threshold_bits=6)):
        with pytest.warns(UserWarning, match="the model has none: its columns are taken by posit"):
            call(X)
    model.predict(X.set_axis([0, 1, 2], axis=1))  # as scikit-learn


def test_blanks_that_would_make_names_equal():
    model = convert(lightgbm_booster(X.set_axis(["a", "a_b", "c"], axis=1)))
    model.predict(X.set_axis(["a", "a b", "c"], axis=1))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X.set_axis(["a_b", "a b", "c"], axis=1))


def test_a_warning_points_at_the_caller():
    model = convert(lightgbm_booster(X.to_numpy()))
    with pytest.warns(UserWarning, match="taken by position") as caught:
        model.predict(X)
    assert caught[0].filename == __file__
