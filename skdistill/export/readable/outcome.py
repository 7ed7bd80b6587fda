"""What a leaf says: its label where it decides alone, else what it adds to the scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import evaluate
from skdistill.compact.model_tables import ModelTables
from skdistill.export.readable.conditions import number, score_names

_MOST_SHOWN = 4  # scores of a leaf


def decides_alone(model: ModelTables) -> bool:
    """Whether a row's leaf is all that its scores depend on: one table, one leaf a row."""
    return len(model.tables) == 1 and model.tables[0].one_leaf_a_row


def leading(model: ModelTables, scores: Sequence[int]) -> tuple[int, float]:
    """The class or score that a leaf speaks for, and how clearly.

    Parameters
    ----------
    model : ModelTables
        Whose leaf it is.
    scores : sequence of int
        What the leaf adds.

    Returns
    -------
    index : int
        Number of the class where the leaf decides alone or there are several scores; else 1 where
        the score rises and 0 where it falls.
    strength : float
        From 0 to 1.
    """
    if decides_alone(model) and model.classes is not None:
        P = _probabilities(model, scores)
        return int(_label(model, scores)), float(P.max())
    values = np.asarray(scores)
    bound = max(1, *(int(np.abs(table.score_bound).max()) for table in model.tables))
    if len(values) == 1:
        return int(values[0] > 0), min(1.0, abs(int(values[0])) / bound)
    order = np.sort(values)
    return int(values.argmax()), min(1.0, int(order[-1] - order[-2]) / bound)


def leaf_lines(model: ModelTables, scores: Sequence[int]) -> list[str]:
    """One or two short lines on a leaf.

    Parameters
    ----------
    model : ModelTables
        Whose leaf it is.
    scores : sequence of int
        What the leaf adds.

    Returns
    -------
    lines : list of str
    """
    if decides_alone(model):
        if model.classes is None:
            total = np.asarray(model.bias + np.asarray(scores, np.int32))[None]
            values = np.ravel(evaluate.predict(model, total))
            return [", ".join(number(np.float32(value)) for value in values)]
        P = _probabilities(model, scores)
        label = _label(model, scores)
        return [str(model.classes[label]), f"p = {P[label]:.2f}"]
    return [f"adds {scores_text(model, scores)}"]


def drawn_lines(model: ModelTables, scores: Sequence[int]) -> list[str]:
    """One or two lines on a leaf that are short enough for a box.

    Parameters
    ----------
    model : ModelTables
        Whose leaf it is.
    scores : sequence of int
        What the leaf adds.

    Returns
    -------
    lines : list of str
    """
    if decides_alone(model) or len(scores) == 1:
        return leaf_lines(model, scores)
    first, *others = scores_text(model, scores, most=1).split(", ")
    return [f"adds {first}", *others]


def scores_text(model: ModelTables, scores: Sequence[int], most: int = _MOST_SHOWN) -> str:
    """Scores as text: a number, or the largest ones with their names.

    Parameters
    ----------
    model : ModelTables
        Whose scores they are.
    scores : sequence of int
        One for each score of the model.
    most : int, default=4
        Number of scores with their names.

    Returns
    -------
    text : str
    """
    if len(scores) == 1:
        return f"{scores[0]:+d}"
    names = score_names(model)
    order = sorted(range(len(scores)), key=lambda k: -abs(scores[k]))
    shown = sorted(k for k in order[:most] if scores[k])
    texts = [f"{names[k]}: {scores[k]:+d}" for k in shown]
    n_others = sum(score != 0 for score in scores) - len(shown)
    return ", ".join(texts + [f"{n_others} more"] * (n_others > 0)) or "nothing"


def _label(model: ModelTables, scores: Sequence[int]) -> int:
    if model.n_classes == 1:
        return 0
    total = model.bias + np.asarray(scores, np.int32)
    return int(evaluate.labels(total[None], model.threshold)[0])


def _probabilities(model: ModelTables, scores: Sequence[int]) -> NDArray[np.float64]:
    total = model.bias + np.asarray(scores, np.int32)
    P: NDArray[np.float64] = evaluate.probabilities(model, total[None])[0]
    return P
