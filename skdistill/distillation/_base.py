"""What both distillers do alike: ask the teacher, make further rows, remember, seed."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Tags, get_tags

from skdistill.dataframe import is_frame
from skdistill.students._validation import BITS, check_rows
from skdistill.teachers import is_frozen, teacher_tags
from skdistill.utils._sklearn_compat import HasMethods, Interval, StrOptions

PARAMETERS: dict[str, list[Any]] = {
    "teacher": "no_validation",  # as_teacher does it
    "student": [HasMethods(["fit"]), None],
    "alpha": [Interval(Real, 0, 1, closed="both")],
    "cv": [StrOptions({"auto"}), "cv_object"],
    "transfer_set": [StrOptions({"munge"}), HasMethods(["sample"]), None],
    "transfer_weight": [Interval(Real, 0, None, closed="left"), None],
    "threshold_bits": [*BITS["threshold_bits"], None],
    "value_bits": [*BITS["value_bits"], None],
    "memory": [str, HasMethods(["cache"]), None],
    "random_state": ["random_state"],
    "n_jobs": [Integral, None],
    "verbose": ["verbose"],
}


def rows_of(distiller: Any, X: Any, student: Any) -> Any:
    """Checked rows as teacher and student see them.

    A data frame is left as it is, and so is an array with categories; numbers are cast to
    what the student compares.
    """
    wanted = getattr(student, "categorical_features", None)
    numbers, labels = check_rows(distiller, X, allow_nan=True, categorical_features=wanted)
    plain = numbers[:, [each is None for each in labels]]
    distiller._missing_seen = plain.dtype.kind == "f" and bool(np.isnan(plain).any())
    if is_frame(X):
        return X
    return numbers if all(each is None for each in labels) else np.asarray(X)


def with_bits(distiller: Any, student: Any) -> Any:
    """Set the distiller's bits, where it has any, on its copy of the student."""
    bits = {"threshold_bits": distiller.threshold_bits, "value_bits": distiller.value_bits}
    return student.set_params(**{name: value for name, value in bits.items() if value is not None})


def seeded(estimator: Any, rng: np.random.RandomState) -> Any:
    """Give a seed to every `random_state` of an unfitted estimator that has none."""
    if isinstance(estimator, FrozenEstimator):
        return estimator
    parameters = estimator.get_params(deep=True)
    names = sorted(
        name
        for name, value in parameters.items()
        if value is None and (name == "random_state" or name.endswith("__random_state"))
    )
    return estimator.set_params(**{name: rng.randint(2**31 - 1) for name in names})


def keep_teacher(distiller: Any, teacher: Any) -> None:
    """Store the fitted teacher; where there is none forget that of an earlier fit."""
    vars(distiller).pop("teacher_", None)
    if teacher is not None:
        distiller.teacher_ = teacher


def tags_of(distiller: Any, tags: Tags, student: Any) -> Tags:
    """Tags of a distiller from those of its student and teacher."""
    allow = get_tags(student).input_tags.allow_nan
    if distiller.teacher is not None and distiller.alpha > 0:
        allow = allow and teacher_tags(distiller.teacher).input_tags.allow_nan
    tags.input_tags.allow_nan = allow
    tags.target_tags.required = not is_frozen(distiller.teacher)
    return tags
