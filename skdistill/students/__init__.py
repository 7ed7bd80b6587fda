"""Estimators that learn from probabilities or values and end in a compact model."""

from skdistill.students.boosting.classifier import SoftBoostingClassifier
from skdistill.students.boosting.regressor import SoftBoostingRegressor
from skdistill.students.linear.classifier import SoftLinearClassifier
from skdistill.students.linear.regressor import SoftLinearRegressor
from skdistill.students.net.classifier import SoftNetClassifier
from skdistill.students.net.regressor import SoftNetRegressor
from skdistill.students.pruning.estimator import PrunedEnsembleClassifier
from skdistill.students.tree.classifier import SoftTreeClassifier
from skdistill.students.tree.regressor import SoftTreeRegressor
from skdistill.students.update import adapt
from skdistill.students.wrapper import StudentAdapter

__all__ = [
    "PrunedEnsembleClassifier",
    "SoftBoostingClassifier",
    "SoftBoostingRegressor",
    "SoftLinearClassifier",
    "SoftLinearRegressor",
    "SoftNetClassifier",
    "SoftNetRegressor",
    "SoftTreeClassifier",
    "SoftTreeRegressor",
    "StudentAdapter",
    "adapt",
]
