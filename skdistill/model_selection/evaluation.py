"""What a candidate scores on rows held out."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import accuracy_score, log_loss, r2_score

from skdistill.dataframe import EncodedTable
from skdistill.model_selection.budget import Budget, Device
from skdistill.model_selection.fit_within import BudgetExceededError, fit_within
from skdistill.model_selection.out_of_fold import Answers, answers_of
from skdistill.model_selection.portfolio import Candidate
from skdistill.model_selection.training_set import TrainingSet
from skdistill.utils.interrupts import is_interrupt


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
