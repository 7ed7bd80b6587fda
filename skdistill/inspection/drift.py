"""Whether new rows are like those that a model was made for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import betabinom, chi2_contingency, ks_2samp

from skdistill.device.profile import compact_of
from skdistill.export.readable.conditions import column_name
from skdistill.inspection.bounds import Interval, clopper_pearson, difference_p_value
from skdistill.inspection.predictions import predict_labels, teacher_of

_SIGNIFICANCE = 0.01  # of all columns together
_LEAST_DISTANCE = 0.1  # of two distributions: smaller ones are not named


class ColumnDrift(NamedTuple):
    """How a column of new rows differs from the same column of the reference.

    Attributes
    ----------
    column : str
        Its name.
    is_read : bool
        Whether the model reads it.
    distance : float
        Largest difference of the two cumulative shares (Kolmogorov-Smirnov); of categories, half
        the sum of the differences of their shares. From 0 to 1.
    p_value : float
        Of no difference.
    outside : float
        Share of the new rows below or above all numbers of the reference, or with a category that
        it does not have.
    missing, missing_reference : float
        Share of missing values.
    has_drifted : bool
        Whether the difference is at least 0.1, and beyond chance at a level of 1 % for all
        columns together, or a hundredth of the rows, and more than chance explains, lie outside.
    """

    column: str
    is_read: bool
    distance: float
    p_value: float
    outside: float
    missing: float
    missing_reference: float
    has_drifted: bool


@dataclass(frozen=True)
class DriftReport:
    """Results of `check_drift`; `str` shows the columns that drifted.

    Parameters
    ----------
    columns : tuple of ColumnDrift
        One for each column.
    fidelity, fidelity_reference : Interval or None
        Share of the teacher's labels; None without teacher or classes.
    fidelity_p_value : float or None
        Of no difference between the two.
    note : str, default=""
        Why there is no fidelity although there is a teacher.
    """

    columns: tuple[ColumnDrift, ...]
    fidelity: Interval | None
    fidelity_reference: Interval | None
    fidelity_p_value: float | None
    note: str = ""

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """Columns that drifted, those that the model reads first, then by distance."""
        some = [each for each in self.columns if each.has_drifted]
        return tuple(sorted(some, key=lambda each: (not each.is_read, -each.distance)))

    @property
    def fidelity_fell(self) -> bool:
        """Whether fidelity is lower on the new rows by more than chance, at a level of 1 %."""
        if self.fidelity is None or self.fidelity_reference is None:
            return False
        lower = self.fidelity.share < self.fidelity_reference.share
        return lower and (self.fidelity_p_value or 0) < _SIGNIFICANCE

    @property
    def has_drifted(self) -> bool:
        """Whether fidelity fell, or a column that the model reads drifted."""
        return self.fidelity_fell or any(each.is_read for each in self.drifted)

    def __str__(self) -> str:
        lines = [self.note] if self.note else []
        if self.fidelity is not None and self.fidelity_reference is not None:
            new, old = self.fidelity, self.fidelity_reference
            verdict = "fell" if self.fidelity_fell else "no fall beyond chance"
            lines.append(f"fidelity {old.share:.1%} before, {new.share:.1%} now: {verdict}")
        for each in self.drifted:
            read = "" if each.is_read else ", which the model does not read"
            lines.append(
                f"{each.column}{read}: distance {each.distance:.2f}, {each.outside:.1%} outside of "
                f"the reference, missing {each.missing:.1%} (before {each.missing_reference:.1%})"
            )
        n = len(self.columns)
        return "\n".join([*lines, f"{len(self.drifted)} of {n} columns drifted"])


def check_drift(
    model: Any, X_new: ArrayLike, X_reference: ArrayLike, *, teacher: Any = None
) -> DriftReport:
    """Compare new rows with those that a model was fitted or tested on.

    A compact model keeps no rows, so the reference has to be passed.

    Parameters
    ----------
    model : CompactModel, student or distiller
        Whose columns are compared.
    X_new : array-like of shape (n_new, n_features)
        Rows of today.
    X_reference : array-like of shape (n_reference, n_features)
        Rows to compare with, such as the training rows. For a comparison of fidelity, rows that
        the student was not fitted on.
    teacher : estimator, default=None
        Fitted classifier, for the comparison of fidelity; None is ``model.teacher_`` where there
        is one.

    Returns
    -------
    drift : DriftReport

    Raises
    ------
    ValueError
        If either has no rows.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftTreeClassifier
    >>> from skdistill.inspection import check_drift
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = SoftTreeClassifier(max_leaf_nodes=3).fit(X, y)
    >>> print(check_drift(tree, X + [0, 0, 0, 1], X))
    x[3]: distance 0.49, 34.7% outside of the reference, missing 0.0% (before 0.0%)
    1 of 4 columns drifted
    """
    compact = compact_of(model)
    new, reference = compact.read_rows(X_new), compact.read_rows(X_reference)
    for name, read in (("X_new", new), ("X_reference", reference)):
        if not len(read):
            raise ValueError(f"{name} has no rows")
    counts_of_labels = compact.categories.counts.tolist()
    categorical = dict(zip(compact.categories.columns.tolist(), counts_of_labels, strict=True))
    columns = tuple(
        _column(
            column_name(compact, j),
            bool(np.isin(j, compact.columns)),
            new[:, j].astype(np.float64),
            reference[:, j].astype(np.float64),
            categorical.get(j),
            compact.n_features,
        )
        for j in range(compact.n_features)
    )
    teacher = teacher_of(model, teacher)
    if teacher is None or compact.classes is None:
        return DriftReport(columns, None, None, None)
    counts = []
    for name, rows in (("X_new", X_new), ("X_reference", X_reference)):
        try:
            labels = predict_labels(teacher, rows)
        except ValueError as error:  # such as a category that it has not seen: drift, too
            note = f"fidelity is unknown: the teacher refuses {name} ({error})"
            return DriftReport(columns, None, None, None, note)
        agree = labels == predict_labels(model, rows)
        counts.append((int(agree.sum()), len(agree)))
    p_value = difference_p_value(*counts[0], *counts[1])
    return DriftReport(columns, clopper_pearson(*counts[0]), clopper_pearson(*counts[1]), p_value)


def _column(
    name: str,
    is_read: bool,
    new: NDArray[np.float64],
    reference: NDArray[np.float64],
    n_labels: int | None,
    n_columns: int,
) -> ColumnDrift:
    if n_labels is not None:  # indexes; those from n_labels on are missing and unknown
        width = n_labels + 2
        counts = np.array(
            [np.bincount(x.astype(int), minlength=width) for x in (new, reference)], float
        )
        shares = counts / counts.sum(axis=1, keepdims=True)
        distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
        some = counts[:, counts.sum(axis=0) > 0]
        p_value = float(chi2_contingency(some).pvalue) if some.shape[1] > 1 else 1.0
        outside = float(shares[0][(counts[1] == 0) & (np.arange(width) != n_labels)].sum())
        p_outside = 0.0  # a label that was never seen needs no test
        missing = float(shares[0][n_labels]), float(shares[1][n_labels])
    else:
        a, b = new[~np.isnan(new)], reference[~np.isnan(reference)]
        missing = (1 - len(a) / len(new), 1 - len(b) / len(reference))
        distance, p_value, outside = 0.0, 1.0, float(len(b) == 0 < len(a))
        p_outside = 1.0 - outside
        if len(a) and len(b):
            test = ks_2samp(a, b, method="asymp")
            distance, p_value = float(test.statistic), float(test.pvalue)
            n_outside = int(((a < b.min()) | (a > b.max())).sum())
            outside = n_outside / len(a)
            # Of rows of one kind, as many lie beyond the smallest and the largest of the others.
            if len(b) > 1:
                p_outside = float(betabinom.sf(n_outside - 1, len(a), 2, len(b) - 1))
        counted = [
            round(share * len(x)) for share, x in zip(missing, (new, reference), strict=True)
        ]
        p_missing = difference_p_value(counted[0], len(new), counted[1], len(reference))
        if abs(missing[0] - missing[1]) > distance:
            distance, p_value = abs(missing[0] - missing[1]), p_missing
    beyond_chance = p_value * n_columns < _SIGNIFICANCE
    # Beyond the range of n rows there lies about one in n of the same kind.
    far = outside > max(0.01, 5 / len(reference)) and p_outside * n_columns < _SIGNIFICANCE
    drifted = (beyond_chance and distance >= _LEAST_DISTANCE) or far
    return ColumnDrift(name, is_read, distance, p_value, outside, missing[0], missing[1], drifted)
