"""Distil a big tabular model into one of a few kilobytes."""

from skdistill.compact import CompactModel, load
from skdistill.students.tree import SoftTreeClassifier

__version__ = "0.1.0"
__all__ = ["CompactModel", "SoftTreeClassifier", "load"]
