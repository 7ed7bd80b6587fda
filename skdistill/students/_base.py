"""What students and distillers answer once they hold a `CompactModel`."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skdistill.compact import evaluate
from skdistill.dataframe import index_table, is_frame
from skdistill.export.onnx.skl2onnx import OnnxHooks
from skdistill.model import CompactModel
from skdistill.students._validation import check_numbers
from skdistill.targets import soft_log_loss

if TYPE_CHECKING:
    from onnx import ModelProto

    from skdistill.device import Profile


class CompactMixin(OnnxHooks):
    """What classifiers and regressors read from ``compact_`` in the same way."""

    compact_: CompactModel

    def _scores(self, X: ArrayLike) -> NDArray[np.int32]:
        check_is_fitted(self, "compact_")
        # Where NaN has a meaning, so have infinities: they compare as they should. A distiller
        # cannot know what an unfitted Pipeline makes of NaN until it has seen some.
        tags = get_tags(self).input_tags
        finite = not (tags.allow_nan or getattr(self, "_missing_seen", False))
        sparse = "csr" if tags.sparse else False
        if not is_frame(X) and not len(self.compact_.categories):
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
        X = index_table(X, columns, labels, self.compact_.feature_names)
        check_numbers(X, columns, finite=finite, estimator=self)
        return evaluate.indexed_scores(self.compact_, X)

    def to_c(
        self,
        path: str | PathLike[str] | None = None,
        *,
        input_dtype: str | None = None,
        output: str | None = None,
        layout: str = "table",
        name: str | None = None,
        missing_value: str | None = None,
    ) -> str:
        """Export to C99, bit for bit equal to the predictions here.

        Parameters
        ----------
        path : str or path-like, default=None
            The .c file to write, with a header beside it, if any.
        input_dtype, output, layout, name, missing_value : str
            As in `skdistill.export.c.to_c`: the type of the inputs ("float32", "uint8", …,
            "codes"), what is answered ("label", "scores", "proba_float", "proba_q15"), whether
            it is smallest ("table") or fastest ("code"), the prefix of all names, and whether
            the largest number ("max") of an integer type is a missing one.

        Returns
        -------
        text : str
        """
        from skdistill.export.c import to_c

        check_is_fitted(self, "compact_")
        return to_c(
            self.compact_,
            path,
            input_dtype=input_dtype,
            output=output,
            layout=layout,
            name=name,
            missing_value=missing_value,
        )

    def profile(
        self,
        X: ArrayLike,
        *,
        target: str = "cortex-m0",
        input_dtype: str | None = None,
        output: str | None = None,
        layout: str = "table",
        missing_value: str | None = None,
    ) -> Profile:
        """Compile for a device, run every row there, count bytes and instructions.

        Parameters
        ----------
        target : str
            "cortex-m0", …, as in `skdistill.profile`.
        X : array-like of shape (n, d)
        input_dtype, output, layout, missing_value : str
            As in `skdistill.profile`.

        Returns
        -------
        profile : Profile
        """
        from skdistill.device import profile

        return profile(
            self,
            X,
            target=target,
            input_dtype=input_dtype,
            output=output,
            layout=layout,
            missing_value=missing_value,
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Write ``compact_`` to a file that `skdistill.load` reads.

        Parameters
        ----------
        path : str or path-like
        """
        check_is_fitted(self, "compact_")
        self.compact_.save(path)


class CompactClassifierMixin(CompactMixin, ClassifierMixin):
    """Predictions, scores and exports as readings of ``compact_``."""

    classes_: NDArray[Any]

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict labels: the argmax of the integer scores.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        y : array of shape (n,)
        """
        scores = self._scores(X)
        return evaluate.predict(self.compact_, scores)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predict class probabilities.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        P : float64 array of shape (n, K)
        """
        scores = self._scores(X)
        return evaluate.probabilities(self.compact_, scores)

    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Logarithms of `predict_proba`; −inf where it is 0.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        log_P : float64 array of shape (n, K)
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Integer scores in the unit of the link.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        z : float64 array of shape (n,) for two classes, else (n, K)
        """
        z = self._scores(X) * self.compact_.scale
        return z[:, 0] if z.shape[1] == 1 else z

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Accuracy; for 2-D `y`, which is always probabilities, minus the soft log loss.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : array-like of shape (n,) or (n, K)
            A data frame whose columns are the classes may have them in any order.
        sample_weight : array-like of shape (n,), default=None

        Returns
        -------
        score : float
            Greater is better.
        """
        check_is_fitted(self, "compact_")
        classes = self.classes_.tolist()
        if hasattr(y, "columns") and set(y.columns) == set(classes):
            y = y[classes]
        if np.asarray(y).ndim == 2 and np.asarray(y).shape[1] > 1:
            return -soft_log_loss(y, self.predict_proba(X), sample_weight)
        return ClassifierMixin.score(self, X, y, sample_weight)

    def to_onnx(
        self,
        path: str | PathLike[str] | None = None,
        *,
        input_dtype: str = "float32",
        per_column_inputs: bool = False,
        zipmap: bool = False,
        missing_value: str | None = None,
    ) -> ModelProto:
        """Export to ONNX: label, probabilities, integer scores.

        Parameters
        ----------
        path : str or path-like, default=None
            Where to write the file, if anywhere.
        input_dtype : {"float32", "float64", "int32", "int64"}, default="float32"
            Type of the numbers that go in.
        per_column_inputs : bool, default=False
            Whether each column is an input of its own, of strings where its labels are.
        zipmap : bool, default=False
            Whether probabilities leave as a list of dictionaries.
        missing_value : {"max", None}, default=None
            "max" says that the largest number of an integer type stands for a missing one.

        Returns
        -------
        model : onnx.ModelProto
        """
        from skdistill.export.onnx import to_onnx

        check_is_fitted(self, "compact_")
        options = {
            "input_dtype": input_dtype,
            "per_column_inputs": per_column_inputs,
            "zipmap": zipmap,
        }
        return to_onnx(self.compact_, path, **options, missing_value=missing_value)


class CompactRegressorMixin(CompactMixin, RegressorMixin):
    """Predicted values and exports as readings of ``compact_``."""

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predict values: the integer scores times their scale.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        y : float64 array of shape (n,), or (n, S) for several targets
        """
        scores = self._scores(X)
        return evaluate.predict(self.compact_, scores)

    def to_onnx(
        self,
        path: str | PathLike[str] | None = None,
        *,
        input_dtype: str = "float32",
        per_column_inputs: bool = False,
        missing_value: str | None = None,
    ) -> ModelProto:
        """Export to ONNX: float32 values of shape (n, S), and integer scores.

        Parameters
        ----------
        path : str or path-like, default=None
            Where to write the file, if anywhere.
        input_dtype : {"float32", "float64", "int32", "int64"}, default="float32"
            Type of the numbers that go in.
        per_column_inputs : bool, default=False
            Whether each column is an input of its own, of strings where its labels are.
        missing_value : {"max", None}, default=None
            "max" says that the largest number of an integer type stands for a missing one.

        Returns
        -------
        model : onnx.ModelProto
        """
        from skdistill.export.onnx import to_onnx

        check_is_fitted(self, "compact_")
        options = {"input_dtype": input_dtype, "per_column_inputs": per_column_inputs}
        return to_onnx(self.compact_, path, **options, missing_value=missing_value)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
