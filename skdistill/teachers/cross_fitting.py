"""Soft targets for the rows a teacher is trained on: from folds that did not see them."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    check_cv,
)
from tqdm import tqdm

from skdistill.dataframe import take_rows
from skdistill.teachers._fit import fit_copy
from skdistill.teachers.response import answers

FOLDS = 5


class CrossFitResult(NamedTuple):
    """A teacher and what it says of the training rows.

    Attributes
    ----------
    teacher : fitted estimator
    P : float64 array of shape (n, K), or (n, S) of a regressor
        NaN in rows that were never held out.
    """

    teacher: Any
    P: NDArray[np.float64]


def teach(
    teacher: Any,
    X: Any,
    y: NDArray[Any] | None,
    classes: NDArray[Any] | None,
    *,
    weight: NDArray[np.float64] | None = None,
    groups: Any = None,
    cv: Any = "auto",
    label: bool = True,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> CrossFitResult:
    """Fit the teacher on all rows and label every row by a copy that has not seen it.

    A `FrozenEstimator` is used as it is. A forest with ``oob_score=True`` labels by its
    out-of-bag answers where `cv` is "auto".

    Parameters
    ----------
    teacher : estimator
    X : array-like of shape (n, d)
    y : array of shape (n,), (n, S) or None
        None only for a frozen teacher.
    classes : array of shape (K,), sorted, or None
        None for a regressor.
    weight : float64 array of shape (n,), default=None
        Handed on if the teacher takes a `sample_weight`.
    groups : array-like of shape (n,), default=None
    cv : "auto", int, splitter or iterable of splits, default="auto"
        "auto" is five folds, by group where there are groups; stratified for classes, and
        shuffled in one fixed way for values, which tables are often sorted by.
    label : bool, default=True
        False fits the teacher alone; all of P is NaN then.
    n_jobs : int or None, default=None
        Folds at a time.
    verbose : int, default=0
        Above 0 a progress bar counts the fits.

    Returns
    -------
    lesson : CrossFitResult
    """
    if hasattr(teacher, "lesson"):  # a committee, whose members are taught each
        options = dict(weight=weight, groups=groups, cv=cv, label=label)
        return teacher.lesson(X, y, classes, n_jobs=n_jobs, verbose=verbose, **options)
    n = len(weight) if weight is not None else np.shape(X)[0]
    width = len(classes) if classes is not None else 1 if np.ndim(y) < 2 else y.shape[1]
    P = np.full((n, width), np.nan)
    if isinstance(teacher, FrozenEstimator):
        return CrossFitResult(teacher, answers(teacher, X, classes) if label else P)
    out_of_bag = label and isinstance(cv, str) and bool(getattr(teacher, "oob_score", False))
    everything = np.arange(n)
    split = _splits_of_values if classes is None else _splits
    folds = split(cv, X, y, groups) if label and not out_of_bag else []
    tasks = [(train, test) for train, test in folds] + [(everything, None)]
    work = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_fit_and_answer)(teacher, X, y, weight, classes, train, test)
        for train, test in tasks
    )
    told = list(tqdm(work, total=len(tasks), desc="teacher", disable=verbose <= 0))
    fitted, _ = told.pop()
    if out_of_bag:
        return CrossFitResult(fitted, _out_of_bag(fitted, classes))
    times = np.zeros(n)
    for (_, test), (_, answer) in zip(folds, told, strict=True):
        held = np.zeros((n, width))
        np.add.at(held, test, answer)
        count = np.bincount(test, minlength=n)
        P = np.where(count[:, None] > 0, np.nan_to_num(P) + held, P)
        times += count
    seen = times > 0
    P[seen] /= times[seen, None]
    return CrossFitResult(fitted, P)


def _splits(
    cv: Any, X: Any, y: NDArray[Any] | None, groups: Any
) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    if isinstance(cv, str):
        _require_two_rows(y)
        _, count = np.unique(y, return_counts=True)
        if groups is not None:
            n_groups = len(np.unique(groups))
            stratified = count.max() >= min(FOLDS, n_groups)
            cv = (StratifiedGroupKFold if stratified else GroupKFold)(min(FOLDS, n_groups))
        elif count.max() < 2:
            cv = KFold(min(FOLDS, len(y)))
        else:
            cv = StratifiedKFold(min(FOLDS, int(count.max())))
        with warnings.catch_warnings():
            # A class with fewer rows than folds is simply absent from some of them.
            warnings.filterwarnings(
                "ignore", message="The least populated class", category=UserWarning
            )
            return list(cv.split(X, y, groups))
    return _as_numbers(list(check_cv(cv, y, classifier=True).split(X, y, groups)), X)


def _splits_of_values(
    cv: Any, X: Any, y: NDArray[Any], groups: Any
) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    if isinstance(cv, str):
        _require_two_rows(y)
        if groups is not None:
            cv = GroupKFold(min(FOLDS, len(np.unique(groups))))
        else:
            cv = KFold(min(FOLDS, len(y)), shuffle=True, random_state=0)
    return _as_numbers(list(check_cv(cv, y, classifier=False).split(X, y, groups)), X)


def _require_two_rows(y: NDArray[Any]) -> None:
    if len(y) < 2:
        raise ValueError(f"out-of-fold labels need two rows or more, got n_samples={len(y)}")


def _as_numbers(folds: list[Any], X: Any) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    rows = np.arange(np.shape(X)[0])  # reads masks and negative numbers, refuses others
    return [(rows[train], rows[test]) for train, test in folds]


def _fit_and_answer(
    teacher: Any,
    X: Any,
    y: NDArray[Any],
    weight: NDArray[np.float64] | None,
    classes: NDArray[Any] | None,
    train: NDArray[Any],
    test: NDArray[Any] | None,
) -> tuple[Any, NDArray[np.float64] | None]:
    """Fit a copy; with `test` answer for these rows, else return the copy itself."""
    given = None if weight is None else weight[train]
    copy = fit_copy(teacher, take_rows(X, train), y[train], given)
    if test is None:
        return copy, None
    return None, answers(copy, take_rows(X, test), classes)


def _out_of_bag(forest: Any, classes: NDArray[Any] | None) -> NDArray[np.float64]:
    """Answers of the trees that did not see a row; rows that every tree saw stay NaN."""
    if classes is None:
        told = forest.oob_prediction_.reshape(len(forest.oob_prediction_), -1).copy()
        seen_by = np.zeros(len(told), np.intp)  # 0 is the prediction where there is none
        for rows in forest.estimators_samples_:
            seen_by[np.unique(rows)] += 1
        told[seen_by == len(forest.estimators_samples_)] = np.nan
        return told
    votes = np.full((len(forest.oob_decision_function_), len(classes)), np.nan)
    votes[:, np.searchsorted(classes, forest.classes_)] = forest.oob_decision_function_
    total = np.nansum(votes, axis=1, keepdims=True)
    return np.where(total > 0, np.nan_to_num(votes), np.nan) / np.where(total > 0, total, 1)
