"""What a distiller does with weights, missing values and fitted teachers, and what it says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import DMatrix, XGBClassifier, train

from skdistill import (
    BoosterTeacher,
    Munge,
    SoftBoostingClassifier,
    SoftTreeClassifier,
    SoftTreeRegressor,
)
from skdistill.metrics import fidelity_scorer, retention_scorer, soft_log_loss_scorer
from tests.distillers import tree_classifier, tree_regressor

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
WEIGHT = np.random.default_rng(0).integers(0, 4, 150).astype(float)
FACTORS = [2.0**-20, 2.0**20]


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("options", [{}, {"transfer_weight": 90.0}, {"class_weight": "balanced"}])
@pytest.mark.parametrize("student", [SoftTreeClassifier(), SoftBoostingClassifier(4)])
def test_only_proportions_of_weights_count(factor, options, student):
    distilled = tree_classifier(
        GaussianNB(), student, transfer_set=Munge(2), cv=3, random_state=0, **options
    )
    model = distilled.fit(X, Y, WEIGHT).compact_
    scaled = distilled.fit(X, Y, factor * WEIGHT)
    assert scaled.compact_.equals(model)


@pytest.mark.parametrize("factor", FACTORS)
def test_only_proportions_count_for_regressors(factor):
    distilled = tree_regressor(
        LinearRegression(), transfer_set=Munge(2), transfer_weight=90.0, cv=3, random_state=0
    )
    model = distilled.fit(X, X[:, 0] ** 2, WEIGHT).compact_
    P = distilled.fit(X, X[:, 0] ** 2, factor * WEIGHT).compact_.predict(X)
    assert np.abs(P - model.predict(X)).max() < 1e-6 * np.ptp(X[:, 0] ** 2)


class TestMissing:
    rows, y = load_breast_cancer(return_X_y=True)
    holes = rows.copy()
    holes[::7, 3] = np.nan

    def imputing(self, last):
        return make_pipeline(SimpleImputer(), StandardScaler(), last)

    @pytest.mark.parametrize("framed", [False, True])
    @pytest.mark.parametrize("around", [lambda t: t, lambda t: [t], FrozenEstimator])
    def test_predict_reads_what_the_model_reads(self, framed, around):
        rows, holes = self.rows, self.holes
        if framed:
            rows, holes = (pd.DataFrame(part).add_prefix("c") for part in (rows, holes))
        teacher = self.imputing(LogisticRegression()).fit(rows, self.y)
        distilled = tree_classifier(around(teacher), cv=2, transfer_set=None, random_state=0)
        distilled.fit(rows, self.y)
        assert distilled.predict(holes).tolist() == distilled.compact_.predict(self.holes).tolist()

    def test_regressors(self):
        rows, y = load_diabetes(return_X_y=True)
        teacher = make_pipeline(SimpleImputer(), Ridge())
        distilled = tree_regressor(teacher, SoftTreeRegressor(), cv=2, transfer_set=None)
        distilled.fit(rows, y)
        holes = np.where(np.arange(442)[:, None] % 9 == 0, np.nan, rows)
        assert distilled.predict(holes).tolist() == distilled.compact_.predict(holes).tolist()

    def test_a_teacher_that_refuses_them_decides(self):
        distilled = tree_classifier(GaussianNB(), cv=2, transfer_set=None)
        with pytest.raises(ValueError, match="contains NaN"):
            distilled.fit(self.rows, self.y).predict(self.holes)

    def test_halving_searches_have_scores(self):
        rows = self.rows.copy()
        rows[::25, 3] = np.nan
        distilled = tree_classifier(
            self.imputing(LogisticRegression()), cv=3, transfer_set=None, random_state=0
        )
        search = HalvingGridSearchCV(
            distilled,
            {"student": [SoftTreeClassifier(max_leaf_nodes=k) for k in (4, 8)]},
            cv=3,
            min_resources=60,
            random_state=0,
        ).fit(rows, self.y)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()


class TestTeacher:
    """`teacher_` is what the user passed, fitted."""

    def xgboost(self):
        return XGBClassifier(n_estimators=3, n_jobs=1)

    def fit(self, teacher, y=NAMES):
        return tree_classifier(teacher, cv=2, transfer_set=None, random_state=0).fit(X, y)

    def test_pipelines_and_searches(self):
        pipeline = Pipeline([("scale", StandardScaler()), ("clf", self.xgboost())])
        assert isinstance(self.fit(pipeline).teacher_["clf"], XGBClassifier)
        search = GridSearchCV(self.xgboost(), {"max_depth": [2, 3]}, cv=2)
        assert set(self.fit(search).teacher_.best_params_) == {"max_depth"}
        both = self.fit([pipeline, self.xgboost(), GaussianNB()]).teacher_
        assert [type(one).__name__ for one in both.estimators_] == [
            "Pipeline",
            "XGBClassifier",
            "GaussianNB",
        ]
        assert set(both.predict(X)) == set(NAMES)

    def test_its_own_predict_gives_numbers_and_scorers_give_labels(self):
        distilled = self.fit(self.xgboost())
        numbers = distilled.teacher_.predict(X)
        assert set(numbers) == {0, 1, 2}
        labels = distilled.classes_[numbers]
        assert fidelity_scorer(distilled, X, NAMES) == np.mean(labels == distilled.predict(X))
        assert retention_scorer(distilled, X, NAMES) > 0.9
        assert soft_log_loss_scorer(distilled, X, NAMES) > -1
        assert not hasattr(distilled.student_, "_labelled_teacher")


class TestSaid:
    def said(self, capsys, teacher, *data, **options):
        kind = tree_regressor if isinstance(teacher, Ridge) else tree_classifier
        kind(teacher, transfer_set=None, verbose=1, cv=2, random_state=0, **options).fit(*data)
        return capsys.readouterr().out.splitlines()

    @pytest.mark.parametrize(
        "teacher", [RandomForestClassifier(3), make_pipeline(GaussianNB()), Ridge()]
    )
    def test_that_a_fitted_teacher_is_fitted_anew(self, capsys, teacher):
        name = type(teacher).__name__
        lines = self.said(capsys, clone(teacher).fit(X, Y), X, Y)
        assert lines[0].startswith(f"teacher: {name} is fitted already; a clone is fitted anew")
        assert "FrozenEstimator(model) is used as it is" in lines[0]
        assert not any("already" in line for line in self.said(capsys, clone(teacher), X, Y))

    def test_one_line_for_each_member(self, capsys):
        lines = self.said(capsys, [GaussianNB().fit(X, Y), RandomForestClassifier(3)], X, Y)
        assert sum("already" in line for line in lines) == 1 and "GaussianNB" in lines[0]

    def test_a_fitted_teacher_without_y(self):
        with pytest.raises(ValueError, match="wrap the fitted GaussianNB in a FrozenEstimator"):
            tree_classifier(GaussianNB().fit(X, Y)).fit(X)

    def test_classes_that_have_no_names(self, capsys):
        options = {"objective": "multi:softprob", "num_class": 3, "nthread": 1}
        booster = train(options, DMatrix(X, Y), 2)
        lines = self.said(capsys, booster, X)
        assert lines[0] == (
            "teacher: the classes are [0, 1, 2], the numbers of its columns; "
            "BoosterTeacher(…, classes=[…]) names them"
        )
        named = self.said(capsys, BoosterTeacher(booster, classes=list("abc")), X)
        assert not any("numbers of its columns" in line for line in named)


def test_the_message_about_class_weight_names_it():
    with (
        config_context(enable_metadata_routing=True),
        pytest.raises(UnsetMetadataPassedError, match=r"class_weight of .* as sample_weight"),
    ):
        tree_classifier(GaussianNB(), class_weight="balanced").fit(X, Y)
