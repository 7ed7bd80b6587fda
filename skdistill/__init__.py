"""Distil a big tabular model into one of a few kilobytes."""

from skdistill.compact import CompactModel, load

__version__ = "0.1.0"
__all__ = ["CompactModel", "load"]
