"""A function of the rows as a teacher."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.teachers._prefit import BasePrefitTeacher


class CallableTeacher(BasePrefitTeacher):
    """A function ``X -> probabilities`` as a teacher.

    A function is accepted as ``teacher=`` as it is; its columns are then the sorted classes of
    `y`, or 0, 1, … without `y`. Exceptions that it raises are not caught.

    Parameters
    ----------
    function : callable
        Called with rows as they were passed to the distiller: a data frame stays one, an
        array arrives as float32 or int32. Returns an array-like of shape
        (n_samples, n_classes), or (n_samples,) or (n_samples, 1) for the second of two
        classes, no labels; for a regression of shape (n_samples,) or (n_samples, n_outputs).
    classes : array-like of shape (n_classes,), default=None
        Labels in the order of the columns. None means the sorted classes of `y`, or 0, 1, …
        without `y`.
    response_method : {"predict_proba", "decision_function"}, default="predict_proba"
        What the function returns: probabilities, or margins, of which the softmax is taken
        (of one column the sigmoid).

    Attributes
    ----------
    classes_ : array of shape (n_classes,) or None
        Labels; None where values are predicted.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import CallableTeacher, DistilledClassifier, SoftTreeClassifier
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> def warm(rows):
    ...     return 1 / (1 + np.exp(-9 * rows[:, 0]))
    >>> teacher = CallableTeacher(warm, classes=["cold", "warm"])
    >>> distilled = DistilledClassifier(teacher, SoftTreeClassifier()).fit(X)
    >>> distilled.predict([[-0.5], [0.5]]).tolist()
    ['cold', 'warm']
    """

    _parameter_constraints = {
        **BasePrefitTeacher._parameter_constraints,
        "function": [callable],
    }

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

    def _load(self) -> None:
        """A function is there already."""

    def _raw_response(self, X: Any) -> Any:
        response = self.function(X)
        if getattr(self, "classes_", True) is not None:  # of a regression None
            self._refuse_labels(np.asarray(response))
        return response

    def _refuse_labels(self, response: NDArray[Any]) -> None:
        one_column = response.ndim == 1 or (response.ndim == 2 and response.shape[1] == 1)
        kind = response.dtype.kind
        whole = kind in "iub" or (kind == "f" and bool((response > 1).any()))
        if one_column and (
            kind not in "iubf" or (whole and self.response_method == "predict_proba")
        ):
            raise ValueError(
                f"{self._title()} returns labels, as {response.ravel().tolist()[0]!r}, where "
                "probabilities or margins are needed: pass predict_proba of the model; to teach "
                "its decisions pass FrozenEstimator(model) with response_method='predict', or "
                "return np.eye(n_classes)[labels]"
            )

    def _title(self) -> str:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return f"the teacher's function {name}"
