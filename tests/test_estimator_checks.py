"""scikit-learn's common checks: students pass all of them, distillers too."""

from __future__ import annotations

import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdistill import (
    DistilledClassifier,
    DistilledRegressor,
    Munge,
    PrunedEnsembleClassifier,
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

DRAWS_ROWS = {
    "check_sample_weight_equivalence_on_dense_data": "two equal rows are drawn, or are parents of "
    "synthetic rows, twice; one row of weight 2 once"
}


def expected_failures(estimator):
    bootstraps = isinstance(getattr(estimator, "estimator", None), RandomForestClassifier)
    munges = getattr(estimator, "transfer_set", None) is not None
    return DRAWS_ROWS if bootstraps or munges else {}


# Where an estimator says that it reads categories, the checks round their rows to whole numbers.
NUMBERS = {"categorical_features": None}

ESTIMATORS = [
    SoftTreeClassifier(),
    SoftTreeClassifier(**NUMBERS),
    SoftTreeClassifier("entropy", **NUMBERS),
    SoftTreeClassifier(tao_n_iter=3, **NUMBERS),
    SoftTreeClassifier(max_bytes=40, **NUMBERS),
    SoftLinearClassifier(**NUMBERS),
    SoftLinearClassifier(max_bytes=20, **NUMBERS),
    SoftBoostingClassifier(5, random_state=0, **NUMBERS),
    # On the 15 rows of one check a smaller penalty leaves pure leaves whose refit ends 1e-8 apart.
    SoftBoostingClassifier(
        5,
        init="linear",
        value_bits="ternary",
        l2_regularization=1e-2,
        random_state=0,
        **NUMBERS,
    ),
    SoftBoostingClassifier(max_leaf_nodes=4, max_bytes=120, random_state=0, **NUMBERS),
    SoftNetClassifier((8,), max_iter=20, random_state=0, **NUMBERS),
    SoftNetClassifier((8, 4), weight_bits="ternary", max_iter=20, random_state=0, **NUMBERS),
    StudentAdapter(DecisionTreeClassifier(random_state=0), **NUMBERS),
    StudentAdapter(LogisticRegression(), **NUMBERS),
    StudentAdapter(RandomForestClassifier(5, random_state=0), **NUMBERS),
    PrunedEnsembleClassifier(SoftBoostingClassifier(5, random_state=0), 60, random_state=0),
    PrunedEnsembleClassifier(DecisionTreeClassifier(random_state=0), random_state=0),
    DistilledClassifier(LogisticRegression(), SoftTreeClassifier(**NUMBERS), transfer_set=None),
    # Up to scikit-learn 1.8 trees of pure leaves take no heed of weights. For that reason the
    # check of class weights sets this parameter where it finds it, but not of teachers.
    DistilledClassifier(
        RandomForestClassifier(10, min_weight_fraction_leaf=0.01, random_state=0),
        SoftTreeClassifier(**NUMBERS),
        transfer_set=Munge(2),
        random_state=0,
    ),
    SoftTreeRegressor(),
    SoftTreeRegressor(**NUMBERS),
    SoftTreeRegressor(value_bits="ternary", **NUMBERS),
    SoftTreeRegressor(max_bytes=60, **NUMBERS),
    SoftLinearRegressor(**NUMBERS),
    SoftLinearRegressor(max_bytes=40, **NUMBERS),
    SoftLinearRegressor(input_bits=16, weight_bits=4, **NUMBERS),
    SoftBoostingRegressor(5, random_state=0, **NUMBERS),
    SoftBoostingRegressor(5, init="linear", value_bits="ternary", random_state=0, **NUMBERS),
    SoftBoostingRegressor(max_leaf_nodes=4, max_bytes=120, random_state=0, **NUMBERS),
    SoftNetRegressor((8,), max_iter=20, random_state=0, **NUMBERS),
    SoftNetRegressor((8, 4), weight_bits="ternary", max_iter=20, random_state=0, **NUMBERS),
    DistilledRegressor(Ridge(), SoftTreeRegressor(**NUMBERS), transfer_set=None),
    DistilledRegressor(Ridge(), SoftLinearRegressor(), transfer_set=None),
    DistilledRegressor(
        RandomForestRegressor(10, random_state=0),
        SoftTreeRegressor(**NUMBERS),
        transfer_set=Munge(2),
        random_state=0,
    ),
]


# The checks want tables of one class to be learnt; that a constant teaches there is said.
@pytest.mark.filterwarnings("ignore:y has a single class:UserWarning")
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_estimator_check(estimator, check):
    check(estimator)
