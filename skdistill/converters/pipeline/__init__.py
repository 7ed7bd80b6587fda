"""Preprocessing in front of a student, folded into the tables of its compact model."""

from skdistill.converters.pipeline.fold import Differences, count_differences, fold_pipeline

__all__ = ["Differences", "count_differences", "fold_pipeline"]
