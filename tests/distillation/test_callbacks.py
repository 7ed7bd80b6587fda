"""Callbacks of scikit-learn hear of the steps of a fit."""

from __future__ import annotations

import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.model_selection import BudgetSearchCV
from tests.distillers import tree_classifier, tree_regressor

callback = pytest.importorskip("sklearn.callback")
X, Y = load_iris(return_X_y=True)
LABEL, FIT = "label the rows", "fit the student"


class Listener:
    """Writes down what it hears."""

    def __init__(self):
        self.heard = []

    def setup(self, estimator, context):
        self.heard.append("setup")

    def teardown(self, estimator, context):
        self.heard.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None):
        self.heard.append(context.task_name)

    def on_fit_task_end(self, estimator, context, *, X=None):
        self.heard.append(f"end of {context.task_name}")


def steps(*names):
    inner = [each for name in names for each in (name, f"end of {name}")]
    return ["setup", "fit", *inner, "end of fit", "teardown"]


@pytest.mark.parametrize(
    ("estimator", "names"),
    [
        (tree_classifier(GaussianNB()), [LABEL, FIT]),
        (tree_regressor(Ridge()), [LABEL, FIT]),
        (
            DistilledClassifier(None, alpha=0).set_params(student=tree_classifier(None).student),
            [FIT],
        ),
        (
            BudgetSearchCV(GaussianNB(), "300B", families=["linear"], cv=2),
            [LABEL, "score the students", "fit the best student"],
        ),
    ],
    ids=["classifier", "regressor", "hard labels", "search"],
)
def test_every_step_is_told_in_order(estimator, names):
    listener = Listener()
    estimator = clone(estimator).set_callbacks(listener)
    estimator.fit(X, Y)
    assert listener.heard == steps(*names)


def test_a_fit_that_fails_is_torn_down():
    listener = Listener()
    with pytest.raises(ValueError, match="teacher=None needs teacher_proba"):
        DistilledClassifier(None).set_callbacks(listener).fit(X, Y)
    assert "end of fit" not in listener.heard
    listener.heard.clear()
    broken = DistilledRegressor(Ridge(alpha=-1)).set_callbacks(listener)
    with pytest.raises(ValueError, match="alpha"):
        broken.fit(X, Y)
    assert listener.heard == ["setup", "fit", LABEL, "teardown"]


def test_a_progress_bar_of_scikit_learn_works_through_a_search(capsys):
    search = GridSearchCV(tree_classifier(GaussianNB()), {"alpha": [0.5, 1.0]}, cv=2)
    search.set_callbacks(callback.ProgressBar()).fit(X, Y)
    assert search.best_estimator_.compact_.nbytes > 0
