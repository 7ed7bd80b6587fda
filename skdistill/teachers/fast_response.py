"""How a fitted teacher is asked fastest, without another answer.

Forests of scikit-learn, its two gradient boostings and LightGBM's estimators are sums over trees.
`respond` adds up the same float64 numbers in the same order by compiled loops. It asks the teacher
itself for some of the rows each time. Where the two differ, or rows hold NaN or infinity, and for
all other teachers, the answer is the teacher's own. Trees are read once: a number that is changed
inside of them afterwards (`tree_.value`, `Booster.set_leaf_output`) counts only if one of these
rows shows it. A copy of the teacher is read anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import narwhals.stable.v2 as nw
import numpy as np
from narwhals.exceptions import DuplicateError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array

from skdistill.dataframe import is_frame, take_rows
from skdistill.teachers._float_forest import FloatForest, float_forest
from skdistill.teachers._forest_readers import Summands, read_summands, tree_parts

MIN_ROWS = 1000
"""Fewer rows in a call are not worth the question to the teacher itself."""
N_CHECKED = 64
"""Rows of each call that the teacher itself is asked for."""
_SEARCHES = (GridSearchCV, RandomizedSearchCV)
TOLERANCE = 1e-12
"""Of the largest answer. float32 tells apart what differs by 6e-8, and float64 sums of the same
numbers in another order, as of a forest in several threads, differ by less than this."""


@dataclass
class _Loops:
    """What is kept of a teacher in this process."""

    parts: list[Any]
    summands: Summands | None
    n_seen: int = 0
    forest: FloatForest | None = None
    n_differing: int = 0


_loops_of: WeakKeyDictionary[Any, _Loops] = WeakKeyDictionary()


def respond(teacher: Any, method: str, X: Any) -> Any:
    """What a method of a fitted teacher answers, by the fastest way that gives the same.

    Parameters
    ----------
    teacher : fitted estimator
        Of any kind. Looked for inside Pipelines, searches and `FrozenEstimator`.
    method : str
        As "predict_proba".
    X : data frame or array-like of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    response : array
        As ``getattr(teacher, method)(X)``, to 1e-12 of the largest answer.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skdistill.teachers.fast_response import respond, way_of
    >>> X = np.random.default_rng(0).random((2000, 3))
    >>> teacher = RandomForestRegressor(5, random_state=0).fit(X[:200], X[:200, 0])
    >>> bool(np.array_equal(respond(teacher, "predict", X), teacher.predict(X)))
    True
    >>> way_of(teacher)
    'RandomForestRegressor in compiled loops'
    """
    while isinstance(teacher, FrozenEstimator):
        teacher = teacher.estimator
    searched = type(teacher) in _SEARCHES and hasattr(teacher, "best_estimator_")
    if searched and hasattr(teacher, method):
        return respond(teacher.best_estimator_, method, X)
    if type(teacher) is Pipeline and hasattr(teacher, method):
        for _, step in teacher.steps[:-1]:
            X = X if step is None or step == "passthrough" else step.transform(X)
        return respond(teacher.steps[-1][1], method, X)
    own = getattr(teacher, method)
    parts = tree_parts(teacher)
    if not parts or not _are_numbers(X):
        return own(X)
    n_samples = len(X)
    loops = _loops_of.get(teacher)
    if loops is None or loops.parts != parts:
        loops = _loops_of[teacher] = _Loops(parts, read_summands(teacher))
    summands = loops.summands
    if summands is None or summands.method != method:
        return own(X)
    # All nodes are read from far memory once a call, which has to be of rows enough for that.
    pays = n_samples >= MIN_ROWS and 2 * n_samples * summands.n_trees >= summands.n_nodes
    if loops.n_differing or not pays:
        return own(X)
    # Laying out a node takes about as long as two trees gain on a row.
    loops.n_seen += n_samples
    if loops.forest is None:
        if loops.n_seen * summands.n_trees < 2 * summands.n_nodes:
            return own(X)
        loops.forest = float_forest(summands.trees())
    return _checked(own, X, loops.forest, summands, loops)


def _checked(own: Any, X: Any, forest: FloatForest, summands: Summands, loops: _Loops) -> Any:
    """The sums, if they are what the teacher says of some rows; else all of its own answers."""
    if isinstance(X, np.ndarray) and X.dtype.kind in "iu":
        X = X.astype(summands.integers)
    with np.errstate(over="ignore"):  # such rows are the teacher's, and so is the warning
        numbers = check_array(X, dtype=summands.dtype, ensure_all_finite=False, input_name="X")
    is_finite = np.isfinite(numbers).all(axis=1)
    finite = np.flatnonzero(is_finite)
    if len(finite) < MIN_ROWS:
        return own(X)
    checked = np.linspace(0, len(finite) - 1, N_CHECKED).astype(np.intp)
    asked = ~is_finite
    asked[finite[checked]] = True
    answers = own(take_rows(X, asked))  # raises and warns as for all rows, and once
    expected = answers[is_finite[asked]]
    whole = len(finite) == len(numbers)
    response = summands.link(forest.sums(numbers if whole else numbers[finite], summands.start))
    differs = ~(np.abs(response[checked] - expected) <= TOLERANCE * np.abs(expected).max())
    loops.n_differing = int(differs.reshape(N_CHECKED, -1).any(axis=1).sum())
    if loops.n_differing:
        return own(X)
    if whole:
        return response
    filled = np.empty((len(numbers), *response.shape[1:]))
    filled[asked], filled[finite] = answers, response
    return filled


def _are_numbers(X: Any) -> bool:
    """Whether rows are numbers whatever reads them."""
    if is_frame(X):
        try:
            schema = nw.from_native(X).schema
        except DuplicateError:  # of column names
            return False
        return all(kind.is_numeric() for kind in schema.values())
    if not isinstance(X, np.ndarray) or X.ndim != 2:
        return False
    return X.dtype.kind in "iu" or X.dtype in (np.float16, np.float32, np.float64)


def way_of(teacher: Any) -> str:
    """How a fitted teacher has been asked in this process.

    Parameters
    ----------
    teacher : fitted estimator
        Of any kind.

    Returns
    -------
    way : str
        For a line that `verbose=1` prints. Members of an ensemble are named each.
    """
    while isinstance(teacher, FrozenEstimator):
        teacher = teacher.estimator
    if hasattr(teacher, "_labelled"):
        return ", ".join(way_of(member) for member in teacher._labelled)
    if type(teacher) in _SEARCHES and hasattr(teacher, "best_estimator_"):
        return way_of(teacher.best_estimator_)
    if type(teacher) is Pipeline:
        return way_of(teacher.steps[-1][1])
    name = type(getattr(teacher, "_encoded_for", teacher)).__name__
    loops = _loops_of.get(teacher) if tree_parts(teacher) else None  # others may have no hash
    if loops is None or loops.forest is None:
        return f"{name} by its own method"
    if loops.n_differing:
        return (
            f"{name} by its own method, for compiled loops answer {loops.n_differing} of "
            f"{N_CHECKED} rows otherwise"
        )
    return f"{name} in compiled loops"


def say_speed(teacher: Any, labelled: list[tuple[int, float]]) -> None:
    """Print how a teacher was asked, and how fast it was.

    Parameters
    ----------
    teacher : fitted estimator
        Who was asked.
    labelled : list of (int, float) tuples
        Rows and seconds of each call. Nothing is printed for none, as where another process
        has asked.
    """
    if not labelled:
        return
    rows, seconds = (sum(each) for each in zip(*labelled, strict=True))
    rate = rows / max(seconds, 1e-9)
    print(f"teacher: {rows:,} rows labelled, {rate:,.0f} a second ({way_of(teacher)})")
