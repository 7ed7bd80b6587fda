"""The figures of a comparison: one record for each model, one for the data set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Kind = Literal["teacher", "scikit-learn", "hard labels", "distilled"]


class Dataset(NamedTuple):
    """Rows and labels to compare models on.

    Attributes
    ----------
    X : float array of shape (n_samples, n_features)
        NaN where a value is missing.
    y : array of shape (n_samples,)
        Labels.
    columns : list of str
        Names of the columns of X.
    """

    X: NDArray[np.floating]
    y: NDArray[Any]
    columns: list[str]


@dataclass(frozen=True)
class Candidate:
    """One model of a comparison and its figures.

    All figures are computed on the held-out rows.

    Parameters
    ----------
    kind : {"teacher", "scikit-learn", "hard labels", "distilled"}
        "teacher" is the big model; "scikit-learn" its own small model of the same family as
        the student; "hard labels" the student trained without a teacher; "distilled" the
        student trained with one.
    name : str
        What the text report calls the model.
    accuracy : float
        Share of rows with the right label.
    fidelity : float
        Share of rows with the label that the teacher predicts.
    log_loss : float
        Mean negative log probability of the true label, in nats.
    bytes : int
        Students: size of the constant tables of the C export. Others: size of the pickle.
    predict_us : float
        Median time of ``predict`` on a single row, in microseconds.
    onnx_us : float, default=None
        Median time of a single row in ONNX Runtime on one thread, in microseconds. None if
        the model is not exported.
    files : dict of str to int, default={}
        Name and size in bytes of each file that was written.
    onnx_rows : int, default=None
        Number of rows on which ONNX Runtime and Python were compared.
    mismatches : int, default=None
        Number of these rows on which a label or an integer score differs.
    """

    kind: Kind
    name: str
    accuracy: float
    fidelity: float
    log_loss: float
    bytes: int
    predict_us: float
    onnx_us: float | None = None
    files: dict[str, int] = field(default_factory=dict)
    onnx_rows: int | None = None
    mismatches: int | None = None


class Gain(NamedTuple):
    """Difference between the distilled student and the hard-label student.

    Parameters
    ----------
    mean : float
        Mean difference over the held-out rows. Positive values favour the distilled student.
    z : float
        `mean` divided by its standard error under the hypothesis of no difference.
    """

    mean: float
    z: float


@dataclass(frozen=True)
class Comparison:
    """All figures of one data set.

    Parameters
    ----------
    name : str
        Name of the data set.
    n_train : int
        Number of training rows.
    n_test : int
        Number of held-out rows.
    columns : tuple of str
        Feature names, in the order in which the exported models read them.
    classes : tuple
        Class labels, sorted.
    settings : dict
        Parameters of the comparison, as they go into results.json.
    candidates : tuple of Candidate
        Teacher, scikit-learn's model, hard-label student, distilled student.
    accuracy_gain : Gain
        In accuracy, as a fraction.
    log_loss_gain : Gain
        In log loss, in nats; positive if the loss is lower.
    seconds : float
        Time of the whole comparison.
    """

    name: str
    n_train: int
    n_test: int
    columns: tuple[str, ...]
    classes: tuple[Any, ...]
    settings: dict[str, Any]
    candidates: tuple[Candidate, ...]
    accuracy_gain: Gain
    log_loss_gain: Gain
    seconds: float

    def __getitem__(self, kind: Kind) -> Candidate:
        """Return the candidate of this kind."""
        return next(candidate for candidate in self.candidates if candidate.kind == kind)

    @property
    def onnx_rows(self) -> int:
        """Number of rows on which ONNX Runtime and Python were compared."""
        return sum(candidate.onnx_rows or 0 for candidate in self.candidates)

    @property
    def mismatches(self) -> int:
        """Number of these rows on which a label or an integer score differs."""
        return sum(candidate.mismatches or 0 for candidate in self.candidates)
