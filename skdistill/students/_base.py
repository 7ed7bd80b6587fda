"""Predictions of estimators that hold a `CompactModel`: students and distillers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skdistill.compact import evaluate
from skdistill.dataframe import encode_table, is_frame, is_object_array
from skdistill.export.onnx.skl2onnx import OnnxHooks
from skdistill.export_mixin import ExportMixin
from skdistill.model import CompactModel
from skdistill.readable_mixin import ReadableMixin
from skdistill.students._validation import check_numbers
from skdistill.utils.documentation import DocumentationLinkMixin


class CompactMixin(DocumentationLinkMixin, ExportMixin, ReadableMixin, OnnxHooks):
    """Integer scores and exports, from ``compact_``."""

    compact_: CompactModel

    def _scores(self, X: ArrayLike) -> NDArray[np.int32]:
        check_is_fitted(self, "compact_")
        # Where NaN has a meaning, so have infinities: they compare as they should.
        tags = get_tags(self).input_tags
        finite = not tags.allow_nan
        sparse = "csr" if self.compact_.accepts_sparse else False
        if not (is_frame(X) or is_object_array(X) or len(self.compact_.categories)):
            X = validate_data(
                self,
                X,
                reset=False,
                dtype="numeric",
                accept_sparse=sparse,
                ensure_all_finite=finite,
            )
            return self.compact_.scores(X)
        validate_data(self, X, reset=False, skip_check_array=True)
        columns, labels = self.compact_.categories.columns, self.compact_.categories.labels
        X = encode_table(X, columns, labels, self.compact_.feature_names)
        check_numbers(X, columns, finite=finite, estimator=self)
        return evaluate.indexed_scores(self.compact_, X)

    def _compact_model(self) -> CompactModel:
        check_is_fitted(self, "compact_")
        return self.compact_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()  # type: ignore[misc]  # `BaseEstimator` has it
        which = getattr(self, "categorical_features", None)
        tags.input_tags.categorical = which is not None
        # "from_dtype" reads strings in data frames only; an array has to have its columns named.
        tags.input_tags.string = which is not None and not isinstance(which, str)
        return tags


class CompactClassifierMixin(CompactMixin, ClassifierMixin):
    """Predictions of a classifier, from ``compact_``."""

    classes_: NDArray[Any]

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict labels: the argmax of the integer scores.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        y : array of shape (n_samples,)
            Labels; ties go to the lowest class.
        """
        scores = self._scores(X)
        return evaluate.predict(self.compact_, scores)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predict class probabilities.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        P : float64 array of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        scores = self._scores(X)
        return evaluate.probabilities(self.compact_, scores)

    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predict logarithms of class probabilities.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        log_P : float64 array of shape (n_samples, n_classes)
            −inf where a probability is 0.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Integer scores times their scale: logits, or votes of a forest.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        z : float64 array of shape (n_samples,) or (n_samples, n_classes)
            The former for two classes.
        """
        z = self._scores(X) * self.compact_.scale
        return z[:, 0] if z.shape[1] == 1 else z

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Accuracy on labels.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            Share of the rows whose label is predicted.

        Raises
        ------
        ValueError
            If `y` is a table of probabilities.
        """
        check_is_fitted(self, "compact_")
        shape = np.shape(y)
        if len(shape) == 2 and shape[1] > 1:
            raise ValueError(
                f"score of {type(self).__name__} is the accuracy on labels, got y of shape "
                f"{shape}: for probabilities use skdistill.metrics.soft_log_loss(y, "
                "estimator.predict_proba(X))"
            )
        return float(ClassifierMixin.score(self, X, y, sample_weight))


class CompactRegressorMixin(CompactMixin, RegressorMixin):
    """Predictions of a regressor, from ``compact_``."""

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predict targets: the integer scores times their scale.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        y : float64 array of shape (n_samples,) or (n_samples, n_outputs)
            The latter for several targets.
        """
        scores = self._scores(X)
        return evaluate.predict(self.compact_, scores)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
