"""Soft targets for the rows a teacher is trained on: from folds that did not see them."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    check_cv,
)
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import has_fit_parameter
from tqdm import tqdm

from skdistill.teachers.response import probabilities

FOLDS = 5


class Lesson(NamedTuple):
    """A teacher and what it says of the training rows.

    Attributes
    ----------
    teacher : fitted estimator
    P : float64 array of shape (n, K)
        NaN in rows that were never held out.
    """

    teacher: Any
    P: NDArray[np.float64]


def teach(
    teacher: Any,
    X: Any,
    y: NDArray[Any] | None,
    classes: NDArray[Any],
    *,
    weight: NDArray[np.float64] | None = None,
    groups: Any = None,
    cv: Any = "auto",
    label: bool = True,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Lesson:
    """Fit the teacher on all rows and label every row by a copy that has not seen it.

    A `FrozenEstimator` is used as it is. A forest with ``oob_score=True`` labels by its
    out-of-bag votes where `cv` is "auto".

    Parameters
    ----------
    teacher : estimator
    X : array-like of shape (n, d)
    y : array of shape (n,) or None
        None only for a frozen teacher.
    classes : array of shape (K,), sorted
    weight : float64 array of shape (n,), default=None
        Handed on if the teacher takes a `sample_weight`.
    groups : array-like of shape (n,), default=None
    cv : "auto", int, splitter or iterable of splits, default="auto"
        "auto" is five folds, stratified, and by group where there are groups.
    label : bool, default=True
        False fits the teacher alone; all of P is NaN then.
    n_jobs : int or None, default=None
        Folds at a time.
    verbose : int, default=0
        Above 0 a progress bar counts the fits.

    Returns
    -------
    lesson : Lesson
    """
    n = len(weight) if weight is not None else np.shape(X)[0]
    P = np.full((n, len(classes)), np.nan)
    if isinstance(teacher, FrozenEstimator):
        return Lesson(teacher, probabilities(teacher, X, classes) if label else P)
    out_of_bag = label and isinstance(cv, str) and bool(getattr(teacher, "oob_score", False))
    everything = np.arange(n)
    folds = _splits(cv, X, y, groups) if label and not out_of_bag else []
    tasks = [(train, test) for train, test in folds] + [(everything, None)]
    work = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_fit_and_answer)(teacher, X, y, weight, classes, train, test)
        for train, test in tasks
    )
    answers = list(tqdm(work, total=len(tasks), desc="teacher", disable=verbose <= 0))
    fitted, _ = answers.pop()
    if out_of_bag:
        return Lesson(fitted, _out_of_bag(fitted, classes))
    times = np.zeros(n)
    for (_, test), (_, answer) in zip(folds, answers, strict=True):
        held = np.zeros((n, len(classes)))
        np.add.at(held, test, answer)
        count = np.bincount(test, minlength=n)
        P = np.where(count[:, None] > 0, np.nan_to_num(P) + held, P)
        times += count
    seen = times > 0
    P[seen] /= times[seen, None]
    return Lesson(fitted, P)


def _splits(
    cv: Any, X: Any, y: NDArray[Any] | None, groups: Any
) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    if isinstance(cv, str):
        if len(y) < 2:
            raise ValueError(f"out-of-fold labels need two rows or more, got n_samples={len(y)}")
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
    folds = list(check_cv(cv, y, classifier=True).split(X, y, groups))
    rows = np.arange(np.shape(X)[0])  # reads masks and negative numbers, refuses others
    return [(rows[train], rows[test]) for train, test in folds]


def _fit_and_answer(
    teacher: Any,
    X: Any,
    y: NDArray[Any],
    weight: NDArray[np.float64] | None,
    classes: NDArray[Any],
    train: NDArray[Any],
    test: NDArray[Any] | None,
) -> tuple[Any, NDArray[np.float64] | None]:
    """Fit a copy; with `test` answer for these rows, else return the copy itself."""
    copy = clone(teacher)
    given = {} if weight is None else _weight_parameter(copy, weight[train])
    copy.fit(_safe_indexing(X, train), y[train], **given)
    if test is None:
        return copy, None
    return None, probabilities(copy, _safe_indexing(X, test), classes)


def _weight_parameter(teacher: Any, weight: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """The fit parameter that hands the weights on; a Pipeline's last step takes them."""
    last, name = teacher, ""
    while isinstance(last, Pipeline):
        step, last = last.steps[-1]
        name += f"{step}__"
    return {f"{name}sample_weight": weight} if _takes_weights(last) else {}


def _takes_weights(estimator: Any) -> bool:
    """Whether `fit` takes sample weights; ensembles and searches hand theirs on unnamed."""
    if isinstance(estimator, VotingClassifier | StackingClassifier):
        return all(_takes_weights(member) for _, member in estimator.estimators if member != "drop")
    if isinstance(estimator, BaseSearchCV):
        return _takes_weights(estimator.estimator)
    return has_fit_parameter(estimator, "sample_weight")


def _out_of_bag(forest: Any, classes: NDArray[Any]) -> NDArray[np.float64]:
    """Votes of the trees that did not see a row; rows that every tree saw stay NaN."""
    votes = np.full((len(forest.oob_decision_function_), len(classes)), np.nan)
    votes[:, np.searchsorted(classes, forest.classes_)] = forest.oob_decision_function_
    total = np.nansum(votes, axis=1, keepdims=True)
    return np.where(total > 0, np.nan_to_num(votes), np.nan) / np.where(total > 0, total, 1)
