"""Scorers of what a student takes on a device, as `model_size_scorer` is one of its tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.device import profile
from skdistill.device.cores import find_target
from skdistill.export.c.costs import CORES
from skdistill.metrics.scorers import StudentScorer


def _flash(
    student: Any,
    X: Any,
    y: Any,
    sample_weight: ArrayLike | None = None,
    **settings: Any,
) -> float:
    """Scorer of minus the bytes of flash that a student or distiller takes on a device."""
    nbytes = profile(student, _any_row(student), **settings).flash_bytes
    if nbytes is None:
        raise ValueError(
            f"sizes for target={settings['target']!r} need the extra: pip install "
            "'skdistill[device]'"
        )
    return float(nbytes)


def _instructions(
    student: Any,
    X: Any,
    y: Any,
    sample_weight: ArrayLike | None = None,
    *,
    of: str,
    **settings: Any,
) -> float:
    """Scorer of minus the instructions of a prediction of a student or distiller on a device."""
    X = _any_row(student) if of == "bound" else X
    result = profile(student, X, **settings)
    count = getattr(result, f"instructions_{of}")
    if count is None:
        raise ValueError(
            f"the model cannot run on target={result.target!r}: "
            f"{', '.join(result.missing_routines)} are missing"
        )
    return float(count)


def _any_row(student: Any) -> NDArray[np.float64]:
    """A row to run, where the answer does not depend on it."""
    return np.zeros((1, student.compact_.n_features))


def flash_scorer(
    target: str = "cortex-m0",
    *,
    input_dtype: str | None = None,
    output: str | None = None,
    optimize: str | None = None,
    layout: str | None = None,
    missing_value: str | None = None,
) -> StudentScorer:
    """Make a scorer of minus the bytes of flash on a device: tables, code and library.

    Each score compiles the C of the model, which takes about 0.1 s.

    Parameters
    ----------
    target : str, default="cortex-m0"
        One of `skdistill.device.cores.TARGETS`.
    input_dtype, output, optimize, layout, missing_value
        As in `skdistill.profile`.

    Returns
    -------
    scorer : StudentScorer
        Called as ``scorer(estimator, X=None, y_true=None)``; greater is better. It needs the
        extra "device".

    Raises
    ------
    ValueError
        For an unknown target.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftTreeClassifier
    >>> from skdistill.metrics import flash_scorer
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = SoftTreeClassifier(max_leaf_nodes=4).fit(X, y)
    >>> -flash_scorer("cortex-m0")(tree) > tree.compact_.nbytes
    True
    """
    find_target(target)
    return StudentScorer(
        _flash,
        sign=-1,
        target=target,
        input_dtype=input_dtype,
        output=output,
        optimize=optimize,
        layout=layout,
        missing_value=missing_value,
    )


def instructions_scorer(
    target: str = "cortex-m0",
    *,
    of: str = "bound",
    input_dtype: str | None = None,
    output: str | None = None,
    optimize: str | None = None,
    layout: str | None = None,
    missing_value: str | None = None,
) -> StudentScorer:
    """Make a scorer of minus the instructions of a prediction on a device.

    Parameters
    ----------
    target : str, default="cortex-m0"
        One of `skdistill.device.cores.TARGETS` that is emulated: not "host", and for "avr" the
        bound alone, in cycles.
    of : {"bound", "mean", "max"}, default="bound"
        What no input can exceed; or the mean and the most of the rows that are scored, each of
        which is run.
    input_dtype, output, optimize, layout, missing_value
        As in `skdistill.profile`.

    Returns
    -------
    scorer : StudentScorer
        Called as ``scorer(estimator, X=None, y_true=None)``; greater is better. It needs the
        extra "device".

    Raises
    ------
    ValueError
        For an unknown target, or one whose instructions are not counted.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftTreeClassifier
    >>> from skdistill.metrics import instructions_scorer
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = SoftTreeClassifier(max_leaf_nodes=4).fit(X, y)
    >>> mean, bound = (-instructions_scorer(of=of)(tree, X) for of in ("mean", "bound"))
    >>> 0 < mean <= bound
    True
    """
    if of not in ("bound", "mean", "max"):
        raise ValueError(f"of must be 'bound', 'mean' or 'max', got {of!r}")
    core = find_target(target)
    if target not in CORES or (of != "bound" and not core.core):
        raise ValueError(
            f"instructions of target={target!r} are not counted: their {of} is for an emulated "
            'core, such as "cortex-m0"'
        )
    return StudentScorer(
        _instructions,
        sign=-1,
        of=of,
        target=target,
        input_dtype=input_dtype,
        output=output,
        optimize=optimize,
        layout=layout,
        missing_value=missing_value,
    )
