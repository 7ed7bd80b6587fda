"""Distillation of a regressor."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Tags, check_random_state

from skdistill.chunks import as_chunks
from skdistill.dataframe import EncodedTable
from skdistill.distillation._base import PARAMETERS, DistillerMixin, mean_weight
from skdistill.distillation.chunk_labels import fit_on_chunks
from skdistill.distillation.labelling import Labelling, ask_teacher, keep_held_out
from skdistill.students import SoftNetRegressor
from skdistill.students._base import CompactRegressorMixin
from skdistill.students._validation import check_values, check_weights
from skdistill.teachers import teacher_tags
from skdistill.transfer.further_rows import append_rows
from skdistill.utils._sklearn_compat import (
    FitTasks,
    _fit_context,
    _raise_for_params,
    with_callbacks,
)


class DistilledRegressor(DistillerMixin, CompactRegressorMixin, BaseEstimator):
    """Distil a large regressor into a model of a few kilobytes.

    The teacher predicts the training rows out of fold, and further rows that a transfer set
    makes. The student learns from a mixture of these predictions and `y`, on a quantized grid,
    and ends in one integer model. All predictions and exports come from that model.

    Parameters
    ----------
    teacher : estimator, OnnxTeacher, booster, callable, list of these, or None
        What the student learns from. Estimators are cloned and fitted, unless they are wrapped in
        a `FrozenEstimator`. The others are used as they are, and need no `y`. A list is a
        `TeacherEnsemble`. None is allowed with ``alpha=0``, and with `teacher_prediction` and
        ``transfer_set=None``.
    student : estimator, default=None
        The model to be deployed; it is cloned: `SoftTreeRegressor`,
        `SoftBoostingRegressor`, `SoftLinearRegressor` or `SoftNetRegressor`. None is
        ``SoftNetRegressor()``. Its parameters, such as ``student__value_bits``, decide about
        the size.
    alpha : float in [0, 1], default=0.5
        Weight of the predictions against `y` in rows that have both: the student learns
        ``alpha * prediction + (1 - alpha) * y``. 0 is a plain student: no teacher is
        fitted and no other rows are used.
    cv : "auto", int, splitter or iterable of splits, default="auto"
        How training rows are held out to be predicted. "auto" is five folds, shuffled with a
        fixed seed or by group where `groups` are passed, or out-of-bag predictions for a forest
        with ``oob_score=True``. A frozen teacher predicts the rows directly.
    transfer_set : {"munge"}, transfer set or None, default="munge"
        Makes further rows, which the fitted teacher predicts; "munge" is ``Munge()`` (Bucila et
        al. 2006, section 3.3). A transfer set has ``sample(X, random_state)``, as `Munge` and
        `Pool`.
    transfer_weight : float >= 0, default=None
        Total weight of all further rows, in mean weights of the training rows. None is their
        number: a further row weighs as much as the mean training row.
    memory : str, joblib.Memory or None, default=None
        Caches fitted teachers and their predictions, so that a search over the student
        fits the teacher once a fold.
    random_state : int, RandomState instance or None, default=None
        Seeds the transfer set, and every `random_state` of teacher and student that is None.
    n_jobs : int or None, default=None
        Number of teacher fits that run in parallel.
    verbose : int, default=0
        Above 0, what happens to the teacher is printed, and a progress bar counts its fits.

    Attributes
    ----------
    teacher_ : fitted estimator
        The fitted teacher, of the class that was passed; absent where nothing was left for it to
        predict.
    student_ : fitted student
        Holds no reference to the teacher: this, or `compact_`, is what is deployed.
    compact_ : CompactModel
        The student's integer model.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : array of shape (n_features_in_,)
        Column names; only where all of them are strings.

    References
    ----------
    Bucila, Caruana & Niculescu-Mizil 2006, "Model compression".

    Notes
    -----
    For squared error, learning from both sources with weights alpha and 1 - alpha and
    learning from their mixture is the same: the losses differ by a constant.

    Distillation does not help everywhere: compare with ``alpha=0``.

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skdistill import DistilledRegressor
    >>> X, y = make_friedman1(200, random_state=0)
    >>> distilled = DistilledRegressor(RandomForestRegressor(20), random_state=0).fit(X, y)
    >>> distilled.predict(X[:3]).shape
    (3,)
    """

    _parameter_constraints: dict[str, Any] = {**PARAMETERS}
    _teacher_output = "teacher_prediction"

    def __init__(
        self,
        teacher: Any,
        student: Any = None,
        *,
        alpha: float = 0.5,
        cv: Any = "auto",
        transfer_set: Any = "munge",
        transfer_weight: float | None = None,
        memory: Any = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.alpha = alpha
        self.cv = cv
        self.transfer_set = transfer_set
        self.transfer_weight = transfer_weight
        self.memory = memory
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        teacher_prediction: ArrayLike | None = None,
        X_unlabeled: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        **fit_params: Any,
    ) -> DistilledRegressor:
        """Fit the teacher where needed, then the student.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features), or Chunks
            Numbers, NaN where teacher and student allow it. A data frame, or columns that the
            student's `categorical_features` names, may hold categories. The teacher gets a data
            frame as it is, and an array of numbers cast to float32, or int32 where it is int32.
            A table in chunks, a `Chunks` or a list of tuples, is never held in memory:
            ``(X,)`` and ``(X, y)`` are labelled by a fitted teacher; with
            ``teacher=None`` y holds its predictions. It needs ``transfer_set=None``.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Values; None with a teacher that needs no fit, or with `teacher_prediction`: then
            everything is learnt from the predictions.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the training rows; only their proportions count. Passed on to the classifiers
            or regressors inside the teacher, with a warning where one takes none; with metadata
            routing enabled, if they were requested.
        teacher_prediction : array-like of shape (n_samples,) or (n_samples, n_outputs), \
default=None
            Predictions for the training rows, used as they are.
        X_unlabeled : data frame or array-like of shape (n_rows, n_features), default=None
            Further rows for the teacher to predict, beside those of `transfer_set`.
        groups : array-like of shape (n_samples,), default=None
            Group of each row, for `cv`.
        **fit_params : dict
            Metadata that teacher and splitter requested; only with metadata routing enabled.

        Returns
        -------
        self : DistilledRegressor
            The fitted distiller.

        Raises
        ------
        TypeError
            If the teacher is no teacher of values, or the student is none of those above.
        ValueError
            If parameters or data are out of range or do not fit together, and if there is
            nothing to learn from.
        """
        _raise_for_params(fit_params, self, "fit")
        chunks = as_chunks(X)
        if chunks is not None:
            beside = {
                "y": y,
                "sample_weight": sample_weight,
                "teacher_prediction": teacher_prediction,
            }
            beside |= {"X_unlabeled": X_unlabeled, "groups": groups}
            teacher = fit_on_chunks(self, chunks, **beside, **fit_params)
            self._keep_teacher(teacher)
            return self
        rng = check_random_state(self.random_state)
        student = self._make_student()
        rows = self._read_rows(X, student)
        weight = check_weights(sample_weight, rows.values)

        # Who teaches.
        teacher = self._ready_teacher(rows.native, y, regression=True)
        target, output = self._read_values(teacher, y, teacher_prediction, rows.n_samples)
        passed = None if sample_weight is None else weight
        teacher_params, split_params = self._route(passed, groups, fit_params)

        # What is taught, on which rows: without a teacher, the values of the training rows.
        tasks = FitTasks(self, 2 if self.alpha > 0 else 1)
        if self.alpha > 0:
            task = self._labelling_task(
                student,
                rng,
                teacher=teacher,
                rows=rows,
                y=target[:, 0] if target is not None and target.shape[1] == 1 else target,
                classes=None,
                output=output,
                sample_weight=passed,
                fit_params=teacher_params,
                split_params=split_params,
                X_unlabeled=X_unlabeled,
            )
            with tasks.task("label the rows"):
                labelling = ask_teacher(task)
            teacher = labelling.teacher
            rows, target, weight = self._mix(labelling, rows, target, weight)

        # Who learns.
        with tasks.task("fit the student"):
            self._fit_student(student, rng, rows, target, weight)
        self._keep_teacher(teacher)
        tasks.end()
        return self

    def _mix(
        self,
        labelling: Labelling,
        rows: EncodedTable,
        target: NDArray[np.float64] | None,
        weight: NDArray[np.float64],
    ) -> tuple[EncodedTable, NDArray[np.float64], NDArray[np.float64]]:
        """All rows, the mixture of predictions and values, and the weights."""
        unit = mean_weight(weight)
        rows, weight, target, prediction = keep_held_out(rows, weight, target, labelling.response)
        target = np.concatenate(
            [_mixed(prediction, target, self.alpha), labelling.further_response]
        )
        further_weight = self._further_weights(labelling.further.n_samples, unit)
        rows = append_rows(rows, labelling.further)
        return rows, target, np.concatenate([weight, further_weight])

    def _read_values(
        self, teacher: Any, y: Any, teacher_prediction: Any, n_samples: int
    ) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
        """Targets and predictions of shape (n_samples, n_outputs); None where there are none."""
        self._require_a_source(teacher, y, teacher_prediction)
        target = None if y is None else check_values(y, n_samples)
        if teacher_prediction is None:
            return target, None
        prediction = check_values(teacher_prediction, n_samples, "teacher_prediction")
        if target is not None and prediction.shape != target.shape:
            raise ValueError(
                f"teacher_prediction has {prediction.shape[1]} columns for {target.shape[1]} "
                "targets"
            )
        return target, prediction

    def _new_student(self) -> Any:
        return SoftNetRegressor() if self.student is None else self.student

    def _make_student(self) -> Any:
        student = clone(self._new_student())
        if not isinstance(student, CompactRegressorMixin):
            raise TypeError(
                "student must be one of SoftTreeRegressor, SoftBoostingRegressor, "
                f"SoftLinearRegressor, SoftNetRegressor; got {self.student!r}"
            )
        return student

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        if self.teacher is not None and self.alpha > 0:
            teacher = teacher_tags(self.teacher, regression=True).target_tags
            tags.target_tags.multi_output = teacher.multi_output
        return tags


def _mixed(
    prediction: NDArray[np.float64], y: NDArray[np.float64] | None, alpha: float
) -> NDArray[np.float64]:
    """``alpha * prediction + (1 - alpha) * y``; without `y` the prediction."""
    if y is None or alpha == 1:
        return prediction
    if prediction.shape != y.shape:
        raise ValueError(f"the teacher predicts {prediction.shape[1]} targets, y has {y.shape[1]}")
    return alpha * prediction + (1 - alpha) * y
