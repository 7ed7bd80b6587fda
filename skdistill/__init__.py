"""Distil a big tabular model into one of a few kilobytes."""

from skdistill.compact import CompactModel, load
from skdistill.students import SoftLinearClassifier, SoftTreeClassifier, StudentAdapter

__version__ = "0.1.0"
__all__ = ["CompactModel", "SoftLinearClassifier", "SoftTreeClassifier", "StudentAdapter", "load"]
