"""Integer tables, one kind a file; each validates itself and answers for itself."""

from skdistill.compact.tables.categories import NO_CATEGORIES, CategoryTable
from skdistill.compact.tables.grid import InputGrid
from skdistill.compact.tables.linear_table import LinearTable
from skdistill.compact.tables.net_table import HiddenLayer, NetTable
from skdistill.compact.tables.table import Table
from skdistill.compact.tables.tree_table import TreeTable

__all__ = [
    "NO_CATEGORIES",
    "CategoryTable",
    "HiddenLayer",
    "InputGrid",
    "LinearTable",
    "NetTable",
    "Table",
    "TreeTable",
]
