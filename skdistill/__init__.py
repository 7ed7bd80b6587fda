"""Distil a big tabular model into one of a few kilobytes."""

from skdistill.compact import CompactModel, load
from skdistill.device import profile
from skdistill.distill import DistilledClassifier, DistilledRegressor
from skdistill.fold import fold_pipeline
from skdistill.students import (
    PrunedEnsembleClassifier,
    SoftBoostingClassifier,
    SoftBoostingRegressor,
    SoftLinearClassifier,
    SoftLinearRegressor,
    SoftTreeClassifier,
    SoftTreeRegressor,
    StudentAdapter,
    prune_ensemble,
)
from skdistill.transfer import Munge, Pool, munge

__version__ = "0.1.0"
__all__ = [
    "CompactModel",
    "DistilledClassifier",
    "DistilledRegressor",
    "Munge",
    "Pool",
    "PrunedEnsembleClassifier",
    "SoftBoostingClassifier",
    "SoftBoostingRegressor",
    "SoftLinearClassifier",
    "SoftLinearRegressor",
    "SoftTreeClassifier",
    "SoftTreeRegressor",
    "StudentAdapter",
    "fold_pipeline",
    "load",
    "munge",
    "profile",
    "prune_ensemble",
]
