"""Estimators that learn from probabilities and end in a compact model."""

from skdistill.students.adapter import StudentAdapter
from skdistill.students.boosting import SoftBoostingClassifier
from skdistill.students.linear import SoftLinearClassifier
from skdistill.students.pruned import PrunedEnsembleClassifier, prune_ensemble
from skdistill.students.tree import SoftTreeClassifier

__all__ = [
    "PrunedEnsembleClassifier",
    "SoftBoostingClassifier",
    "SoftLinearClassifier",
    "SoftTreeClassifier",
    "StudentAdapter",
    "prune_ensemble",
]
