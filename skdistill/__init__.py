"""Distil a big tabular model into one of a few kilobytes."""

from skdistill.compact import CompactModel, load
from skdistill.distill import DistilledClassifier
from skdistill.students import (
    SoftBoostingClassifier,
    SoftLinearClassifier,
    SoftTreeClassifier,
    StudentAdapter,
)
from skdistill.transfer import Munge, Pool, munge

__version__ = "0.1.0"
__all__ = [
    "CompactModel",
    "DistilledClassifier",
    "Munge",
    "Pool",
    "SoftBoostingClassifier",
    "SoftLinearClassifier",
    "SoftTreeClassifier",
    "StudentAdapter",
    "load",
    "munge",
]
