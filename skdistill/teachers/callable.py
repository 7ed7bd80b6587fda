"""A function of the rows as a teacher."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skdistill.teachers._prefit import PrefitTeacherMixin


class CallableTeacher(PrefitTeacherMixin, BaseEstimator):
    """A function ``X -> probabilities`` as a teacher.

    A bare function may be given as ``teacher=`` as well; its columns are then the sorted
    classes of `y`, or 0, 1, … without `y`. What it raises is shown as it is.

    Parameters
    ----------
    function : callable
        Called with rows in the form in which the distiller got them (a data frame stays
        one, an array arrives as float32 or int32). Returns an array-like of shape (n, K),
        or (n,) or (n, 1) for the second of two classes; for a regression (n,) or (n, S).
    classes : array-like of shape (K,), default=None
        Labels in the order of the columns.
    response_method : {"predict_proba", "decision_function"}, default="predict_proba"
        What comes back: probabilities, or margins, of which the softmax is taken (of one
        column the sigmoid).

    Attributes
    ----------
    classes_ : array of shape (K,), or None where values are predicted

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import CallableTeacher, DistilledClassifier
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> def warm(rows):
    ...     return 1 / (1 + np.exp(-9 * rows[:, 0]))
    >>> teacher = CallableTeacher(warm, classes=["cold", "warm"])
    >>> DistilledClassifier(teacher, random_state=0).fit(X).predict([[-0.5], [0.5]]).tolist()
    ['cold', 'warm']
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        classes: ArrayLike | None = None,
        *,
        response_method: str = "predict_proba",
    ) -> None:
        self.function = function
        self.classes = classes
        self.response_method = response_method

    def _open(self) -> None:
        if not callable(self.function):
            raise TypeError(f"function={self.function!r} of CallableTeacher cannot be called")

    def _respond(self, X: Any) -> Any:
        return self.function(X)

    def _title(self) -> str:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return f"the teacher's function {name}"
