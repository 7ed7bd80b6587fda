"""A linear table as nodes of an ONNX graph."""

from __future__ import annotations

import numpy as np

from skdistill.compact.tables.linear_table import LinearTable
from skdistill.export.onnx.graph import Read, Writer, cast


def write_linear(to: Writer, linear: LinearTable, read: Read) -> list[str]:
    """Write the rounding of the inputs, and their product with the weights in int32.

    Parameters
    ----------
    to : Writer
        Where they are written.
    linear : LinearTable
        The table of the model.
    read : callable
        Writes the inputs in a type, under a name.

    Returns
    -------
    terms : list of str
        The name of the int32 scores.
    """
    x = read("float32", "x_float")
    used = to.node(
        "Gather", [x, to.constant("columns", linear.features.astype(np.int64))], "x_used", axis=1
    )
    centred = to.node("Sub", [used, to.constant("offset", linear.offset)], "x_centred")
    steps = to.node("Mul", [centred, to.constant("inv_step", linear.inv_step)], "x_steps")
    rounded = to.node("Round", [steps], "x_whole")
    zero = to.constant("no_step", np.zeros((), np.float32))
    known = to.node("Where", [to.node("IsNaN", [rounded], "missing"), zero, rounded], "x_known")
    low, high = (
        to.constant(name, np.array(q, np.float32))
        for name, q in (("low", -linear.q_max), ("high", linear.q_max))
    )
    # MatMul on int32 is exact; MatMulInteger may saturate on CPUs without VNNI.
    q = cast(to, to.node("Clip", [known, low, high], "x_clipped"), "int32", "q")
    return [to.node("MatMul", [q, to.constant("weights", linear.weights)], "linear_scores")]
