"""Anything that gives probabilities, or values, as a source of soft targets."""

from skdistill.teachers.booster import BoosterTeacher
from skdistill.teachers.committee import Committee
from skdistill.teachers.door import as_teacher, is_frozen, teacher_tags, told_classes
from skdistill.teachers.function import CallableTeacher
from skdistill.teachers.margin import MarginTeacher
from skdistill.teachers.numbered import NumberedClasses
from skdistill.teachers.onnx_file import OnnxTeacher
from skdistill.teachers.out_of_fold import Lesson, teach
from skdistill.teachers.response import (
    answers,
    as_probabilities,
    known_classes,
    predictions,
    probabilities,
    require_predictions,
    require_probabilities,
)
from skdistill.teachers.weights import committee_weights

__all__ = [
    "BoosterTeacher",
    "CallableTeacher",
    "Committee",
    "Lesson",
    "MarginTeacher",
    "NumberedClasses",
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
