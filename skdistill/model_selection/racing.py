"""Which candidates go on from split to split, and which is the best."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.model_selection.portfolio import Candidate

# So many are scored on all splits, of each kind of labels: picks among all on all are no better.
FINALISTS = 2

Record = dict[str, Any]


@dataclass
class Entry:
    """A candidate in a race, and what is known of it so far.

    Parameters
    ----------
    candidate : Candidate
        A student, and what it is taught.
    max_bytes : int or None, default=None
        Bytes of tables to start with on the first split.
    records : list of dict
        From `evaluate`, of the first splits.
    answers : list of dict
        Predictions of the rows held out, of the same splits; see `answers_of`.
    """

    candidate: Candidate
    max_bytes: int | None = None
    records: list[Record] = field(default_factory=list)
    answers: list[dict[str, NDArray[Any]]] = field(default_factory=list)

    @property
    def fits(self) -> bool:
        """Whether it is within the budget on all splits that it was scored on."""
        return bool(self.records) and all(each["status"] == "fits" for each in self.records)

    @property
    def start(self) -> int | None:
        """Bytes of tables to start with on the next split."""
        return self.records[0]["max_bytes"] if self.records else self.max_bytes

    @property
    def mean_score(self) -> float:
        """Mean score on the splits that it was scored on; NaN where something did not fit."""
        return float(np.mean(self.scores)) if self.records else float("nan")

    @property
    def scores(self) -> NDArray[np.float64]:
        """Scores, float64 array of shape (n_scored,), NaN where nothing was within the budget."""
        return np.array([each.get("score", np.nan) for each in self.records], np.float64)

    @property
    def compared_scores(self) -> NDArray[np.float64]:
        """Scores to be compared with those of another one: of a hold-out, by part."""
        if len(self.records) == 1 and self.records[0].get("part_scores"):
            return np.array(self.records[0]["part_scores"], np.float64)
        return self.scores

    @property
    def nbytes(self) -> float:
        """Mean bytes of flash."""
        return float(np.mean([each["flash"] for each in self.records]))


def rank(entries: Iterable[Entry]) -> list[Entry]:
    """Those within the budget, the best first.

    Parameters
    ----------
    entries : iterable of Entry
        What was scored.

    Returns
    -------
    order : list of Entry
        Those that were scored on more splits come first, then by mean score. Of equal ones those
        on hard labels come first, then the smaller ones.
    """
    return sorted(
        (each for each in entries if each.fits),
        key=lambda each: (
            -len(each.records),
            -each.mean_score,
            not each.candidate.is_hard,
            each.nbytes,
        ),
    )


def competes(entry: Entry, others: Iterable[Entry], split: int) -> bool:
    """Whether a candidate that came later goes on to a split.

    Parameters
    ----------
    entry : Entry
        Scored on the splits before.
    others : iterable of Entry
        Those before it.
    split : int
        Number of the split.

    Returns
    -------
    competes : bool
        On the first split, and where it is among the best `FINALISTS` of its kind of labels.
    """
    if split == 0:
        return True
    if not entry.fits or len(entry.records) < split:
        return False
    is_hard = entry.candidate.is_hard
    means = sorted(
        float(each.scores[:split].mean())
        for each in others
        if each.fits and len(each.records) >= split and each.candidate.is_hard == is_hard
    )
    return len(means) < FINALISTS or float(entry.scores.mean()) >= means[-FINALISTS]


def n_running(n_candidates: int, n_splits: int) -> list[int]:
    """Candidates that are scored on each split: after each of them the better half goes on.

    This is successive halving (Jamieson & Talwalkar 2016, "Non-stochastic best arm identification
    and hyperparameter optimization"), with splits as the resource and `FINALISTS` that stay.

    Parameters
    ----------
    n_candidates : int
        Candidates on the first split.
    n_splits : int
        Splits.

    Returns
    -------
    n_running : list of int
        Of length `n_splits`.

    Examples
    --------
    >>> from skdistill.model_selection.racing import n_running
    >>> n_running(8, 5)
    [8, 4, 2, 2, 2]
    """
    sizes = [n_candidates]
    while len(sizes) < n_splits:
        sizes.append(min(sizes[-1], max(FINALISTS, -(-sizes[-1] // 2))))
    return sizes[:n_splits]


def rounds(sizes: list[int]) -> list[list[int]]:
    """Splits that are scored together, because nobody leaves between them.

    The first split is alone: it says how large each candidate may be.

    Parameters
    ----------
    sizes : list of int
        From `n_running`.

    Returns
    -------
    rounds : list of list of int
        Numbers of the splits.

    Examples
    --------
    >>> from skdistill.model_selection.racing import rounds
    >>> rounds([8, 4, 2, 2, 2])
    [[0], [1], [2, 3, 4]]
    """
    first, *others = range(len(sizes))
    return [[first], *(list(same) for _, same in groupby(others, key=sizes.__getitem__))]
