"""Categories in an ONNX graph: labels or indexes in, ranks out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.compact.tables.categories import CategoryTable
from skdistill.export.onnx.graph import Writer, cast

if TYPE_CHECKING:
    from skdistill.compact.model_tables import ModelTables

_NO_LABEL = 2.0**24 + 2  # beyond all integer labels


class Part(NamedTuple):
    """An input of the graph: some columns side by side.

    Attributes
    ----------
    name : str
        Name of the input.
    strings : bool
        Whether it holds labels that are strings.
    width : int
        Number of columns.
    missing_number : int, default=None
        The number that stands for a missing one, in a type without NaN.
    """

    name: str
    strings: bool
    width: int
    missing_number: int | None = None


def parts_of(model: ModelTables, per_column: bool, missing_number: int | None = None) -> list[Part]:
    """Inputs of a graph.

    Parameters
    ----------
    model : ModelTables
        Whose columns they are.
    per_column : bool
        Whether each column is an input of its own, instead of one table of numbers.
    missing_number : int, default=None
        The number that stands for a missing one, in a type without NaN.

    Returns
    -------
    parts : list of Part
    """
    if not per_column:
        return [Part("X", False, model.n_features, missing_number)]
    text = [False] * model.n_features
    for column, labels in zip(model.categories.columns, model.categories.labels, strict=True):
        text[column] = labels.dtype.kind == "U"
    return [Part(name, text[j], 1, missing_number) for j, name in enumerate(column_names(model))]


def column_names(model: ModelTables) -> tuple[str, ...]:
    """Names of the inputs of a graph with an input for each column.

    Parameters
    ----------
    model : ModelTables
        With or without feature names.

    Returns
    -------
    names : tuple of str
        ``x0``, ``x1``, … without feature names.
    """
    return model.feature_names or tuple(f"x{j}" for j in range(model.n_features))


def graph_input(
    model: ModelTables,
    X: ArrayLike,
    *,
    input_dtype: str = "float32",
    per_column_inputs: bool = False,
    missing_value: str | None = None,
) -> dict[str, NDArray[Any]]:
    """Rows in the form in which a graph of `to_onnx` takes them.

    Parameters
    ----------
    model : ModelTables
        The exported model.
    X : data frame, array-like or sparse matrix of shape (n_samples, n_features)
        As `CompactModel.scores` takes it.
    input_dtype, per_column_inputs, missing_value
        As passed to `to_onnx`.

    Returns
    -------
    feed : dict of str to array
        For ``InferenceSession.run``.

    Examples
    --------
    >>> from skdistill import CompactModel
    >>> from skdistill.compact import CategoryTable
    >>> from skdistill.export.onnx.categories import graph_input
    >>> table = CategoryTable([1], [["no", "yes"]], [0, 1, 0, 0])
    >>> model = CompactModel(2, [0], 1.0, "sigmoid", [0, 1], categories=table)
    >>> graph_input(model, [[0.5, "yes"]])["X"].tolist()
    [[0.5, 1.0]]
    """
    X = model.read_rows(X)
    if not len(model.categories):
        rows = _in_type(X, input_dtype, missing_value)
        if not per_column_inputs:
            return {"X": rows}
        return {name: rows[:, [j]] for j, name in enumerate(column_names(model))}
    parts = parts_of(model, per_column_inputs)
    numbers = X.astype(np.float64)
    text: dict[int, NDArray[Any]] = {}
    for column, labels in zip(model.categories.columns, model.categories.labels, strict=True):
        at = X[:, column].astype(int)
        if labels.dtype.kind != "U":
            numbers[:, column] = np.append(labels.astype(float), [np.nan, _NO_LABEL])[at]
        elif per_column_inputs:
            # The last string stands for unknown labels: it comes after the last of the known.
            text[column] = np.array([*labels.tolist(), "", f"{labels[-1]}?"], dtype=object)[at]
    if not per_column_inputs:
        return {"X": _in_type(numbers, input_dtype, missing_value)}
    return {
        part.name: text[j][:, None]
        if part.strings
        else _in_type(numbers[:, [j]], input_dtype, missing_value)
        for j, part in enumerate(parts)
    }


def _in_type(X: NDArray[Any], dtype: str, missing_value: str | None) -> NDArray[Any]:
    """Numbers of the graph's type; in one of integers the largest stands for NaN, if asked."""
    without = np.isnan(X) if X.dtype.kind == "f" else np.zeros(X.shape, bool)
    if np.dtype(dtype).kind == "f" or not without.any():
        return X.astype(dtype)
    if missing_value is None:
        raise ValueError(
            f"X has missing values, which {dtype} does not hold: export with missing_value='max'"
        )
    integers = np.where(without, 0, X).astype(dtype)
    integers[without] = np.iinfo(dtype).max
    return integers


def ranked_table(
    to: Writer, categories: CategoryTable, inputs: Sequence[Part], dtype: str, output: str
) -> str:
    """Write the nodes that join all inputs into one table, ranks in place of categories.

    Parameters
    ----------
    to : Writer
        Where they are written.
    categories : CategoryTable
        With at least one column.
    inputs : sequence of Part
        Inputs of the graph, side by side.
    dtype : str
        Type of the table.
    output : str
        Its name.

    Returns
    -------
    name : str

    Raises
    ------
    ValueError
        If a column of numbers, or of integer labels, comes as strings.
    """
    number = {int(column): j for j, column in enumerate(categories.columns)}
    parts, first = [], 0
    for part in inputs:
        inside = [j for j in range(part.width) if first + j in number]
        if part.strings and len(inside) < part.width:
            raise ValueError(
                f"input {part.name!r} holds strings, and not all of its columns labels"
            )
        start = 0
        for j in [*inside, part.width]:
            if j > start:
                some = _columns(to, part, start, j)
                parts.append(read_numbers(to, some, part, dtype, "numbers"))
            if j < part.width:
                x = _columns(to, part, j, j + 1)
                ranks = _ranks(to, categories, number[first + j], x, part)
                parts.append(cast(to, ranks, dtype, "category_ranks"))
            start = j + 1
        first += part.width
    return parts[0] if len(parts) == 1 else to.node("Concat", parts, output, axis=1)


def read_numbers(to: Writer, x: str, part: Part, dtype: str, output: str) -> str:
    """Write the nodes that make floats of some columns.

    Parameters
    ----------
    to : Writer
        Where they are written.
    x : str
        Name of the columns.
    part : Part
        Input that the columns are of.
    dtype : str
        Type of the floats.
    output : str
        Name of the result.

    Returns
    -------
    name : str
    """
    floats = cast(to, x, dtype, output)
    if part.missing_number is None:
        return floats
    # The graph's integers are of the type that has this largest number.
    kind = np.int32 if part.missing_number == np.iinfo(np.int32).max else np.int64
    largest = to.constant("missing_number", np.array(part.missing_number, kind))
    nan = to.constant("nan", np.array(np.nan, dtype))
    return to.node("Where", [to.node("Equal", [x, largest], "is_none"), nan, floats], "or_nan")


def _columns(to: Writer, part: Part, first: int, end: int) -> str:
    if (first, end) == (0, part.width):
        return part.name
    at = to.constant("columns", np.arange(first, end, dtype=np.int64))
    return to.node("Gather", [part.name, at], "some_columns", axis=1)


def _ranks(to: Writer, categories: CategoryTable, number: int, x: str, part: Part) -> str:
    """Nodes from a column of labels or indexes to its ranks, in float32."""
    labels = categories.labels[number]
    ranks = categories.ranks_of(number).astype(np.float32)
    *known, missing, unknown = ranks.tolist()
    table = {"values_floats": known, "default_float": unknown, "domain": "ai.onnx.ml"}
    if labels.dtype.kind == "U":
        if not part.strings:
            return _by_index(to, read_numbers(to, x, part, "float32", "category"), ranks)
        table["values_floats"] = [missing, *known]
        return to.node("LabelEncoder", [x], "ranks", keys_strings=["", *labels.tolist()], **table)
    if part.strings:
        raise ValueError(f"input {part.name!r} holds strings, its labels are numbers")
    value = read_numbers(to, x, part, "float32", "category")
    if 0 in labels:  # a key of +0 is not found by -0
        zero = to.constant("zero_label", np.zeros((), np.float32))
        value = to.node("Where", [to.node("Equal", [value, zero], "is_zero"), zero, value], "label")
    encoded = to.node(
        "LabelEncoder", [value], "ranks", keys_floats=labels.astype(float).tolist(), **table
    )
    return _unless_missing(to, value, missing, encoded)


def _by_index(to: Writer, x: str, ranks: NDArray[np.float32]) -> str:
    C = len(ranks) - 2
    zero, most, unknown = (
        to.constant(name, np.array(n, np.float32))
        for name, n in (("first_index", 0), ("missing_index", C), ("unknown_index", C + 1))
    )
    index = to.node("Floor", [x], "index")
    inside = to.node(
        "And",
        [
            to.node("GreaterOrEqual", [index, zero], "not_below"),
            to.node("LessOrEqual", [index, most], "not_above"),
        ],
        "is_index",
    )
    known = to.node("Where", [inside, index, unknown], "known_index")
    at = cast(to, _unless_missing(to, x, float(C), known), "int64", "place")
    return to.node("Gather", [to.constant("ranks_of_indexes", ranks), at], "ranks", axis=0)


def _unless_missing(to: Writer, x: str, value: float, other: str) -> str:
    constant = to.constant("of_missing", np.array(value, np.float32))
    return to.node("Where", [to.node("IsNaN", [x], "is_missing"), constant, other], "or_missing")
