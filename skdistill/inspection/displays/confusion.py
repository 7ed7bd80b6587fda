"""Which labels of the teacher become which labels of the student."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike
from sklearn.metrics import ConfusionMatrixDisplay

from skdistill.inspection.displays._axes import new_axes
from skdistill.inspection.predictions import predict_labels, require_teacher


class TeacherConfusionDisplay(ConfusionMatrixDisplay):
    """Confusion matrix between teacher (rows) and student (columns).

    Parameters
    ----------
    confusion_matrix : array of shape (n_classes, n_classes)
        Rows by label of the teacher and label of the student.
    display_labels : array of shape (n_classes,), default=None
        Names of the classes.

    Attributes
    ----------
    im_ : matplotlib.image.AxesImage
        The matrix.
    text_ : array of shape (n_classes, n_classes)
        Its numbers.
    ax_, figure_ : matplotlib.axes.Axes, matplotlib.figure.Figure
        Where it is drawn.

    Examples
    --------
    >>> from skdistill.inspection import TeacherConfusionDisplay
    >>> display = TeacherConfusionDisplay.from_predictions([0, 1, 1], [0, 1, 0])
    >>> display.confusion_matrix.tolist()
    [[1, 0], [1, 1]]
    """

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, *, teacher: Any = None, **options: Any
    ) -> TeacherConfusionDisplay:
        """Draw the matrix of a fitted student.

        Parameters
        ----------
        estimator : estimator
            Fitted student or distiller, or a `CompactModel`.
        X : array-like of shape (n_samples, n_features)
            Rows that neither has seen.
        teacher : estimator, default=None
            Fitted; None is ``estimator.teacher_``.
        **options
            Options of scikit-learn's `ConfusionMatrixDisplay.from_predictions`.

        Returns
        -------
        display : TeacherConfusionDisplay
        """
        teacher = require_teacher(estimator, teacher)
        return cls.from_predictions(
            predict_labels(teacher, X), predict_labels(estimator, X), **options
        )

    @classmethod
    def from_predictions(
        cls, y_teacher: ArrayLike, y_student: ArrayLike, **options: Any
    ) -> TeacherConfusionDisplay:
        """Draw the matrix of labels.

        Parameters
        ----------
        y_teacher, y_student : array-like of shape (n_samples,)
            Labels of both.
        **options
            Options of scikit-learn's `ConfusionMatrixDisplay.from_predictions`.

        Returns
        -------
        display : TeacherConfusionDisplay
        """
        display: TeacherConfusionDisplay = super().from_predictions(y_teacher, y_student, **options)
        return display

    def plot(self, *, ax: Any = None, **options: Any) -> TeacherConfusionDisplay:
        """Draw the matrix.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes new ones.
        **options
            Options of scikit-learn's `ConfusionMatrixDisplay.plot`.

        Returns
        -------
        self : TeacherConfusionDisplay
        """
        _, ax = new_axes(ax, self)
        super().plot(ax=ax, **options)
        ax.set(ylabel="label of the teacher", xlabel="label of the student")
        return self
