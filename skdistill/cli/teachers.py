"""The teacher of `skdistill distill`: by its name, or from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator

from skdistill.cli.errors import InputError, bad_input
from skdistill.cli.models import load_fitted
from skdistill.dataframe import read_table
from skdistill.dataframe.labelled import LabelledTable
from skdistill.model_selection.named_teachers import new_teacher
from skdistill.teachers import as_teacher, response_values
from skdistill.teachers.booster import library_of

NAMES = ("committee", "forest", "lightgbm", "xgboost")
_PROBED = 20  # rows that a teacher from a file is asked about


def make_teacher(teacher: str, table: LabelledTable, *, trust_pickle: bool) -> Any:
    """Make the teacher.

    Parameters
    ----------
    teacher : str
        One of `NAMES`, or the path of a file.
    table : LabelledTable
        What is to be learnt.
    trust_pickle : bool
        Whether pickles are loaded.

    Returns
    -------
    teacher : estimator
        As `BudgetSearchCV` takes it; frozen where it comes from a file.

    Raises
    ------
    ImportError
        If a library is missing.
    InputError
        If the file holds no model that answers for rows like those of the table.
    """
    classes = None if table.task == "regression" else np.unique(table.y)
    if teacher in NAMES:
        with bad_input():
            rows = read_table(table.X, parameter=None)
        return new_teacher(teacher, rows, n_classes=0 if classes is None else len(classes))
    path = Path(teacher)
    if not path.suffix and not path.exists():
        raise InputError(f"--teacher {teacher!r} is neither one of {', '.join(NAMES)} nor a file")
    from_file: Any = str(path)
    if path.suffix.lower() != ".onnx":
        loaded = load_fitted(path, trust_pickle=trust_pickle)
        is_estimator = hasattr(loaded, "fit") and library_of(loaded) is None
        from_file = FrozenEstimator(loaded) if is_estimator else loaded
    elif not path.is_file():
        raise InputError(f"there is no file {path}")
    with bad_input(f"the teacher {path.name} does not answer for this table", AttributeError):
        ready = as_teacher(from_file, table.X, table.y, regression=classes is None)
        known = getattr(ready, "classes_", None)
        if classes is not None and known is not None:
            unknown = [str(each) for each in classes if each not in np.asarray(known)]
            if unknown:
                raise ValueError(
                    f"the table has the labels {unknown[:5]}, the teacher knows "
                    f"{[str(each) for each in known[:5]]}"
                )
        response_values(ready, table.X[:_PROBED], classes, "auto")
    return ready
