"""Anything that gives probabilities, as a source of soft targets."""

from skdistill.teachers.out_of_fold import Lesson, teach
from skdistill.teachers.response import known_classes, probabilities, require_probabilities

__all__ = ["Lesson", "known_classes", "probabilities", "require_probabilities", "teach"]
