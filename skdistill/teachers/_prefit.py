"""Base class of teachers that are fitted models of another kind."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skdistill.dataframe import take_rows
from skdistill.teachers.response import as_probabilities, require_rows
from skdistill.utils._sklearn_compat import StrOptions
from skdistill.utils.documentation import DocumentationLinkMixin


class BasePrefitTeacher(DocumentationLinkMixin, BaseEstimator):
    """An estimator around a fitted model; its own `fit` loads the model and names its classes.

    A class has the parameters `classes` and `response_method`, and the methods below that
    are abstract here.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "classes": ["array-like", None],
        "response_method": [StrOptions({"predict_proba", "decision_function"})],
    }

    classes: ArrayLike | None
    response_method: str
    classes_: NDArray[Any] | None

    @abstractmethod
    def _load(self) -> None:
        """Check and load the model."""

    @abstractmethod
    def _raw_response(self, X: Any) -> Any:
        """What the model returns for rows."""

    @abstractmethod
    def _title(self) -> str:
        """Name of the model in error messages."""

    def _own_classes(self, X: Any) -> ArrayLike | None:
        """Classes that the model itself knows; None if it knows none."""
        return None

    def fit(self, X: Any = None, y: ArrayLike | None = None, *, regression: bool = False) -> Any:
        """Load the model and name its classes; nothing is learnt.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            The model is called on its first row, where nothing else tells the number
            of classes.
        y : array-like of shape (n_samples,), default=None
            Its sorted labels name the classes, where neither `classes` nor the model does.
        regression : bool, default=False
            Whether the model predicts values.

        Returns
        -------
        self : object
            The loaded teacher.

        Raises
        ------
        ValueError
            If the model cannot be loaded, or its classes have no names.
        """
        self._validate_params()
        self._load()
        self.classes_ = None if regression else self._name_classes(X, y)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        P : float64 array of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.

        Raises
        ------
        ValueError
            If the model does not return probabilities (or margins) of these classes.
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

    @available_if(lambda self: self.response_method == "decision_function")
    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Margins, where the model returns margins.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        margins : float64 array of shape (n_samples,) or (n_samples, n_classes)
            One column is for the second of two classes.
        """
        check_is_fitted(self, "classes_")
        margins = np.asarray(self._raw_response(X), dtype=np.float64)
        return margins[:, 0] if margins.ndim == 2 and margins.shape[1] == 1 else margins

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels of the most probable classes; or the values of a regression.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        y : array of shape (n_samples,) or (n_samples, n_outputs)
            Labels or values.
        """
        check_is_fitted(self, "classes_")
        if self.classes_ is None:
            return np.asarray(self._raw_response(X))
        labels: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels

    def _as_teacher(
        self, X: Any, y: Any, *, regression: bool, response_method: str
    ) -> FrozenEstimator:
        """A loaded copy; with "decision_function" the model returns margins."""
        copy = clone(self)
        if response_method == "decision_function":
            copy.response_method = response_method
        return FrozenEstimator(copy.fit(X, y, regression=regression))

    def _is_prefit(self) -> bool:
        return True

    def _probabilities(self, X: Any) -> NDArray[np.float64]:
        P = as_probabilities(self._raw_response(X), self.response_method, self._title())
        require_rows(P, X, self._title())
        return P

    def _name_classes(self, X: Any, y: ArrayLike | None) -> NDArray[Any]:
        """Classes in the order of the columns: `classes`, else the model's own, else those of y."""
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
            # Exporters write bool labels as integers: the labels of y are the better names.
            return labels if labels is not None and labels.tolist() == own.tolist() else own
        if X is None:
            raise ValueError(f"{type(self).__name__} needs classes, or rows X to count them on")
        n_columns = self._probabilities(take_rows(X, [0])).shape[1]
        if labels is None:
            return np.arange(n_columns)
        if len(labels) != n_columns:
            raise ValueError(
                f"{self._title()} gives {n_columns} columns, y has {len(labels)} classes "
                f"{labels.tolist()}: name its columns as classes"
            )
        return labels

    def __sklearn_clone__(self) -> Any:
        """A new estimator around the same model: a copied model would be another one."""
        return type(self)(**self.get_params(deep=False))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "classes_")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        regression = getattr(self, "classes_", True) is None
        tags.estimator_type = "regressor" if regression else "classifier"
        tags.target_tags.required = False
        tags.target_tags.multi_output = regression
        tags.input_tags.allow_nan = True  # the model decides
        return tags
