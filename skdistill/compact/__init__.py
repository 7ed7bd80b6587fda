"""Integer tables, their meaning and their bytes. NumPy and numba only."""

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables import (
    NO_CATEGORIES,
    CategoryTable,
    InputGrid,
    LinearTable,
    Table,
    TreeTable,
)

__all__ = [
    "NO_CATEGORIES",
    "CategoryTable",
    "InputGrid",
    "LinearTable",
    "ModelTables",
    "Table",
    "TreeTable",
]
