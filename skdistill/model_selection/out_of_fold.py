"""What the models of a search predicted for the rows that were held out from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.inspection import Predictions
from skdistill.model_selection.data import SearchData
from skdistill.model_selection.racing import Entry, rank

Answers = dict[str, NDArray[Any]]


def answers_of(student: Any, X: Any) -> Answers:
    """What a student predicts.

    Parameters
    ----------
    student : student
        Fitted.
    X : data frame or array of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    answers : dict of str to array
        For classes "code", their numbers, and "P", float32 probabilities; else "value".
    """
    predicted = student.predict(X)
    if student.compact_.classes is None:
        return {"value": predicted}
    return {
        "code": np.searchsorted(student.classes_, predicted),
        "P": student.predict_proba(X).astype(np.float32),
    }


def out_of_fold(
    data: SearchData,
    test: Callable[[int], NDArray[np.intp]],
    held_out: Callable[[int, int], NDArray[np.float64]],
    best: Entry,
    entries: Iterable[Entry],
) -> tuple[NDArray[np.intp], Predictions]:
    """Predictions of the best student, its teacher and the best student on hard labels.

    Parameters
    ----------
    data : SearchData
        All rows.
    test : callable
        Rows that a split holds out; see `Splits.test`.
    held_out : callable
        Responses of a teacher for the rows that a split holds out; see `Labeller.held_out`.
    best : Entry
        The best candidate.
    entries : iterable of Entry
        All candidates.

    Returns
    -------
    rows : int array of shape (n_held_out,)
        Rows that were held out, once for each split that did so.
    predictions : Predictions
        Of these rows.
    """
    n_splits = len(best.answers)
    rows = np.concatenate([test(split) for split in range(n_splits)])
    complete = [each for each in rank(entries) if len(each.answers) >= n_splits]
    soft = next((each for each in complete if not each.candidate.is_hard), None)
    hard = next((each for each in complete if each.candidate.is_hard), None)
    student, P_student = _labels(data, best.answers[:n_splits])
    hard_labels, P_hard = None, None
    if hard is not None and hard is not best:
        hard_labels, P_hard = _labels(data, hard.answers[:n_splits])
    teacher, P_teacher = None, None
    if soft is not None:
        number = soft.candidate.teacher
        response = np.concatenate([held_out(number, split) for split in range(n_splits)])
        if data.classes is None:
            teacher = response[:, 0] if data.y.ndim == 1 else response
        else:
            teacher, P_teacher = data.classes[response.argmax(axis=1)], response
    predictions = Predictions(
        data.y[rows], student, teacher, hard_labels, P_student, P_teacher, P_hard, True
    )
    return rows, predictions


def _labels(
    data: SearchData, answers: list[Answers]
) -> tuple[NDArray[Any], NDArray[np.float64] | None]:
    """Labels or values, and probabilities, of all splits one after the other."""
    if data.classes is None:
        return np.concatenate([each["value"] for each in answers]), None
    codes = np.concatenate([each["code"] for each in answers])
    P = np.concatenate([each["P"] for each in answers]).astype(np.float64)
    return data.classes[codes], P
