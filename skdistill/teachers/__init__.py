"""Anything that gives probabilities, or values, as a source of soft targets."""

from skdistill.teachers.out_of_fold import Lesson, teach
from skdistill.teachers.response import (
    answers,
    known_classes,
    predictions,
    probabilities,
    require_predictions,
    require_probabilities,
)

__all__ = [
    "Lesson",
    "answers",
    "known_classes",
    "predictions",
    "probabilities",
    "require_predictions",
    "require_probabilities",
    "teach",
]
