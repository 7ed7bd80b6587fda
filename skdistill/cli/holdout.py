"""Rows that are held out, and what a model has to beat on them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.metrics import root_mean_squared_error as rmse
from sklearn.model_selection import train_test_split

from skdistill.cli.errors import InputError
from skdistill.dataframe.files import quoted
from skdistill.dataframe.labelled import LabelledTable

_LEAST_ROWS = 20
_LEAST_OF_CLASS = 4
_LEAST_TRAINING = 10  # rows of a regression, which are cross-validated in five parts


class HeldOut(NamedTuple):
    """A table in two parts.

    Attributes
    ----------
    X, y : data frame and array
        Rows to learn from.
    X_test, y_test : data frame and array
        Rows that are held out.
    """

    X: Any
    y: NDArray[Any]
    X_test: Any
    y_test: NDArray[Any]


def hold_out(table: LabelledTable, test_size: float, seed: int) -> HeldOut:
    """Split a table; classes keep their proportions.

    Parameters
    ----------
    table : LabelledTable
        All rows.
    test_size : float
        Share of the rows that is held out.
    seed : int
        Of the split.

    Returns
    -------
    parts : HeldOut

    Raises
    ------
    InputError
        If there are too few rows, in all or of a class.
    """
    n = len(table.y)
    if n < _LEAST_ROWS:
        raise InputError(
            f"the table has {n} row{'s' * (n > 1)} with a label, at least {_LEAST_ROWS} are needed"
        )
    n_test = int(np.ceil(test_size * n))
    stratify = None
    if table.task == "regression":
        if n_test < 2 or n - n_test < _LEAST_TRAINING:
            raise InputError(
                f"--test-size {test_size:g} leaves {n - n_test} rows for training and {n_test} "
                f"for testing: {_LEAST_TRAINING} and 2 are needed"
            )
    else:
        stratify = table.y
        classes, counts = np.unique(table.y, return_counts=True)
        rare = classes[counts < _LEAST_OF_CLASS]
        if len(rare):
            raise InputError(
                f"fewer than {_LEAST_OF_CLASS} rows have the label {quoted(rare)}: leave these "
                "rows out, or give them another label"
            )
        if n_test < len(classes) or n - n_test < 2 * len(classes):
            raise InputError(
                f"--test-size {test_size:g} leaves {n - n_test} rows for training and {n_test} "
                f"for testing, too few for {len(classes)} classes"
            )
    parts = train_test_split(
        table.X, table.y, test_size=n_test, random_state=seed, stratify=stratify
    )
    X, X_test, y, y_test = parts
    if table.task == "regression" and (y == y[0]).all():
        raise InputError("all training rows have the same value: use another --seed")
    return HeldOut(X.reset_index(drop=True), y, X_test.reset_index(drop=True), y_test)


def scores_of(model: Any, X: Any, y: NDArray[Any], classes: Any) -> dict[str, float]:
    """Figures of a fitted model.

    Parameters
    ----------
    model : estimator or CompactModel
        Fitted.
    X : data frame
        Rows.
    y : array of shape (n_samples,)
        Labels or values.
    classes : array of shape (n_classes,) or None
        None for a regression.

    Returns
    -------
    scores : dict of str to float
        "accuracy", "balanced_accuracy" and "log_loss"; or "r2" and "rmse".
    """
    predicted = np.asarray(model.predict(X)).ravel()
    if classes is None:
        return {"r2": float(r2_score(y, predicted)), "rmse": float(rmse(y, predicted))}
    scores = {"accuracy": float(accuracy_score(y, predicted))}
    recalls = [float(np.mean(predicted[y == label] == label)) for label in np.unique(y)]
    scores["balanced_accuracy"] = float(np.mean(recalls))
    if hasattr(model, "predict_proba") and np.isin(y, classes).all() and len(classes) > 1:
        P = np.clip(np.asarray(model.predict_proba(X), np.float64), np.finfo(float).eps, 1)
        P /= P.sum(axis=1, keepdims=True)
        scores["log_loss"] = float(log_loss(y, P, labels=classes))
    return scores


def baseline_scores(parts: HeldOut, classes: Any) -> dict[str, float]:
    """Figures of what always answers the most frequent class, or the mean.

    Parameters
    ----------
    parts : HeldOut
        Training rows, and rows to score.
    classes : array of shape (n_classes,) or None
        None for a regression.

    Returns
    -------
    scores : dict of str to float
        As `scores_of`.
    """
    dummy = DummyRegressor() if classes is None else DummyClassifier(strategy="prior")
    dummy.fit(np.zeros((len(parts.y), 1)), parts.y)
    return scores_of(dummy, np.zeros((len(parts.y_test), 1)), parts.y_test, classes)
