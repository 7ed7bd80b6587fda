"""Class weights as weights of rows, for labels and for probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.targets import SoftTargets
from skdistill.utils._sklearn_compat import StrOptions

CLASS_WEIGHT: list[Any] = [dict, StrOptions({"balanced"}), None]


def class_weights(
    class_weight: dict[Any, float] | str | None,
    classes: NDArray[Any],
    targets: SoftTargets,
    weight: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The weight of each class, as scikit-learn's `compute_class_weight` defines it.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        Weights by label; labels that are absent weigh 1. "balanced" is ``mass.sum() /
        (n_classes * mass)``, where the mass of a class is the weight of its rows, and of rows
        without label the share that their probabilities give it. Classes without mass are not
        counted. None weighs every class 1.
    classes : array of shape (n_classes,)
        Labels in the order of the targets' columns.
    targets : SoftTargets
        Probabilities and labels of the rows.
    weight : float64 array of shape (n_samples,)
        Weights of the rows.

    Returns
    -------
    w : float64 array of shape (n_classes,)
        Weights of the classes.

    Raises
    ------
    ValueError
        For a class that a dictionary lacks while it names one that does not exist, and for
        weights that are negative or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students.class_weight import class_weights
    >>> from skdistill.targets import SoftTargets
    >>> targets = SoftTargets(np.array([[0.9, 0.1], [0.7, 0.3]]))
    >>> class_weights("balanced", np.array(["no", "yes"]), targets, np.ones(2)).tolist()
    [0.625, 2.5]
    """
    w = np.ones(len(classes))
    if class_weight is None:
        return w
    if isinstance(class_weight, str):
        mass = _class_mass(targets, weight)
        present = mass > 0
        w[present] = mass.sum() / (present.sum() * mass[present])
        return w
    absent = []
    for number, label in enumerate(classes.tolist()):
        if label in class_weight:
            w[number] = class_weight[label]
        else:
            absent.append(label)
    if absent and class_weight and len(classes) - len(absent) != len(class_weight):
        raise ValueError(f"The classes, {absent}, are not in class_weight")
    if not (np.isfinite(w) & (w >= 0)).all():
        raise ValueError(f"class_weight={class_weight!r} must hold finite numbers >= 0")
    return w


def row_weights(targets: SoftTargets, w: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weight of each row's label, or without label the expectation ``sum_k P_ik w_k``.

    Parameters
    ----------
    targets : SoftTargets
        Probabilities and labels of the rows.
    w : float64 array of shape (n_classes,)
        Weights of the classes.

    Returns
    -------
    weight : float64 array of shape (n_samples,)
    """
    if targets.hard is None:
        return targets.teacher @ w
    labelled = targets.hard >= 0
    return np.where(labelled, w[targets.hard * labelled], targets.teacher @ w)


def weigh_rows(
    class_weight: Any, weight: NDArray[np.float64], by_class: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Product of the weights that rows have by themselves and by their classes.

    Parameters
    ----------
    class_weight : dict or "balanced"
        The parameter, for the message.
    weight : float64 array of shape (n_samples,)
        Weights of the rows.
    by_class : float64 array of shape (n_samples,)
        Weights by `row_weights`.

    Returns
    -------
    weight : float64 array of shape (n_samples,)

    Raises
    ------
    ValueError
        Where all of them are 0.
    """
    weight = weight * by_class
    if not (weight > 0).any():
        raise ValueError(f"class_weight={class_weight!r} leaves no row any weight")
    return weight


def _class_mass(targets: SoftTargets, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight of each class, by labels where there are any, float64 array of (n_classes,)."""
    if targets.hard is None:
        return weight @ targets.teacher
    labelled = targets.hard >= 0
    K = targets.n_classes
    mass = np.bincount(targets.hard[labelled], weight[labelled], K).astype(np.float64)
    return mass + weight[~labelled] @ targets.teacher[~labelled]
