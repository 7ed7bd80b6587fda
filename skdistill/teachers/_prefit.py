"""What was fitted elsewhere and only answers: the common part of such teachers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skdistill.dataframe import take_rows
from skdistill.teachers.response import as_probabilities, require_rows

RESPONSES = ("predict_proba", "decision_function")


class PrefitTeacherMixin:
    """An estimator around something that has learnt already; `fit` opens it and names its classes.

    A class has the parameters `classes` and `response_method`, `_open()`, which checks and
    loads, ``_respond(X)``, which gives the raw answers, ``_title()`` for messages, and may
    have ``_own_classes(X)``.
    """

    classes: ArrayLike | None
    response_method: str

    def fit(self, X: Any = None, y: ArrayLike | None = None, *, values: bool = False) -> Any:
        """Open the model and name its classes; nothing is learnt.

        Parameters
        ----------
        X : array-like of shape (n, d), default=None
            Its first row is asked for, where that tells the number of classes.
        y : array-like of shape (n,), default=None
            Its sorted labels name the classes where neither `classes` nor the model does.
        values : bool, default=False
            Whether the answers are values of a regression.

        Returns
        -------
        self : object
        """
        if self.response_method not in RESPONSES:
            raise ValueError(
                f"response_method={self.response_method!r} of {type(self).__name__} must be one "
                f"of {', '.join(RESPONSES)}"
            )
        self._open()
        self.classes_ = None if values else self._name_classes(X, y)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        P : float64 array of shape (n, K)
            Columns in the order of ``classes_``.
        """
        check_is_fitted(self, "classes_")
        if self.classes_ is None:
            raise ValueError(f"{self._title()} was fitted as a regressor: it has no probabilities")
        P = self._probabilities(X)
        if P.shape[1] != len(self.classes_):
            raise ValueError(
                f"{self._title()} gives {P.shape[1]} columns for the {len(self.classes_)} classes "
                f"{self.classes_.tolist()}: name all of them, in the order of its columns, as "
                "classes"
            )
        return P

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels: the most probable class; or the values of a regression.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        y : array of shape (n,), or (n, S) for values of several targets
        """
        check_is_fitted(self, "classes_")
        if self.classes_ is None:
            return np.asarray(self._respond(X))
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _probabilities(self, X: Any) -> NDArray[np.float64]:
        P = as_probabilities(self._respond(X), self.response_method, self._title())
        require_rows(P, X, self._title())
        return P

    def _own_classes(self, X: Any) -> ArrayLike | None:
        return None

    def _name_classes(self, X: Any, y: ArrayLike | None) -> NDArray[Any]:
        """Classes in the order of the columns: as given, as the model says, those of `y`."""
        labels = None if y is None else np.unique(np.asarray(y))
        if self.classes is not None:
            named = np.asarray(self.classes)
            if named.ndim != 1 or len(np.unique(named)) != len(named):
                raise ValueError(
                    f"classes={named.tolist()} of {type(self).__name__} must be different labels"
                )
            return named
        own = self._own_classes(X)
        if own is not None:
            own = np.asarray(own)
            # Exporters write bool labels as integers: y's own are the better names.
            return labels if labels is not None and labels.tolist() == own.tolist() else own
        if X is None:
            raise ValueError(f"{type(self).__name__} needs classes, or rows X to count them on")
        width = self._probabilities(take_rows(X, [0])).shape[1]
        if labels is None:
            return np.arange(width)
        if len(labels) != width:
            raise ValueError(
                f"{self._title()} gives {width} columns, y has {len(labels)} classes "
                f"{labels.tolist()}: name its columns as classes"
            )
        return labels

    def __sklearn_clone__(self) -> Any:
        """Share what was given: a copy of it would be no other model."""
        return type(self)(**self.get_params(deep=False))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "classes_")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        values = getattr(self, "classes_", True) is None
        tags.estimator_type = "regressor" if values else "classifier"
        tags.target_tags.required = False
        tags.target_tags.multi_output = values
        tags.input_tags.allow_nan = True  # whether it can is its own business
        return tags
