"""Ask the teacher: soft targets for the training rows, further rows and their soft targets."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import check_cv
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length, check_memory

from skdistill.dataframe import EncodedTable
from skdistill.teachers import cross_fit, response_values, say_speed
from skdistill.transfer import Munge
from skdistill.transfer.further_rows import append_rows, further_tables


class LabellingTask(NamedTuple):
    """What a teacher is asked.

    Attributes
    ----------
    teacher : estimator or None
        From `as_teacher`; None where there is none to ask.
    rows : EncodedTable
        Training rows.
    y : array of shape (n_samples,) or (n_samples, n_outputs), or None
        Labels or values.
    classes : array of shape (n_classes,) or None
        Sorted; the columns of the responses. None for a regressor.
    output : float64 array of shape (n_samples, n_classes) or (n_samples, n_outputs), or None
        The teacher's responses for the training rows, where the user passed them.
    sample_weight : float64 array of shape (n_samples,) or None
        Weights of the training rows. Synthetic rows are made of those with a positive weight.
    fit_params : dict
        Parameters of the teacher's `fit`.
    split_params : dict
        Parameters of the splitter's `split`.
    X_unlabeled : data frame, array-like or None
        Further rows of the user.
    response_method : str
        How the teacher is asked; see `DistilledClassifier`.
    hints : hint object or None
        Needs a fitted teacher, too.
    cv : "auto", int, splitter or iterable of splits
        How training rows are held out.
    transfer_set : {"munge"}, transfer set or None
        Makes further rows.
    categorical_features : "from_dtype", None or array-like
        How the student reads the rows.
    memory : str, joblib.Memory or None
        Caches the fitted teacher and its responses.
    random_state : RandomState
        Source of all seeds.
    seed_teacher : bool
        Whether a teacher without seeds gets some.
    n_jobs : int or None
        Fits that run at a time.
    verbose : int
        Above 0, a progress bar counts the fits, and a line says how fast the teacher was.
    """

    teacher: Any
    rows: EncodedTable
    y: NDArray[Any] | None
    classes: NDArray[Any] | None
    output: NDArray[np.float64] | None
    sample_weight: NDArray[np.float64] | None
    fit_params: dict[str, Any]
    split_params: dict[str, Any]
    X_unlabeled: Any
    response_method: str
    hints: Any
    cv: Any
    transfer_set: Any
    categorical_features: Any
    memory: Any
    random_state: np.random.RandomState
    seed_teacher: bool
    n_jobs: int | None
    verbose: int


class Labelling(NamedTuple):
    """What a teacher answered.

    Attributes
    ----------
    teacher : fitted estimator or None
        None where nothing was asked of it.
    response : float64 array of shape (n_samples, n_classes) or (n_samples, n_outputs)
        For the training rows; NaN in rows that were never held out.
    further : EncodedTable
        Further rows, perhaps none.
    further_response : float64 array of shape (n_further, n_classes) or (n_further, n_outputs)
        For the further rows, from the teacher that was fitted on all training rows.
    """

    teacher: Any
    response: NDArray[np.float64]
    further: EncodedTable
    further_response: NDArray[np.float64]


def ask_teacher(task: LabellingTask) -> Labelling:
    """Fit the teacher where needed, and let it label training rows and further rows.

    Parameters
    ----------
    task : LabellingTask
        What is asked.

    Returns
    -------
    labelling : Labelling
        What is answered.

    Raises
    ------
    ValueError
        If there is no teacher, or no y to fit it on, and one is needed.
    """
    needs_further_rows = task.transfer_set is not None or task.X_unlabeled is not None
    if task.teacher is None and task.X_unlabeled is not None:
        raise ValueError("teacher=None cannot label X_unlabeled: pass a teacher")
    if task.output is not None and not needs_further_rows and task.hints is None:
        nothing = np.empty((0, task.output.shape[1]))
        return Labelling(None, task.output, task.rows.take(np.arange(0)), nothing)
    if task.teacher is None:
        raise ValueError("teacher=None cannot give hints: pass a teacher, or hints=None")
    frozen = isinstance(task.teacher, FrozenEstimator)
    if task.y is None and not frozen:
        raise ValueError("y=None: only a FrozenEstimator can label further rows without it")

    teacher = task.teacher
    if task.seed_teacher:
        teacher = seeded(clone(teacher), task.random_state)
    cv = task.cv
    if set(task.split_params) - {"groups"} and not frozen:  # metadata that a splitter requested
        splitter = check_cv(cv, task.y, classifier=task.classes is not None)
        cv = list(splitter.split(task.rows.native, task.y, **task.split_params))
    fit = {
        "teacher": teacher,
        "X": task.rows.native,
        "y": task.y,
        "classes": task.classes,
        "fit_params": task.fit_params,
        "groups": task.split_params.get("groups"),
        "cv": cv,
        "response_method": task.response_method,
        "return_response": task.output is None,
    }
    transfer = {
        "transfer_set": _transfer_set(task),
        "X_unlabeled": task.X_unlabeled,
        "categorical_features": task.categorical_features,
    }
    cached, key = cache_of(task.memory, fit | transfer | {"sample_weight": task.sample_weight})
    speed = {"n_jobs": task.n_jobs, "verbose": task.verbose}
    fitted, response = cached(cross_fit, ignore=list(speed))(**fit, **speed)
    response = response if task.output is None else task.output
    parents = task.rows
    if task.sample_weight is not None:
        parents = parents.take(task.sample_weight > 0)
    ask = transfer | {
        "teacher": fitted,
        "rows": parents,
        "classes": task.classes,
        "n_columns": response.shape[1],
        "response_method": task.response_method,
        "verbose": task.verbose,
    }
    further, further_response = cached(_label_further, ignore=list(ask))(
        **ask, seed=task.random_state.randint(2**31 - 1), key=key
    )
    return Labelling(fitted, response, further, further_response)


def seeded(estimator: Any, rng: np.random.RandomState) -> Any:
    """Give a seed to every `random_state` of an unfitted estimator that has none.

    Parameters
    ----------
    estimator : estimator
        Changed in place. A `FrozenEstimator` is left as it is.
    rng : RandomState
        Draws the seeds, in the order of the names of the parameters.

    Returns
    -------
    estimator : estimator
        The same object.
    """
    if isinstance(estimator, FrozenEstimator):
        return estimator
    parameters = estimator.get_params(deep=True)
    names = sorted(
        name
        for name, value in parameters.items()
        if value is None and (name == "random_state" or name.endswith("__random_state"))
    )
    return estimator.set_params(**{name: rng.randint(2**31 - 1) for name in names})


def ask_hints(hints: Any, teacher: Any, X: Any) -> NDArray[np.float64]:
    """Read hints in a fitted teacher.

    Parameters
    ----------
    hints : hint object
        Has ``targets(teacher, X)``.
    teacher : fitted estimator
        Passed to it.
    X : data frame or array of shape (n_samples, n_features)
        All rows that the student learns from.

    Returns
    -------
    targets : float64 array of shape (n_samples, n_hints)
        Checked.

    Raises
    ------
    ValueError
        If the targets are not finite or of another number of rows.
    """
    name = f"targets of {type(hints).__name__}"
    targets: NDArray[np.float64] = check_array(
        hints.targets(teacher, X), dtype=np.float64, input_name=name
    )
    check_consistent_length(targets, X)
    return targets


def keep_held_out(
    rows: EncodedTable,
    weight: NDArray[np.float64],
    y: NDArray[Any] | None,
    response: NDArray[np.float64],
) -> tuple[EncodedTable, NDArray[np.float64], NDArray[Any] | None, NDArray[np.float64]]:
    """Leave out the rows that no fold held out, with a warning.

    Parameters
    ----------
    rows : EncodedTable
        Training rows.
    weight : float64 array of shape (n_samples,)
        Their weights.
    y : array of shape (n_samples, ...) or None
        Their labels or values.
    response : float64 array of shape (n_samples, n_columns)
        NaN in rows that were never held out.

    Returns
    -------
    rows, weight, y, response
        Of the rows that were held out.
    """
    held_out = np.asarray(~np.isnan(response).any(axis=1))
    if held_out.all():
        return rows, weight, y, response
    warnings.warn(
        f"{int((~held_out).sum())} of {len(held_out)} training rows were never held out by cv "
        "and are left out",
        UserWarning,
        stacklevel=5,
    )
    labels = None if y is None else y[held_out]
    return rows.take(held_out), weight[held_out], labels, response[held_out]


def _transfer_set(task: LabellingTask) -> Any:
    if isinstance(task.transfer_set, str):
        return Munge(categorical_features=task.categorical_features)
    return task.transfer_set


def cache_of(memory: Any, arguments: dict[str, Any]) -> tuple[Callable[..., Any], str]:
    """What caches a function on disk, and a key that stands for arguments.

    Parameters
    ----------
    memory : str, joblib.Memory or None
        None caches nothing.
    arguments : dict
        What is hashed.

    Returns
    -------
    cached : callable
        Takes a function and names of its arguments that are no part of the key.
    key : str
        Empty where nothing is cached.

    Warns
    -----
    UserWarning
        If the arguments cannot be hashed; nothing is cached then.
    """

    def uncached(function: Any, ignore: list[str]) -> Any:
        return function

    if memory is None:
        return uncached, ""
    try:
        key = joblib.hash(arguments)
    except Exception as error:  # whatever pickling raises: some object has no hash
        warnings.warn(
            f"not cached: teacher, transfer set or data cannot be hashed ({error})",
            UserWarning,
            stacklevel=5,
        )
        return uncached, ""
    return check_memory(memory).cache, key


def _label_further(
    teacher: Any,
    rows: EncodedTable,
    transfer_set: Any,
    X_unlabeled: Any,
    categorical_features: Any,
    classes: NDArray[Any] | None,
    n_columns: int,
    response_method: str,
    verbose: int,
    seed: int,
    key: str,
) -> tuple[EncodedTable, NDArray[np.float64]]:
    """Rows beside the training rows, and the teacher's responses for them.

    Where results are cached `key` stands for all arguments but the seed.
    """
    tables = further_tables(rows, transfer_set, X_unlabeled, seed, categorical_features)
    responses = [np.empty((0, n_columns))]
    labelled: list[tuple[int, float]] = []
    for table in tables:
        response = response_values(teacher, table.native, classes, response_method, labelled)
        if response.shape[1] != n_columns:
            raise ValueError(
                f"the teacher has {response.shape[1]} answers a row, {n_columns} were passed for X"
            )
        responses.append(response)
    if verbose > 0:
        say_speed(teacher, labelled)
    further = reduce(append_rows, tables) if tables else rows.take(np.arange(0))
    return further, np.concatenate(responses)
