"""A classifier's knowledge in a student of a few kilobytes."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_consistent_length, has_fit_parameter

from skdistill.distillation._base import (
    PARAMETERS,
    keep_teacher,
    rows_of,
    seeded,
    tags_of,
    with_bits,
)
from skdistill.distillation.labelling import (
    ask_hints,
    ask_teacher,
    held_out_only,
    ready_teacher,
    require_a_source,
    transfer_weights,
)
from skdistill.students import SoftTreeClassifier, StudentAdapter
from skdistill.students._base import CompactClassifierMixin
from skdistill.students._validation import check_targets, check_weights
from skdistill.students.class_weight import (
    CLASS_WEIGHT,
    class_weights,
    row_weights,
    weigh_rows,
)
from skdistill.students.wrapper import ADAPTED
from skdistill.targets import SoftTargets, calibrate_temperature, check_probabilities, temper
from skdistill.teachers import TeacherEnsemble, expected_classes, one_hot_decisions
from skdistill.transfer.entropy_balancing import share_weights
from skdistill.transfer.further_rows import append_rows
from skdistill.utils._sklearn_compat import HasMethods, Interval, StrOptions, _fit_context


class DistilledClassifier(CompactClassifierMixin, BaseEstimator):
    """Teach a student of a few kilobytes what a big classifier knows.

    The teacher labels the training rows out of fold, and further rows that a transfer
    object makes; the student learns from the mixture of these soft labels with the hard
    ones, on a quantized grid, and ends in one integer model. What is predicted,
    cross-validated and exported are readings of that model.

    Parameters
    ----------
    teacher : estimator, OnnxTeacher, booster, callable, list of these, or None
        Estimators are cloned and fitted unless wrapped in a `FrozenEstimator`; the others
        are used as they are, and need no `y`. The page Teachers lists all kinds. None is
        allowed with ``alpha=0``, and with `teacher_proba` and ``transfer_set=None``.
    student : estimator, default=None
        A soft student, or a `DecisionTreeClassifier`, `RandomForestClassifier`,
        `ExtraTreesClassifier` or `LogisticRegression`; None is `SoftTreeClassifier()`.
    temperature : float or "auto", default=1.0
        Flattens (> 1) or sharpens (< 1) the teacher's probabilities for tree structure
        and for the gradient losses; the student's own probabilities stay untempered.
        "auto" calibrates the teacher instead: its probabilities are replaced by those of
        least out-of-fold log loss.
    alpha : float in [0, 1], default=0.5
        Weight of the soft labels against the hard ones in rows that have both. 0 is a
        plain student: no teacher is fitted and no other rows are used.
    cv : "auto", int, splitter or iterable of splits, default="auto"
        How training rows are labelled out of fold. "auto" is five stratified folds, or
        out-of-bag votes for a forest with ``oob_score=True``. A frozen teacher labels
        them directly.
    response_method : {"auto", "predict_proba", "decision_function", "predict"}, default="auto"
        Method of the teacher that gives the soft labels; of a list of teachers, of each. "auto"
        is `predict_proba`, or `decision_function` of a teacher without it. "decision_function"
        takes the softmax of the margins (of one margin the sigmoid). These are probabilities
        for models that were fitted by log loss; margins of others, as those of `LinearSVC`,
        have no unit, and ``temperature="auto"`` calibrates them. Functions, boosters and ONNX
        files then return margins. "predict" gives probability 1 to the predicted class, so that
        the student learns the teacher's decisions. A high `temperature` teaches its logits: in
        the limit the loss is their squared error (Ba & Caruana 2014, "Do deep nets really need
        to be deep?", section 2; Hinton et al. 2015, section 2.1).
    hints : hint object or None, default=None
        What else the teacher knows of the rows, to guide the growth of trees; see
        `skdistill.teachers.hints`.
    hint_weight : float, default=0.3
        Variance of all hints together, as a multiple of that of the soft labels.
    transfer_set : {"munge"}, None or transfer object, default="munge"
        Further rows, labelled by the fitted teacher; "munge" is ``Munge()``.
    transfer_weight : float, default=None
        Total weight of all further rows; None is their number.
    threshold_bits, value_bits : default=None
        Set on the student where not None.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes by label, which multiply `sample_weight` for a teacher that
        takes one, and all rows of the student: a row without label, as further ones are,
        weighs the expectation ``sum_k P_ik w_k`` under its soft labels. "balanced" is found
        on the training rows, as ``n / (K * mass)`` with the weights of the rows. A
        `class_weight` of teacher or student counts beside it.
    memory : str or joblib.Memory, default=None
        Caches fitted teachers and soft targets, so that a search over student or
        temperature fits the teacher once a fold.
    random_state : int, RandomState instance or None, default=None
        Of the transfer set, and of teachers and students that have none of their own.
    n_jobs : int or None, default=None
        Teacher fits at a time.
    verbose : int, default=0
        Above 0 a progress bar counts the teacher's fits.

    Attributes
    ----------
    teacher_ : fitted estimator
        Absent where nothing was left for it to label.
    student_ : fitted student
        Holds no reference to the teacher: this, or `compact_`, is what one deploys.
    compact_ : CompactModel
    classes_ : array of shape (K,)
    temperature_ : float
        The temperature used; the calibrated one for "auto".
    n_features_in_ : int
    feature_names_in_ : array of shape (d,)
        Only where `X` has string column names.

    Notes
    -----
    Bucila, Caruana & Niculescu-Mizil 2006, "Model compression"; Hinton, Vinyals & Dean
    2015, "Distilling the knowledge in a neural network".

    Distillation does not help everywhere: compare with ``alpha=0``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> distilled = DistilledClassifier(RandomForestClassifier(20), random_state=0).fit(X, y)
    >>> distilled.predict(X[::50]).tolist()
    [0, 1, 2]
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **PARAMETERS,
        "temperature": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "response_method": [StrOptions({"auto", "predict_proba", "decision_function", "predict"})],
        "hints": [HasMethods(["targets"]), None],
        "hint_weight": [Interval(Real, 0, None, closed="left")],
        "class_weight": CLASS_WEIGHT,
    }

    def __init__(
        self,
        teacher: Any,
        student: Any = None,
        *,
        temperature: float | str = 1.0,
        alpha: float = 0.5,
        response_method: str = "auto",
        hints: Any = None,
        hint_weight: float = 0.3,
        cv: Any = "auto",
        transfer_set: Any = "munge",
        transfer_weight: float | None = None,
        threshold_bits: int | None = None,
        value_bits: int | str | None = None,
        class_weight: dict[Any, float] | str | None = None,
        memory: Any = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.temperature = temperature
        self.alpha = alpha
        self.response_method = response_method
        self.hints = hints
        self.hint_weight = hint_weight
        self.cv = cv
        self.transfer_set = transfer_set
        self.transfer_weight = transfer_weight
        self.threshold_bits = threshold_bits
        self.value_bits = value_bits
        self.class_weight = class_weight
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
        teacher_proba: ArrayLike | None = None,
        X_unlabeled: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> DistilledClassifier:
        """Fit the teacher where needed, then the student.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Numbers, NaN where teacher and student allow it; a data frame, or columns that the
            student's `categorical_features` names, may hold categories.
        y : array-like of shape (n,), default=None
            Labels; None with a teacher that needs no fit, or `teacher_proba`: then everything is
            learnt from the soft labels.
        sample_weight : array-like of shape (n,), default=None
            Of the training rows; handed on to a teacher that takes one.
        teacher_proba : array-like of shape (n, K), default=None
            Soft labels of the training rows, taken as they are. The columns of a data
            frame name the classes.
        X_unlabeled : array-like of shape (m, d), default=None
            Further rows for the teacher to label, beside those of `transfer_set`.
        groups : array-like of shape (n,), default=None
            Handed to `cv`.

        Returns
        -------
        self : DistilledClassifier
        """
        rng = check_random_state(self.random_state)
        student = self._make_student()
        rows = rows_of(self, X, student)
        weight = check_weights(sample_weight, rows)
        teacher = ready_teacher(self, rows, _labels(y))
        classes, hard, given = self._read_labels(teacher, y, teacher_proba, len(rows))
        w = None  # of the classes
        if self.class_weight is not None and hard is not None:
            labelled = SoftTargets(np.zeros((len(rows), len(classes))), hard)
            w = class_weights(self.class_weight, classes, labelled, weight)
            weight = weigh_rows(self.class_weight, weight, w[hard])

        alpha = self.alpha if hard is not None else 1.0
        temperature = 1.0
        if alpha == 0:
            targets = SoftTargets(np.zeros((len(rows), len(classes))), hard, 0.0)
        else:
            handed_on = weight if sample_weight is not None or w is not None else None
            labels = None if hard is None else classes[hard]
            teacher, P, more, P_more = ask_teacher(
                self,
                teacher,
                student,
                rows,
                labels,
                given,
                classes,
                handed_on,
                X_unlabeled,
                groups,
                rng,
            )
            rows, weight, hard, P = held_out_only(rows, weight, hard, P)
            temperature = self._temperature(P, hard, weight)
            P = self._taught(np.concatenate([P, P_more]), temperature)
            further = transfer_weights(self.transfer_weight, len(more))
            if self.class_weight is not None:
                first, last = SoftTargets(P[: len(weight)]), SoftTargets(P[len(weight) :])
                if w is None:
                    w = class_weights(self.class_weight, classes, first, weight)
                    weight = weigh_rows(self.class_weight, weight, row_weights(first, w))
                further = further * row_weights(last, w)
            further = further * self._shared(P, weight)
            rows = append_rows(rows, more)
            weight = np.concatenate([weight, further])
            if hard is not None:
                hard = np.concatenate([hard, np.full(len(more), -1)])
            told = None
            if self.hints is not None:
                told = ask_hints(self.hints, teacher, rows)
            targets = SoftTargets(P, hard, alpha, self._tempering(), told, self.hint_weight)

        if self.random_state is not None:  # last: teacher and rows are the same for all students
            student = seeded(student, rng)
        self.student_ = student.fit(rows, targets, weight, classes=classes)
        self.compact_ = self.student_.compact_
        self.classes_ = classes
        self.temperature_ = temperature
        keep_teacher(self, teacher)
        return self

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        """Importances of the student's columns, float64 array of shape (d,)."""
        return self.student_.feature_importances_

    def _read_labels(
        self, teacher: Any, y: Any, teacher_proba: Any, n: int
    ) -> tuple[NDArray[Any], NDArray[np.intp] | None, NDArray[np.float64] | None]:
        """Classes, class numbers of the hard labels, given soft labels; None what is absent."""
        frozen = isinstance(teacher, FrozenEstimator)
        require_a_source(self, teacher, y, teacher_proba, "teacher_proba")
        classes = None
        if frozen:
            classes = expected_classes(teacher, None)
        elif hasattr(teacher_proba, "columns"):
            classes = np.unique(np.asarray(teacher_proba.columns))
        elif isinstance(teacher, TeacherEnsemble) and y is not None:  # some may be frozen
            classes = expected_classes(teacher, _labels(y))
        hard = None
        if y is not None:
            by = "frozen teacher" if frozen else "teacher_proba"
            named = "classes" if classes is None else f"the classes of the {by}, {classes.tolist()}"
            targets, classes = check_targets(y, classes, n, named=named)
            hard = targets.hard
        if teacher_proba is None:
            return classes, hard, None
        P = check_probabilities(teacher_proba, "teacher_proba")
        check_consistent_length(P, np.empty(n))
        if classes is None:
            classes = np.arange(P.shape[1])
        if P.shape[1] != len(classes):
            raise ValueError(f"teacher_proba has {P.shape[1]} columns for {len(classes)} classes")
        if hasattr(teacher_proba, "columns"):
            names = np.asarray(teacher_proba.columns)
            order = np.argsort(names)
            if names[order].tolist() != classes.tolist():
                raise ValueError(
                    f"teacher_proba has columns {names.tolist()} for the classes {classes.tolist()}"
                )
            P = P[:, order]
        return classes, hard, P

    def _make_student(self) -> Any:
        student = SoftTreeClassifier() if self.student is None else clone(self.student)
        if isinstance(student, ADAPTED):
            student = StudentAdapter(student)
        if not has_fit_parameter(student, "classes"):
            names = ", ".join(kind.__name__ for kind in ADAPTED)
            raise TypeError(
                f"student must learn from probabilities, or be one of {names}; got {self.student!r}"
            )
        return with_bits(self, student)

    def _temperature(
        self,
        P: NDArray[np.float64],
        hard: NDArray[np.intp] | None,
        weight: NDArray[np.float64],
    ) -> float:
        """The temperature; under "auto" that of the teacher calibrated to the labels."""
        if self.temperature != "auto":
            return float(self.temperature)
        if hard is None:
            raise ValueError(
                "temperature='auto' needs y to calibrate the teacher on: pass y, or a number"
            )
        return calibrate_temperature(P, hard, weight)

    def _taught(self, P: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
        """Targets from the teacher's probabilities: calibrated ones, or its decisions."""
        if self.response_method == "predict":  # also of `teacher_proba` and repeated folds
            return one_hot_decisions(P)
        return temper(P, temperature) if self.temperature == "auto" else P

    def _shared(
        self, P: NDArray[np.float64], weight: NDArray[np.float64]
    ) -> float | NDArray[np.float64]:
        """Factors of the further rows' weights that give classes the shares asked for."""
        wanted = getattr(self.transfer_set, "class_shares", None)
        n = len(weight)
        if wanted is None or len(P) == n:
            return 1.0
        K = P.shape[1]
        kept = np.average(P[:n], axis=0, weights=weight)
        return share_weights(P[n:], kept if wanted == "keep" else np.full(K, 1 / K))

    def _tempering(self) -> float:
        """Temperature that the student applies: none where the teacher was calibrated."""
        return 1.0 if self.temperature == "auto" else float(self.temperature)

    def __sklearn_tags__(self) -> Tags:
        student = SoftTreeClassifier() if self.student is None else self.student
        return tags_of(self, super().__sklearn_tags__(), student)


def _labels(y: Any) -> NDArray[Any] | None:
    """Labels, one a row, as they are; None where there are none."""
    if y is None:
        return None
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] > 1:
        raise ValueError(
            "y must hold labels, one a row: pass a table of probabilities as teacher_proba, and "
            "for several outputs wrap the distiller in sklearn.multioutput.MultiOutputClassifier"
        )
    return y.ravel()
