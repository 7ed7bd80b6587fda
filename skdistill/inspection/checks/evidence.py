"""What checks look at: a model, rows, and what others say of the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.compact.model_tables import ModelTables
from skdistill.device.profile import compact_of
from skdistill.inspection.predictions import Predictions, predict_labels


@dataclass(frozen=True)
class Evidence:
    """A model and what it is compared with. None is what is not known: its checks are silent.

    Parameters
    ----------
    model : CompactModel, student or distiller
        What is checked.
    X : array-like of shape (n_samples, n_features), default=None
        Rows that neither teacher nor student have seen.
    y : array-like of shape (n_samples,), default=None
        Their labels or values.
    teacher : estimator, default=None
        Fitted.
    groups : array-like of shape (n_samples,), default=None
        Group of each row.
    X_train : array-like of shape (n_train, n_features), default=None
        Rows that the student was fitted on.
    hard_labels : estimator, default=None
        The same student fitted on labels alone.
    budget : int, default=None
        Bytes that the tables may take.
    search : object, default=None
        A fitted search with ``cv_results_["params"]`` and ``best_params_``.
    input_dtype : str, default=None
        Type of the inputs on the device; None is that of the model.
    predictions : Predictions, default=None
        Of the rows, in place of those of the models.
    """

    model: Any
    X: ArrayLike | None = None
    y: ArrayLike | None = None
    teacher: Any = None
    groups: ArrayLike | None = None
    X_train: ArrayLike | None = None
    hard_labels: Any = None
    budget: int | None = None
    search: Any = None
    input_dtype: str | None = None
    predictions: Predictions | None = None

    @cached_property
    def compact(self) -> ModelTables:
        """The integer model."""
        return compact_of(self.model)

    @cached_property
    def labels(self) -> NDArray[Any] | None:
        """Labels of the rows of a classification."""
        if self.compact.classes is None:
            return None
        if self.predictions is not None:
            return self.predictions.y
        return None if self.y is None else np.asarray(self.y)

    @cached_property
    def student_labels(self) -> NDArray[Any] | None:
        """What the model predicts of a classification."""
        return self._labels_of("student", self.model)

    @cached_property
    def teacher_labels(self) -> NDArray[Any] | None:
        """What the teacher predicts of a classification."""
        return self._labels_of("teacher", self.teacher)

    @cached_property
    def hard_label_predictions(self) -> NDArray[Any] | None:
        """What the student on hard labels predicts of a classification."""
        return self._labels_of("hard_labels", self.hard_labels)

    def _labels_of(self, name: str, estimator: Any) -> NDArray[Any] | None:
        if self.compact.classes is None:
            return None
        if self.predictions is not None:
            labels: NDArray[Any] | None = getattr(self.predictions, name)
            return labels
        if self.X is None or estimator is None:
            return None
        return predict_labels(estimator, self.X)

    @cached_property
    def searched(self) -> Mapping[str, list[Any]]:
        """Values of each parameter that a search tried."""
        if self.search is None:
            return {}
        values: dict[str, list[Any]] = {}
        for params in self.search.cv_results_["params"]:
            for name, value in params.items():
                values.setdefault(name, []).append(value)
        return values
