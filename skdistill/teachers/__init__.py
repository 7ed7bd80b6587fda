"""Anything that gives probabilities, or values, as a source of soft targets."""

from skdistill.teachers.as_teacher import as_teacher, is_frozen, teacher_tags, told_classes
from skdistill.teachers.booster import BoosterTeacher
from skdistill.teachers.callable import CallableTeacher
from skdistill.teachers.cross_fitting import CrossFitResult, teach
from skdistill.teachers.decision_function import MarginTeacher
from skdistill.teachers.ensemble import Committee
from skdistill.teachers.ensemble_weights import committee_weights
from skdistill.teachers.label_encoding import LabelEncodedClassifier
from skdistill.teachers.onnx import OnnxTeacher
from skdistill.teachers.response import (
    answers,
    as_probabilities,
    known_classes,
    predictions,
    probabilities,
    require_predictions,
    require_probabilities,
)

__all__ = [
    "BoosterTeacher",
    "CallableTeacher",
    "Committee",
    "CrossFitResult",
    "LabelEncodedClassifier",
    "MarginTeacher",
    "OnnxTeacher",
    "answers",
    "as_probabilities",
    "as_teacher",
    "committee_weights",
    "is_frozen",
    "known_classes",
    "predictions",
    "probabilities",
    "require_predictions",
    "require_probabilities",
    "teach",
    "teacher_tags",
    "told_classes",
]
