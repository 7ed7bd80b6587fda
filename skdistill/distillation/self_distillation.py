"""Students that are taught by students."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from skdistill.dataframe import take_rows
from skdistill.distillation.classifier import DistilledClassifier
from skdistill.utils._sklearn_compat import Interval, validate_params


@validate_params(
    {
        "distiller": [DistilledClassifier],
        "X": ["array-like"],
        "y": ["array-like"],
        "max_generations": [Interval(Integral, 1, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def born_again(
    distiller: DistilledClassifier,
    X: ArrayLike,
    y: ArrayLike,
    *,
    max_generations: int = 5,
    validation_fraction: float = 0.2,
    random_state: Any = None,
) -> DistilledClassifier:
    """Let each student teach the next, for as long as that helps.

    The distiller's own teacher teaches the first generation, which, frozen, teaches the
    second, and so on. Rows that are held out tell when to stop: with the first generation
    whose log loss there is no less than its teacher's. As many generations as were worth
    it are then taught anew on all rows.

    Furlanello et al. 2018, "Born again neural networks", section 3, where teacher and student
    are alike: ``DistilledClassifier(student, student)``.

    Parameters
    ----------
    distiller : DistilledClassifier
        With a student that learns from a teacher of its own kind, and ``alpha > 0``.
    X : array-like of shape (n, d)
    y : array-like of shape (n,)
    max_generations : int, default=5
    validation_fraction : float in (0, 1), default=0.2
    random_state : int, RandomState instance or None, default=None
        Of the rows that are held out; the distiller has its own.

    Returns
    -------
    distiller : DistilledClassifier
        The last generation; ``n_generations_`` says which it is.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import DistilledClassifier, SoftTreeClassifier, born_again
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = SoftTreeClassifier(max_leaf_nodes=8)
    >>> last = born_again(DistilledClassifier(tree, tree, random_state=0), X, y, random_state=0)
    >>> last.score(X, y) > 0.9
    True
    """
    y = np.asarray(y)
    fit, held = train_test_split(
        np.arange(len(y)),
        test_size=validation_fraction,
        random_state=check_random_state(random_state),
        stratify=y,
    )
    train, test = (take_rows(X, rows) for rows in (fit, held))
    losses: list[float] = []
    for student in _generations(distiller, train, y[fit], max_generations):
        losses.append(log_loss(y[held], student.predict_proba(test), labels=student.classes_))
        if losses[-1] > min(losses):
            break
    kept = int(np.argmin(losses)) + 1
    *_, last = _generations(distiller, X, y, kept)
    last.n_generations_ = kept
    return last


def _generations(distiller: DistilledClassifier, X: Any, y: Any, most: int) -> Any:
    teacher = distiller.teacher
    for _ in range(most):
        student = clone(distiller).set_params(teacher=teacher).fit(X, y)
        yield student
        teacher = FrozenEstimator(student)
