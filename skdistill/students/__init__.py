"""Estimators that learn from probabilities or values and end in a compact model."""

from skdistill.students.adapter import StudentAdapter
from skdistill.students.boosting import SoftBoostingClassifier
from skdistill.students.boosting_regressor import SoftBoostingRegressor
from skdistill.students.linear import SoftLinearClassifier, SoftLinearRegressor
from skdistill.students.tree import SoftTreeClassifier, SoftTreeRegressor

__all__ = [
    "SoftBoostingClassifier",
    "SoftBoostingRegressor",
    "SoftLinearClassifier",
    "SoftLinearRegressor",
    "SoftTreeClassifier",
    "SoftTreeRegressor",
    "StudentAdapter",
]
