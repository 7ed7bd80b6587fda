"""Distilling from chunks: a fitted teacher labels them one by one, the student reads them.

What the teacher says of a chunk is cached on disk, if a `memory` is set, under the content of the
teacher and of the chunk's rows: labelling that was interrupted goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_array, check_random_state

from skdistill.chunks import Chunk, Chunks, refuse_beside_chunks
from skdistill.dataframe import as_array, is_frame
from skdistill.distillation.labelling import cache_of, seeded
from skdistill.students._student import StudentClassifierMixin, StudentRegressorMixin
from skdistill.students._validation import check_targets, check_values
from skdistill.targets import SoftTargets
from skdistill.teachers import expected_classes, response_values, say_speed
from skdistill.teachers.response import one_hot_decisions
from skdistill.utils.jit import compilation_message


def fit_on_chunks(distiller: Any, chunks: Chunks, **beside: Any) -> Any:
    """Fit a distiller on a table in chunks.

    Parameters
    ----------
    distiller : DistilledClassifier or DistilledRegressor
        It is fitted.
    chunks : Chunks
        The table.
    **beside : object
        Arguments of `fit` that have to be None.

    Returns
    -------
    teacher : fitted estimator or None
        None where none was asked.

    Raises
    ------
    TypeError
        If the student cannot learn from chunks.
    ValueError
        If a parameter needs rows in memory, the teacher is not fitted, or chunks lack targets.
    """
    refuse_beside_chunks(**beside)
    _refuse_what_needs_rows(distiller)
    rng = check_random_state(distiller.random_state)
    student = distiller._make_student()
    if not isinstance(student, StudentClassifierMixin | StudentRegressorMixin):
        raise TypeError(
            f"student={type(student).__name__} cannot learn from chunks: use a student of "
            "skdistill, or pass X and y"
        )
    first = next(iter(chunks), None)
    if first is None:
        raise ValueError("the chunks hold no rows: at least one is needed")
    distiller._read_rows(first.X, student)  # validates, and sets what `fit` sets of columns
    labeller, teacher = _labeller(distiller, first)
    if labeller is not None:
        verbose = int(distiller.verbose)
        chunks = chunks.labelled(labeller, n_jobs=distiller.n_jobs, verbose=verbose)
    if teacher is not None:
        rng.randint(2**31 - 1)  # the seed of further rows, of which there are none
    if distiller.random_state is not None:
        student = seeded(student, rng)
    classes = getattr(labeller, "classes", None)
    options = {} if isinstance(student, StudentRegressorMixin) else {"classes": classes}
    with compilation_message(distiller.verbose):
        distiller.student_ = student.fit(chunks, **options)
    distiller.compact_ = distiller.student_.compact_
    if teacher is not None and distiller.verbose > 0:
        say_speed(teacher, getattr(labeller, "labelled", []))
    return teacher


def _refuse_what_needs_rows(distiller: Any) -> None:
    """Refuse parameters for which rows would have to be held."""
    remedies = {
        "transfer_set": "set transfer_set=None: chunks (X,) are further rows for the teacher",
        "hints": "set hints=None",
        "class_weight": "set class_weight of the student",
    }
    for name, remedy in remedies.items():
        if distiller.alpha == 0 and name != "class_weight":
            continue
        if getattr(distiller, name, None) is not None:
            raise ValueError(
                f"{name}={getattr(distiller, name)!r} needs all rows in memory, and chunks are "
                f"not held: {remedy}"
            )
    if getattr(distiller, "temperature", 1) == "auto":
        raise ValueError(
            "temperature='auto' needs all rows in memory, and chunks are not held: set a number, "
            "such as what skdistill.targets.calibrate_temperature finds on some rows"
        )


def _labeller(distiller: Any, first: Chunk) -> tuple[Callable[[Chunk], Chunk] | None, Any]:
    """What labels chunks, None where they have their targets; and the teacher that is asked."""
    regression = distiller._teacher_output == "teacher_prediction"
    has_proba = not regression and first.y is not None and np.ndim(first.y) == 2
    has_proba = has_proba and np.shape(first.y)[1] > 1
    if distiller.alpha == 0:
        if first.y is None or has_proba:
            raise ValueError("alpha=0 learns from labels alone: pass chunks (X, y)")
        return None, None
    if has_proba:
        _, names = check_targets(first.y, None, first.n_samples)
        return ProbabilityLabeller(
            names, float(distiller.temperature), distiller.response_method == "predict"
        ), None
    if distiller.teacher is None:
        if regression and first.y is not None:
            return None, None
        kind = "predictions" if regression else "probabilities"
        raise ValueError(f"teacher=None needs chunks (X, y) whose y are a teacher's {kind}")
    rows = rows_for_teacher(first.X)
    y = None if first.y is None else np.asarray(first.y)
    method = distiller._response_method()
    teacher = distiller._ready_teacher(rows, y, regression=regression)
    if not isinstance(teacher, FrozenEstimator):
        raise ValueError(
            f"teacher={type(distiller.teacher).__name__} would have to be fitted on all rows, and "
            "chunks are not held: fit it on rows in memory and wrap it in a FrozenEstimator, or "
            "pass chunks (X, P) with its answers"
        )
    cached, key = cache_of(distiller.memory, {"teacher": teacher})
    ask = cached(ask_about_chunk, ignore=["teacher", "labelled"])
    if regression:
        return ValueLabeller(teacher, ask, key, [], float(distiller.alpha)), teacher
    classes: NDArray[Any] | None = expected_classes(teacher, None)
    assert classes is not None  # the teacher is fitted
    labeller = TeacherLabeller(
        teacher, ask, key, [], classes, method, float(distiller.alpha), float(distiller.temperature)
    )
    return labeller, teacher


def rows_for_teacher(X: Any) -> Any:
    """Rows as a teacher gets them: numbers as the student compares them, others as they are.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features)
        Rows of a chunk.

    Returns
    -------
    X : data frame or array
        float32 or int32 for an array of numbers.
    """
    if is_frame(X) or as_array(X).dtype.kind not in "biuf":
        return X
    X = check_array(X, dtype="numeric", ensure_all_finite="allow-nan", input_name="X")
    return X if X.dtype == np.int32 else X.astype(np.float32)


def ask_about_chunk(
    teacher: Any,
    X: Any,
    classes: NDArray[Any] | None,
    response_method: str,
    key: str,
    labelled: list[tuple[int, float]],
) -> NDArray[np.float64]:
    """What a fitted teacher says of the rows of a chunk.

    Parameters
    ----------
    teacher : fitted estimator
        Not part of the key under which the answer is cached: `key` stands for it.
    X : data frame or array of shape (n_samples, n_features)
        Rows.
    classes : array of shape (n_classes,) or None
        None for a regressor.
    response_method : str
        See `DistilledClassifier`.
    key : str
        Hash of the teacher.
    labelled : list of (int, float) tuples
        Gets rows and seconds; no part of the key either.

    Returns
    -------
    response : float64 array of shape (n_samples, n_columns)
    """
    return response_values(teacher, X, classes, response_method, labelled)


@dataclass(frozen=True)
class ProbabilityLabeller:
    """Chunks that have their probabilities.

    Parameters
    ----------
    classes : array of shape (n_classes,)
        Sorted.
    temperature : float
        That the student applies.
    decisions : bool
        Whether the most probable class gets probability 1.
    """

    classes: NDArray[Any]
    temperature: float
    decisions: bool

    def __call__(self, chunk: Chunk) -> Chunk:
        """The chunk with soft targets."""
        targets, classes = check_targets(chunk.y, None, chunk.n_samples)
        if classes.tolist() != self.classes.tolist():
            raise ValueError(
                f"y has the columns {classes.tolist()}, chunks before it have "
                f"{self.classes.tolist()}"
            )
        P = one_hot_decisions(targets.teacher) if self.decisions else targets.teacher
        return chunk._replace(y=replace(targets, teacher=P, temperature=self.temperature))


@dataclass(frozen=True)
class TeacherLabeller:
    """Chunks that a classifier labels.

    Parameters
    ----------
    teacher : fitted classifier
        Who is asked.
    ask : callable
        `ask_about_chunk`, cached or not.
    key : str
        Hash of the teacher.
    labelled : list of (int, float) tuples
        Gets rows and seconds of the chunks that the teacher is asked about in this process.
    classes : array of shape (n_classes,)
        Sorted.
    response_method : str
        See `DistilledClassifier`.
    alpha, temperature : float
        As in `SoftTargets`.
    """

    teacher: Any
    ask: Callable[..., NDArray[np.float64]]
    key: str
    labelled: list[tuple[int, float]]
    classes: NDArray[Any]
    response_method: str
    alpha: float
    temperature: float

    def __call__(self, chunk: Chunk) -> Chunk:
        """The chunk with soft targets."""
        hard = None
        if chunk.y is not None:
            named = f"the classes of the frozen teacher, {self.classes.tolist()}"
            labels, _ = check_targets(chunk.y, self.classes, chunk.n_samples, named=named)
            hard = labels.hard
        X = rows_for_teacher(chunk.X)
        P = self.ask(self.teacher, X, self.classes, self.response_method, self.key, self.labelled)
        if self.response_method == "predict":
            P = one_hot_decisions(P)
        alpha = 1.0 if hard is None else self.alpha
        return chunk._replace(y=SoftTargets(P, hard, alpha, self.temperature))


@dataclass(frozen=True)
class ValueLabeller:
    """Chunks that a regressor predicts.

    Parameters
    ----------
    teacher, ask, key, labelled
        As in `TeacherLabeller`.
    alpha : float
        Weight of predictions beside values.
    """

    teacher: Any
    ask: Callable[..., NDArray[np.float64]]
    key: str
    labelled: list[tuple[int, float]]
    alpha: float

    def __call__(self, chunk: Chunk) -> Chunk:
        """The chunk with values."""
        X = rows_for_teacher(chunk.X)
        prediction = self.ask(self.teacher, X, None, "auto", self.key, self.labelled)
        if chunk.y is None or self.alpha == 1:
            return chunk._replace(y=prediction)
        y = check_values(chunk.y, chunk.n_samples)
        if y.shape != prediction.shape:
            raise ValueError(
                f"the teacher predicts {prediction.shape[1]} targets, y has {y.shape[1]}"
            )
        return chunk._replace(y=self.alpha * prediction + (1 - self.alpha) * y)
