"""A ModelTables as an ONNX graph: integer scores first, scale and link after.

The nodes are written through a `Writer`, so that the same graph goes into a model of its
own (`to_onnx`) or into the container of a converter library (`skl2onnx_hooks`).
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from skdistill.compact.model_tables import ModelTables
from skdistill.export.onnx.categories import parts_of
from skdistill.export.onnx.graph import GraphWriter, import_onnx
from skdistill.export.onnx.outputs import n_classes, onnx_labels, output_names, write_model
from skdistill.utils.files import write_whole

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET, ML_OPSET, IR_VERSION = 18, 3, 8
INPUT_DTYPES = ("float32", "float64", "int32", "int64")


def to_onnx(
    model: ModelTables,
    path: str | PathLike[str] | None = None,
    *,
    input_dtype: str = "float32",
    per_column_inputs: bool = False,
    zipmap: bool = False,
    missing_value: str | None = None,
) -> ModelProto:
    """Export a model; outputs are label, probabilities and int32 scores.

    Labels and scores equal those of the model for every input, bit for bit. A model without
    classes has the outputs value, float32 of shape (n_samples, n_scores), and scores; the value
    is the score times its scale, in float32.

    Parameters
    ----------
    model : ModelTables
    path : str or path-like, default=None
        Where to write the file, if anywhere.
    input_dtype : {"float32", "float64", "int32", "int64"}, default="float32"
        Type of the numbers that go in.
    per_column_inputs : bool, default=False
        Whether each column is an input of its own, of shape (n_samples, 1), under its name; columns
        of string labels take strings then, of which the empty one is missing. In one table, X,
        such columns take indexes. `skdistill.export.onnx.categories.graph_input` makes both.
    zipmap : bool, default=False
        Whether probabilities leave as a list of dictionaries.
    missing_value : {"max", None}, default=None
        "max" says that the largest number of an integer type stands for a missing one.

    Returns
    -------
    onnx_model : onnx.ModelProto

    Raises
    ------
    ImportError
        Without the extra "onnx".
    ValueError
        For another input type, labels that ONNX has no type for, `zipmap` without classes,
        or `per_column_inputs` with a column that is called like an output.

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
    if missing_value not in ("max", None):
        raise ValueError(f"missing_value must be 'max' or None, got {missing_value!r}")
    if missing_value is not None and np.dtype(input_dtype).kind == "f":
        raise ValueError(
            f"missing_value={missing_value!r} is for integer inputs: {input_dtype} has NaN"
        )
    if zipmap and model.classes is None:
        raise ValueError("zipmap=True needs classes: this model predicts values")
    helper = onnx.helper
    names = output_names(model, zipmap)
    largest = None if missing_value is None else int(np.iinfo(input_dtype).max)
    parts = parts_of(model, per_column_inputs, largest)
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
                f"per_column_inputs=True makes column {name!r} an input, and its name is {why}: "
                "rename the column before fit, or export one table with per_column_inputs=False"
            )
    if len(set(inputs)) < len(inputs):
        raise ValueError(
            f"per_column_inputs=True needs columns of different names, got {list(inputs)}"
        )


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
