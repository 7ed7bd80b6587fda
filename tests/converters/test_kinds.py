"""What cannot be read is refused by name, with what to do instead."""

from __future__ import annotations

from pathlib import Path

import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import (
    LogisticRegression,
)
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import (
    DecisionTreeClassifier,
)

from skdistill import Munge, SoftTreeClassifier, convert
from tests.converters.harness import (
    LGB,
    XGB,
    problem,
)


def fitted(estimator, K=2, **fit):
    return estimator.fit(*problem(K), **fit)


def two_outputs(estimator):
    X, y = problem(2)
    return estimator.fit(X, np.column_stack([y, y]))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: RandomForestClassifier(),
            NotFittedError,
            "RandomForestClassifier instance is not fitted",
        ),
        (
            lambda: xgboost.XGBClassifier(),
            NotFittedError,
            "XGBClassifier instance is not fitted",
        ),
        (
            lambda: lightgbm.LGBMRegressor(),
            NotFittedError,
            "LGBMRegressor instance is not fitted",
        ),
        (
            lambda: LogisticRegression(),
            NotFittedError,
            "LogisticRegression instance is not fitted",
        ),
        (lambda: RandomForestClassifier, TypeError, "got the class RandomForestClassifier: pass a"),
        (
            lambda: fitted(AdaBoostClassifier(n_estimators=2)),
            TypeError,
            "Distil it instead: skdistill.Dist",
        ),
        (
            lambda: GridSearchCV(DecisionTreeClassifier(), {"max_depth": [2]}).fit(*problem(2)),
            TypeError,
            "GridSearchCV is a search: use its best_estimator_ in",
        ),
        (lambda: SoftTreeClassifier(), NotFittedError, "SoftTreeClassifier instance is not fitted"),
        (lambda: SoftTreeClassifier, TypeError, r"got the class .* pass a fitted Soft.*\(\)"),
        (lambda: "forest.skops", TypeError, "got the path 'forest.skops': load it"),
        (lambda: "a.skd", TypeError, r"got the path 'a.skd': skdistill.load reads it"),
        (lambda: Path("a.onnx"), TypeError, r"got the path 'a.onnx': distil it, with OnnxTeacher"),
        (lambda: None, TypeError, "got None: pass a Pipeline that ends in a model"),
        (lambda: Pipeline([("a", "passthrough")]), TypeError, "got 'passthrough': pass a Pipeline"),
        (lambda: [1.0, 2.0], TypeError, "got an object of type list"),
        (lambda: Munge(), TypeError, "got an object of type Munge"),
        (lambda: fitted(StandardScaler()), TypeError, "StandardScaler has no predict: pass a Pipe"),
        (lambda: fitted(make_pipeline(MinMaxScaler(), PCA(2))), TypeError, "PCA has no predict"),
        (lambda: two_outputs(RandomForestClassifier(2)), ValueError, "classifies 2 outputs"),
        (
            lambda: fitted(make_pipeline(StandardScaler(), AdaBoostClassifier(n_estimators=2))),
            TypeError,
            "AdaBoostClassifier cannot be read .*: skdistill.DistilledClassifier",
        ),
        (lambda: fitted(LogisticRegression()), ValueError, "LogisticRegression needs X"),
        (
            lambda: fitted(GradientBoostingClassifier(init=LogisticRegression())),
            ValueError,
            "init=LogisticRegression",
        ),
        (
            lambda: fitted(HistGradientBoostingClassifier(categorical_features=[1]), 2),
            ValueError,
            "categorical_features",
        ),
        (
            lambda: fitted(xgboost.XGBRegressor(**XGB, objective="reg:logistic"), 2),
            ValueError,
            "objective='reg:logistic'",
        ),
        (
            lambda: fitted(xgboost.XGBRegressor(**XGB, objective="binary:logistic"), 2),
            ValueError,
            "objective of a classifier",
        ),
        (
            lambda: fitted(xgboost.XGBClassifier(**XGB, objective="binary:logitraw"), 2),
            ValueError,
            "neither logits nor probabilities",
        ),
        (lambda: fitted(xgboost.XGBClassifier(**XGB, missing=0)), ValueError, "missing=0"),
        (
            lambda: fitted(lightgbm.LGBMRegressor(**LGB, objective="cross_entropy"), 2),
            ValueError,
            "objective='cross_entropy'",
        ),
        (lambda: fitted(lightgbm.LGBMRegressor(**LGB, reg_sqrt=True), 0), ValueError, "reg_sqrt"),
        (
            lambda: fitted(lightgbm.LGBMClassifier(**LGB), categorical_feature=[1]),
            ValueError,
            "categorical",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(make, error, message):
    with pytest.raises(error, match=message):
        convert(make())
