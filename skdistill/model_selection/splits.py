"""Rows to learn from and rows to score, for all candidates of a search."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    check_cv,
)

N_FOLDS = 5
LARGEST_TABLE = 10_000  # above so many rows a hold-out serves
_PARTS = 5

Rows = NDArray[np.intp]


class Splits:
    """The splits of a search.

    Parameters
    ----------
    folds : list of (train, test)
        Numbers of the rows of each.
    n_samples : int
        All rows.
    """

    def __init__(self, folds: list[tuple[Rows, Rows]], n_samples: int) -> None:
        self._folds = folds
        self.n_samples = n_samples

    def __len__(self) -> int:
        return len(self._folds)

    def train(self, split: int) -> Rows:
        """Rows to learn from, int array of shape (n_train,)."""
        return self._folds[split][0]

    def test(self, split: int) -> Rows:
        """Rows to score, int array of shape (n_test,)."""
        return self._folds[split][1]

    @property
    def overlap(self) -> float:
        """Held-out rows of a split by its training rows; 0 of a hold-out."""
        if len(self) == 1:
            return 0.0
        return float(np.mean([len(test) / len(train) for train, test in self._folds]))

    def parts(self, split: int, seed: int) -> list[Rows]:
        """Disjoint parts of the rows held out, where there is a single split, to score each.

        Parameters
        ----------
        split : int
            Its number.
        seed : int
            Of the shuffling.

        Returns
        -------
        parts : list of int arrays
            Positions among the rows held out; all of them where there are several splits.
        """
        n = len(self.test(split))
        if len(self) > 1 or n < 2 * _PARTS:
            return [np.arange(n)]
        return np.array_split(np.random.RandomState(seed).permutation(n), _PARTS)


def make_splits(
    cv: Any,
    X: Any,
    y: NDArray[Any],
    groups: Any,
    weight: NDArray[np.float64],
    *,
    classifier: bool,
    seed: int,
) -> Splits:
    """Split the rows.

    Parameters
    ----------
    cv : "auto", int, splitter or iterable of splits
        "auto" is five folds up to 10,000 rows, and one of five as a hold-out above; shuffled,
        stratified for labels, and by group where there are groups.
    X : data frame or array of shape (n_samples, n_features)
        Rows.
    y : array of shape (n_samples,) or (n_samples, n_outputs)
        Labels or values.
    groups : array-like of shape (n_samples,) or None
        Rows of a group are held out together.
    weight : float64 array of shape (n_samples,)
        Of the rows; some training rows of each split need one above 0.
    classifier : bool
        Whether `y` are labels.
    seed : int
        Of the shuffling.

    Returns
    -------
    splits : Splits

    Raises
    ------
    ValueError
        If there are too few rows or groups, or a split without rows, or without weight.
    """
    n_samples = len(y)
    if n_samples < 2:
        raise ValueError(
            f"a search needs 2 rows or more to hold some out, got n_samples={n_samples}"
        )
    with warnings.catch_warnings():
        # A class with fewer rows than folds is simply absent from some of them.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        if isinstance(cv, str):
            splitter = _auto(y, groups, classifier, seed)
        else:
            splitter = check_cv(cv, y, classifier=classifier)
        folds = list(splitter.split(X, y, groups))
    rows = np.arange(n_samples)
    numbered = [(rows[train], rows[test]) for train, test in folds]
    if not numbered or min(len(part) for fold in numbered for part in fold) == 0:
        raise ValueError(
            f"cv={cv!r} must make splits that all have training rows and held-out rows, got "
            f"{[(len(train), len(test)) for train, test in numbered]} rows"
        )
    without = [k for k, (train, _) in enumerate(numbered) if not (weight[train] > 0).any()]
    if without:
        raise ValueError(
            f"sample_weight is 0 for all training rows of the splits {without} of cv={cv!r}: leave "
            "out rows without weight, or pass another cv"
        )
    if isinstance(cv, str) and n_samples > LARGEST_TABLE:
        numbered = numbered[:1]
    return Splits(numbered, n_samples)


def _auto(y: NDArray[Any], groups: Any, classifier: bool, seed: int) -> Any:
    if groups is not None:
        n_groups = len(np.unique(groups))
        if n_groups < 2:
            raise ValueError(
                f"groups must have 2 groups or more, to hold some out, got {n_groups}: leave "
                "groups out, or pass a cv that does not use them"
            )
        n_splits = min(N_FOLDS, n_groups)
        if classifier and np.unique(y, return_counts=True)[1].max() >= n_splits:
            return StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed)
        return GroupKFold(n_splits)
    if classifier:
        most = int(np.unique(y, return_counts=True)[1].max())
        if most >= 2:
            return StratifiedKFold(min(N_FOLDS, most), shuffle=True, random_state=seed)
        return KFold(min(N_FOLDS, len(y)), shuffle=True, random_state=seed)
    # R² needs two rows that are held out.
    return KFold(min(N_FOLDS, max(2, len(y) // 2)), shuffle=True, random_state=seed)
