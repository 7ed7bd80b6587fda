"""Hard and soft labels of the training rows of a classifier."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_consistent_length

from skdistill.students._validation import check_targets
from skdistill.targets import check_probabilities
from skdistill.teachers import TeacherEnsemble, expected_classes


class Labels(NamedTuple):
    """Labels of the training rows.

    Attributes
    ----------
    classes : array of shape (n_classes,)
        Sorted.
    codes : int array of shape (n_samples,) or None
        Class numbers of the hard labels.
    proba : float64 array of shape (n_samples, n_classes) or None
        Soft labels that were passed.
    """

    classes: NDArray[Any]
    codes: NDArray[np.intp] | None
    proba: NDArray[np.float64] | None


def read_labels(teacher: Any, y: Any, teacher_proba: Any, n_samples: int) -> Labels:
    """Read what was passed for the training rows, under one order of classes.

    Parameters
    ----------
    teacher : estimator or None
        From `as_teacher`. Frozen, it says which classes there are.
    y : array-like of shape (n_samples,), or None
        Hard labels.
    teacher_proba : array-like of shape (n_samples, n_classes), or None
        Soft labels; the columns of a data frame name the classes.
    n_samples : int
        Training rows.

    Returns
    -------
    labels : Labels

    Raises
    ------
    ValueError
        If labels, probabilities and the teacher's classes do not fit together.
    """
    frozen = isinstance(teacher, FrozenEstimator)
    classes = None
    if frozen:
        classes = expected_classes(teacher, None)
    elif hasattr(teacher_proba, "columns"):
        classes = np.unique(np.asarray(teacher_proba.columns))
    elif isinstance(teacher, TeacherEnsemble) and y is not None:  # members may be frozen
        classes = expected_classes(teacher, one_label_a_row(y))
    codes = None
    if y is not None:
        owner = "frozen teacher" if frozen else "teacher_proba"
        named = "classes"
        if classes is not None:
            named = f"the classes of the {owner}, {classes.tolist()}"
        targets, classes = check_targets(y, classes, n_samples, named=named)
        codes = targets.hard
    if teacher_proba is None:
        assert classes is not None  # without y and probabilities, the teacher is frozen
        return Labels(classes, codes, None)
    P = check_probabilities(teacher_proba, "teacher_proba")
    check_consistent_length(P, np.empty(n_samples))
    if classes is None:
        classes = np.arange(P.shape[1])
    if P.shape[1] != len(classes):
        raise ValueError(f"teacher_proba has {P.shape[1]} columns for {len(classes)} classes")
    if hasattr(teacher_proba, "columns"):
        names = np.asarray(teacher_proba.columns)
        order = np.argsort(names)
        if names[order].tolist() != classes.tolist():
            raise ValueError(
                f"teacher_proba has columns {names.tolist()} for the classes {classes.tolist()}"
            )
        P = P[:, order]
    return Labels(classes, codes, P)


def one_label_a_row(y: Any) -> NDArray[Any] | None:
    """Read labels as they are.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, 1), or None
        Labels.

    Returns
    -------
    labels : array of shape (n_samples,) or None
        None where there are none.

    Raises
    ------
    ValueError
        For several columns.
    """
    if y is None:
        return None
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] > 1:
        raise ValueError(
            "y must hold labels, one a row: pass a table of probabilities as teacher_proba, and "
            "for several outputs wrap the distiller in sklearn.multioutput.MultiOutputClassifier"
        )
    labels: NDArray[Any] = y.ravel()
    return labels
