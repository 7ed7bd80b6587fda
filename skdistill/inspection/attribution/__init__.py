"""What each column adds to the scores of a row, kind of table by kind of table.

A new kind of table is a module with the functions of `Attributor`, and an entry in `ATTRIBUTORS`.
"""

from __future__ import annotations

from typing import Any, Protocol

from skdistill.compact import LinearTable, NetTable, Table, TreeTable
from skdistill.inspection.attribution import linear, net, trees
from skdistill.inspection.attribution.rows import Additions, Estimate, Rows


class Attributor(Protocol):
    """What the module of a kind answers."""

    def path(self, table: Any, rows: Rows) -> Additions:
        """Integers that add up to the scores, from one pass through the table."""

    def shapley(self, table: Any, rows: Rows) -> Estimate:
        """Shapley values with respect to the background rows."""


ATTRIBUTORS: dict[type[Table], Attributor] = {
    TreeTable: trees,
    LinearTable: linear,
    NetTable: net,
}
