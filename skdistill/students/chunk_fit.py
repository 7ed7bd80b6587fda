"""Fitting a student on chunks: a sample first, then all rows as codes.

The sample is validated as `fit` validates its rows, and says how all rows are read: types, labels
of categories and their order, thresholds. A table that fits into the sample is fitted as `fit` does
it. Of a larger one trees and boosted students see all rows; other students learn from the sample.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array
from sklearn.utils.multiclass import check_classification_targets

from skdistill.chunks import Chunk, Chunks, CodedRows, TableSample
from skdistill.compact import InputGrid
from skdistill.students._validation import check_targets, check_values, check_weights
from skdistill.students.chunk_reader import RowReader, TargetReader, ValueReader, read_weights
from skdistill.students.class_weight import class_weights
from skdistill.students.training_data import (
    ClassificationData,
    RegressionData,
    classification_data,
    regression_data,
)


@dataclass
class ChunkSource:
    """All rows of a table, and its sample.

    Parameters
    ----------
    data : ClassificationData or RegressionData
        The sample.
    chunks : Chunks
        The table.
    n_samples : int
        Its rows.
    rows : RowReader
        Reads rows.
    targets : TargetReader or ValueReader
        Reads targets and weights.
    """

    data: Any
    chunks: Any
    n_samples: int
    rows: RowReader
    targets: Any

    def release(self) -> ClassificationData:
        """The sample of a classification without its rows, which are needed no more."""
        data: ClassificationData = self.data
        nothing = np.zeros(len(data.weight), bool)
        self.data = replace(
            data, X=data.X[:0].copy(), weight=np.zeros(0), targets=data.targets.take(nothing)
        )
        return self.data  # type: ignore[no-any-return]

    def load(self, encoder: Any) -> CodedRows:
        """Codes and targets of all rows.

        Parameters
        ----------
        encoder : callable
            Takes a `Chunk`, returns a `CodedChunk`; it can be pickled.

        Returns
        -------
        rows : CodedRows
        """
        rows: CodedRows = self.chunks.load(encoder, self.n_samples)
        return rows


@dataclass(frozen=True)
class RowEncoder:
    """What encoders of students have in common.

    Parameters
    ----------
    source : ChunkSource
        Its readers are kept, neither sample nor chunks.
    grid : InputGrid
        Thresholds.
    """

    source: ChunkSource
    grid: InputGrid

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", replace(self.source, data=None, chunks=None))

    def codes(self, chunk: Chunk) -> NDArray[Any]:
        """Codes of the rows of a chunk."""
        return self.grid.encode(self.source.rows.read(chunk.X))


class _Facts(NamedTuple):
    """Of the targets of a chunk: its labels and its largest weight, where it has any."""

    labels: NDArray[Any] | None
    weight: float | None


def fit_classifier(student: Any, chunks: Chunks, classes: ArrayLike | None) -> NDArray[Any] | None:
    """Fit a classifier on chunks.

    Parameters
    ----------
    student : StudentClassifierMixin
        It is fitted.
    chunks : Chunks
        The table, with labels, probabilities or `SoftTargets`.
    classes : array-like of shape (n_classes,), or None
        As in `fit`.

    Returns
    -------
    classes : array of shape (n_classes,) or None
        Sorted; None where `fit` has set them.
    """
    sample = chunks.sample(_describe_weight if chunks.is_labelled else _describe_classes)
    if not chunks.is_labelled:  # else whoever labels them has said which classes there are
        classes = _all_classes(sample.facts, classes)
    if sample.is_complete or not hasattr(student, "_learn_chunks"):
        _fit_on_sample(student, sample, classes=classes)
        return None
    X, y, sample_weight = sample.chunk[2:]
    data = classification_data(
        student, X, y, sample_weight, classes, accepts_hints=student._accepts_hints
    )
    largest = _largest(sample)
    own_weight = getattr(student, "class_weight", None)
    of_classes = None
    if own_weight is not None:
        targets, order = check_targets(y, classes, sample.chunk.n_samples)
        weight = check_weights(sample_weight, np.empty((len(targets), 1)))
        of_classes = class_weights(own_weight, order, targets, weight)
        largest = float(of_classes.max()) * (1.0 if largest is None else largest)
    reader = TargetReader(None if classes is None else np.asarray(classes), of_classes, largest)
    rows, names = _row_reader(student, data), data.classes
    source = ChunkSource(data, chunks, sample.n_samples, rows, reader)
    del sample, data, X, y, sample_weight  # the student may release them
    student._learn_chunks(source)
    return names


def fit_regressor(student: Any, chunks: Chunks) -> None:
    """Fit a regressor on chunks.

    Parameters
    ----------
    student : StudentRegressorMixin
        It is fitted.
    chunks : Chunks
        The table, with values.
    """
    sample = chunks.sample(_describe_weight if chunks.is_labelled else _describe_values)
    if sample.is_complete or not hasattr(student, "_learn_chunks"):
        _fit_on_sample(student, sample)
        return
    data = regression_data(student, *sample.chunk[2:])
    reader = ValueReader(data.y.shape[1], _largest(sample))
    rows = _row_reader(student, data)
    student._learn_chunks(ChunkSource(data, chunks, sample.n_samples, rows, reader))


def _fit_on_sample(student: Any, sample: TableSample, **options: Any) -> None:
    if not sample.is_complete:
        warnings.warn(
            f"{type(student).__name__} learns from a sample of {sample.chunk.n_samples:,} of the "
            f"{sample.n_samples:,} rows: max_samples of Chunks sets its size; tree and boosted "
            "students see all rows",
            UserWarning,
            stacklevel=5,  # the caller of `fit`
        )
    student.fit(*sample.chunk[2:], **options)


def _row_reader(student: Any, data: ClassificationData | RegressionData) -> RowReader:
    names = data.feature_names
    dtype = "int32" if data.X.dtype == np.int32 else "float32"
    return RowReader(
        dtype,
        data.categories,
        None if names is None else tuple(names),
        type(student).__name__,
    )


def _require_targets(chunk: Chunk) -> None:
    if chunk.y is None:
        raise ValueError(
            "the chunk has no y: pass chunks (X, y) or Chunks(…, target=…); only a distiller with "
            "a fitted teacher learns from chunks (X,)"
        )


def _describe_weight(chunk: Chunk) -> _Facts:
    weight = None if chunk.sample_weight is None else float(read_weights(chunk).max())
    return _Facts(None, weight)


def _describe_classes(chunk: Chunk) -> _Facts:
    _require_targets(chunk)
    facts = _describe_weight(chunk)
    y = check_array(chunk.y, ensure_2d=False, dtype=None, input_name="y")
    if y.ndim > 1 and y.shape[1] > 1:
        return facts
    try:
        check_classification_targets(y.ravel())
        return facts._replace(labels=np.unique(y))
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in y.ravel()})
        raise TypeError(f"y must hold labels of one type, to be sorted, got {kinds}") from error


def _describe_values(chunk: Chunk) -> _Facts:
    _require_targets(chunk)
    check_values(chunk.y, chunk.n_samples)
    return _describe_weight(chunk)


def _largest(sample: TableSample) -> float | None:
    """The largest weight of all rows; None where they have none."""
    weights = [each.weight for each in sample.facts]
    return None if weights[0] is None else max(weights)


def _all_classes(facts: list[_Facts], classes: ArrayLike | None) -> ArrayLike | None:
    """Labels of all chunks, beside those that `classes` names; `classes` for probabilities."""
    labels = [each.labels for each in facts]
    if all(each is None for each in labels):
        return classes
    kinds = {"labels" if each is not None else "probabilities" for each in labels}
    if len(kinds) > 1:
        raise ValueError("some chunks have labels as y, others probabilities: pass one of both")
    try:
        present: NDArray[Any] = np.unique(np.concatenate(labels))  # type: ignore[arg-type]
    except TypeError as error:
        kinds = {type(label).__name__ for each in labels for label in each.tolist()}  # type: ignore[union-attr]
        raise TypeError(
            f"y must hold labels of one type in all chunks, got {sorted(kinds)}"
        ) from error
    if len({each.dtype.kind in "biuf" for each in labels if each is not None}) > 1:
        raise TypeError("y must hold labels of one type: some chunks have numbers, others text")
    if classes is None:
        return present
    unknown = np.setdiff1d(present, np.asarray(classes))
    if len(unknown):
        raise ValueError(f"y has labels that are not among classes: {unknown.tolist()}")
    return classes
