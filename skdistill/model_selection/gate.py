"""Whether distillation helps: students on soft labels against students on hard labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

from skdistill.model_selection.racing import Entry, rank

_LEVEL = 0.95


class DistillationGain(NamedTuple):
    """What the best student on soft labels scores above the best on hard labels.

    Attributes
    ----------
    difference : float
        Mean difference of the cross-validated scores; NaN where only one kind fits the budget.
    interval : tuple of float
        Paired 95 % interval of the difference.
    sentence : str
        The same in words.
    """

    difference: float
    interval: tuple[float, float]
    sentence: str


def distillation_gain(
    soft: NDArray[np.float64] | None,
    hard: NDArray[np.float64] | None,
    overlap: float,
) -> DistillationGain:
    """Compare scores on the same rows.

    Parameters
    ----------
    soft, hard : float64 array of shape (n_scores,), or None
        Scores of the best student of each kind, on the same held-out rows; None where there is
        none.
    overlap : float
        Held-out rows of a score divided by training rows, where the training rows of the scores
        overlap; 0 where all scores are of one model.

    Returns
    -------
    gain : DistillationGain

    Notes
    -----
    The variance of the mean is that of Nadeau & Bengio 2003, "Inference for the generalization
    error", section 4: ``(1 / n_scores + overlap)`` times the variance of the differences.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.model_selection.gate import distillation_gain
    >>> gain = distillation_gain(np.array([0.9, 0.8]), np.array([0.9, 0.9]), 0.25)
    >>> gain.sentence
    'Soft labels score 0.0500 less than hard labels (95 % interval -0.828 to 0.728): \
this may be chance. A student on hard labels is returned.'
    """
    nan = float("nan")
    if soft is None or hard is None:
        kind = "hard" if soft is None else "soft"
        sentence = f"Only students on {kind} labels fit the budget: there is nothing to compare."
        return DistillationGain(nan, (nan, nan), sentence)
    differences = np.asarray(soft, np.float64) - np.asarray(hard, np.float64)
    n, mean = len(differences), float(np.mean(differences))
    low, high = -np.inf, np.inf
    if n > 1:
        error = np.sqrt(np.var(differences, ddof=1) * (1 / n + overlap))
        half = float(student_t.ppf((1 + _LEVEL) / 2, n - 1) * error)
        low, high = mean - half, mean + half
    return DistillationGain(mean, (low, high), _sentence(mean, low, high))


def _sentence(mean: float, low: float, high: float) -> str:
    scores = f"{abs(mean):.4f} {'more' if mean > 0 else 'less'} than"
    if mean == 0:
        scores, verdict = "the same as", ""
    elif low <= 0 <= high:
        verdict = ": this may be chance"
    else:
        verdict = f": distillation {'helps' if mean > 0 else 'does not help'}"
    returned = "" if mean > 0 else " A student on hard labels is returned."
    interval = f"95 % interval {low:.3g} to {high:.3g}"
    return f"Soft labels score {scores} hard labels ({interval}){verdict}.{returned}"


def gain_of(entries: Iterable[Entry], overlap: float) -> DistillationGain:
    """What the best candidate on soft labels scores above the best on hard ones.

    Parameters
    ----------
    entries : iterable of Entry
        What was scored.
    overlap : float
        As in `distillation_gain`.

    Returns
    -------
    gain : DistillationGain
        On the splits that both were scored on.
    """
    best: dict[bool, NDArray[np.float64]] = {}
    for entry in rank(entries):
        best.setdefault(entry.candidate.is_hard, entry.compared_scores)
    common = min((len(each) for each in best.values()), default=0)
    soft, hard = (None if each is None else each[:common] for each in map(best.get, (False, True)))
    return distillation_gain(soft, hard, overlap)
