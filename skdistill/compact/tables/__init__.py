"""Integer tables, one kind a file; each validates itself."""

from skdistill.compact.tables.categories import CategoryTable
from skdistill.compact.tables.grid import InputGrid
from skdistill.compact.tables.linear_table import LinearTable
from skdistill.compact.tables.tree_table import TreeTable

__all__ = ["CategoryTable", "InputGrid", "LinearTable", "TreeTable"]
