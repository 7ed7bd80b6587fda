"""What a call can cost at most, added up from the tables.

How often each loop turns follows from the tables alone, and so do the bytes of arrays and how deep
functions are nested. What a turn takes, `skdistill.export.c.costs` says.
"""

from __future__ import annotations

from skdistill.compact.packing.packed_trees import PackedTrees
from skdistill.export.c.categories import is_called
from skdistill.export.c.costs import CALL, CORES, SHIFT, SOFT_FLOAT, Costs
from skdistill.export.c.printers import packed_widths, printed_parts
from skdistill.export.c.text import CSource
from skdistill.export.c.value import VALUES

_RANK, _INDEX = 30, 30  # the rank of a category; its index as a float
# Routines that cores with wide multiplication and division do not need, as those for floats.
_WHOLE_DIVIDE = 260
_WIDE_MULTIPLY = 100  # of 32 bits to 64


def bounds(source: CSource, output: str, core: str = "cortex-m0") -> Costs:
    """Add up the largest costs of all parts.

    Parameters
    ----------
    source : CSource
        What is printed.
    output : str
        As in `to_c`.
    core : str, default="cortex-m0"
        One of `CORES`.

    Returns
    -------
    bounds : Costs
        `instructions` and `stack` are those of the core, with all that it takes for floats.
    """
    return bounds_by_core(source, output)[core]


def bounds_by_core(source: CSource, output: str) -> dict[str, Costs]:
    """Add up the largest costs of all parts, for every core.

    Parameters
    ----------
    source : CSource
        What is printed.
    output : str
        As in `to_c`.

    Returns
    -------
    bounds : dict of str to Costs
        As of `bounds`, by the name of the core.
    """
    costs = _costs(source, output)
    return {name: costs.on(core) for name, core in CORES.items()}


def _costs(source: CSource, output: str) -> Costs:
    """Costs of all parts."""
    layout, model = source.layout, source.layout.model
    S = model.n_scores
    total = Costs(instructions=CALL, calls=1)  # the label or the scores
    if layout.label is not None:
        return total
    if not _is_one_function(source):
        total = total.plus(Costs(calls=1))  # a walk
    if packed_widths(source):
        total = total.plus(Costs(calls=1))  # what takes a number out of packed bits
    if len(layout.categories):
        total = total.plus(_category_costs(source))
    for printer, part in printed_parts(source):
        total = total.plus(printer.costs(source, part))
    if not layout.labels_only:
        total = total.plus(Costs(0, 2 * S, 2 * CALL + S * 28, 4 * S, calls=1))
    if output in ("proba_float", "proba_q15"):
        total = total.plus(_probability_costs(model.link, model.n_classes, output))
    if output == "value":
        floats = S * (SOFT_FLOAT["multiply"] + SOFT_FLOAT["convert"])
        total = total.plus(Costs(0, S, CALL + 12 * S, floats=floats, calls=1))
    elif output in VALUES:
        work, multiply = CALL + 60 * S, _WIDE_MULTIPLY * S
        total = total.plus(Costs(0, S, work, floats=multiply, calls=1, words=4 * SHIFT * S))
    return total


def _is_one_function(source: CSource) -> bool:
    """Whether the function of the label walks a single tree itself, and calls no other one."""
    layout = source.layout
    if not layout.labels_only or len(layout.categories):
        return False
    trees = layout.parts_of(PackedTrees)
    codes = {part.codes.kind for part in trees}
    return {part.shape for part in trees} <= {"fused", "branches"} and codes <= {"value", "code"}


def _category_costs(source: CSource) -> Costs:
    n, m = source.layout.model.n_features, len(source.layout.categories)
    widths = {"float": 4, "int32_t": 4, "int16_t": 2, "uint16_t": 2}
    work = CALL + 8 * n + m * (_RANK + (_INDEX if source.x_type == "float" else 0))
    stack, calls = n * widths.get(source.x_type, 1), int(is_called(source))
    return Costs(0, n + m, work + m * CALL * calls, stack, calls=calls)


def _probability_costs(link: str, K: int, output: str) -> Costs:
    if output == "proba_q15":
        work, divide = 140 * K + 60, K * _WHOLE_DIVIDE
        return Costs(instructions=work, floats=divide, calls=1, words=6 * SHIFT * K)
    power = 7 * (SOFT_FLOAT["multiply"] + SOFT_FLOAT["subtract"]) + 4 * SOFT_FLOAT["convert"]
    each = 2 * power + SOFT_FLOAT["divide"]
    if link == "normalize":
        each = SOFT_FLOAT["divide"] + 3 * SOFT_FLOAT["convert"] + SOFT_FLOAT["subtract"]
    return Costs(instructions=60, floats=K * each, calls=1)
