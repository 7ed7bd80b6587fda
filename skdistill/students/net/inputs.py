"""Rows as the integers that a network reads: fixed codes of numbers, learnt ones beside them.

A number has the code ``clip(round((x - offset) * 2**power), -127, 127)``. What has no size has
codes that are learnt: a missing value of a column, and the categories of a column (Guo & Berkhahn
2016, "Entity embeddings of categorical variables"). Those of categories become their ranks, which a
model stores anyway.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import CategoryTable
from skdistill.compact.tables.net_table import codes_of_numbers
from skdistill.students.net.layout import ONE

_FARTHEST = 16  # codes from the mean of a column to its offset
_BULK = 0.8  # share of the rows in the shortest interval that is looked at for outliers
_NARROW = 0.5  # standard deviations: a bulk that is narrower shows that there are outliers
_FENCE = 1.5  # lengths of the bulk: what lies farther from it counts as if it lay there
MAX_POWER = 100  # 2**power and 2**-power are far from the ends of float32


class NetInputs(NamedTuple):
    """What a network reads of each column, and where learnt codes start.

    Attributes
    ----------
    features : int32 array of shape (n_inputs,)
        Columns that are read, ascending.
    offset : float32 array of shape (n_inputs,)
        Number with the code 0.
    power : int32 array of shape (n_inputs,)
        Exponent of the number of codes that a difference of 1 is.
    lookup_inputs : int32 array of shape (n_lookups,)
        Inputs that have learnt codes.
    ranks : list of n_lookups (int array or None)
        Ranks that have a learnt code each; None is a column of numbers, whose NaN has one.
    codes : float64 array of shape (n_codes,)
        Where learnt codes start, lookup by lookup.
    """

    features: NDArray[np.int32]
    offset: NDArray[np.float32]
    power: NDArray[np.int32]
    lookup_inputs: NDArray[np.int32]
    ranks: list[NDArray[np.int64] | None]
    codes: NDArray[np.float64]

    def fixed_codes(self, X: NDArray[Any]) -> NDArray[np.int8]:
        """Codes of numbers; they do not matter where learnt codes take their place.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Rows, with ranks in place of categories.

        Returns
        -------
        Q : int8 array of shape (n_samples, n_inputs)
        """
        q = codes_of_numbers(X[:, self.features], self.offset, self.power)
        return np.where(np.isnan(q), 0, q).astype(np.int8)

    def lookups(self, X: NDArray[Any]) -> NDArray[np.int32]:
        """Which learnt code each row has.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Rows, with ranks in place of categories.

        Returns
        -------
        lookups : int32 array of shape (n_samples, n_lookups)
            Number of the code, −1 where the fixed one counts.
        """
        numbers = np.full((len(X), len(self.lookup_inputs)), -1, np.int32)
        first = 0
        for c, (which, ranks) in enumerate(zip(self.lookup_inputs, self.ranks, strict=True)):
            x = X[:, self.features[which]]
            if ranks is None:
                numbers[np.isnan(x), c] = first
            else:
                numbers[:, c] = first + np.searchsorted(ranks, x)
            first += 1 if ranks is None else len(ranks)
        return numbers

    def learnt_codes(
        self, codes: NDArray[np.int32], categories: CategoryTable
    ) -> tuple[NDArray[np.int32], CategoryTable]:
        """Where learnt codes go: to missing values, and to the ranks of categories.

        Parameters
        ----------
        codes : int32 array of shape (n_codes,)
            Even numbers.
        categories : CategoryTable
            With the ranks of the training rows.

        Returns
        -------
        missing_code : int32 array of shape (n_inputs,)
            Codes of NaN.
        categories : CategoryTable
            With the ranks that have the learnt codes.
        """
        missing_code = np.zeros(len(self.features), np.int32)
        new_ranks = categories.ranks.copy()
        first = 0
        for which, ranks in zip(self.lookup_inputs, self.ranks, strict=True):
            if ranks is None:
                missing_code[which] = codes[first]
                first += 1
                continue
            number = int(np.searchsorted(categories.columns, self.features[which]))
            at = first + np.searchsorted(ranks, categories.ranks_of(number))
            start, stop = categories.offsets[number : number + 2]
            new_ranks[start:stop] = _MIDDLE_RANK + codes[at] // 2**_RANK_POWER
            first += len(ranks)
        return missing_code, replace(categories, ranks=new_ranks)


_MIDDLE_RANK, _RANK_POWER = 64, 1  # the code of a rank is (rank - 64) * 2


def fit_inputs(
    X: NDArray[Any], weight: NDArray[np.float64], categories: CategoryTable
) -> NetInputs:
    """Choose codes in which most columns have a standard deviation of 22 to 45.

    Codes clip at about four standard deviations. Outliers, such as -9999 for a missing value,
    clip as well where they would leave too few codes to all other numbers. Offsets lie at a
    multiple of four codes and of eight bits at most, and no farther from the mean than 16 codes.
    All columns have the same power where theirs are alike: that takes fewer bytes.

    Parameters
    ----------
    X : float32 or int32 array of shape (n_samples, n_features)
        Training rows, with ranks in place of categories.
    weight : float64 array of shape (n_samples,)
        Weights of the rows.
    categories : CategoryTable
        Its columns have learnt codes, which start in the order of the ranks.

    Returns
    -------
    inputs : NetInputs
        Without columns that are constant or always missing.

    Warns
    -----
    UserWarning
        For each column that varies by less than `MAX_POWER` can show.
    """
    n_features = X.shape[1]
    categorical = np.isin(np.arange(n_features), categories.columns)
    is_missing = np.isnan(X)
    missing = is_missing.any(axis=0) & ~is_missing.all(axis=0)
    mean, deviation = _moments(X, weight, ~categorical)
    with np.errstate(divide="ignore"):
        power = np.log2(ONE / deviation)
    power = np.clip(power, -MAX_POWER, np.where(deviation > 0, MAX_POWER, np.inf))
    varies = np.ldexp(deviation, MAX_POWER) > 1
    for j in np.flatnonzero((deviation > 0) & ~varies & ~categorical).tolist():
        warnings.warn(
            f"column {j} of X has a standard deviation of {deviation[j]:.2g}, which a network "
            "reads as a constant: multiply the column, to numbers near 1, before the fit",
            UserWarning,
            stacklevel=6,  # the caller of `fit`
        )
    features = np.flatnonzero(varies | missing)
    whole = ((np.rint(X) == X) | np.isnan(X)).all(axis=0)
    power[~varies] = 0
    numeric = features[~categorical[features]]
    offset = np.full(n_features, float(_MIDDLE_RANK))
    offset[numeric], power[numeric] = _scaling(mean[numeric], power[numeric], whole[numeric])
    power[categorical] = _RANK_POWER
    lookup_inputs, codes = [], []
    ranks: list[NDArray[np.int64] | None] = []
    for i, j in enumerate(features.tolist()):
        if categorical[j]:
            known = np.unique(categories.ranks_of(int(np.searchsorted(categories.columns, j))))
            ranks.append(known.astype(np.int64))
            codes.append((known - mean[j]) / deviation[j] * ONE)
        elif missing[j]:
            ranks.append(None)
            codes.append(np.zeros(1))
        else:
            continue
        lookup_inputs.append(i)
    return NetInputs(
        features.astype(np.int32),
        offset[features].astype(np.float32),
        power[features].astype(np.int32),
        np.array(lookup_inputs, np.int32),
        ranks,
        np.concatenate([np.zeros(0), *codes]),
    )


def _moments(
    X: NDArray[Any], weight: NDArray[np.float64], may_clip: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted mean and standard deviation of each column, of the values that are there.

    Outliers of the columns in `may_clip` are moved towards the others.
    """
    mean, deviation = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    for j in range(X.shape[1]):
        there = ~np.isnan(X[:, j])
        if there.any():
            x, w = X[there, j].astype(np.float64), weight[there]
            mean[j], deviation[j] = _moments_of(x, w)
            low, high = _shortest_interval(x, w, _BULK) if may_clip[j] else (0.0, 0.0)
            if 0 < high - low < _NARROW * deviation[j]:
                fence = _FENCE * (high - low)
                mean[j], deviation[j] = _moments_of(np.clip(x, low - fence, high + fence), w)
    return mean, deviation


def _moments_of(x: NDArray[np.float64], w: NDArray[np.float64]) -> tuple[float, float]:
    """Weighted mean and standard deviation."""
    mean = float(np.average(x, weights=w))
    if x.min() == x.max():
        return mean, 0.0
    return mean, float(np.sqrt(np.average((x - mean) ** 2, weights=w)))


def _shortest_interval(
    x: NDArray[np.float64], w: NDArray[np.float64], share: float
) -> tuple[float, float]:
    """Ends of the shortest interval that holds a share of the total weight."""
    order = np.argsort(x, kind="stable")
    x, total = x[order], np.cumsum(w[order])
    before = total - w[order]
    last = np.searchsorted(total, before + share * total[-1])
    first = np.flatnonzero(last < len(x))
    shortest = first[np.argmin(x[last[first]] - x[first])]
    return float(x[shortest]), float(x[last[shortest]])


def _scaling(
    mean: NDArray[np.float64], power: NDArray[np.float64], whole: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Offsets and powers of columns of numbers, `whole` where these are integers."""
    if len(mean) == 0:
        return mean, power
    alike = np.ptp(power) < 1.5
    power = np.full(len(power), np.rint(power.mean())) if alike else np.rint(power)
    unit = np.exp2(2 - power)
    unit = np.where(whole, np.maximum(unit, 1.0), unit)
    eight_bits = np.exp2(np.floor(np.log2(np.abs(mean) + 1e-30)) - 7)
    unit = np.maximum(unit, np.minimum(eight_bits, _FARTHEST * np.exp2(1 - power)))
    return np.rint(mean / unit) * unit, power
