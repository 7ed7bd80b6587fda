"""The integer scores of a model as nodes of an ONNX graph.

A new kind of table is a module with one function, and an entry in `WRITERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.linear_table import LinearTable
from skdistill.compact.tables.net_table import NetTable
from skdistill.compact.tables.table import Table
from skdistill.compact.tables.tree_table import TreeTable
from skdistill.export.onnx.categories import Part, ranked_table, read_numbers
from skdistill.export.onnx.graph import Read, Writer
from skdistill.export.onnx.linear import write_linear
from skdistill.export.onnx.net import write_net
from skdistill.export.onnx.trees import write_trees

WRITERS: dict[type[Table], Callable[[Writer, Any, Read], list[str]]] = {
    TreeTable: write_trees,
    LinearTable: write_linear,
    NetTable: write_net,
}
"""What writes each kind of table, and returns the names of int32 scores that add up."""


def write_scores(to: Writer, model: ModelTables, inputs: Sequence[Part], output: str) -> None:
    """Write the sum of the bias and of all tables.

    Parameters
    ----------
    to : Writer
        Where they are written.
    model : ModelTables
        Of any kind of tables.
    inputs : sequence of Part
        One table, or several that are joined side by side.
    output : str
        Name of the scores, int32 of shape (n_samples, n_scores).
    """

    def read(dtype: str, name: str) -> str:
        if len(model.categories):
            return ranked_table(to, model.categories, inputs, dtype, name)
        parts = [read_numbers(to, part.name, part, dtype, name) for part in inputs]
        return parts[0] if len(parts) == 1 else to.node("Concat", parts, name, axis=1)

    terms: list[str] = []
    for table in model.tables:
        terms += WRITERS[type(table)](to, table, read)
    if not terms:  # constant: one row of zeros for each row of the input
        both = to.node("Shape", [inputs[0].name], "input_shape")
        first = to.constant("first", np.zeros(1, np.int64))
        rows = to.node("Gather", [both, first], "n_rows", axis=0)
        width = to.constant("n_scores", np.array([model.n_scores], np.int64))
        shape = to.node("Concat", [rows, width], "shape", axis=0)
        terms.append(
            to.node("Expand", [to.constant("zero", np.zeros((1, 1), np.int32)), shape], "zeros")
        )
    total = terms[0]
    for term in terms[1:]:
        total = to.node("Add", [total, term], "partial_scores")
    bias = to.constant("bias", np.asarray(model.bias)[None, :])
    to.node("Add", [total, bias], output, fixed=True)
