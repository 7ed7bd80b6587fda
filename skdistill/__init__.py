"""Distil a big tabular model into one of a few kilobytes."""

from skdistill.converters import convert
from skdistill.converters.pipeline import fold_pipeline
from skdistill.device import profile
from skdistill.distillation import DistilledClassifier, DistilledRegressor, born_again
from skdistill.model import CompactModel, load
from skdistill.students import (
    PrunedEnsembleClassifier,
    SoftBoostingClassifier,
    SoftBoostingRegressor,
    SoftLinearClassifier,
    SoftLinearRegressor,
    SoftTreeClassifier,
    SoftTreeRegressor,
    StudentAdapter,
    adapt,
)
from skdistill.teachers import (
    BoosterTeacher,
    CallableTeacher,
    Committee,
    MarginTeacher,
    OnnxTeacher,
)
from skdistill.transfer import Marginals, Munge, NaiveBayes, Pool, munge

__version__ = "0.1.0"
__all__ = [
    "BoosterTeacher",
    "CallableTeacher",
    "Committee",
    "CompactModel",
    "DistilledClassifier",
    "DistilledRegressor",
    "MarginTeacher",
    "Marginals",
    "Munge",
    "NaiveBayes",
    "OnnxTeacher",
    "Pool",
    "PrunedEnsembleClassifier",
    "SoftBoostingClassifier",
    "SoftBoostingRegressor",
    "SoftLinearClassifier",
    "SoftLinearRegressor",
    "SoftTreeClassifier",
    "SoftTreeRegressor",
    "StudentAdapter",
    "adapt",
    "born_again",
    "convert",
    "fold_pipeline",
    "load",
    "munge",
    "profile",
]
