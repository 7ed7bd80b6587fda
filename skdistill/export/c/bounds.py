"""What a call can cost at most, added up from the tables.

How often each loop turns follows from the tables alone. What a turn takes was read off
compiled code for a Cortex-M0, and rounded up: of the compilers and models that the tests try,
none needs more.
"""

from __future__ import annotations

from skdistill.export.c.costs import CALL, SOFT_FLOAT, Costs
from skdistill.export.c.printers import printed_parts
from skdistill.export.c.text import CSource

_RANK, _INDEX = 30, 30  # the rank of a category; its index as a float
_WHOLE_DIVIDE = 260


def bounds(source: CSource, output: str) -> Costs:
    """Add up the largest costs of all parts.

    Parameters
    ----------
    source : CSource
        What is printed.
    output : str
        As in `to_c`.

    Returns
    -------
    bounds : Costs
    """
    layout, model = source.layout, source.layout.model
    S = model.n_scores
    if layout.label is not None:
        return Costs(0, 0, CALL, 32)
    total = Costs(instructions=CALL, stack=96)
    if len(layout.categories):
        total = total.plus(_category_costs(source))
    for printer, part in printed_parts(source):
        total = total.plus(printer.costs(source, part))
    if not layout.labels_only:
        total = total.plus(Costs(0, 2 * S, 2 * CALL + S * 26, 4 * S + 64))
    if output in ("proba_float", "proba_q15"):
        K = model.n_classes
        work = K * _probability_cost(model.link, output) + 60
        total = total.plus(Costs(0, 4 * K + 32 * (model.link == "normalize"), work, 4 * K + 64))
    return total._replace(stack=-(-total.stack // 8) * 8)


def _category_costs(source: CSource) -> Costs:
    n, m = source.layout.model.n_features, len(source.layout.categories)
    widths = {"float": 4, "int32_t": 4, "int16_t": 2, "uint16_t": 2}
    work = CALL + 8 * n + m * (_RANK + (_INDEX if source.x_type == "float" else 0))
    return Costs(0, n + m, work, n * widths.get(source.x_type, 1))


def _probability_cost(link: str, output: str) -> int:
    if output == "proba_q15":
        return _WHOLE_DIVIDE + 140
    power = 7 * (SOFT_FLOAT["multiply"] + SOFT_FLOAT["subtract"]) + 4 * SOFT_FLOAT["convert"]
    if link == "normalize":
        return SOFT_FLOAT["divide"] + 3 * SOFT_FLOAT["convert"] + SOFT_FLOAT["subtract"]
    return 2 * power + SOFT_FLOAT["divide"]
