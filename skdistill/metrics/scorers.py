"""Scorers that find teacher and student inside Pipelines and searches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import r2_score
from sklearn.pipeline import Pipeline

from skdistill.metrics.scores import fidelity_score, kl_divergence, retention_score
from skdistill.targets import soft_log_loss
from skdistill.teachers import probabilities


def fidelity_scorer(estimator: Any, X: Any, y: Any = None) -> float:
    """Scorer: `fidelity_score` of a fitted distiller on rows that neither has seen.

    Of a regressor it is R², the teacher's predictions taken as truth.

    Parameters
    ----------
    estimator : fitted DistilledClassifier or DistilledRegressor, or Pipeline or search \
that ends in one
    X : array-like of shape (n, d)
    y : ignored

    Returns
    -------
    fidelity : float

    Raises
    ------
    ValueError
        If the distiller holds no teacher, as with ``alpha=0``.
    """
    distilled, X = _last_step(estimator, X)
    learnt = distilled.predict(X)
    if distilled.compact_.classes is None:
        return float(r2_score(_teacher(distilled).predict(X), learnt))
    return fidelity_score(_taught_labels(distilled, X), learnt)


def retention_scorer(estimator: Any, X: Any, y: Any) -> float:
    """Scorer: `retention_score` of a fitted distiller.

    Parameters
    ----------
    estimator : fitted DistilledClassifier, or Pipeline or search that ends in one
    X : array-like of shape (n, d)
    y : array-like of shape (n,)

    Returns
    -------
    retention : float
    """
    distilled, X = _last_step(estimator, X)
    return retention_score(y, _taught_labels(distilled, X), distilled.predict(X))


def soft_log_loss_scorer(estimator: Any, X: Any, y: Any = None) -> float:
    """Scorer: minus the `soft_log_loss` of the student against its teacher.

    Parameters
    ----------
    estimator : fitted DistilledClassifier, or Pipeline or search that ends in one
    X : array-like of shape (n, d)
    y : ignored

    Returns
    -------
    score : float
    """
    return -soft_log_loss(*_both_probabilities(estimator, X))


def kl_divergence_scorer(estimator: Any, X: Any, y: Any = None) -> float:
    """Scorer: minus the `kl_divergence` of the student from its teacher.

    Parameters
    ----------
    estimator : fitted DistilledClassifier, or Pipeline or search that ends in one
    X : array-like of shape (n, d)
    y : ignored

    Returns
    -------
    score : float
    """
    return -kl_divergence(*_both_probabilities(estimator, X))


def model_size_scorer(estimator: Any, X: Any = None, y: Any = None) -> float:
    """Scorer: minus the bytes of the compact model.

    Parameters
    ----------
    estimator : fitted student or distiller, or Pipeline or search that ends in one
    X, y : ignored

    Returns
    -------
    score : float
    """
    last, _ = _last_step(estimator, None)
    return -float(last.compact_.nbytes)


def _last_step(estimator: Any, X: Any) -> tuple[Any, Any]:
    """The student or distiller inside, and the rows as they arrive there."""
    if hasattr(estimator, "best_estimator_"):
        return _last_step(estimator.best_estimator_, X)
    if isinstance(estimator, FrozenEstimator):
        return _last_step(estimator.estimator, X)
    if isinstance(estimator, Pipeline):
        before = estimator[:-1]
        return _last_step(
            estimator[-1], before.transform(X) if X is not None and len(before) else X
        )
    if not hasattr(estimator, "compact_"):
        raise ValueError(
            f"{type(estimator).__name__} holds no compact model: fit a student or a distiller"
        )
    return estimator, X


def _teacher(distilled: Any) -> Any:
    if not hasattr(distilled, "teacher_"):
        raise ValueError(
            f"{type(distilled).__name__} holds no teacher to compare with (alpha=0, "
            "teacher_proba, or a bare student): score it by accuracy or log loss"
        )
    return distilled.teacher_


def _taught_labels(distilled: Any, X: Any) -> NDArray[Any]:
    return np.ravel(_teacher(distilled).predict(X))  # CatBoost's are a column


def _both_probabilities(estimator: Any, X: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    distilled, X = _last_step(estimator, X)
    P = probabilities(_teacher(distilled), X, distilled.classes_)
    return P, distilled.predict_proba(X)
