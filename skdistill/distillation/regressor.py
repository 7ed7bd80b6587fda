"""A regressor's knowledge in a student of a few kilobytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Tags, check_random_state

from skdistill.distillation._base import (
    PARAMETERS,
    keep_teacher,
    rows_of,
    seeded,
    tags_of,
    with_bits,
)
from skdistill.distillation.labelling import (
    ask_teacher,
    held_out_only,
    ready_teacher,
    require_a_source,
    transfer_weights,
)
from skdistill.students import SoftTreeRegressor
from skdistill.students._base import CompactRegressorMixin
from skdistill.students._validation import check_values, check_weights
from skdistill.teachers import teacher_tags
from skdistill.transfer.further_rows import append_rows
from skdistill.utils._sklearn_compat import _fit_context


class DistilledRegressor(CompactRegressorMixin, BaseEstimator):
    """Teach a student of a few kilobytes what a big regressor knows.

    The teacher predicts the training rows out of fold, and further rows that a transfer
    object makes; the student learns from the mixture of these predictions with `y`, on a
    quantized grid, and ends in one integer model. What is predicted, cross-validated and
    exported are readings of that model.

    Parameters
    ----------
    teacher : estimator, OnnxTeacher, booster, callable, list of these, or None
        Estimators are cloned and fitted unless wrapped in a `FrozenEstimator`; the others
        are used as they are, and need no `y`. The page Teachers lists all kinds. None is
        allowed with ``alpha=0``, and with `teacher_prediction` and ``transfer_set=None``.
    student : estimator, default=None
        `SoftTreeRegressor`, `SoftBoostingRegressor` or `SoftLinearRegressor`; None is
        ``SoftTreeRegressor()``.
    alpha : float in [0, 1], default=0.5
        Weight of the predictions against `y` in rows that have both: the student learns
        ``alpha * prediction + (1 - alpha) * y``. 0 is a plain student: no teacher is
        fitted and no other rows are used.
    cv : "auto", int, splitter or iterable of splits, default="auto"
        How training rows are predicted out of fold. "auto" is five folds, shuffled in one
        fixed way, or out-of-bag predictions for a forest with ``oob_score=True``. A frozen
        teacher predicts them directly.
    transfer_set : {"munge"}, None or transfer object, default="munge"
        Further rows, predicted by the fitted teacher; "munge" is ``Munge()``.
    transfer_weight : float, default=None
        Total weight of all further rows; None is their number.
    threshold_bits, value_bits : default=None
        Set on the student where not None.
    memory : str or joblib.Memory, default=None
        Caches fitted teachers and their predictions, so that a search over the student
        fits the teacher once a fold.
    random_state : int, RandomState instance or None, default=None
        Of the transfer set, and of teachers and students that have none of their own.
    n_jobs : int or None, default=None
        Teacher fits at a time.
    verbose : int, default=0
        Above 0 a progress bar counts the teacher's fits.

    Attributes
    ----------
    teacher_ : fitted estimator
        Absent where nothing was left for it to predict.
    student_ : fitted student
        Holds no reference to the teacher: this, or `compact_`, is what one deploys.
    compact_ : CompactModel
    n_features_in_ : int
    feature_names_in_ : array of shape (d,)
        Only where `X` has string column names.

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

    _parameter_constraints: dict[str, list[Any]] = {**PARAMETERS}

    def __init__(
        self,
        teacher: Any,
        student: Any = None,
        *,
        alpha: float = 0.5,
        cv: Any = "auto",
        transfer_set: Any = "munge",
        transfer_weight: float | None = None,
        threshold_bits: int | None = None,
        value_bits: int | str | None = None,
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
        self.threshold_bits = threshold_bits
        self.value_bits = value_bits
        self.memory = memory
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

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
    ) -> DistilledRegressor:
        """Fit the teacher where needed, then the student.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Numbers, NaN where teacher and student allow it; a data frame, or columns that the
            student's `categorical_features` names, may hold categories.
        y : array-like of shape (n,) or (n, S), default=None
            Values; None with a teacher that needs no fit, or `teacher_prediction`: then
            everything is learnt from the predictions.
        sample_weight : array-like of shape (n,), default=None
            Of the training rows; handed on to a teacher that takes one.
        teacher_prediction : array-like of shape (n,) or (n, S), default=None
            Predictions for the training rows, taken as they are.
        X_unlabeled : array-like of shape (m, d), default=None
            Further rows for the teacher to predict, beside those of `transfer_set`.
        groups : array-like of shape (n,), default=None
            Handed to `cv`.

        Returns
        -------
        self : DistilledRegressor
        """
        rng = check_random_state(self.random_state)
        student = self._make_student()
        rows = rows_of(self, X, student)
        weight = check_weights(sample_weight, rows)
        teacher = ready_teacher(self, rows, y, values=True)
        target, given = self._read_values(teacher, y, teacher_prediction, len(rows))

        if self.alpha > 0:
            handed_on = weight if sample_weight is not None else None
            values = target[:, 0] if target is not None and target.shape[1] == 1 else target
            teacher, told, more, told_more = ask_teacher(
                self,
                teacher,
                student,
                rows,
                values,
                given,
                None,
                handed_on,
                X_unlabeled,
                groups,
                rng,
            )
            rows, weight, target, told = held_out_only(rows, weight, target, told)
            target = np.concatenate([_mixed(told, target, self.alpha), told_more])
            rows = append_rows(rows, more)
            further = transfer_weights(self.transfer_weight, len(more))
            weight = np.concatenate([weight, further])

        if self.random_state is not None:  # last: teacher and rows are the same for all students
            student = seeded(student, rng)
        self.student_ = student.fit(rows, target, weight)
        self.compact_ = self.student_.compact_
        keep_teacher(self, teacher)
        return self

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        """Importances of the student's columns, float64 array of shape (d,)."""
        return self.student_.feature_importances_

    def _read_values(
        self, teacher: Any, y: Any, teacher_prediction: Any, n: int
    ) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
        """Targets and given predictions, each of shape (n, S); None what is absent."""
        require_a_source(self, teacher, y, teacher_prediction, "teacher_prediction")
        target = None if y is None else check_values(y, n)
        if teacher_prediction is None:
            return target, None
        given = check_values(teacher_prediction, n, "teacher_prediction")
        if target is not None and given.shape != target.shape:
            raise ValueError(
                f"teacher_prediction has {given.shape[1]} columns for {target.shape[1]} targets"
            )
        return target, given

    def _make_student(self) -> Any:
        student = SoftTreeRegressor() if self.student is None else clone(self.student)
        if not isinstance(student, CompactRegressorMixin):
            raise TypeError(
                "student must be one of SoftTreeRegressor, SoftBoostingRegressor, "
                f"SoftLinearRegressor; got {self.student!r}"
            )
        return with_bits(self, student)

    def __sklearn_tags__(self) -> Tags:
        student = SoftTreeRegressor() if self.student is None else self.student
        tags = tags_of(self, super().__sklearn_tags__(), student)
        if self.teacher is not None and self.alpha > 0:
            wanted = teacher_tags(self.teacher, regression=True).target_tags
            tags.target_tags.multi_output = wanted.multi_output
        return tags


def _mixed(
    told: NDArray[np.float64], y: NDArray[np.float64] | None, alpha: float
) -> NDArray[np.float64]:
    """``alpha * told + (1 - alpha) * y``; without `y` what the teacher told."""
    if y is None or alpha == 1:
        return told
    if told.shape != y.shape:
        raise ValueError(f"the teacher predicts {told.shape[1]} targets, y has {y.shape[1]}")
    return alpha * told + (1 - alpha) * y
