"""What a candidate learns from."""

from __future__ import annotations

from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.dataframe import EncodedTable
from skdistill.distillation._base import mean_weight
from skdistill.model_selection.data import FurtherRows, SearchData
from skdistill.model_selection.portfolio import Candidate
from skdistill.targets import SoftTargets, calibrate_temperature, temper
from skdistill.transfer.further_rows import append_rows


class TrainingSet(NamedTuple):
    """What a student learns from.

    Attributes
    ----------
    rows : EncodedTable
        All rows, those without labels last.
    targets : SoftTargets or float64 array of shape (n_samples, n_outputs)
        What is taught.
    weight : float64 array of shape (n_samples,)
        Of the rows.
    classes : array of shape (n_classes,) or None
        None for a regression.
    """

    rows: EncodedTable
    targets: Any
    weight: NDArray[np.float64]
    classes: NDArray[Any] | None


def training_set(
    candidate: Candidate,
    data: SearchData,
    train: NDArray[np.intp],
    response: NDArray[np.float64] | None,
    further: list[FurtherRows],
) -> TrainingSet:
    """Put together what a candidate learns from.

    Parameters
    ----------
    candidate : Candidate
        Says what is taught.
    data : SearchData
        All rows.
    train : int array of shape (n_train,)
        The training rows.
    response : float64 array of shape (n_train, n_columns) or None
        Out-of-fold responses of the teacher for them; None for hard labels.
    further : list of FurtherRows
        Rows without labels, none for hard labels.

    Returns
    -------
    training : TrainingSet
    """
    rows, weight = data.rows.take(train), data.weight[train]
    n_further = sum(each.rows.n_samples for each in further)
    unit = mean_weight(weight) if (weight > 0).any() else 1.0
    rows = reduce(append_rows, [each.rows for each in further], rows)
    weight = np.concatenate([weight, np.full(n_further, unit)])
    responses = [] if response is None else [response, *(each.response for each in further)]
    if data.codes is None or data.classes is None:
        values = data.y[train].reshape(len(train), -1)
        if response is not None:
            mixed = candidate.alpha * response + (1 - candidate.alpha) * values
            values = np.concatenate([mixed, *responses[1:]])
        return TrainingSet(rows, values, weight, None)
    hard = np.concatenate([data.codes[train], np.full(n_further, -1, np.intp)])
    if response is None:
        nothing = np.zeros((len(hard), len(data.classes)))
        return TrainingSet(rows, SoftTargets(nothing, hard, 0.0), weight, data.classes)
    P = np.concatenate(responses)
    if candidate.calibrated:
        n = len(train)
        P = temper(P, calibrate_temperature(P[:n], hard[:n], weight[:n]))
    return TrainingSet(rows, SoftTargets(P, hard, candidate.alpha), weight, data.classes)
