"""How far the results of the C file may be from Python's."""

from __future__ import annotations

from skdistill.compact.model_tables import ModelTables
from skdistill.export.c.proba import probability_error
from skdistill.export.c.value import VALUES, value_error


def largest_error(model: ModelTables, output: str) -> float:
    """Bound of the difference between a result in C and in Python.

    Parameters
    ----------
    model : ModelTables
        The exported model.
    output : str
        As in `to_c`.

    Returns
    -------
    error : float
        0 for labels and scores.
    """
    if output in VALUES:
        return value_error(model, output)
    return probability_error(model, output) if output.startswith("proba") else 0.0
