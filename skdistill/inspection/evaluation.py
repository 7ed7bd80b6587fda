"""Measure models on held-out rows: quality, size, latency."""

from __future__ import annotations

import pickle
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.inspection.results import Candidate, Gain, Kind
from skdistill.metrics import fidelity_score

_CLIP = np.finfo(float).eps  # of probabilities in a log loss, as in scikit-learn


class Evaluation:
    """Held-out rows, and the figures of models on them.

    Parameters
    ----------
    X : float32 array of shape (n_samples, n_features)
        Held-out rows.
    y : array of shape (n_samples,)
        Their true labels.
    classes : array of shape (n_classes,)
        All labels, sorted: the columns of ``predict_proba``.
    teacher : estimator
        Fitted. Fidelity is the agreement with its labels.
    """

    def __init__(
        self, X: NDArray[np.float32], y: NDArray[Any], classes: NDArray[Any], teacher: Any
    ) -> None:
        self.X = X
        self.y = y
        self.classes = classes
        self.teacher_labels = teacher.predict(X)

    def evaluate(self, kind: Kind, name: str, model: Any, *, n_calls: int = 200) -> Candidate:
        """Compute all figures of a fitted model but those of its export.

        Parameters
        ----------
        kind : {"teacher", "scikit-learn", "hard labels", "distilled"}
            What the model is in the comparison.
        name : str
            What reports call it.
        model : estimator
            Fitted classifier. The time of a distiller is that of its student.
        n_calls : int, default=200
            Number of timed calls of ``predict``.

        Returns
        -------
        candidate : Candidate
        """
        student = getattr(model, "student_", model)
        is_compact = hasattr(model, "compact_")
        return Candidate(
            kind=kind,
            name=name,
            accuracy=float(self.hits(model).mean()),
            fidelity=fidelity_score(self.teacher_labels, model.predict(self.X)),
            log_loss=float(self.losses(model).mean()),
            bytes=model.compact_.nbytes if is_compact else pickled_size(model),
            predict_us=latency(student.predict, self.X, n_calls=n_calls),
        )

    def hits(self, model: Any) -> NDArray[np.bool_]:
        """Tell which rows a model labels correctly.

        Parameters
        ----------
        model : estimator
            Fitted classifier.

        Returns
        -------
        hits : bool array of shape (n_samples,)
        """
        return np.asarray(model.predict(self.X) == self.y)

    def losses(self, model: Any) -> NDArray[np.float64]:
        """Compute the negative log probability of each row's true label.

        Parameters
        ----------
        model : estimator
            Fitted classifier whose classes are `classes`.

        Returns
        -------
        losses : float64 array of shape (n_samples,)
            In nats.
        """
        column = np.searchsorted(self.classes, self.y)
        P = np.asarray(model.predict_proba(self.X), np.float64)[np.arange(len(column)), column]
        return np.asarray(-np.log(np.clip(P, _CLIP, 1)))


def paired_gain(differences: ArrayLike) -> Gain:
    """Average the differences of two models on the same rows.

    Parameters
    ----------
    differences : array-like of shape (n_samples,)
        Per row; positive where the first model is better.

    Returns
    -------
    gain : Gain
        Its `z` is McNemar's statistic where all differences are -1, 0 or 1.

    Examples
    --------
    >>> from skdistill.inspection.evaluation import paired_gain
    >>> paired_gain([1.0, 0.0, 1.0, 1.0, 1.0])
    Gain(mean=0.8, z=2.0)
    """
    differences = np.asarray(differences, np.float64)
    scale = float(np.sqrt((differences**2).sum()))
    z = float(differences.sum()) / scale if scale > 0 else 0.0
    return Gain(float(differences.mean()), z)


def latency(predict: Callable[[Any], Any], X: NDArray[Any], *, n_calls: int = 200) -> float:
    """Measure the median time of a function on a single row.

    Parameters
    ----------
    predict : callable
        Takes an array of shape (1, n_features).
    X : array of shape (n_samples, n_features)
        Rows to pass, one after the other.
    n_calls : int, default=200
        Number of timed calls. At most ten calls before them are not timed.

    Returns
    -------
    microseconds : float
    """
    rows = [X[i : i + 1] for i in range(min(len(X), n_calls))]
    for row in rows[:10]:
        predict(row)
    times = []
    for call in range(n_calls):
        row = rows[call % len(rows)]
        start = time.perf_counter_ns()
        predict(row)
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1000


def pickled_size(model: Any) -> int:
    """Measure the size of a model's pickle without holding the pickle in memory.

    Parameters
    ----------
    model : object
        Anything that can be pickled.

    Returns
    -------
    n_bytes : int
    """

    class ByteCounter:
        n_bytes = 0

        def write(self, chunk: Any) -> None:
            self.n_bytes += memoryview(chunk).nbytes

    counter = ByteCounter()
    pickle.dump(model, counter)
    return counter.n_bytes
