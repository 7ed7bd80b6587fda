"""Estimators that learn from probabilities or values and end in a compact model."""

from skdistill.students.adapt import adapt
from skdistill.students.adapter import StudentAdapter
from skdistill.students.boosting import SoftBoostingClassifier
from skdistill.students.boosting_regressor import SoftBoostingRegressor
from skdistill.students.linear import SoftLinearClassifier, SoftLinearRegressor
from skdistill.students.pruned import PrunedEnsembleClassifier, prune_ensemble
from skdistill.students.tree import SoftTreeClassifier, SoftTreeRegressor

__all__ = [
    "PrunedEnsembleClassifier",
    "SoftBoostingClassifier",
    "SoftBoostingRegressor",
    "SoftLinearClassifier",
    "SoftLinearRegressor",
    "SoftTreeClassifier",
    "SoftTreeRegressor",
    "StudentAdapter",
    "adapt",
    "prune_ensemble",
]
