"""Cross-entropy between soft targets and predictions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skdistill.targets.checks import check_probabilities


def soft_log_loss(
    P_true: ArrayLike, P_pred: ArrayLike, sample_weight: ArrayLike | None = None
) -> float:
    """Mean cross-entropy of predicted against soft target probabilities, in nats.

    Parameters
    ----------
    P_true : array-like of shape (n_samples, n_classes)
        Target probabilities.
    P_pred : array-like of shape (n_samples, n_classes)
        Predicted probabilities. They are clipped at the float64 epsilon, as scikit-learn's
        `log_loss` does.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows; None weighs them equally.

    Returns
    -------
    loss : float
        Its minimum is the entropy of `P_true`, where both are equal.

    Raises
    ------
    ValueError
        If either is no table of probabilities or the shapes differ.

    Examples
    --------
    >>> from skdistill.metrics import soft_log_loss
    >>> round(soft_log_loss([[0.5, 0.5]], [[0.5, 0.5]]), 4)
    0.6931
    """
    P_true, P_pred = check_probabilities(P_true, "P_true"), check_probabilities(P_pred, "P_pred")
    if P_true.shape != P_pred.shape:
        raise ValueError(
            f"P_true has shape {P_true.shape} and P_pred {P_pred.shape}: they must be equal"
        )
    log_P = np.log(np.clip(P_pred, np.finfo(np.float64).eps, 1))
    weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
    return float(np.average(-(P_true * log_P).sum(axis=1), weights=weights))
