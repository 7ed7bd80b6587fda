"""A net as nodes of an ONNX graph."""

from __future__ import annotations

import numpy as np

from skdistill.compact.tables.net_table import CODE_MAX, UNIT_MAX, NetTable
from skdistill.export.onnx.graph import Read, Writer, cast


def write_net(to: Writer, net: NetTable, read: Read) -> list[str]:
    """Write the codes of the inputs, the hidden layers, and the scores as int32.

    Parameters
    ----------
    to : Writer
        Where they are written.
    net : NetTable
        The table of the model.
    read : callable
        Writes the inputs in a type, under a name.

    Returns
    -------
    terms : list of str
        The name of the int32 scores.
    """
    x = read("float32", "x_net")
    # Products of float64 are exact here in whatever order they are summed, and fast everywhere;
    # MatMulInteger may saturate on CPUs without VNNI.
    units = cast(to, _codes(to, net, x), "float64", "units")
    low, high = _constant(to, "unit_low", 0.0, "float64"), _constant(to, "unit_high", UNIT_MAX)
    for layer in net.hidden:
        weights = to.constant("hidden_weights", layer.weights.T.astype(np.float64))
        sums = to.node("MatMul", [units, weights], "hidden_products")
        starts = to.constant("hidden_starts", layer.starts.astype(np.float64))
        sums = to.node("Add", [sums, starts], "hidden_sums")
        steps = to.constant("hidden_steps", np.exp2(-layer.shift.astype(np.float64)))
        sums = to.node("Floor", [to.node("Mul", [sums, steps], "hidden_steps_of")], "hidden_whole")
        units = to.node("Clip", [sums, low, high], "units")
    weights = to.constant("net_weights", net.weights.T.astype(np.float64))
    scores = to.node("MatMul", [units, weights], "net_products")
    return [cast(to, scores, "int32", "net_scores")]


def _constant(to: Writer, name: str, value: float, dtype: str = "float64") -> str:
    return to.constant(name, np.array(value, dtype))


def _codes(to: Writer, net: NetTable, x: str) -> str:
    """Rounded numbers, float32."""
    columns = to.constant("columns", net.features.astype(np.int64))
    used = to.node("Gather", [x, columns], "x_used", axis=1)
    centred = to.node("Sub", [used, to.constant("offset", net.offset)], "x_centred")
    factor = np.ldexp(np.float32(1), net.power.astype(np.int32))
    steps = to.node("Mul", [centred, to.constant("factor", factor)], "x_steps")
    rounded = to.node("Round", [steps], "x_whole")
    low, high = (_constant(to, name, q, "float32") for name, q in _ENDS)
    clipped = to.node("Clip", [rounded, low, high], "x_clipped")
    missing = to.constant("missing_code", net.missing_code.astype(np.float32))
    return to.node("Where", [to.node("IsNaN", [used], "missing"), missing, clipped], "x_codes")


_ENDS = (("code_low", -CODE_MAX), ("code_high", CODE_MAX))
