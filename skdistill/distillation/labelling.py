"""Ask the teacher: soft targets for the training rows, further rows and their targets."""

from __future__ import annotations

import warnings
from functools import reduce
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length, check_memory

from skdistill.dataframe import take_rows
from skdistill.distillation._base import seeded
from skdistill.teachers import as_teacher, cross_fit, response_values
from skdistill.transfer import Munge
from skdistill.transfer.further_rows import append_rows, further_tables, no_rows


def ready_teacher(distiller: Any, X: Any, y: Any, *, values: bool = False) -> Any:
    """The teacher as an estimator, None where none will be asked."""
    if distiller.teacher is None or distiller.alpha == 0:
        return None
    method = getattr(distiller, "response_method", "auto")
    return as_teacher(distiller.teacher, X, y, regression=values, response_method=method)


def require_a_source(distiller: Any, teacher: Any, y: Any, given: Any, name: str) -> None:
    """Refuse to learn from nothing; `name` is the argument that gives the teacher's answers."""
    if distiller.alpha > 0 and teacher is None:
        if given is None:
            raise ValueError(f"teacher=None needs {name}, or alpha=0 for a plain student")
        if distiller.transfer_set is not None:
            raise ValueError("teacher=None cannot label further rows: set transfer_set=None")
    taught = isinstance(teacher, FrozenEstimator) or given is not None
    if y is None and (distiller.alpha == 0 or not taught):
        raise ValueError(
            f"{type(distiller).__name__} requires y to be passed, but the target y is None; only "
            f"a FrozenEstimator or {name} can teach without it"
        )


def ask_teacher(
    distiller: Any,
    teacher: Any,
    student: Any,
    X: Any,
    y: NDArray[Any] | None,
    given: NDArray[np.float64] | None,
    classes: NDArray[Any] | None,
    weight: NDArray[np.float64] | None,
    X_unlabeled: Any,
    groups: Any,
    rng: np.random.RandomState,
) -> tuple[Any, NDArray[np.float64], Any, NDArray[np.float64]]:
    """The fitted teacher, its answers for the training rows, further rows and theirs."""
    if teacher is None and X_unlabeled is not None:
        raise ValueError("teacher=None cannot label X_unlabeled: pass a teacher")
    wanted = distiller.transfer_set is not None or X_unlabeled is not None
    if given is not None and not wanted and getattr(distiller, "hints", None) is None:
        return None, given, no_rows(X), np.empty((0, given.shape[1]))
    if teacher is None:
        raise ValueError("teacher=None cannot give hints: pass a teacher, or hints=None")
    if y is None and not isinstance(teacher, FrozenEstimator):
        raise ValueError("y=None: only a FrozenEstimator can label further rows without it")
    transfer_set = distiller.transfer_set
    if isinstance(transfer_set, str):
        transfer_set = Munge(categorical_features=getattr(student, "categorical_features", None))
    if distiller.random_state is not None:
        teacher = seeded(clone(teacher), rng)
    method = getattr(distiller, "response_method", "auto")
    fit = dict(teacher=teacher, X=X, y=y, classes=classes, sample_weight=weight, groups=groups)
    fit |= dict(cv=distiller.cv, response_method=method, return_response=given is None)
    further = dict(transfer_set=transfer_set, X_unlabeled=X_unlabeled)

    remember, key = _remembering(distiller.memory, fit | further)
    speed = dict(n_jobs=distiller.n_jobs, verbose=distiller.verbose)
    fitted, P = remember(cross_fit, ignore=list(speed))(**fit, **speed)
    P = P if given is None else given
    parents = X if weight is None else take_rows(X, weight > 0)
    asked = dict(teacher=fitted, X=parents, classes=classes, width=P.shape[1], **further)
    asked["response_method"] = method
    more, P_more = remember(_label_further, ignore=list(asked))(
        **asked, seed=rng.randint(2**31 - 1), key=key
    )
    return fitted, P, more, P_more


def _remembering(memory: Any, arguments: dict[str, Any]) -> tuple[Any, str]:
    """A decorator that caches, and a key that stands for all arguments."""
    plain = lambda function, ignore: function  # noqa: E731
    if memory is None:
        return plain, ""
    try:
        key = joblib.hash(arguments)
    except Exception as error:
        warnings.warn(
            f"not cached: teacher, transfer or data cannot be hashed ({error})",
            UserWarning,
            stacklevel=5,
        )
        return plain, ""
    memory = check_memory(memory)
    return (lambda function, ignore: memory.cache(function, ignore=ignore)), key


def _label_further(
    teacher: Any,
    X: Any,
    transfer_set: Any,
    X_unlabeled: Any,
    classes: NDArray[Any] | None,
    width: int,
    response_method: str,
    seed: int,
    key: str,
) -> tuple[Any, NDArray[np.float64]]:
    """Rows beside the training rows, and the teacher's answers for them.

    Where results are cached `key` stands for all arguments but the seed.
    """
    tables = further_tables(X, transfer_set, X_unlabeled, seed)
    P = [
        np.empty((0, width)),
        *(response_values(teacher, table, classes, response_method) for table in tables),
    ]
    for table in P:
        if table.shape[1] != width:
            raise ValueError(
                f"the teacher has {table.shape[1]} answers a row, {width} are given for X"
            )
    rows = reduce(append_rows, tables) if tables else no_rows(X)
    return rows, np.concatenate(P)


def ask_hints(hints: Any, teacher: Any, X: Any) -> NDArray[np.float64]:
    """What a hint object reads in the fitted teacher, checked."""
    name = f"targets of {type(hints).__name__}"
    told = check_array(hints.targets(teacher, X), dtype=np.float64, input_name=name)
    check_consistent_length(told, X)
    return told


def held_out_only(
    rows: Any,
    weight: NDArray[np.float64],
    y: NDArray[Any] | None,
    P: NDArray[np.float64],
) -> tuple[Any, NDArray[np.float64], NDArray[Any] | None, NDArray[np.float64]]:
    """Leave out the rows that no fold labelled, and say so."""
    seen = ~np.isnan(P).any(axis=1)
    if seen.all():
        return rows, weight, y, P
    warnings.warn(
        f"{int((~seen).sum())} of {len(seen)} training rows were never held out by cv "
        "and are left out",
        UserWarning,
        stacklevel=4,
    )
    return take_rows(rows, seen), weight[seen], None if y is None else y[seen], P[seen]


def transfer_weights(total: float | None, n: int) -> NDArray[np.float64]:
    """Weights of `n` further rows that weigh `total` together; None is their number."""
    return np.ones(n) if total is None or n == 0 else np.full(n, total / n)
