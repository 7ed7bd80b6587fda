"""A candidate is fitted again until it is within the budget."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.dataframe import EncodedTable, numeric_table
from skdistill.model_selection.budget import Budget, Device, Footprint, columns_read, measure
from skdistill.model_selection.code_estimate import code_estimate
from skdistill.model_selection.portfolio import Candidate
from skdistill.model_selection.training_set import TrainingSet
from skdistill.students.size_search import MaxBytesError

_FITS = 8  # until a student is within the budget
_MOST_BYTES = 16 * 1024  # of tables, where the budget has no flash
_CLOSER = 0.97  # of the size that seems to fit
_FULL = 0.94  # of a limit: no further fit
_GROWING = ("flash", "instructions", "time")  # limits that a model comes closer to with its bytes
_GROWTHS = 3  # fits with more bytes
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


def fit_within(
    candidate: Candidate,
    training: TrainingSet,
    budget: Budget,
    device: Device,
    *,
    seed: int,
    max_bytes: int | None = None,
    grow: bool = False,
) -> FittedCandidate:
    """Fit a student that is within the budget.

    Its tables get the bytes that the code leaves. Where the model exceeds a limit it is fitted
    again with fewer, at the end with as few as there can be; where it leaves some of the budget,
    with more.

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
    grow : bool, default=False
        Whether what they leave of the budget is used, as it is without `max_bytes`.

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
        max_bytes = _fit_within(draft, training, budget, device, seed, None, True).max_bytes
    grow = grow or max_bytes is None
    return _fit_within(candidate, training, budget, device, seed, max_bytes, grow)


def _fit_within(
    candidate: Candidate,
    training: TrainingSet,
    budget: Budget,
    device: Device,
    seed: int,
    max_bytes: int | None,
    grow: bool,
) -> FittedCandidate:
    room = max_bytes
    has_categories = bool(training.rows.has_labels.any())
    output = device.output or ("scores" if training.classes is None else "label")
    n_columns = training.rows.values.shape[1]
    if budget.features is not None:
        n_columns = min(n_columns, budget.features)
    code = code_estimate(
        candidate.tables, has_categories, output, device.input_dtype, n_columns=n_columns
    )
    if room is None:
        room = max(1, _MOST_BYTES if budget.flash is None else budget.flash - code)
    best: FittedCandidate | None = None
    least: dict[str, float] = {}
    nbytes = None  # of the last model
    for n_fits in range(_FITS):
        try:
            student = _fit(candidate, training, room, seed, budget.features)
        except MaxBytesError as error:
            if nbytes is not None and nbytes <= error.nbytes:
                break
            room = error.nbytes  # the smallest that there is
            continue
        footprint = measure(student.compact_, device, budget)
        nbytes = int(student.compact_.nbytes)
        if budget.fits(footprint):
            best = FittedCandidate(student, footprint, room)
            break
        least = lowest([least, budget.takes(footprint)])
        room = _smaller(nbytes, footprint, budget)
        if n_fits >= _FITS // 2:  # what exceeds the budget falls slower than the bytes
            room = min(room, nbytes // 2)
        if n_fits >= _FITS - 3:
            room = 1  # none can be: the error names the smallest, which is tried last
        room = max(room, 1)
    if best is None:
        raise BudgetExceededError(least)
    return _grown(best, candidate, training, budget, device, seed) if grow else best


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


def _room(limits: Iterable[str], nbytes: int, footprint: Footprint, budget: Budget) -> int:
    """Bytes of tables with which a model would come close to the limits.

    The code of the layout "table" hardly changes with its tables; the layout "code" has none, and
    grows with the model as time does.
    """
    used, rooms = budget.used(footprint), []
    for limit in limits:
        if limit == "flash" and footprint.profile.layout == "table":
            rooms.append(nbytes + int(budget.limits[limit]) - footprint.flash)
        else:
            rooms.append(int(nbytes / used[limit] * _CLOSER))
    return min(rooms)


def _smaller(nbytes: int, footprint: Footprint, budget: Budget) -> int:
    """Bytes of tables for the next fit, of a model that exceeds the budget."""
    exceeded = [limit for limit, share in budget.used(footprint).items() if share > 1]
    return min(nbytes - 1, _room(exceeded, nbytes, footprint, budget))


def _grown(
    fitted: FittedCandidate,
    candidate: Candidate,
    training: TrainingSet,
    budget: Budget,
    device: Device,
    seed: int,
) -> FittedCandidate:
    """A larger model, where the budget leaves bytes or time and the student could use them."""
    nbytes, used = int(fitted.student.compact_.nbytes), budget.used(fitted.footprint)
    limits = [limit for limit in _GROWING if limit in used]
    if not limits or max(used[limit] for limit in limits) >= _FULL:
        return fitted
    room = _room(limits, nbytes, fitted.footprint, budget)
    if budget.flash is None:
        room = min(room, _MOST_BYTES)
    if nbytes < _FULL * fitted.max_bytes or room <= fitted.max_bytes:
        return fitted
    for _ in range(_GROWTHS):
        student = _fit(candidate, training, room, seed, budget.features)
        footprint = measure(student.compact_, device, budget)
        if budget.fits(footprint):
            return FittedCandidate(student, footprint, room)
        room = (room + fitted.max_bytes) // 2
    return fitted


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
