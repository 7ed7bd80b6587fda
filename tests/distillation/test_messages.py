"""Messages name parameters that the estimator of the call has."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeClassifier

from skdistill import (
    PrunedEnsembleClassifier,
    SoftBoostingClassifier,
    SoftLinearRegressor,
    SoftTreeClassifier,
    StudentAdapter,
)
from tests.distillers import tree_classifier, tree_regressor

FRAME = pd.DataFrame({"x": np.arange(40.0), "c": ["a", "b"] * 20})
Y = np.arange(40) % 2
NONE = {"categorical_features": None}
CALLS = [
    SoftTreeClassifier(**NONE),
    SoftLinearRegressor(**NONE),
    StudentAdapter(DecisionTreeClassifier(), **NONE),
    PrunedEnsembleClassifier(SoftBoostingClassifier(4, **NONE)),
    tree_classifier(RandomForestClassifier(3), SoftTreeClassifier(**NONE)),
    tree_classifier(RandomForestClassifier(3), DecisionTreeClassifier()),
    tree_regressor(Ridge(), SoftLinearRegressor(**NONE)),
]


@pytest.mark.parametrize("estimator", CALLS, ids=lambda e: repr(e).split("(")[0])
def test_text_in_a_column_of_numbers(estimator):
    with pytest.raises(ValueError, match="could not convert string to float: 'a'") as raised:
        estimator.fit(FRAME, Y)
    named = re.findall(r"\w*categorical_features", str(raised.value))
    assert set(named) <= set(estimator.get_params())
    if "student__categorical_features" in estimator.get_params():
        assert named == ["student__categorical_features"]


def test_what_the_student_of_a_distiller_lists():
    for listed, words in ((["z"], "has an item value 'z'"), ([7], "set as integer indices must")):
        student = SoftTreeClassifier(categorical_features=listed)
        with pytest.raises(ValueError, match=f"^student__categorical_features {words}"):
            tree_classifier(RandomForestClassifier(3), student).fit(FRAME, Y)
        with pytest.raises(ValueError, match=f"^categorical_features {words}"):
            student.fit(FRAME, Y)
    fractions = FRAME.assign(x=FRAME["x"] / 3)
    student = SoftTreeClassifier(categorical_features=["x"])
    with pytest.raises(ValueError, match="do not list it among the categories"):
        tree_classifier(RandomForestClassifier(3), student).fit(fractions[["x"]], Y)
