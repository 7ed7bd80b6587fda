"""Soft targets for the rows a teacher is trained on: from copies that did not see them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
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
from skdistill.teachers._fit import fit_copy, routing_enabled
from skdistill.teachers.fast_response import say_speed
from skdistill.teachers.label_encoding import without_encoding
from skdistill.teachers.response import one_hot_decisions, response_values
from skdistill.teachers.weighted_fit import fitted_without_weights
from skdistill.utils._sklearn_compat import _check_method_params

N_FOLDS = 5

Folds = list[tuple[NDArray[np.intp], NDArray[np.intp]]]


class CrossFitResult(NamedTuple):
    """A teacher fitted on all rows, and out-of-fold responses for the same rows.

    Attributes
    ----------
    teacher : fitted estimator
        Fitted on all rows.
    response : float64 array of shape (n_samples, n_classes) or (n_samples, n_outputs)
        Probabilities, or values of a regressor; NaN in rows that were never held out.
    """

    teacher: Any
    response: NDArray[np.float64]


def cross_fit(
    teacher: Any,
    X: Any,
    y: NDArray[Any] | None,
    classes: NDArray[Any] | None,
    *,
    sample_weight: NDArray[np.float64] | None = None,
    groups: Any = None,
    cv: Any = "auto",
    response_method: str = "auto",
    return_response: bool = True,
    fit_params: Mapping[str, Any] | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> CrossFitResult:
    """Fit a teacher on all rows, and let copies predict the rows that they were not fitted on.

    A `FrozenEstimator` is used as it is, for all rows. A forest with ``oob_score=True`` gives
    its out-of-bag predictions where `cv` is "auto". Where the training rows have a single class,
    as in a fold of a sorted table, no copy is fitted: the answer is this class.

    Parameters
    ----------
    teacher : estimator
        From `as_teacher`. It stays unfitted itself.
    X : array-like of shape (n_samples, n_features)
        Training rows.
    y : array of shape (n_samples,) or (n_samples, n_outputs), or None
        Labels or values; None only for a frozen teacher.
    classes : array of shape (n_classes,) or None
        Sorted; the columns of the response. None for a regressor.
    sample_weight : float64 array of shape (n_samples,), default=None
        Weights of the rows. Passed on to the classifiers and regressors inside the teacher, with
        a warning where one takes none; with metadata routing enabled to any teacher, so that
        the caller has to route them.
    groups : array-like of shape (n_samples,), default=None
        Groups of rows, for `cv`.
    cv : "auto", int, splitter or iterable of splits, default="auto"
        "auto" is five folds, by group where there are groups; stratified for classes, and
        shuffled with a fixed seed for values, because tables are often sorted by them.
    response_method : {"auto", "predict_proba", "decision_function", "predict", "any"}, \
default="auto"
        Response method of a classifier; see `probabilities`.
    return_response : bool, default=True
        False fits the teacher on all rows only; the response is NaN then.
    fit_params : dict, default=None
        Parameters of the teacher's `fit`, `sample_weight` may be among them. Those with a value
        for each row are split by fold.
    n_jobs : int or None, default=None
        Fits that run at a time.
    verbose : int, default=0
        Above 0, a progress bar counts the fits.

    Returns
    -------
    result : CrossFitResult
        The fitted teacher and the response, which is averaged where a row was held out
        several times.

    Raises
    ------
    TypeError
        If the fitted teacher lacks the response method.
    ValueError
        If out-of-fold responses are needed of fewer than two rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skdistill.teachers import cross_fit
    >>> X, y = load_iris(return_X_y=True)
    >>> result = cross_fit(GaussianNB(), X, y, np.arange(3))
    >>> result.teacher, result.response.shape
    (GaussianNB(), (150, 3))
    """
    params = dict(fit_params or {})
    if sample_weight is not None:
        params["sample_weight"] = sample_weight
    n_samples = np.shape(X)[0]
    if classes is not None:
        n_columns = len(classes)
    else:
        n_columns = 1 if y is None or y.ndim < 2 else y.shape[1]
    nothing = np.full((n_samples, n_columns), np.nan)
    if isinstance(teacher, FrozenEstimator):
        if verbose > 0:
            print(f"teacher: {_name(teacher.estimator)} is used as it is, nothing is fitted")
        if not return_response:
            return CrossFitResult(teacher, nothing)
        labelled: list[tuple[int, float]] = []
        response = response_values(teacher, X, classes, response_method, labelled)
        if verbose > 0:
            say_speed(teacher, labelled)
        return CrossFitResult(teacher, response)
    if hasattr(teacher, "_cross_fit"):  # an ensemble, whose members are cross-fitted each
        result: CrossFitResult = teacher._cross_fit(
            X,
            y,
            classes,
            fit_params=params,
            groups=groups,
            cv=cv,
            response_method=response_method,
            return_response=return_response,
            n_jobs=n_jobs,
            verbose=verbose,
        )
        return result
    out_of_bag = (
        return_response
        and isinstance(cv, str)
        and bool(getattr(teacher, "oob_score", False))
        and response_method != "decision_function"
    )
    folds: Folds = []
    if return_response and not out_of_bag:
        folds = (_folds_of_values if classes is None else _folds_of_labels)(cv, X, y, groups)
    if verbose > 0:
        held_out = f"{len(folds)} times to label held-out rows, and " if folds else ""
        print(f"teacher: {_name(teacher)} is fitted {held_out}once on all {n_samples} rows")
    _warn_of_lost_weights(teacher, params)
    tasks = [*folds, (np.arange(n_samples), None)]
    labels = None if classes is None else y
    single = [
        labels is not None and _is_single_class(labels[rows], params, rows) for rows, _ in tasks
    ]
    _warn_of_single_classes(teacher, tasks, single)
    work = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_fit_and_predict)(
            None if constant else teacher,
            X,
            y,
            params,
            classes,
            response_method,
            train,
            test,
            f"fold {number} of {len(folds)}" if number <= len(folds) else "the fit on all rows",
        )
        for number, ((train, test), constant) in enumerate(zip(tasks, single, strict=True), 1)
    )
    results = list(tqdm(work, total=len(tasks), desc="teacher", disable=verbose <= 0))
    fitted, _ = results.pop()
    if not return_response:
        return CrossFitResult(fitted, nothing)
    if out_of_bag:
        response = _out_of_bag(fitted, classes)
        decides = response_method == "predict" and classes is not None
        return CrossFitResult(fitted, one_hot_decisions(response) if decides else response)
    return CrossFitResult(fitted, _mean_of_folds(nothing, folds, [each for _, each in results]))


def _mean_of_folds(
    nothing: NDArray[np.float64], folds: Folds, responses: list[Any]
) -> NDArray[np.float64]:
    """Responses in the order of the rows; averages where a row was held out several times."""
    response, times = nothing, np.zeros(len(nothing))
    for (_, test), values in zip(folds, responses, strict=True):
        # A splitter may hold out a row twice in one fold: `at` and `bincount` count it twice.
        held_out = np.zeros(nothing.shape)
        np.add.at(held_out, test, values)
        count = np.bincount(test, minlength=len(nothing))
        response = np.where(count[:, None] > 0, np.nan_to_num(response) + held_out, response)
        times += count
    seen = times > 0
    response[seen] /= times[seen, None]
    return response


def _folds_of_labels(cv: Any, X: Any, y: Any, groups: Any) -> Folds:
    if isinstance(cv, str):
        _require_two_rows(y)
        _, count = np.unique(y, return_counts=True)
        if groups is not None:
            n_groups = len(np.unique(groups))
            stratified = count.max() >= min(N_FOLDS, n_groups)
            cv = (StratifiedGroupKFold if stratified else GroupKFold)(min(N_FOLDS, n_groups))
        elif count.max() < 2:
            cv = KFold(min(N_FOLDS, len(y)))
        else:
            cv = StratifiedKFold(min(N_FOLDS, int(count.max())))
        with warnings.catch_warnings():
            # A class with fewer rows than folds is simply absent from some of them.
            warnings.filterwarnings(
                "ignore", message="The least populated class", category=UserWarning
            )
            return list(cv.split(X, y, groups))
    return _as_row_numbers(list(check_cv(cv, y, classifier=True).split(X, y, groups)), X)


def _folds_of_values(cv: Any, X: Any, y: Any, groups: Any) -> Folds:
    if isinstance(cv, str):
        _require_two_rows(y)
        if groups is not None:
            cv = GroupKFold(min(N_FOLDS, len(np.unique(groups))))
        else:
            cv = KFold(min(N_FOLDS, len(y)), shuffle=True, random_state=0)
    return _as_row_numbers(list(check_cv(cv, y, classifier=False).split(X, y, groups)), X)


def _require_two_rows(y: NDArray[Any]) -> None:
    if len(y) < 2:
        raise ValueError(f"out-of-fold labels need two rows or more, got n_samples={len(y)}")


def _as_row_numbers(folds: list[Any], X: Any) -> Folds:
    rows = np.arange(np.shape(X)[0])  # reads masks and negative numbers, refuses others
    return [(rows[train], rows[test]) for train, test in folds]


def _fit_and_predict(
    teacher: Any,
    X: Any,
    y: Any,
    fit_params: dict[str, Any],
    classes: NDArray[Any] | None,
    response_method: str,
    train: NDArray[np.intp],
    test: NDArray[np.intp] | None,
    name: str,
) -> tuple[Any, NDArray[np.float64] | None]:
    """A fitted copy and no response; with `test` the response for these rows and no copy."""
    params = _check_method_params(X, fit_params, indices=train)
    try:
        if teacher is None:  # all rows of positive weight have one label
            seen = np.asarray(params.get("sample_weight", np.ones(len(train)))) > 0
            fitted = DummyClassifier().fit(take_rows(X, train[seen]), y[train[seen]])
        else:
            fitted = fit_copy(teacher, take_rows(X, train), y[train], **params)
    except Exception as error:
        error.add_note(f"This is {name} of the teacher: {_counts(y[train], classes)}.")
        raise
    if test is None:
        return fitted, None
    return None, response_values(fitted, take_rows(X, test), classes, response_method)


def _counts(y: NDArray[Any], classes: NDArray[Any] | None) -> str:
    """Rows of each class, of which an estimator may have too few."""
    if classes is None:
        return f"{len(y)} rows"
    labels, counts = np.unique(y, return_counts=True)
    most = zip(labels.tolist()[:20], counts.tolist()[:20], strict=True)
    return "rows by class " + ", ".join(f"{label!r}: {count}" for label, count in most)


def _name(teacher: Any) -> str:
    """The class that the user passed."""
    return type(without_encoding(teacher)).__name__


def _is_single_class(y: NDArray[Any], params: Mapping[str, Any], rows: NDArray[np.intp]) -> bool:
    """Whether all rows of positive weight have one label."""
    weight = params.get("sample_weight")
    seen = y if weight is None else y[np.asarray(weight)[rows] > 0]
    return len(np.unique(seen)) == 1


def _warn_of_single_classes(teacher: Any, tasks: list[Any], single: list[bool]) -> None:
    if single[-1]:
        warnings.warn(
            f"y has a single class: a DummyClassifier is the teacher in place of {_name(teacher)}",
            UserWarning,
            stacklevel=4,
        )
    held_out = [len(test) for (_, test), one in zip(tasks[:-1], single, strict=False) if one]
    if held_out and not single[-1]:
        has = "has" if len(held_out) == 1 else "have"
        warnings.warn(
            f"{len(held_out)} of {len(tasks) - 1} folds {has} a single class to train on: "
            f"{_name(teacher)} is not fitted there, and the {sum(held_out)} rows held out get "
            "probability 1 for this class; to change it, shuffle or stratify cv",
            UserWarning,
            stacklevel=4,
        )


def _warn_of_lost_weights(teacher: Any, params: Mapping[str, Any]) -> None:
    """Tell which estimators learn without weights; weights that are all equal are none."""
    weight = params.get("sample_weight")
    if weight is None or routing_enabled() or len(np.unique(weight)) == 1:
        return
    names = fitted_without_weights(without_encoding(teacher))
    if names:
        takes = "takes" if len(names) == 1 else "take"
        warnings.warn(
            f"{' and '.join(names)} {takes} no sample_weight: fitted without the weights of the "
            "rows, which the student gets",
            UserWarning,
            stacklevel=4,
        )


def _out_of_bag(forest: Any, classes: NDArray[Any] | None) -> NDArray[np.float64]:
    """Predictions of the trees that did not see a row; rows that every tree saw are NaN."""
    if classes is None:
        values: NDArray[np.float64] = forest.oob_prediction_.copy()
        values = values.reshape(len(values), -1)
        seen_by = np.zeros(len(values), np.intp)  # without any tree the prediction is 0, not NaN
        for rows in forest.estimators_samples_:
            seen_by[np.unique(rows)] += 1
        values[seen_by == len(forest.estimators_samples_)] = np.nan
        return values
    votes = np.full((len(forest.oob_decision_function_), len(classes)), np.nan)
    votes[:, np.searchsorted(classes, forest.classes_)] = forest.oob_decision_function_
    total = np.nansum(votes, axis=1, keepdims=True)
    P: NDArray[np.float64] = np.where(total > 0, np.nan_to_num(votes), np.nan)
    return P / np.where(total > 0, total, 1)
