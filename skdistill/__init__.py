"""Distil a big tabular model into one of a few kilobytes."""

from skdistill.chunks import Chunks
from skdistill.converters import convert
from skdistill.device import profile
from skdistill.distillation import DistilledClassifier, DistilledRegressor
from skdistill.model import CompactModel, load
from skdistill.students import (
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
    adapt,
)
from skdistill.teachers import (
    BoosterTeacher,
    CallableTeacher,
    OnnxTeacher,
    TeacherEnsemble,
)
from skdistill.transfer import Munge, Pool

__version__ = "0.1.0"
__all__ = [
    "BoosterTeacher",
    "CallableTeacher",
    "Chunks",
    "CompactModel",
    "DistilledClassifier",
    "DistilledRegressor",
    "Munge",
    "OnnxTeacher",
    "Pool",
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
    "TeacherEnsemble",
    "adapt",
    "convert",
    "load",
    "profile",
]
