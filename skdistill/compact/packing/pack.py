"""The constant tables of a model, as C and every byte count read them.

A layout is a choice among ways to store the same model; the one that needs the fewest bytes
of flash is taken, with what its code needs more than that of others. Its tables are what is
counted: code, padding, class names and what only probabilities need are not, nor are single
numbers that code holds as constants, such as the common size of all trees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.evaluate import labels
from skdistill.compact.packing.bits import narrowest
from skdistill.compact.packing.integer_inputs import trees_on_integers
from skdistill.compact.packing.layout import Layout, Part, Request
from skdistill.compact.packing.linear import pack_linear
from skdistill.compact.packing.net import pack_net
from skdistill.compact.packing.trees import pack_trees
from skdistill.compact.tables.categories import NO_CATEGORIES, CategoryTable
from skdistill.compact.tables.linear_table import LinearTable
from skdistill.compact.tables.net_table import NetTable
from skdistill.compact.tables.table import Table
from skdistill.compact.tables.tree_table import TreeTable

if TYPE_CHECKING:
    from skdistill.compact.model_tables import ModelTables


def _as_it_is(table: Table, dtype: str, max_is_missing: bool) -> Table:
    """A table that reads integers as it reads floats."""
    return table


class Packer(NamedTuple):
    """How a kind of table is packed.

    Attributes
    ----------
    pack : callable
        From a table and a `Request` to a `Part`.
    on_integers : callable
        From a table, an integer type and whether its largest number stands for NaN, to a table
        of the same scores for all numbers of that type.
    """

    pack: Callable[[Any, Request], Part]
    on_integers: Callable[[Any, str, bool], Table] = _as_it_is


PACKERS: dict[type[Table], Packer] = {
    TreeTable: Packer(pack_trees, trees_on_integers),
    LinearTable: Packer(pack_linear),
    NetTable: Packer(pack_net),
}


def on_integers(model: ModelTables, dtype: str, *, max_is_missing: bool = False) -> ModelTables:
    """The same model for inputs of an integer type.

    Parameters
    ----------
    model : ModelTables
        Of any kind of tables.
    dtype : {"int8", "uint8", "int16", "uint16", "int32"}
        Type of the inputs.
    max_is_missing : bool, default=False
        Whether the largest number of the type stands for NaN.

    Returns
    -------
    model : ModelTables
        Scores are the same for every input of the type.
    """
    tables = [
        PACKERS[type(table)].on_integers(table, dtype, max_is_missing) for table in model.tables
    ]
    return replace(model, tables=tuple(tables))


def choose_layout(
    model: ModelTables,
    input_dtype: str | None = None,
    output: str = "label",
    *,
    branches: bool = False,
    shared_rows: bool = True,
    max_is_missing: bool = False,
    optimize: str | None = None,
    never_missing: bool = False,
) -> Layout:
    """Choose the tables of a model.

    Parameters
    ----------
    model : ModelTables
        An integer `input_dtype` puts it on integers first; see `on_integers`.
    input_dtype : {"float32", "int8", "uint8", "int16", "uint16", "int32", "codes"}, default=None
        None is the declared type of the model.
    output : {"label", "scores"}, default="label"
        What the tables must give. Scores of a regression are its label.
    branches : bool, default=False
        Whether the nodes are left to code.
    shared_rows : bool, default=True
        Whether equal rows of leaf values may be stored once.
    max_is_missing : bool, default=False
        Whether the largest number of an integer `input_dtype` stands for NaN.
    optimize : {"size", "balanced", "speed"}, default=None
        As in `Request`.
    never_missing : bool, default=False
        Whether no float32 input is NaN.

    Returns
    -------
    layout : Layout
    """
    input_dtype = input_dtype or model.input_dtype
    nan = None
    if input_dtype not in ("float32", "codes"):
        model = on_integers(model, input_dtype, max_is_missing=max_is_missing)
        nan = int(np.iinfo(input_dtype).max) if max_is_missing else None
    model = replace(model, tables=tuple(_without_unread_nodes(table) for table in model.tables))
    # A single tree needs no scores for its label: its leaves can hold the labels themselves.
    asks_label = output == "label" and model.classes is not None
    alone = len(model.tables) == 1 and model.tables[0].one_leaf_a_row
    labels_only = asks_label and (alone or model.n_classes == 1)
    if labels_only and (model.n_classes == 1 or not len(model.columns)):
        label = _only_label(model)
        bias = model.bias.astype(np.int64)
        return Layout(model, input_dtype, True, label, (), NO_CATEGORIES, {}, bias, nan)
    request = Request(
        model,
        input_dtype,
        labels_only,
        branches,
        shared_rows,
        max_is_missing,
        optimize,
        never_missing,
    )
    parts = tuple(PACKERS[type(table)].pack(table, request) for table in model.tables)
    tables: dict[str, NDArray[Any]] = {}
    for part in parts:
        tables |= part.tables
    bias = model.bias.astype(np.int64)
    for part in parts:
        bias = bias + part.start
    if not labels_only and (bias != bias[0]).any():
        tables["bias"] = narrowest(bias)
    if not isinstance(model.scale, float):
        tables["scale"] = model.scale
    categories = NO_CATEGORIES
    if input_dtype != "codes":
        categories = model.categories.of_columns(model.columns)
    if len(categories):
        tables |= _rank_tables(categories)
    return Layout(model, input_dtype, labels_only, None, parts, categories, tables, bias, nan)


def _without_unread_nodes(table: Table) -> Table:
    """A table of trees that are all leaves, without nodes that nothing leads to."""
    if not isinstance(table, TreeTable) or (table.roots >= 0).any() or not len(table.feature):
        return table
    none = table.feature[:0]
    return replace(
        table, feature=none, threshold=none, left=none, right=none, nan_left=table.nan_left[:0]
    )


def _only_label(model: ModelTables) -> int:
    """The label of a model that reads no input, or knows one class only."""
    if model.n_classes == 1:
        return 0
    scores = model.bias[None].copy()
    for table in model.tables:
        table.add_scores(np.zeros((1, model.n_features)), scores)
    return int(labels(scores, model.threshold)[0])


def _rank_tables(categories: CategoryTable) -> dict[str, NDArray[Any]]:
    """A byte for each category; where there are several columns, which, and their sizes."""
    tables = {"ranks": categories.ranks}
    if len(categories) > 1:
        tables["rank_columns"] = narrowest(categories.columns)
        tables["rank_counts"] = categories.counts.astype(np.uint8)
    return tables


def table_sizes(model: ModelTables) -> dict[str, int]:
    """Bytes of each constant table that the label takes, for inputs of the declared type.

    Parameters
    ----------
    model : ModelTables
        Of any kind of tables.

    Returns
    -------
    sizes : dict of str to int
        A table that the model does not need is absent.
    """
    return {name: table.nbytes for name, table in choose_layout(model).tables.items()}
