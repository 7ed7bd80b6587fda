"""Integer tables, their meaning and their bytes. Imports nothing else of skdistill."""

from skdistill.compact.categories import CategoryTable
from skdistill.compact.grid import InputGrid
from skdistill.compact.io import load
from skdistill.compact.model import CompactModel
from skdistill.compact.tables import LinearTable, TreeTable

__all__ = ["CategoryTable", "CompactModel", "InputGrid", "LinearTable", "TreeTable", "load"]
