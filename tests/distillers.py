"""Distillers of a tree: it is grown in no time, and which tree is grown depends on no seed."""

from __future__ import annotations

from typing import Any

from skdistill import (
    DistilledClassifier,
    DistilledRegressor,
    SoftTreeClassifier,
    SoftTreeRegressor,
)


def tree_classifier(teacher: Any, student: Any = None, **settings: Any) -> DistilledClassifier:
    student = SoftTreeClassifier() if student is None else student
    return DistilledClassifier(teacher, student, **settings)


def tree_regressor(teacher: Any, student: Any = None, **settings: Any) -> DistilledRegressor:
    student = SoftTreeRegressor() if student is None else student
    return DistilledRegressor(teacher, student, **settings)
