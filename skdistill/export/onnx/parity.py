"""Does an ONNX file answer as its ModelTables does? Asked where answers may change."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import evaluate
from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.categories import CategoryTable
from skdistill.export.onnx.categories import graph_input

MOST_PROBES = 10_000  # of each kind
CHUNK = 1 << 16


def open_session(source: str | PathLike[str] | bytes) -> Any:
    """Load an ONNX model into ONNX Runtime, on one thread.

    Parameters
    ----------
    source : str, path-like or bytes
        A file, or what one would contain.

    Returns
    -------
    session : onnxruntime.InferenceSession

    Raises
    ------
    ImportError
        Without the extra "onnx".
    """
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        source if isinstance(source, bytes) else fspath(source),
        options,
        providers=["CPUExecutionProvider"],
    )


def import_onnxruntime() -> Any:
    """Import onnxruntime, or say which extra brings it."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            "running ONNX files needs onnxruntime: pip install 'skdistill[onnx]'"
        ) from error
    return onnxruntime


def count_mismatches(model: ModelTables, session: Any, X: NDArray[Any]) -> int:
    """Count the rows whose label or integer scores differ between ONNX Runtime and Python.

    Parameters
    ----------
    model, session, X
        As in `differing_rows`.

    Returns
    -------
    mismatches : int
    """
    return int(differing_rows(model, session, X).sum())


def differing_rows(model: ModelTables, session: Any, X: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell for which rows label or integer scores differ between ONNX Runtime and Python.

    Parameters
    ----------
    model : ModelTables
        Without classes only scores are compared.
    session : onnxruntime.InferenceSession
        Of a graph that `to_onnx` wrote.
    X : array of shape (n_samples, n_features)
        In the type of the graph's input, or with labels of categories.

    Returns
    -------
    differ : bool array of shape (n_samples,)
    """
    inputs = session.get_inputs()
    form: dict[str, Any] = {"per_column_inputs": len(inputs) > 1 or inputs[0].name != "X"}
    numbers = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(string)": None}
    kinds = [numbers.get(each.type, each.type[7:-1]) for each in inputs]
    form["input_dtype"] = next((kind for kind in kinds if kind), "float32")
    parts = [np.zeros(0, bool)]
    for start in range(0, len(X), CHUNK):
        rows = X[start : start + CHUNK]
        asked = ["scores"] if model.classes is None else ["scores", "label"]
        scores, *label = session.run(asked, graph_input(model, rows, **form))
        expected = evaluate.scores(model, rows)
        differ = (scores != expected).any(axis=1)
        if label:
            differ |= np.asarray(label[0]) != evaluate.predict(model, expected)
        parts.append(differ)
    return np.concatenate(parts)


def probe_rows(model: ModelTables, X: NDArray[Any], *, seed: int = 0) -> NDArray[Any]:
    """Make rows that try to tell two implementations of `model` apart.

    Half of them are rows of `X` with one value changed: for each inner node a row that
    reaches it gets the node's threshold, a neighbour of it in the input type, an end of
    that type, ±inf or NaN; for each column of a linear model the same is done at the
    boundaries of its rounding. In the other half all values are such ones.

    Parameters
    ----------
    model : ModelTables
        The exported model.
    X : array of shape (n_samples, n_features)
        Ordinary rows, at least one; with labels of categories.
    seed : int, default=0
        Of the random choices.

    Returns
    -------
    rows : float32 or int32 array of shape (n_rows, n_features)
        In the declared input type of the model, of objects where it has categories; at most
        20,000 rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import SoftTreeClassifier
    >>> from skdistill.export.onnx.parity import probe_rows
    >>> stump = SoftTreeClassifier(max_leaf_nodes=2).fit([[0.0], [1.0]], ["a", "b"])
    >>> probe_rows(stump.compact_, np.array([[0.5]])).shape
    (16, 1)
    """
    rng = np.random.default_rng(seed)
    X = model.read_rows(X).astype(model.input_dtype)
    reaching, column, point = _turning_points(model, model.categories.rank(X), rng)
    values = _around(point, model.input_dtype)
    choices = [np.unique(np.append(values[column == j], 0)) for j in range(model.n_features)]
    row, at, value = (
        part.ravel() for part in np.broadcast_arrays(reaching[:, None], column[:, None], values)
    )
    if len(value) > MOST_PROBES:
        drawn = np.sort(rng.choice(len(value), MOST_PROBES, replace=False))
        row, at, value = row[drawn], at[drawn], value[drawn]
    one_changed = X[row]
    one_changed[np.arange(len(value)), at] = value
    all_changed = np.column_stack([rng.choice(pool, len(value)) for pool in choices])
    rows = np.concatenate([one_changed, all_changed.astype(X.dtype)])
    return _labelled(rows, model.categories, rng) if len(model.categories) else rows


def _labelled(
    rows: NDArray[Any], categories: CategoryTable, rng: np.random.Generator
) -> NDArray[Any]:
    """Rows with labels, known ones and others, in columns of categories."""
    out = rows.astype(object)
    for column, labels in zip(categories.columns, categories.labels, strict=True):
        pool = np.array([*labels.tolist(), None, f"not {labels[-1]}"], object)
        out[:, column] = rng.choice(pool, len(rows))
    return out


def _around(points: NDArray[np.float64], dtype: str) -> NDArray[Any]:
    """Each point with its neighbours and the extremes of its type, one row a point."""
    if dtype == "int32":
        low, high = np.iinfo(np.int32).min, np.iinfo(np.int32).max
        near = np.clip(np.floor(points)[:, None] + [-1, 0, 1], low, high)
        ends = np.broadcast_to([low, high], (len(points), 2))
        return np.hstack([near, ends]).astype(np.int32)
    largest = np.finfo(np.float32).max
    at = np.clip(points, -largest, largest).astype(np.float32)[:, None]
    with np.errstate(over="ignore", under="ignore"):
        near = np.hstack([np.nextafter(at, np.float32(end)) for end in (-np.inf, np.inf)])
    extremes = np.array([-np.inf, -largest, largest, np.inf, np.nan], np.float32)
    return np.hstack([at, near, np.broadcast_to(extremes, (len(at), len(extremes)))])


def _turning_points(
    model: ModelTables, X: NDArray[Any], rng: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]:
    """Where answers may change: a row of `X` that may notice, the column, the value."""
    none = np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0)
    points = [none, *(table.turning_points(X, rng) for table in model.tables)]
    rows, columns, values = (np.concatenate(part) for part in zip(*points, strict=True))
    return rows, columns, values
