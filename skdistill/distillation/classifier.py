"""Distillation of a classifier."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import has_fit_parameter

from skdistill.chunks import as_chunks
from skdistill.dataframe import EncodedTable
from skdistill.distillation._base import PARAMETERS, DistillerMixin, mean_weight
from skdistill.distillation.chunk_labels import fit_on_chunks
from skdistill.distillation.labelling import Labelling, ask_hints, ask_teacher, keep_held_out
from skdistill.distillation.labels import Labels, one_label_a_row, read_labels
from skdistill.students import SoftNetClassifier, StudentAdapter
from skdistill.students._base import CompactClassifierMixin
from skdistill.students._validation import check_weights
from skdistill.students.class_weight import (
    CLASS_WEIGHT,
    class_weights,
    row_weights,
    weigh_rows,
)
from skdistill.students.wrapper import ADAPTED
from skdistill.targets import SoftTargets, calibrate_temperature, temper
from skdistill.teachers import one_hot_decisions
from skdistill.transfer.entropy_balancing import balancing_weights
from skdistill.transfer.further_rows import append_rows
from skdistill.utils._sklearn_compat import (
    FitTasks,
    HasMethods,
    Interval,
    StrOptions,
    _fit_context,
    _raise_for_params,
    with_callbacks,
)


class DistilledClassifier(DistillerMixin, CompactClassifierMixin, BaseEstimator):
    """Distil a large classifier into a model of a few kilobytes.

    The teacher labels the training rows out of fold, and further rows that a transfer set
    makes. The student learns from a mixture of these soft labels and the hard ones, on a
    quantized grid, and ends in one integer model. All predictions and exports come from that
    model.

    Parameters
    ----------
    teacher : estimator, OnnxTeacher, booster, callable, list of these, or None
        What the student learns from. Estimators are cloned and fitted, unless they are wrapped in
        a `FrozenEstimator`. The others are used as they are, and need no `y`. A list is a
        `TeacherEnsemble`. None is allowed with ``alpha=0``, and with `teacher_proba` and
        ``transfer_set=None``.
    student : estimator, default=None
        The model to be deployed; it is cloned. A soft student, or a `DecisionTreeClassifier`,
        `RandomForestClassifier`, `ExtraTreesClassifier` or `LogisticRegression`, which a
        `StudentAdapter` is put around. None is ``SoftNetClassifier()``. Its parameters, such
        as ``student__value_bits``, decide about the size.
    temperature : float > 0 or "auto", default=1.0
        Flattens (> 1) or sharpens (< 1) the teacher's probabilities for tree structure
        and for the gradient losses (Hinton et al. 2015, section 2); the student's own
        probabilities stay untempered. "auto" calibrates the teacher instead: its probabilities
        are tempered so that their out-of-fold log loss is smallest (Guo et al. 2017, section 4.2).
    alpha : float in [0, 1], default=0.5
        Weight of the soft labels against the hard ones in rows that have both. 0 is a
        plain student: no teacher is fitted and no other rows are used.
    response_method : {"auto", "predict_proba", "decision_function", "predict"}, default="auto"
        Method of the teacher that gives the soft labels; of a list of teachers, of each. "auto"
        is `predict_proba`, or `decision_function` of a teacher without it. "decision_function"
        takes the softmax of the margins (of one margin the sigmoid). These are probabilities
        for models that were fitted by log loss; margins of others, as those of `LinearSVC`,
        have no unit, and ``temperature="auto"`` calibrates them. Functions, boosters and ONNX
        files then return margins. "predict" gives probability 1 to the predicted class, so that
        the student learns the teacher's decisions. A high `temperature` teaches its logits: in
        the limit the loss is their squared error (Ba & Caruana 2014, section 2; Hinton et al.
        2015, section 2.1).
    hints : hint object or None, default=None
        What else the teacher knows about the rows, to guide the growth of trees and the hidden
        layers of networks; see `skdistill.teachers.hints`.
    hint_weight : float >= 0, default=0.3
        Variance of all hints together, as a multiple of the variance of the soft labels.
    cv : "auto", int, splitter or iterable of splits, default="auto"
        How training rows are held out to be labelled. "auto" is five stratified folds, by group
        where `groups` are passed, or out-of-bag votes for a forest with ``oob_score=True``. A
        frozen teacher labels the rows directly.
    transfer_set : {"munge"}, transfer set or None, default="munge"
        Makes further rows, which the fitted teacher labels; "munge" is ``Munge()`` (Bucila et al.
        2006, section 3.3). A transfer set has ``sample(X, random_state)``, as `Munge` and `Pool`.
    transfer_weight : float >= 0, default=None
        Total weight of all further rows, in mean weights of the training rows. None is their
        number: a further row weighs as much as the mean training row.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes by label, which multiply `sample_weight` for a teacher that
        takes it, and the weights of all rows of the student: a row without label, as further ones
        are, weighs the expectation ``sum_k P_ik w_k`` under its soft labels. "balanced" is
        ``n_samples / (n_classes * mass)`` on the training rows, where the mass of a class adds up
        the weights of its rows. A `class_weight` of teacher or student counts as well.
    memory : str, joblib.Memory or None, default=None
        Caches fitted teachers and soft labels, so that a search over student or temperature
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
        label. XGBoost's classifiers are fitted on class numbers: their own `predict` returns
        positions in ``classes_``.
    student_ : fitted student
        Holds no reference to the teacher: this, or `compact_`, is what is deployed.
    compact_ : CompactModel
        The student's integer model.
    classes_ : array of shape (n_classes,)
        Sorted labels.
    temperature_ : float
        The temperature that was used; the calibrated one for "auto".
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : array of shape (n_features_in_,)
        Column names; only where all of them are strings.

    References
    ----------
    Bucila, Caruana & Niculescu-Mizil 2006, "Model compression".

    Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a neural network".

    Ba & Caruana 2014, "Do deep nets really need to be deep?".

    Guo, Pleiss, Sun & Weinberger 2017, "On calibration of modern neural networks".

    Notes
    -----
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

    _parameter_constraints: dict[str, Any] = {
        **PARAMETERS,
        "temperature": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "response_method": [StrOptions({"auto", "predict_proba", "decision_function", "predict"})],
        "hints": [HasMethods(["targets"]), None],
        "hint_weight": [Interval(Real, 0, None, closed="left")],
        "class_weight": CLASS_WEIGHT,
    }
    _teacher_output = "teacher_proba"

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
        self.class_weight = class_weight
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
        teacher_proba: ArrayLike | None = None,
        X_unlabeled: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        **fit_params: Any,
    ) -> DistilledClassifier:
        """Fit the teacher where needed, then the student.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features), or Chunks
            Numbers, NaN where teacher and student allow it. A data frame, or columns that the
            student's `categorical_features` names, may hold categories. The teacher gets a data
            frame as it is, and an array of numbers cast to float32, or int32 where it is int32.
            A table in chunks, a `Chunks` or a list of tuples, is never held in memory:
            ``(X,)`` and ``(X, y)`` are labelled by a fitted teacher, ``(X, P)`` by
            the probabilities P. It needs ``transfer_set=None``.
        y : array-like of shape (n_samples,), default=None
            Labels; None with a teacher that needs no fit, or with `teacher_proba`: then everything
            is learnt from the soft labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the training rows; only their proportions count. Passed on to the classifiers
            or regressors inside the teacher, with a warning where one takes none; with metadata
            routing enabled, if they were requested.
        teacher_proba : array-like of shape (n_samples, n_classes), default=None
            Soft labels of the training rows, used as they are. The columns of a data frame name
            the classes; else they are in the order of the sorted labels.
        X_unlabeled : data frame or array-like of shape (n_rows, n_features), default=None
            Further rows for the teacher to label, beside those of `transfer_set`.
        groups : array-like of shape (n_samples,), default=None
            Group of each row, for `cv`.
        **fit_params : dict
            Metadata that teacher and splitter requested; only with metadata routing enabled.

        Returns
        -------
        self : DistilledClassifier
            The fitted distiller.

        Raises
        ------
        TypeError
            If the teacher is no teacher, or the student cannot learn from probabilities.
        ValueError
            If parameters or data are out of range or do not fit together, and if there is
            nothing to learn from.
        """
        _raise_for_params(fit_params, self, "fit")
        chunks = as_chunks(X)
        if chunks is not None:
            beside = {"y": y, "sample_weight": sample_weight, "teacher_proba": teacher_proba}
            beside |= {"X_unlabeled": X_unlabeled, "groups": groups}
            teacher = fit_on_chunks(self, chunks, **beside, **fit_params)
            self.classes_ = self.student_.classes_
            self.temperature_ = float(self.temperature)
            self._keep_teacher(teacher)
            return self
        rng = check_random_state(self.random_state)
        student = self._make_student()
        rows = self._read_rows(X, student)
        weight = check_weights(sample_weight, rows.values)
        unit = mean_weight(weight)

        # Who teaches, and which classes.
        teacher = self._ready_teacher(rows.native, one_label_a_row(y), regression=False)
        self._require_a_source(teacher, y, teacher_proba)
        labels = read_labels(teacher, y, teacher_proba, rows.n_samples)
        class_weight = self._class_weights(labels, weight)
        if class_weight is not None:
            weight = weigh_rows(self.class_weight, weight, class_weight[labels.codes])
        passed = None if sample_weight is None and class_weight is None else weight
        teacher_params, split_params = self._route(passed, groups, fit_params)

        # What is taught, on which rows: without a teacher, the hard labels of the training rows.
        temperature = 1.0
        nothing = np.zeros((rows.n_samples, len(labels.classes)))
        targets = SoftTargets(nothing, labels.codes, 0.0)
        tasks = FitTasks(self, 2 if self.alpha > 0 else 1)
        if self.alpha > 0:
            task = self._labelling_task(
                student,
                rng,
                teacher=teacher,
                rows=rows,
                y=None if labels.codes is None else labels.classes[labels.codes],
                classes=labels.classes,
                output=labels.proba,
                sample_weight=passed,
                fit_params=teacher_params,
                split_params=split_params,
                X_unlabeled=X_unlabeled,
            )
            with tasks.task("label the rows"):
                labelling = ask_teacher(task)
            teacher = labelling.teacher
            rows, targets, weight, temperature = self._mix(
                labelling, rows, labels, weight, unit, class_weight
            )

        # Who learns.
        with tasks.task("fit the student"):
            self._fit_student(student, rng, rows, targets, weight, classes=labels.classes)
        self.classes_ = labels.classes
        self.temperature_ = temperature
        self._keep_teacher(teacher)
        tasks.end()
        return self

    def _mix(
        self,
        labelling: Labelling,
        rows: EncodedTable,
        labels: Labels,
        weight: NDArray[np.float64],
        unit: float,
        class_weight: NDArray[np.float64] | None,
    ) -> tuple[EncodedTable, SoftTargets, NDArray[np.float64], float]:
        """All rows, their soft and hard labels, their weights, and the teacher's temperature."""
        rows, weight, codes, P = keep_held_out(rows, weight, labels.codes, labelling.response)
        temperature = self._calibrated_temperature(P, codes, weight)
        P = self._soft_labels(P, temperature)
        P_further = self._soft_labels(labelling.further_response, temperature)
        further_weight = self._further_weights(len(P_further), unit)
        weight, further_weight = self._balanced(
            P, weight, P_further, further_weight, labels.classes, class_weight
        )
        rows = append_rows(rows, labelling.further)
        if codes is not None:  # −1 is a row without hard label
            codes = np.concatenate([codes, np.full(len(P_further), -1)])
        hints = None
        if self.hints is not None:
            hints = ask_hints(self.hints, labelling.teacher, rows.native)
        targets = SoftTargets(
            np.concatenate([P, P_further]),
            codes,
            1.0 if codes is None else self.alpha,
            self._student_temperature(),
            hints,
            self.hint_weight,
        )
        return rows, targets, np.concatenate([weight, further_weight]), temperature

    def _new_student(self) -> Any:
        student = SoftNetClassifier() if self.student is None else self.student
        return StudentAdapter(student) if isinstance(student, ADAPTED) else student

    def _make_student(self) -> Any:
        student = clone(self._new_student())
        if not has_fit_parameter(student, "classes"):
            names = ", ".join(kind.__name__ for kind in ADAPTED)
            raise TypeError(
                f"student must learn from probabilities, or be one of {names}; got {self.student!r}"
            )
        return student

    def _class_weights(
        self, labels: Labels, weight: NDArray[np.float64]
    ) -> NDArray[np.float64] | None:
        """Weights of the classes by hard labels; None without these, or without weights."""
        if self.class_weight is None or labels.codes is None:
            return None
        nothing = np.zeros((len(weight), len(labels.classes)))
        targets = SoftTargets(nothing, labels.codes)
        return class_weights(self.class_weight, labels.classes, targets, weight)

    def _calibrated_temperature(
        self,
        P: NDArray[np.float64],
        codes: NDArray[np.intp] | None,
        weight: NDArray[np.float64],
    ) -> float:
        """The temperature; under "auto" that of the teacher calibrated to the labels."""
        if self.temperature != "auto":
            return float(self.temperature)
        if codes is None:
            raise ValueError(
                "temperature='auto' needs y to calibrate the teacher on: pass y, or a number"
            )
        return calibrate_temperature(P, codes, weight)

    def _student_temperature(self) -> float:
        """Temperature that the student applies: none where the teacher was calibrated."""
        return 1.0 if self.temperature == "auto" else float(self.temperature)

    def _soft_labels(self, P: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
        """Targets from the teacher's probabilities: calibrated ones, or its decisions."""
        if self.response_method == "predict":  # also of `teacher_proba` and repeated folds
            return one_hot_decisions(P)
        return temper(P, temperature) if self.temperature == "auto" else P

    def _balanced(
        self,
        P: NDArray[np.float64],
        weight: NDArray[np.float64],
        P_further: NDArray[np.float64],
        further: NDArray[np.float64],
        classes: NDArray[Any],
        class_weight: NDArray[np.float64] | None,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights of training and further rows, by `class_weight` and class proportions.

        Those of training rows have been multiplied by `class_weight`, unless this is None.
        """
        if self.class_weight is not None:
            if class_weight is None:  # without hard labels, the soft ones tell the proportions
                targets = SoftTargets(P)
                class_weight = class_weights(self.class_weight, classes, targets, weight)
                weight = weigh_rows(self.class_weight, weight, row_weights(targets, class_weight))
            further = further * row_weights(SoftTargets(P_further), class_weight)
        proportions = getattr(self.transfer_set, "class_proportions", None)
        if proportions is not None and len(P_further):
            target = np.full(len(classes), 1 / len(classes))
            if proportions == "keep":
                target = np.average(P, axis=0, weights=weight)
            further = further * balancing_weights(P_further, target)
        return weight, further
