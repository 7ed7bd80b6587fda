"""From a teacher to a compact student: who teaches, what is taught, on which rows, who learns."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any

import joblib
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, _fit_context, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Tags, _safe_indexing, check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_consistent_length, check_memory, has_fit_parameter

from skdistill.students import SoftTreeClassifier, StudentAdapter
from skdistill.students._mixin import CompactClassifierMixin
from skdistill.students._validate import BITS, check_rows, check_targets, check_weights
from skdistill.students.adapter import ADAPTED
from skdistill.targets import SoftTargets, calibrate_temperature, check_probabilities, temper
from skdistill.teachers import known_classes, probabilities, require_probabilities, teach
from skdistill.transfer import Munge
from skdistill.transfer.rows import append_rows, as_numbers, further_tables, with_names


class DistilledClassifier(CompactClassifierMixin, BaseEstimator):
    """Teach a student of a few kilobytes what a big classifier knows.

    The teacher labels the training rows out of fold, and further rows that a transfer
    object makes; the student learns from the mixture of these soft labels with the hard
    ones, on a quantized grid, and ends in one integer model. What is predicted,
    cross-validated and exported are readings of that model.

    Parameters
    ----------
    teacher : estimator or None
        Fitted if wrapped in a `FrozenEstimator`, else cloned and fitted. None is allowed
        with ``alpha=0``, and with `teacher_proba` and ``transfer=None``.
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
    transfer : {"munge"}, None or transfer object, default="munge"
        Further rows, labelled by the fitted teacher; "munge" is ``Munge()``.
    transfer_weight : float, default=None
        Total weight of all further rows; None is their number.
    threshold_bits, value_bits : default=None
        Set on the student where not None.
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
        "teacher": [HasMethods(["fit"]), None],
        "student": [HasMethods(["fit"]), None],
        "temperature": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "alpha": [Interval(Real, 0, 1, closed="both")],
        "cv": [StrOptions({"auto"}), "cv_object"],
        "transfer": [StrOptions({"munge"}), HasMethods(["sample"]), None],
        "transfer_weight": [Interval(Real, 0, None, closed="left"), None],
        "threshold_bits": [*BITS["threshold_bits"], None],
        "value_bits": [*BITS["value_bits"], None],
        "memory": [str, HasMethods(["cache"]), None],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        teacher: Any,
        student: Any = None,
        *,
        temperature: float | str = 1.0,
        alpha: float = 0.5,
        cv: Any = "auto",
        transfer: Any = "munge",
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
        self.temperature = temperature
        self.alpha = alpha
        self.cv = cv
        self.transfer = transfer
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
        teacher_proba: ArrayLike | None = None,
        X_unlabeled: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> DistilledClassifier:
        """Fit the teacher where needed, then the student.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Numeric; NaN where teacher and student allow it.
        y : array-like of shape (n,), default=None
            Labels; None with a frozen teacher or `teacher_proba`: then everything is
            learnt from the soft labels.
        sample_weight : array-like of shape (n,), default=None
            Of the training rows; handed on to a teacher that takes one.
        teacher_proba : array-like of shape (n, K), default=None
            Soft labels of the training rows, taken as they are. The columns of a data
            frame name the classes.
        X_unlabeled : array-like of shape (m, d), default=None
            Further rows for the teacher to label, beside those of `transfer`.
        groups : array-like of shape (n,), default=None
            Handed to `cv`.

        Returns
        -------
        self : DistilledClassifier
        """
        rng = check_random_state(self.random_state)
        rows = check_rows(self, X, allow_nan=True)
        weight = check_weights(sample_weight, rows)
        classes, hard, given = self._read_labels(y, teacher_proba, len(rows))
        student = self._make_student()

        alpha = self.alpha if hard is not None else 1.0
        teacher, temperature = None, 1.0
        if alpha == 0:
            targets = SoftTargets(np.zeros((len(rows), len(classes))), hard, 0.0)
        else:
            table = X if hasattr(X, "columns") else rows
            handed_on = weight if sample_weight is not None else None
            teacher, P, more, P_more = self._ask_teacher(
                table, hard, given, classes, handed_on, X_unlabeled, groups, rng
            )
            rows, weight, hard, P = _held_out_only(rows, weight, hard, P)
            P, P_more, temperature = self._calibrate(P, P_more, hard, weight)
            rows = append_rows(rows, more)
            weight = np.concatenate([weight, self._transfer_weights(len(more))])
            if hard is not None:
                hard = np.concatenate([hard, np.full(len(more), -1)])
            targets = SoftTargets(np.concatenate([P, P_more]), hard, alpha, self._tempering())

        if self.random_state is not None:  # last: teacher and rows are the same for all students
            student = _seeded(student, rng)
        self.student_ = student.fit(with_names(X, rows), targets, weight, classes=classes)
        self.compact_ = self.student_.compact_
        self.classes_ = classes
        self.temperature_ = temperature
        vars(self).pop("teacher_", None)  # of an earlier fit
        if teacher is not None:
            self.teacher_ = teacher
        return self

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        """Importances of the student's columns, float64 array of shape (d,)."""
        return self.student_.feature_importances_

    def _read_labels(
        self, y: Any, teacher_proba: Any, n: int
    ) -> tuple[NDArray[Any], NDArray[np.intp] | None, NDArray[np.float64] | None]:
        """Classes, class numbers of the hard labels, given soft labels; None what is absent."""
        frozen = isinstance(self.teacher, FrozenEstimator)
        if self.alpha > 0:
            if self.teacher is None and teacher_proba is None:
                raise ValueError("teacher=None needs teacher_proba, or alpha=0 for a plain student")
            if self.teacher is None and self.transfer is not None:
                raise ValueError("teacher=None cannot label further rows: set transfer=None")
            if self.teacher is not None:
                require_probabilities(self.teacher)
        if y is None and (self.alpha == 0 or not (frozen or teacher_proba is not None)):
            raise ValueError(
                "DistilledClassifier requires y to be passed, but the target y is None; only a "
                "FrozenEstimator or teacher_proba can teach without it"
            )
        if y is not None and np.asarray(y).ndim == 2 and np.asarray(y).shape[1] > 1:
            raise ValueError(
                "y must hold labels, one a row: pass a table of probabilities as teacher_proba"
            )
        classes = None
        if frozen and self.alpha > 0:
            classes = np.sort(known_classes(self.teacher))
        elif hasattr(teacher_proba, "columns"):
            classes = np.unique(np.asarray(teacher_proba.columns))
        hard = None
        if y is not None:
            by = "frozen teacher" if frozen and self.alpha > 0 else "teacher_proba"
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
        bits = {"threshold_bits": self.threshold_bits, "value_bits": self.value_bits}
        return student.set_params(
            **{name: value for name, value in bits.items() if value is not None}
        )

    def _ask_teacher(
        self,
        X: Any,
        hard: NDArray[np.intp] | None,
        given: NDArray[np.float64] | None,
        classes: NDArray[Any],
        weight: NDArray[np.float64] | None,
        X_unlabeled: Any,
        groups: Any,
        rng: np.random.RandomState,
    ) -> tuple[Any, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """The fitted teacher, soft labels of the training rows, further rows and theirs."""
        if self.teacher is None and X_unlabeled is not None:
            raise ValueError("teacher=None cannot label X_unlabeled: pass a teacher")
        if given is not None and self.transfer is None and X_unlabeled is None:
            return None, given, np.empty((0, np.shape(X)[1])), np.empty((0, len(classes)))
        if hard is None and not isinstance(self.teacher, FrozenEstimator):
            raise ValueError("y=None: only a FrozenEstimator can label further rows without it")
        transfer = Munge() if isinstance(self.transfer, str) else self.transfer
        teacher = self.teacher
        if self.random_state is not None:
            teacher = _seeded(clone(teacher), rng)
        lesson = dict(teacher=teacher, X=X, y=None if hard is None else classes[hard])
        lesson |= dict(classes=classes, weight=weight, groups=groups, cv=self.cv)
        lesson["label"] = given is None
        further = dict(transfer=transfer, X_unlabeled=X_unlabeled)

        remember, key = self._remembering(lesson | further)
        speed = dict(n_jobs=self.n_jobs, verbose=self.verbose)
        fitted, P = remember(teach, ignore=list(speed))(**lesson, **speed)
        parents = X if weight is None else _safe_indexing(X, np.flatnonzero(weight > 0))
        answers = dict(teacher=fitted, X=parents, classes=classes, **further)
        more, P_more = remember(_label_further, ignore=list(answers))(
            **answers, seed=rng.randint(2**31 - 1), key=key
        )
        return fitted, P if given is None else given, more, P_more

    def _remembering(self, arguments: dict[str, Any]) -> tuple[Any, str]:
        """A decorator that caches, and a key that stands for all arguments."""
        plain = lambda function, ignore: function  # noqa: E731
        if self.memory is None:
            return plain, ""
        try:
            key = joblib.hash(arguments)
        except Exception as error:
            warnings.warn(
                f"not cached: teacher, transfer or data cannot be hashed ({error})",
                UserWarning,
                stacklevel=4,
            )
            return plain, ""
        memory = check_memory(self.memory)
        return (lambda function, ignore: memory.cache(function, ignore=ignore)), key

    def _calibrate(
        self,
        P: NDArray[np.float64],
        P_more: NDArray[np.float64],
        hard: NDArray[np.intp] | None,
        weight: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Under "auto" the teacher calibrated to the labels; and the temperature."""
        if self.temperature != "auto":
            return P, P_more, float(self.temperature)
        if hard is None:
            raise ValueError(
                "temperature='auto' needs y to calibrate the teacher on: pass y, or a number"
            )
        temperature = calibrate_temperature(P, hard, weight)
        return temper(P, temperature), temper(P_more, temperature), temperature

    def _tempering(self) -> float:
        """Temperature that the student applies: none where the teacher was calibrated."""
        return 1.0 if self.temperature == "auto" else float(self.temperature)

    def _transfer_weights(self, n: int) -> NDArray[np.float64]:
        if self.transfer_weight is None or n == 0:
            return np.ones(n)
        return np.full(n, self.transfer_weight / n)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        student = SoftTreeClassifier() if self.student is None else self.student
        allow = get_tags(student).input_tags.allow_nan
        if self.teacher is not None and self.alpha > 0:
            allow = allow and get_tags(self.teacher).input_tags.allow_nan
        tags.input_tags.allow_nan = allow
        tags.target_tags.required = not isinstance(self.teacher, FrozenEstimator)
        return tags


def _label_further(
    teacher: Any,
    X: Any,
    transfer: Any,
    X_unlabeled: Any,
    classes: NDArray[Any],
    seed: int,
    key: str,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows beside the training rows, and the teacher's probabilities for them.

    Where results are cached `key` stands for all arguments but the seed.
    """
    tables = further_tables(X, transfer, X_unlabeled, seed)
    rows = [np.empty((0, np.shape(X)[1])), *(as_numbers(table) for table in tables)]
    P = [np.empty((0, len(classes))), *(probabilities(teacher, t, classes) for t in tables)]
    return np.concatenate(rows), np.concatenate(P)


def _held_out_only(
    rows: NDArray[Any],
    weight: NDArray[np.float64],
    hard: NDArray[np.intp] | None,
    P: NDArray[np.float64],
) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.intp] | None, NDArray[np.float64]]:
    """Leave out the rows that no fold labelled, and say so."""
    seen = ~np.isnan(P).any(axis=1)
    if seen.all():
        return rows, weight, hard, P
    warnings.warn(
        f"{int((~seen).sum())} of {len(seen)} training rows were never held out by cv "
        "and are left out",
        UserWarning,
        stacklevel=4,
    )
    return rows[seen], weight[seen], None if hard is None else hard[seen], P[seen]


def _seeded(estimator: Any, rng: np.random.RandomState) -> Any:
    """Give a seed to every `random_state` of an unfitted estimator that has none."""
    if isinstance(estimator, FrozenEstimator):
        return estimator
    parameters = estimator.get_params(deep=True)
    names = sorted(
        name
        for name, value in parameters.items()
        if value is None and (name == "random_state" or name.endswith("__random_state"))
    )
    return estimator.set_params(**{name: rng.randint(2**31 - 1) for name in names})
