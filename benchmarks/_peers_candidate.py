"""For budget.py: one model of a peer, and what it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

CODE = 200  # bytes beside the tables of nets and of what multiplies by a projection


class Candidate(NamedTuple):
    """A fitted model of a peer.

    Attributes
    ----------
    model, recipe : str
        Which peer, and how it was made.
    nbytes : int
        What it takes, with the code that is counted for it.
    predict_proba : callable
        Probabilities of all classes of the draw.
    seconds : float
        Of the fit.
    """

    model: str
    recipe: str
    nbytes: int
    predict_proba: Callable[[np.ndarray], np.ndarray]
    seconds: float


def all_classes(model: Any, n_classes: int, **settings: Any) -> Callable[[Any], np.ndarray]:
    """`model.predict_proba` with 0 for the classes that no row of the fit had."""

    def predict_proba(X: np.ndarray) -> np.ndarray:
        P = np.zeros((len(X), n_classes))
        P[:, model.classes_] = model.predict_proba(X, **settings)
        return P

    return predict_proba
