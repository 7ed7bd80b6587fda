"""A candidate on rows: what it learns from, how it is made to fit the budget, what it scores."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import accuracy_score, log_loss, r2_score

from skdistill.dataframe import EncodedTable, numeric_table
from skdistill.distillation._base import mean_weight
from skdistill.model_selection.budget import (
    Budget,
    Device,
    Footprint,
    columns_read,
    measure,
)
from skdistill.model_selection.code_estimate import code_estimate
from skdistill.model_selection.data import FurtherRows, SearchData
from skdistill.model_selection.out_of_fold import Answers, answers_of
from skdistill.model_selection.portfolio import Candidate
from skdistill.students.size_search import MaxBytesError
from skdistill.targets import SoftTargets, calibrate_temperature, temper
from skdistill.transfer.further_rows import append_rows
from skdistill.utils.interrupts import is_interrupt

_FITS = 6  # until a student is within the budget
_MOST_BYTES = 16 * 1024  # of tables, where the budget has no flash
_CLOSER = 0.97  # of the size that seems to fit
_FULL = 0.94  # of the flash: no further fit
_SELECTIONS = 2  # of columns


class BudgetExceededError(ValueError):
    """No size of a candidate is within the budget.

    Parameters
    ----------
    least : dict of str to float
        The least of each limit that a model took which was tried; see `Budget.takes`.
    """

    def __init__(self, least: dict[str, float]) -> None:
        super().__init__(least)
        self.least = least


class NoCandidateError(ValueError):
    """Nothing that a search tried can be used; the message says why."""


class TrainingSet(NamedTuple):
    """What a student learns from.

    Attributes
    ----------
    rows : EncodedTable
        All rows, those without labels last.
    targets : SoftTargets or float64 array of shape (n_samples, n_outputs)
        What is taught.
    weight : float64 array of shape (n_samples,)
        Of the rows.
    classes : array of shape (n_classes,) or None
        None for a regression.
    """

    rows: EncodedTable
    targets: Any
    weight: NDArray[np.float64]
    classes: NDArray[Any] | None


class FittedCandidate(NamedTuple):
    """A student within the budget.

    Attributes
    ----------
    student : fitted student
        The model.
    footprint : Footprint
        What it takes.
    max_bytes : int
        Bytes of tables that it was allowed.
    """

    student: Any
    footprint: Footprint
    max_bytes: int


def training_set(
    candidate: Candidate,
    data: SearchData,
    train: NDArray[np.intp],
    response: NDArray[np.float64] | None,
    further: list[FurtherRows],
) -> TrainingSet:
    """Put together what a candidate learns from.

    Parameters
    ----------
    candidate : Candidate
        Says what is taught.
    data : SearchData
        All rows.
    train : int array of shape (n_train,)
        The training rows.
    response : float64 array of shape (n_train, n_columns) or None
        Out-of-fold responses of the teacher for them; None for hard labels.
    further : list of FurtherRows
        Rows without labels, none for hard labels.

    Returns
    -------
    training : TrainingSet
    """
    rows, weight = data.rows.take(train), data.weight[train]
    n_further = sum(each.rows.n_samples for each in further)
    unit = mean_weight(weight) if (weight > 0).any() else 1.0
    rows = reduce(append_rows, [each.rows for each in further], rows)
    weight = np.concatenate([weight, np.full(n_further, unit)])
    responses = [] if response is None else [response, *(each.response for each in further)]
    if data.codes is None or data.classes is None:
        values = data.y[train].reshape(len(train), -1)
        if response is not None:
            mixed = candidate.alpha * response + (1 - candidate.alpha) * values
            values = np.concatenate([mixed, *responses[1:]])
        return TrainingSet(rows, values, weight, None)
    hard = np.concatenate([data.codes[train], np.full(n_further, -1, np.intp)])
    if response is None:
        nothing = np.zeros((len(hard), len(data.classes)))
        return TrainingSet(rows, SoftTargets(nothing, hard, 0.0), weight, data.classes)
    P = np.concatenate(responses)
    if candidate.calibrated:
        n = len(train)
        P = temper(P, calibrate_temperature(P[:n], hard[:n], weight[:n]))
    return TrainingSet(rows, SoftTargets(P, hard, candidate.alpha), weight, data.classes)


def fit_within(
    candidate: Candidate,
    training: TrainingSet,
    budget: Budget,
    device: Device,
    *,
    seed: int,
    max_bytes: int | None = None,
) -> FittedCandidate:
    """Fit a student that is within the budget.

    Its tables get the bytes that the code leaves. Where the model exceeds a limit it is fitted
    again with fewer; where its code takes less than was estimated, once with more.

    Parameters
    ----------
    candidate : Candidate
        Makes the student.
    training : TrainingSet
        What it learns from.
    budget : Budget
        The limits.
    device : Device
        Where it runs.
    seed : int
        Of its random numbers.
    max_bytes : int, default=None
        Bytes of tables to start with; None is all that the budget may leave.

    Returns
    -------
    fitted : FittedCandidate

    Raises
    ------
    BudgetExceededError
        If no size fits that was tried.
    """
    draft = candidate.draft()
    if max_bytes is None and draft is not None:
        max_bytes = _fit_within(draft, training, budget, device, seed, None).max_bytes
    return _fit_within(candidate, training, budget, device, seed, max_bytes)


def _fit_within(
    candidate: Candidate,
    training: TrainingSet,
    budget: Budget,
    device: Device,
    seed: int,
    max_bytes: int | None,
) -> FittedCandidate:
    room = max_bytes
    has_categories = bool(training.rows.has_labels.any())
    code = code_estimate(candidate.tables, has_categories, input_dtype=device.input_dtype)
    if room is None:
        room = max(1, _MOST_BYTES if budget.flash is None else budget.flash - code)
    best: FittedCandidate | None = None
    least: dict[str, float] = {}
    for n_fits in range(_FITS):
        try:
            student = _fit(candidate, training, room, seed, budget.features)
        except MaxBytesError as error:
            if budget.flash is not None or not least:
                least = lowest([least, {"flash": error.nbytes + code}])
            break
        footprint = measure(student.compact_, device, budget)
        nbytes = int(student.compact_.nbytes)
        code = footprint.flash - nbytes
        if budget.fits(footprint):
            best = FittedCandidate(student, footprint, room)
            break
        least = lowest([least, budget.takes(footprint)])
        room = _smaller(nbytes, footprint, budget)
        if n_fits >= _FITS // 2:  # what exceeds the budget falls slower than the bytes
            room = min(room, nbytes // 2)
        if room < 1:
            break
    if best is None:
        raise BudgetExceededError(least)
    if max_bytes is None:
        return _grown(best, candidate, training, budget, device, seed)
    return best


def lowest(taken: Iterable[dict[str, float]]) -> dict[str, float]:
    """The least number of each name.

    Parameters
    ----------
    taken : iterable of dict of str to float
        From `Budget.takes`.

    Returns
    -------
    least : dict of str to float
    """
    least: dict[str, float] = {}
    for each in taken:
        least |= {name: min(value, least.get(name, value)) for name, value in each.items()}
    return least


def _smaller(nbytes: int, footprint: Footprint, budget: Budget) -> int:
    """Bytes of tables for the next fit, of a model that exceeds the budget."""
    used = budget.used(footprint)
    room = nbytes - 1
    if budget.flash is not None:
        room = min(room, nbytes - (footprint.flash - budget.flash))
    others = max((share for name, share in used.items() if name != "flash"), default=0.0)
    if others > 1:
        room = min(room, int(nbytes / others * _CLOSER))
    return room


def _grown(
    fitted: FittedCandidate,
    candidate: Candidate,
    training: TrainingSet,
    budget: Budget,
    device: Device,
    seed: int,
) -> FittedCandidate:
    """A larger model, where the compiler leaves bytes and the student could use them."""
    nbytes = int(fitted.student.compact_.nbytes)
    if budget.flash is None or fitted.footprint.flash >= _FULL * budget.flash:
        return fitted
    room = budget.flash - (fitted.footprint.flash - nbytes)
    if nbytes < _FULL * fitted.max_bytes or room <= fitted.max_bytes:
        return fitted
    student = _fit(candidate, training, room, seed, budget.features)
    footprint = measure(student.compact_, device, budget)
    return FittedCandidate(student, footprint, room) if budget.fits(footprint) else fitted


def _fit(
    candidate: Candidate, training: TrainingSet, max_bytes: int, seed: int, features: int | None
) -> Any:
    """Fit a student; of more columns than it may read, on those that mattered most."""
    rows = training.rows
    n_classes = None if training.classes is None else len(training.classes)
    student = candidate.student(n_classes=n_classes, max_bytes=max_bytes, seed=seed)
    _fit_student(student, rows, training)
    if features is None:
        return student
    for _ in range(_SELECTIONS):
        columns = np.array(sorted(columns_read(student.compact_)), np.intp)
        if len(columns) <= features:
            break
        order = np.argsort(-student.feature_importances_[columns], kind="stable")
        rows = _constant_beside(rows, columns[order[:features]])
        _fit_student(student, rows, training)
    return student


def _fit_student(student: Any, rows: EncodedTable, training: TrainingSet) -> None:
    X = rows if rows.values is not rows.native else rows.native
    keywords = {} if training.classes is None else {"classes": training.classes}
    student.fit(X, training.targets, training.weight, **keywords)


def _constant_beside(rows: EncodedTable, columns: NDArray[np.intp]) -> EncodedTable:
    """The rows with a single value in all columns but some: no student learns from the others."""
    values = np.zeros_like(rows.values)
    values[:, columns] = rows.values[:, columns]
    return numeric_table(values) if rows.values is rows.native else replace(rows, values=values)


def evaluate(
    candidate: Candidate,
    training: TrainingSet,
    held_out: EncodedTable,
    y: NDArray[Any],
    teacher: NDArray[np.float64] | None,
    parts: list[NDArray[np.intp]],
    scorer: Callable[..., float],
    budget: Budget,
    device: Device,
    *,
    seed: int,
    max_bytes: int | None,
) -> tuple[dict[str, Any], Answers]:
    """Fit a candidate within the budget and score it.

    Parameters
    ----------
    candidate, training, budget, device, seed, max_bytes
        As in `fit_within`.
    held_out : EncodedTable
        Rows to score.
    y : array of shape (n_held_out,) or (n_held_out, n_outputs)
        Their labels or values.
    teacher : float64 array of shape (n_held_out, n_columns) or None
        Responses of the teacher for them.
    parts : list of int arrays
        Each is scored beside; see `Splits.parts`.
    scorer : callable
        Called as ``scorer(student, X, y)``.

    Returns
    -------
    record : dict
        Of numbers and texts. Its "status" is "fits", "too large" or "failed".
    answers : dict of str to array
        Predictions of the rows held out, where it fits; see `answers_of`.
    """
    started = time.perf_counter()
    try:
        fitted = fit_within(candidate, training, budget, device, seed=seed, max_bytes=max_bytes)
        seconds = time.perf_counter() - started
        X = held_out.native
        scores = [float(scorer(fitted.student, X, y))]
        if not np.isfinite(scores[0]):
            raise ValueError(f"the score is {scores[0]}")
        if len(parts) > 1:
            table = [held_out.take(part).native for part in parts]
            pairs = zip(table, parts, strict=True)
            scores += [float(scorer(fitted.student, rows, y[part])) for rows, part in pairs]
        answers = answers_of(fitted.student, X)
        measured = _measures(fitted.student, answers, y, teacher)
    except BudgetExceededError as error:
        return {"status": "too large", "least": error.least}, {}
    except Exception as error:  # whatever a student or a scorer raises: the search goes on
        if is_interrupt(error):
            raise KeyboardInterrupt from error
        reason = f"{type(error).__name__}: {error}"
        warnings.warn(
            f"{candidate} failed and is left out: {reason}", FitFailedWarning, stacklevel=2
        )
        return {"status": "failed", "reason": reason}, {}
    footprint = fitted.footprint
    record = {
        "status": "fits",
        "score": scores[0],
        "part_scores": scores[1:],
        "max_bytes": fitted.max_bytes,
        "nbytes": int(fitted.student.compact_.nbytes),
        "flash": footprint.flash,
        "ram": footprint.ram,
        "instructions": footprint.instructions,
        "features": footprint.features,
        "fit_time": seconds,
        **measured,
    }
    return record, answers


def _measures(
    student: Any, answers: Answers, y: NDArray[Any], teacher: NDArray[np.float64] | None
) -> dict[str, float | None]:
    """Figures of a model beside its score."""
    if student.compact_.classes is None:
        predicted = answers["value"]
        r2 = r2_score(y, predicted) if len(y) > 1 else float("nan")
        fidelity = None if teacher is None or len(y) < 2 else r2_score(teacher, predicted)
        return {"r2": float(r2), "fidelity": fidelity}
    classes, P = student.classes_, answers["P"].astype(np.float64)
    P /= P.sum(axis=1, keepdims=True)  # as float32 numbers they do not add up to 1
    predicted = classes[answers["code"]]
    loss = log_loss(y, P, labels=classes) if len(classes) > 1 else 0.0
    fidelity = None
    if teacher is not None:
        fidelity = float(np.mean(classes[teacher.argmax(axis=1)] == predicted))
    return {
        "accuracy": float(accuracy_score(y, predicted)),
        "log_loss": float(loss),
        "fidelity": fidelity,
    }
