"""A ModelTables as an ONNX graph: integer scores first, scale and link after.

The nodes are written through a `Writer`, so that the same graph goes into a model of its
own (`to_onnx`) or into the container of a converter library (`skl2onnx_hooks`).
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.linear_table import LinearTable
from skdistill.export.onnx.categories import Part, parts_of, ranked_table, read_numbers
from skdistill.export.onnx.graph import GraphWriter, Writer, cast, import_onnx
from skdistill.utils.files import write_whole

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET, ML_OPSET, IR_VERSION = 18, 3, 8
INPUT_DTYPES = ("float32", "float64", "int32", "int64")
OUTPUTS = ("label", "probabilities", "scores")
VALUE_OUTPUTS = ("value", "scores")  # of a model without classes
ZIPMAP_OUTPUTS = ("output_label", "output_probability", "scores")
_EXACT_FLOAT32 = 2**24  # a TreeEnsembleRegressor sums in float32: exact up to here


def to_onnx(
    model: ModelTables,
    path: str | PathLike[str] | None = None,
    *,
    input_dtype: str = "float32",
    columns: bool = False,
    zipmap: bool = False,
    missing: str | None = None,
) -> ModelProto:
    """Export a model; outputs are label, probabilities and int32 scores.

    Labels and scores equal those of the model for every input, bit for bit. A model without
    classes has the outputs value, float32 of shape (n, S), and scores; the value is the
    score times its scale, in float32.

    Parameters
    ----------
    model : ModelTables
    path : str or path-like, default=None
        Where to write the file, if anywhere.
    input_dtype : {"float32", "float64", "int32", "int64"}, default="float32"
        Type of the numbers that go in.
    columns : bool, default=False
        Whether each column is an input of its own, of shape (n, 1), under its name; columns
        of string labels take strings then, of which the empty one is missing. In one table, X,
        such columns take indexes. `skdistill.export.onnx.categories.graph_input` makes both.
    zipmap : bool, default=False
        Whether probabilities leave as a list of dictionaries.
    missing : "largest" or None, default=None
        Whether the largest number of an integer type stands for a missing one.

    Returns
    -------
    onnx_model : onnx.ModelProto

    Raises
    ------
    ImportError
        Without the extra "onnx".
    ValueError
        For another input type, labels that ONNX has no type for, `zipmap` without classes,
        or `columns` with a column that is called like an output.

    Examples
    --------
    >>> import skdistill
    >>> from skdistill.export.onnx import to_onnx
    >>> model = skdistill.CompactModel(2, [5], 0.1, "sigmoid", ["no", "yes"])
    >>> [output.name for output in to_onnx(model).graph.output]
    ['label', 'probabilities', 'scores']
    """
    onnx = import_onnx()
    if input_dtype not in INPUT_DTYPES:
        raise ValueError(f"input_dtype must be one of {INPUT_DTYPES}, got {input_dtype!r}")
    if missing not in (None, "largest"):
        raise ValueError(f"missing must be 'largest' or None, got {missing!r}")
    if missing is not None and np.dtype(input_dtype).kind == "f":
        raise ValueError(f"missing={missing!r} is for integer inputs: {input_dtype} has NaN")
    if zipmap and model.classes is None:
        raise ValueError("zipmap=True needs classes: this model predicts values")
    helper = onnx.helper
    names = output_names(model, zipmap)
    largest = None if missing is None else int(np.iinfo(input_dtype).max)
    parts = parts_of(model, columns, largest)
    _check_names([part.name for part in parts], names)
    writer = GraphWriter(onnx, [*names, *(part.name for part in parts)])
    write_model(writer, model, parts, names, zipmap=zipmap)
    number = helper.np_dtype_to_tensor_dtype(np.dtype(input_dtype))
    string = onnx.TensorProto.STRING
    inputs = [
        helper.make_tensor_value_info(
            part.name, string if part.strings else number, [None, part.width]
        )
        for part in parts
    ]
    graph = helper.make_graph(
        writer.nodes,
        "skdistill",
        inputs,
        _declared_outputs(onnx, model, names, zipmap),
        writer.initializers,
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    proto: ModelProto = helper.make_model(
        graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="skdistill"
    )
    onnx.checker.check_model(proto)
    if path is not None:
        write_whole(path, proto.SerializeToString())
    return proto


def _check_names(inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Refuse columns whose names the graph cannot give to inputs."""
    for name in inputs:
        if name == "" or name in outputs:
            why = "empty" if name == "" else f"that of an output, of which there are {outputs}"
            raise ValueError(
                f"columns=True makes column {name!r} an input, and its name is {why}: rename the "
                "column before fit, or export one table with columns=False"
            )
    if len(set(inputs)) < len(inputs):
        raise ValueError(f"columns=True needs columns of different names, got {list(inputs)}")


def _declared_outputs(
    onnx: Any, model: ModelTables, names: Sequence[str], zipmap: bool
) -> list[Any]:
    helper, types = onnx.helper, onnx.TensorProto
    scores = helper.make_tensor_value_info(names[-1], types.INT32, [None, model.n_scores])
    if model.classes is None:
        return [
            helper.make_tensor_value_info(names[0], types.FLOAT, [None, model.n_scores]),
            scores,
        ]
    label_type = types.STRING if onnx_labels(model).dtype.kind == "U" else types.INT64
    probability = helper.make_tensor_type_proto(types.FLOAT, [None, n_classes(model)])
    if zipmap:
        row = helper.make_map_type_proto(
            label_type, helper.make_tensor_type_proto(types.FLOAT, None)
        )
        probability = helper.make_sequence_type_proto(row)
    return [
        helper.make_tensor_value_info(names[0], label_type, [None]),
        helper.make_value_info(names[1], probability),
        scores,
    ]


def output_names(model: ModelTables, zipmap: bool) -> tuple[str, ...]:
    """Names of the graph's outputs."""
    if model.classes is None:
        return VALUE_OUTPUTS
    return ZIPMAP_OUTPUTS if zipmap else OUTPUTS


def n_classes(model: ModelTables) -> int:
    """Number of classes, K."""
    if model.classes is None:
        raise ValueError("a model without classes has no label output")
    return len(model.classes)


def onnx_labels(model: ModelTables) -> NDArray[Any]:
    """Class labels in a type that ONNX has: int64, or str.

    Raises
    ------
    ValueError
        For labels such as 0.5, or a mixture of kinds.
    """
    labels = [] if model.classes is None else model.classes.tolist()
    if all(isinstance(label, str) for label in labels):
        return np.array(labels, dtype=str)
    numbers = all(isinstance(label, int | float | np.integer) for label in labels)
    if numbers and all(-(2**63) <= label < 2**63 and label == int(label) for label in labels):
        return np.array([int(label) for label in labels], np.int64)
    raise ValueError(f"ONNX labels are integers or strings, got {labels}: rename the classes")


def write_model(
    to: Writer,
    model: ModelTables,
    inputs: Sequence[Part],
    outputs: Sequence[str],
    *,
    zipmap: bool = False,
    class_numbers: bool = False,
) -> None:
    """Write the whole graph of `model`.

    Parameters
    ----------
    to : Writer
    model : ModelTables
    inputs : sequence of Part
        One table, or several that are joined side by side.
    outputs : sequence of three str
        Names for label, probabilities, scores; without classes of two, for value, scores.
    zipmap : bool, default=False
    class_numbers : bool, default=False
        Whether labels leave as 0 … K−1.
    """
    _write_scores(to, model, inputs, outputs[-1])
    if model.classes is None:
        _write_scaled(to, model, outputs[1], outputs[0], fixed=True)
        return
    labels = np.arange(n_classes(model)) if class_numbers else onnx_labels(model)
    _write_label(to, model, labels, outputs[2], outputs[0])
    if not zipmap:
        _write_probabilities(to, model, outputs[2], outputs[1], fixed=True)
        return
    table = _write_probabilities(to, model, outputs[2], "probabilities", fixed=False)
    kind = "classlabels_strings" if labels.dtype.kind == "U" else "classlabels_int64s"
    to.node(
        "ZipMap", [table], outputs[1], domain="ai.onnx.ml", fixed=True, **{kind: labels.tolist()}
    )


def _write_scores(to: Writer, model: ModelTables, inputs: Sequence[Part], output: str) -> None:
    def table(dtype: str, name: str) -> str:
        if model.categories is not None:
            return ranked_table(to, model.categories, inputs, dtype, name)
        parts = [read_numbers(to, part.name, part, dtype, name) for part in inputs]
        return parts[0] if len(parts) == 1 else to.node("Concat", parts, name, axis=1)

    terms = []
    if model.trees is not None and model.grid is not None:
        x = table("float32" if model.grid.dtype == "float32" else "float64", "x_compared")
        terms += [cast(to, part, "int32", "tree_scores") for part in _write_trees(to, model, x)]
    if model.linear is not None:
        terms.append(_write_linear(to, model.linear, table("float32", "x_float")))
    if not terms:  # constant: one row of zeros for each row of the input
        rows = to.node("Shape", [inputs[0].name], "n_rows", start=0, end=1)
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


def _write_trees(to: Writer, model: ModelTables, x: str) -> list[str]:
    """TreeEnsembleRegressors, each of so few trees that its float32 sums are exact."""
    grid, trees = model.grid, model.trees
    assert grid is not None and trees is not None
    bound = model.tree_bounds.max(axis=1)
    groups: list[list[int]] = [[]]
    reached = 0
    for tree, most in enumerate(bound.tolist()):
        if groups[-1] and reached + most > _EXACT_FLOAT32:
            groups.append([])
            reached = 0
        groups[-1].append(tree)
        reached += most
    column = grid.features[trees.feature]
    threshold = grid.edges[grid.offsets[trees.feature] + trees.threshold]
    results = []
    for group in groups:
        attributes = _Ensemble(model.n_scores)
        for number, tree in enumerate(group):
            attributes.add_tree(number, int(trees.roots[tree]), trees, column, threshold)
        results.append(
            to.node(
                "TreeEnsembleRegressor",
                [x],
                "tree_sums",
                domain="ai.onnx.ml",
                n_targets=model.n_scores,
                aggregate_function="SUM",
                post_transform="NONE",
                **attributes.as_dict(grid.dtype),
            )
        )
    return results


class _Ensemble:
    """The attribute lists of a TreeEnsembleRegressor; shared subtrees are written out."""

    def __init__(self, n_scores: int) -> None:
        self.n_scores = n_scores
        self.nodes: list[tuple[int, int, int, float, bytes, int, int, int]] = []
        self.targets: list[tuple[int, int, int, float]] = []

    def add_tree(
        self, number: int, root: int, trees: Any, column: NDArray[Any], threshold: NDArray[Any]
    ) -> None:
        waiting = [root]  # nodes get their ids in the order in which they are found
        for node_id, node in enumerate(waiting):
            if node < 0:
                self.nodes.append((number, node_id, 0, 0.0, b"LEAF", 0, 0, 0))
                values = trees.scaled_values[~node].tolist()
                self.targets += [
                    (number, node_id, k, float(value)) for k, value in enumerate(values)
                ]
                continue
            left = len(waiting)
            waiting += [int(trees.left[node]), int(trees.right[node])]
            split = (int(column[node]), float(threshold[node]), b"BRANCH_LEQ")
            self.nodes.append((number, node_id, *split, left, left + 1, int(trees.nan_left[node])))

    def as_dict(self, dtype: str) -> dict[str, Any]:
        helper = import_onnx().helper
        tree, node, feature, value, mode, true, false, missing = (
            list(part) for part in zip(*self.nodes, strict=True)
        )
        target_tree, target_node, target, weight = (
            list(part) for part in zip(*self.targets, strict=True)
        )
        lists: dict[str, Any] = {
            "nodes_treeids": tree,
            "nodes_nodeids": node,
            "nodes_featureids": feature,
            "nodes_modes": mode,
            "nodes_truenodeids": true,
            "nodes_falsenodeids": false,
            "nodes_missing_value_tracks_true": missing,
            "target_treeids": target_tree,
            "target_nodeids": target_node,
            "target_ids": target,
        }
        if dtype == "float32":
            return {**lists, "nodes_values": value, "target_weights": weight}
        double = helper.np_dtype_to_tensor_dtype(np.dtype("float64"))
        lists["nodes_values_as_tensor"] = helper.make_tensor(
            "nodes_values", double, [len(value)], value
        )
        lists["target_weights_as_tensor"] = helper.make_tensor(
            "target_weights", double, [len(weight)], weight
        )
        return lists


def _write_linear(to: Writer, linear: LinearTable, x: str) -> str:
    used = to.node(
        "Gather", [x, to.constant("columns", linear.features.astype(np.int64))], "x_used", axis=1
    )
    centred = to.node("Sub", [used, to.constant("offset", linear.offset)], "x_centred")
    steps = to.node("Mul", [centred, to.constant("inv_step", linear.inv_step)], "x_steps")
    whole = to.node("Round", [steps], "x_whole")
    zero = to.constant("no_step", np.zeros((), np.float32))
    known = to.node("Where", [to.node("IsNaN", [whole], "missing"), zero, whole], "x_known")
    low, high = (
        to.constant(name, np.array(q, np.float32))
        for name, q in (("low", -linear.q_max), ("high", linear.q_max))
    )
    q = cast(to, to.node("Clip", [known, low, high], "x_clipped"), "int32", "q")
    return to.node("MatMul", [q, to.constant("weights", linear.weights)], "linear_scores")


def _write_label(
    to: Writer, model: ModelTables, labels: NDArray[Any], scores: str, output: str
) -> None:
    if model.n_scores > 1 or len(labels) == 1:
        number = to.node("ArgMax", [scores], "class_number", axis=1, keepdims=0)
    else:
        positive = to.node(
            "Greater",
            [scores, to.constant("threshold", np.array([model.threshold], np.int32))],
            "positive",
        )
        flat = to.node(
            "Squeeze",
            [positive, to.constant("column_axis", np.array([1], np.int64))],
            "positive_flat",
        )
        number = cast(to, flat, "int64", "class_number")
    to.node("Gather", [to.constant("labels", labels), number], output, axis=0, fixed=True)


def _write_scaled(to: Writer, model: ModelTables, scores: str, output: str, *, fixed: bool) -> str:
    scale = to.constant("scale", np.array(model.scale, np.float32))
    return to.node("Mul", [cast(to, scores, "float32", "scores_float"), scale], output, fixed=fixed)


def _write_probabilities(
    to: Writer, model: ModelTables, scores: str, output: str, *, fixed: bool
) -> str:
    z = _write_scaled(to, model, scores, "z", fixed=False)
    one = np.ones((), np.float32)
    if n_classes(model) == 1:
        return to.node(
            "Add", [to.node("Sub", [z, z], "nothing"), to.constant("one", one)], output, fixed=fixed
        )
    if model.link == "softmax":
        return to.node("Softmax", [z], output, axis=1, fixed=fixed)
    if model.n_scores == 1:
        if model.link == "sigmoid":
            p = to.node("Sigmoid", [z], "p")
        else:
            moved = to.node("Add", [z, to.constant("half", one / 2)], "p_free")
            p = to.node(
                "Clip", [moved, to.constant("p_low", one * 0), to.constant("p_high", one)], "p"
            )
        q = to.node("Sub", [to.constant("one", one), p], "q_other")
        return to.node("Concat", [q, p], output, axis=1, fixed=fixed)
    votes = to.node("Relu", [z], "votes")
    axis = to.constant("class_axis", np.array([1], np.int64))
    total = to.node("ReduceSum", [votes, axis], "votes_sum", keepdims=1)
    none = to.node("Equal", [total, to.constant("no_vote", one * 0)], "nobody")
    even = to.node("Where", [none, to.constant("one", one), votes], "votes_or_one")
    return to.node(
        "Div",
        [even, to.node("ReduceSum", [even, axis], "votes_total", keepdims=1)],
        output,
        fixed=fixed,
    )
