"""Everything behind the integer scores of an ONNX graph: label, values, probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.model_tables import ModelTables
from skdistill.export.onnx.categories import Part
from skdistill.export.onnx.graph import Writer, cast
from skdistill.export.onnx.scores import write_scores

OUTPUTS = ("label", "probabilities", "scores")
VALUE_OUTPUTS = ("value", "scores")  # of a model without classes
ZIPMAP_OUTPUTS = ("output_label", "output_probability", "scores")


def output_names(model: ModelTables, zipmap: bool) -> tuple[str, ...]:
    """Names of the graph's outputs.

    Parameters
    ----------
    model : ModelTables
        With or without classes.
    zipmap : bool
        Whether probabilities leave as dictionaries, which scikit-learn's converters name otherwise.

    Returns
    -------
    names : tuple of str
    """
    if model.classes is None:
        return VALUE_OUTPUTS
    return ZIPMAP_OUTPUTS if zipmap else OUTPUTS


def n_classes(model: ModelTables) -> int:
    """Number of classes.

    Parameters
    ----------
    model : ModelTables
        With classes.

    Returns
    -------
    n_classes : int

    Raises
    ------
    ValueError
        If the model has none.
    """
    if model.classes is None:
        raise ValueError("a model without classes has no label output")
    return len(model.classes)


def onnx_labels(model: ModelTables) -> NDArray[Any]:
    """Class labels in a type that ONNX has.

    Parameters
    ----------
    model : ModelTables
        With classes.

    Returns
    -------
    labels : int64 or str array of shape (n_classes,)

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
    raw_scores: bool = False,
) -> None:
    """Write the whole graph of `model`.

    Parameters
    ----------
    to : Writer
        Where it is written.
    model : ModelTables
        Of any kind of tables.
    inputs : sequence of Part
        One table, or several that are joined side by side.
    outputs : sequence of three str
        Names for label, probabilities, scores; without classes of two, for value, scores.
    zipmap : bool, default=False
        Whether probabilities leave as dictionaries.
    class_numbers : bool, default=False
        Whether labels leave as 0 … n_classes − 1.
    raw_scores : bool, default=False
        Whether the scores times their scale leave in place of probabilities; of two classes
        twice, with both signs.
    """
    write_scores(to, model, inputs, outputs[-1])
    if model.classes is None:
        if model.link == "exp":
            z = _write_scaled(to, model, outputs[1], "z", fixed=False)
            to.node("Exp", [z], outputs[0], fixed=True)
        else:
            _write_scaled(to, model, outputs[1], outputs[0], fixed=True)
        return
    labels = np.arange(n_classes(model)) if class_numbers else onnx_labels(model)
    _write_label(to, model, labels, outputs[2], outputs[0])
    write = _write_decision if raw_scores else _write_probabilities
    if not zipmap:
        write(to, model, outputs[2], outputs[1], fixed=True)
        return
    table = write(to, model, outputs[2], "probabilities", fixed=False)
    kind = "classlabels_strings" if labels.dtype.kind == "U" else "classlabels_int64s"
    to.node(
        "ZipMap", [table], outputs[1], domain="ai.onnx.ml", fixed=True, **{kind: labels.tolist()}
    )


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
        # Not Squeeze, whose axes are an input from opset 13 on only.
        row = to.constant("one_row", np.array([-1], np.int64))
        flat = to.node("Reshape", [positive, row], "positive_flat")
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
            # Not Clip, whose bounds are inputs from opset 11 on only.
            at_least = to.node("Max", [moved, to.constant("p_low", one * 0)], "p_above")
            p = to.node("Min", [at_least, to.constant("p_high", one)], "p")
        q = to.node("Sub", [to.constant("one", one), p], "q_other")
        return to.node("Concat", [q, p], output, axis=1, fixed=fixed)
    votes = to.node("Relu", [z], "votes")
    # Sums as products: the axes of ReduceSum are an input from opset 13 on only.
    ones = to.constant("ones", np.ones((model.n_scores, 1), np.float32))
    total = to.node("MatMul", [votes, ones], "votes_sum")
    some = to.node("Greater", [total, to.constant("no_vote", one * 0)], "somebody")
    even = to.node("Where", [some, votes, to.constant("one", one)], "votes_or_one")
    return to.node(
        "Div", [even, to.node("MatMul", [even, ones], "votes_total")], output, fixed=fixed
    )


def _write_decision(
    to: Writer, model: ModelTables, scores: str, output: str, *, fixed: bool
) -> str:
    """Scores times their scale; of two classes twice, as skl2onnx has decision functions."""
    if model.n_scores > 1 or n_classes(model) == 1:
        return _write_scaled(to, model, scores, output, fixed=fixed)
    z = _write_scaled(to, model, scores, "z", fixed=False)
    return to.node("Concat", [to.node("Neg", [z], "z_other"), z], output, axis=1, fixed=fixed)
