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
    parts = []
    if len(net.features):
        parts.append(_numeric_codes(to, net, x))
    if len(net.lookup_features):
        parts.append(_lookup_codes(to, net, x))
    codes = parts[0] if len(parts) == 1 else to.node("Concat", parts, "codes", axis=1)
    # Products of float64 are exact here in whatever order they are summed, and fast everywhere;
    # MatMulInteger may saturate on CPUs without VNNI.
    units = cast(to, codes, "float64", "units")
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


def _gathered(to: Writer, x: str, columns: np.ndarray, name: str) -> str:
    return to.node("Gather", [x, to.constant("columns", columns.astype(np.int64))], name, axis=1)


def _numeric_codes(to: Writer, net: NetTable, x: str) -> str:
    """Rounded numbers, float32."""
    used = _gathered(to, x, net.features, "x_numeric")
    centred = to.node("Sub", [used, to.constant("offset", net.offset)], "x_centred")
    factor = np.ldexp(np.float32(1), net.power.astype(np.int32))
    steps = to.node("Mul", [centred, to.constant("factor", factor)], "x_steps")
    rounded = to.node("Round", [steps], "x_whole")
    low, high = (_constant(to, name, q, "float32") for name, q in _ENDS)
    clipped = to.node("Clip", [rounded, low, high], "x_clipped")
    missing = to.constant("missing_code", net.missing_code.astype(np.float32))
    return to.node("Where", [to.node("IsNaN", [used], "missing"), missing, clipped], "x_codes")


_ENDS = (("code_low", -CODE_MAX), ("code_high", CODE_MAX))


def _lookup_codes(to: Writer, net: NetTable, x: str) -> str:
    """Codes out of one table of all lookups, float32."""
    used = _gathered(to, x, net.lookup_features, "x_lookup")
    last = net.lookup_sizes.astype(np.float32) - 2  # the entry of any other number
    whole = to.node("Floor", [used], "x_floor")
    zero = _constant(to, "no_rank", 0, "float32")
    others = to.constant("other_entry", last)
    below = to.node("Less", [whole, zero], "below")
    beyond = to.node("Greater", [whole, others], "beyond")
    known = to.node("Where", [to.node("Or", [below, beyond], "other"), others, whole], "known")
    is_missing = to.node("IsNaN", [used], "missing_rank")
    entry = to.node("Where", [is_missing, to.constant("nan_entry", last + 1), known], "entry")
    first = np.cumsum(net.lookup_sizes, dtype=np.int64) - net.lookup_sizes
    at = to.node(
        "Add", [cast(to, entry, "int64", "entry_int"), to.constant("first_entry", first)], "at"
    )
    table = to.constant("lookup", net.lookup.astype(np.float32))
    return to.node("Gather", [table, at], "lookup_codes", axis=0)
