"""What a fitted search does by its best student: predictions, exports, tables of results."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import ClassifierTags, RegressorTags, Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skdistill.compact import evaluate
from skdistill.inspection import Predictions, Report, report
from skdistill.model_selection.budget import Footprint
from skdistill.model_selection.results import pareto_frame
from skdistill.students._base import CompactMixin
from skdistill.teachers import teacher_tags


def _classifies(search: BestModelMixin) -> bool:
    return search.task == "classification"


class BestModelMixin(CompactMixin):
    """Methods of a search that has fitted its best student on all rows."""

    task: str
    teacher: Any
    best_estimator_: Any
    footprint_: Footprint
    cv_results_: dict[str, Any]
    scorer_: Callable[..., float]
    out_of_fold_: Predictions
    out_of_fold_rows_: NDArray[np.intp]

    @property
    def pareto_(self) -> Any:
        """Candidates within the budget, pandas.DataFrame, the best first."""
        check_is_fitted(self, "best_estimator_")
        return pareto_frame(self.cv_results_)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict labels or values, by the best student.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        y : array of shape (n_samples,) or (n_samples, n_outputs)
        """
        scores = self._scores(X)
        return evaluate.predict(self.compact_, scores)

    @available_if(_classifies)
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predict class probabilities, by the best student.

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

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Score the best student, by `scoring`.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels or values.

        Returns
        -------
        score : float
        """
        check_is_fitted(self, "best_estimator_")
        return float(self.scorer_(self.best_estimator_, X, y))

    def to_c(
        self,
        path: str | PathLike[str] | None = None,
        *,
        input_dtype: str | None = None,
        output: str | None = None,
        optimize: str | None = None,
        layout: str | None = None,
        name: str | None = None,
        missing_value: str | None = None,
        values_in_ram: bool = False,
    ) -> str:
        """Export to C99, in the form that was searched unless another one is asked for.

        Parameters
        ----------
        path, input_dtype, output, optimize, layout, name, missing_value, values_in_ram
            As in `skdistill.export.c.to_c`. None are the input type, output and layout of the
            search, and "size" where it had no `target`.

        Returns
        -------
        text : str
            The C file.
        """
        check_is_fitted(self, "best_estimator_")
        searched = self.footprint_.profile
        return super().to_c(
            path,
            input_dtype=input_dtype or searched.input_dtype,
            output=output or searched.output,
            optimize=optimize or searched.optimize,
            layout=layout or searched.layout,
            name=name,
            missing_value=missing_value,
            values_in_ram=values_in_ram,
        )

    def profile(self, X: ArrayLike, **options: Any) -> Any:
        """Compile for a device and run every row there, in the form that was searched.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            At least one row.
        **options : dict
            As in `skdistill.profile`; `target`, `input_dtype`, `output`, `layout` and `optimize`
            are those of the search where they are not passed.

        Returns
        -------
        profile : Profile
        """
        check_is_fitted(self, "best_estimator_")
        searched = self.footprint_.profile
        names = ("target", "input_dtype", "output", "layout", "optimize")
        return super().profile(X, **({name: getattr(searched, name) for name in names} | options))

    def report(
        self,
        path: str | PathLike[str] | None = None,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        **options: Any,
    ) -> Report:
        """Report on the best student, its teacher and the other candidates.

        Parameters
        ----------
        path : str or path-like, default=None
            Where to write the page, ending in .html; see `skdistill.inspection.report`.
        X : data frame or array-like of shape (n_samples, n_features), default=None
            Rows that `fit` has not seen. None are the rows of `fit` with the predictions that were
            made for them while they were held out.
        y : array-like of shape (n_samples,), default=None
            Labels or values of `X`.
        groups : array-like of shape (n_samples,), default=None
            Group of each row of `X`, or of `fit`.
        **options : dict
            As `skdistill.inspection.report` takes them.

        Returns
        -------
        report : Report

        Raises
        ------
        ValueError
            If `X` is passed without `y`, and where `skdistill.inspection.report` raises one.
        """
        check_is_fitted(self, "best_estimator_")
        if X is not None or y is not None:
            return report(self, X, y, groups=groups, path=path, **options)
        if groups is not None:
            groups = np.asarray(groups)[self.out_of_fold_rows_]
        options = {"predictions": self.out_of_fold_} | options
        return report(self, groups=groups, path=path, **options)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        if _classifies(self):
            tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        else:
            tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
            tags.target_tags.multi_output = True
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        if self.teacher is not None and not isinstance(self.teacher, list | tuple):
            tags.input_tags.allow_nan = teacher_tags(self.teacher).input_tags.allow_nan
        tags.input_tags.categorical = True
        return tags
