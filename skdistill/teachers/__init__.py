"""Anything that gives probabilities, or values, as a source of soft targets."""

from skdistill.teachers.as_teacher import (
    as_teacher,
    is_frozen,
    notes_on_fit,
    refitted,
    teacher_tags,
)
from skdistill.teachers.booster import BoosterTeacher
from skdistill.teachers.callable import CallableTeacher
from skdistill.teachers.cross_fitting import CrossFitResult, cross_fit
from skdistill.teachers.ensemble import TeacherEnsemble, as_ensemble
from skdistill.teachers.ensemble_weights import ensemble_weights
from skdistill.teachers.fast_response import say_speed
from skdistill.teachers.label_encoding import LabelEncodedClassifier, without_encoding
from skdistill.teachers.onnx import OnnxTeacher
from skdistill.teachers.response import (
    as_probabilities,
    known_classes,
    one_hot_decisions,
    predictions,
    probabilities,
    require_predictions,
    require_response,
    response_values,
)
from skdistill.teachers.single import expected_classes

__all__ = [
    "BoosterTeacher",
    "CallableTeacher",
    "CrossFitResult",
    "LabelEncodedClassifier",
    "OnnxTeacher",
    "TeacherEnsemble",
    "as_ensemble",
    "as_probabilities",
    "as_teacher",
    "cross_fit",
    "ensemble_weights",
    "expected_classes",
    "is_frozen",
    "known_classes",
    "notes_on_fit",
    "one_hot_decisions",
    "predictions",
    "probabilities",
    "refitted",
    "require_predictions",
    "require_response",
    "response_values",
    "say_speed",
    "teacher_tags",
    "without_encoding",
]
