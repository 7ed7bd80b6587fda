"""Integer tables, their meaning and their bytes. NumPy and numba only."""

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables import CategoryTable, InputGrid, LinearTable, TreeTable

__all__ = ["CategoryTable", "InputGrid", "LinearTable", "ModelTables", "TreeTable"]
