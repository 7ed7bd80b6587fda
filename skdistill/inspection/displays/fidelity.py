"""How reliable the probabilities of teacher and student are, and where the two agree."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length

from skdistill.device.profile import compact_of
from skdistill.inspection.displays._axes import new_axes
from skdistill.inspection.predictions import require_teacher
from skdistill.teachers import probabilities


class ReliabilityCurve(NamedTuple):
    """Rows by confidence.

    Attributes
    ----------
    confidence : float64 array of shape (n_bins,)
        Mean probability of the predicted label; bins without rows are left out.
    accuracy : float64 array of shape (n_bins,)
        Share of the rows whose label is right.
    counts : int64 array of shape (n_bins,)
        Numbers of rows.
    """

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    counts: NDArray[np.int64]

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of confidence and accuracy over the rows."""
        gaps = np.abs(self.confidence - self.accuracy)
        return float(np.average(gaps, weights=self.counts))


def reliability_curve(
    hits: ArrayLike, confidence: ArrayLike, *, n_bins: int = 10
) -> ReliabilityCurve:
    """Compare confidence with accuracy, in bins of equal width.

    Parameters
    ----------
    hits : array-like of bool, shape (n_samples,)
        Whether the predicted label is right.
    confidence : array-like of shape (n_samples,)
        Its probability.
    n_bins : int, default=10
        Number of bins from 0 to 1.

    Returns
    -------
    curve : ReliabilityCurve

    Examples
    --------
    >>> from skdistill.inspection.displays.fidelity import reliability_curve
    >>> curve = reliability_curve([True, False], [0.9, 0.94])
    >>> curve.confidence.round(2).tolist(), curve.accuracy.tolist(), round(curve.error, 2)
    ([0.92], [0.5], 0.42)
    """
    hits, p = np.asarray(hits, np.float64), np.asarray(confidence, np.float64)
    at = np.clip((p * n_bins).astype(np.intp), 0, n_bins - 1)
    counts = np.bincount(at, minlength=n_bins)
    some = counts > 0
    means = [np.bincount(at, each, n_bins)[some] / counts[some] for each in (p, hits)]
    return ReliabilityCurve(means[0], means[1], counts[some])


class FidelityDisplay:
    """Reliability of teacher and student, and fidelity by the teacher's confidence.

    Parameters
    ----------
    teacher, student : ReliabilityCurve
        How often their labels are right.
    fidelity : ReliabilityCurve
        How often the student has the teacher's label, by the teacher's confidence.

    Attributes
    ----------
    line_teacher_, line_student_, line_fidelity_ : matplotlib.lines.Line2D
        The curves.
    ax_, figure_ : matplotlib.axes.Axes, matplotlib.figure.Figure
        Where they are drawn.

    Examples
    --------
    >>> from skdistill.inspection import FidelityDisplay
    >>> P = [[0.9, 0.1], [0.2, 0.8]]
    >>> display = FidelityDisplay.from_predictions([0, 1], P, P)
    >>> display.fidelity.accuracy.tolist()
    [1.0, 1.0]
    """

    def __init__(
        self, teacher: ReliabilityCurve, student: ReliabilityCurve, fidelity: ReliabilityCurve
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.fidelity = fidelity

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        teacher: Any = None,
        n_bins: int = 10,
        ax: Any = None,
    ) -> FidelityDisplay:
        """Draw the curves of a fitted student.

        Parameters
        ----------
        estimator : classifier
            Fitted student or distiller, or a `CompactModel`.
        X : array-like of shape (n_samples, n_features)
            Rows that neither has seen.
        y : array-like of shape (n_samples,)
            Their labels.
        teacher : classifier, default=None
            Fitted; None is ``estimator.teacher_``.
        n_bins : int, default=10
            Number of bins.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes new ones.

        Returns
        -------
        display : FidelityDisplay
        """
        teacher = require_teacher(estimator, teacher)
        classes = compact_of(estimator).classes
        if classes is None:
            raise ValueError("a regression has no probabilities: FidelityDisplay is for classes")
        P_teacher = probabilities(teacher, X, classes)
        return cls.from_predictions(
            y, P_teacher, estimator.predict_proba(X), classes=classes, n_bins=n_bins, ax=ax
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        P_teacher: ArrayLike,
        P_student: ArrayLike,
        *,
        classes: ArrayLike | None = None,
        n_bins: int = 10,
        ax: Any = None,
    ) -> FidelityDisplay:
        """Draw the curves of probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Labels.
        P_teacher, P_student : array-like of shape (n_samples, n_classes)
            Probabilities of both.
        classes : array-like of shape (n_classes,), default=None
            Names of their columns; None are the sorted labels of `y_true`.
        n_bins : int, default=10
            Number of bins.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes new ones.

        Returns
        -------
        display : FidelityDisplay

        Raises
        ------
        ValueError
            If the numbers of rows differ.
        """
        y, P, Q = np.asarray(y_true), np.asarray(P_teacher), np.asarray(P_student)
        check_consistent_length(y, P, Q)
        names = np.unique(y) if classes is None else np.asarray(classes)
        labels, others = P.argmax(axis=1), Q.argmax(axis=1)
        display = cls(
            reliability_curve(names[labels] == y, P.max(axis=1), n_bins=n_bins),
            reliability_curve(names[others] == y, Q.max(axis=1), n_bins=n_bins),
            reliability_curve(labels == others, P.max(axis=1), n_bins=n_bins),
        )
        return display.plot(ax=ax)

    def plot(self, ax: Any = None) -> FidelityDisplay:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes new ones.

        Returns
        -------
        self : FidelityDisplay
        """
        self.figure_, self.ax_ = new_axes(ax, self)
        self.ax_.plot([0, 1], [0, 1], ":", color="0.6")
        for name, label, style in (
            ("teacher", f"teacher is right (ECE {self.teacher.error:.3f})", "o-"),
            ("student", f"student is right (ECE {self.student.error:.3f})", "s-"),
            ("fidelity", "student agrees with teacher", "^--"),
        ):
            curve = getattr(self, name)
            (line,) = self.ax_.plot(curve.confidence, curve.accuracy, style, label=label)
            setattr(self, f"line_{name}_", line)
        self.ax_.set(xlabel="probability of the predicted label", ylabel="share of rows")
        self.ax_.legend()
        return self
