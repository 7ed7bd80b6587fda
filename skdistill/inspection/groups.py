"""Where the student loses what the teacher knew: by class and by group."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length

from skdistill.inspection.bounds import difference_p_value
from skdistill.metrics import retention_score

LEAST_GAP = 0.05  # of two rates: smaller ones are not named
SIGNIFICANCE = 0.01  # of all comparisons of a table together
LEAST_ROWS = 10  # of a group that is compared with all other rows


class PartFigures(NamedTuple):
    """Figures of the rows of one class or group. NaN is what cannot be computed.

    Attributes
    ----------
    name : str
        Of the class or group.
    n : int
        Rows.
    positive_labels, positive_teacher, positive_student : float
        Share of the rows that have the class as label, and get it from teacher and student.
    accuracy_teacher, accuracy_student : float
        Share of right labels.
    retention : float
        Accuracy of the student divided by that of the teacher.
    fidelity : float
        Share of the rows that get the teacher's label.
    lost : float
        Share of the rows that the teacher has right and the student has wrong.
    gained : float
        Share of the rows that the student has right and the teacher has wrong.
    """

    name: str
    n: int
    positive_labels: float
    positive_teacher: float
    positive_student: float
    accuracy_teacher: float
    accuracy_student: float
    retention: float
    fidelity: float
    lost: float
    gained: float


def part_figures(
    y_true: ArrayLike,
    y_teacher: ArrayLike,
    y_student: ArrayLike,
    parts: ArrayLike,
    *,
    positive: Any = None,
) -> tuple[PartFigures, ...]:
    """Figures by class, or by group.

    Parameters
    ----------
    y_true, y_teacher, y_student : array-like of shape (n_samples,)
        Labels, and what teacher and student predict.
    parts : array-like of shape (n_samples,)
        What the rows are divided by: the labels themselves, or a group of each row.
    positive : label, default=None
        Class whose shares are counted; None is the last of the labels.

    Returns
    -------
    figures : tuple of PartFigures
        Sorted by name.

    Examples
    --------
    >>> from skdistill.inspection.groups import part_figures
    >>> a, b = part_figures([0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 0, 0], ["a", "a", "b", "b"])
    >>> (a.fidelity, b.fidelity, b.lost)
    (1.0, 0.5, 0.5)
    """
    y, t, s = (np.asarray(each) for each in (y_true, y_teacher, y_student))
    names = as_names(parts)
    check_consistent_length(y, t, s, names)
    if positive is None and len(y):
        positive = np.unique(y)[-1]
    figures = []
    for name in np.unique(names):
        at = names == name
        right_t, right_s = t[at] == y[at], s[at] == y[at]
        shares = [float(np.mean(each[at] == positive)) for each in (y, t, s)]
        figures.append(
            PartFigures(
                str(name),
                int(at.sum()),
                shares[0],
                shares[1],
                shares[2],
                float(right_t.mean()),
                float(right_s.mean()),
                retention_score(y[at], t[at], s[at]),
                float(np.mean(t[at] == s[at])),
                float(np.mean(right_t & ~right_s)),
                float(np.mean(~right_t & right_s)),
            )
        )
    return tuple(figures)


def as_names(parts: ArrayLike) -> NDArray[Any]:
    """Classes or groups as text; a missing one is called "missing".

    Parameters
    ----------
    parts : array-like of shape (n_samples,)
        Labels, numbers or None.

    Returns
    -------
    names : str array of shape (n_samples,)
    """
    values = np.asarray(parts, object).tolist()
    return np.array(["missing" if _is_missing(v) else str(v) for v in values], dtype=str)


def _is_missing(value: Any) -> bool:
    # pandas' NA answers no question, not even whether it equals itself.
    is_nan = isinstance(value, float) and value != value
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")


class GroupGap(NamedTuple):
    """A rate in which a group differs from all other rows by more than chance.

    Attributes
    ----------
    group : str
        Name of the group.
    rate : str
        What differs.
    inside, outside : float
        The rate in the group and in all other rows.
    """

    group: str
    rate: str
    inside: float
    outside: float

    def __str__(self) -> str:
        return (
            f"{self.rate} is {self.inside:.0%} in {self.group!r} and {self.outside:.0%} elsewhere"
        )


def error_gaps(
    y_true: ArrayLike, y_predicted: ArrayLike, groups: ArrayLike
) -> tuple[GroupGap, ...]:
    """Groups that a model treats otherwise than all other rows.

    For each class, the share of its rows that get another label (missed), and the share of all
    other rows that get this label (false), are compared inside and outside of each group: for two
    classes these are the rates of equalized odds [1]_.

    Parameters
    ----------
    y_true, y_predicted : array-like of shape (n_samples,)
        Labels, and what the model predicts.
    groups : array-like of shape (n_samples,)
        Group of each row.

    Returns
    -------
    gaps : tuple of GroupGap
        Of at least 5 points, and beyond chance at a level of 1 % for all of them together
        (Bonferroni); the largest first. Groups of fewer than ten rows are not compared.

    References
    ----------
    .. [1] M. Hardt, E. Price, N. Srebro, "Equality of opportunity in supervised learning", 2016.
    """
    y, p, names = np.asarray(y_true), np.asarray(y_predicted), as_names(groups)
    check_consistent_length(y, p, names)
    rates = []
    for label in np.unique(y):
        rates.append((f"the share of missed {label!s}", y == label, p != label))
        rates.append((f"the share of false {label!s}", y != label, p == label))
    if len(np.unique(y)) == 2:  # what one class misses is what the other has falsely
        rates = rates[2:]
    return _gaps(rates, names)


def fidelity_gaps(
    y_teacher: ArrayLike, y_student: ArrayLike, groups: ArrayLike
) -> tuple[GroupGap, ...]:
    """Groups in which the student differs from the teacher more or less often than elsewhere.

    Parameters
    ----------
    y_teacher, y_student : array-like of shape (n_samples,)
        What the models predict.
    groups : array-like of shape (n_samples,)
        Group of each row.

    Returns
    -------
    gaps : tuple of GroupGap
        As `error_gaps`.
    """
    t, s, names = np.asarray(y_teacher), np.asarray(y_student), as_names(groups)
    check_consistent_length(t, s, names)
    return _gaps([("disagreement with the teacher", np.ones(len(t), bool), t != s)], names)


def _gaps(
    rates: list[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]], names: NDArray[Any]
) -> tuple[GroupGap, ...]:
    gaps = []
    groups, sizes = np.unique(names, return_counts=True)
    two = len(groups) == 2
    groups = groups[sizes >= LEAST_ROWS]
    for rate, among, counted in rates:
        for group in groups:
            inside, outside = among & (names == group), among & (names != group)
            n, n_other = int(inside.sum()), int(outside.sum())
            count, other = int((counted & inside).sum()), int((counted & outside).sum())
            p_value = difference_p_value(count, n, other, n_other)
            if p_value * len(rates) * len(groups) < SIGNIFICANCE:
                gaps.append(GroupGap(str(group), rate, count / n, other / n_other))
    large = [gap for gap in gaps if abs(gap.inside - gap.outside) >= LEAST_GAP]
    if two:  # each is all that is outside of the other
        large = [gap for gap in large if gap.inside > gap.outside]
    return tuple(sorted(large, key=lambda gap: -abs(gap.inside - gap.outside)))
