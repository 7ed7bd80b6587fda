"""Integer tables, their meaning and their bytes. NumPy and numba only."""

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables import (
    NO_CATEGORIES,
    CategoryTable,
    HiddenLayer,
    InputGrid,
    LinearTable,
    NetTable,
    Table,
    TreeTable,
)

__all__ = [
    "NO_CATEGORIES",
    "CategoryTable",
    "HiddenLayer",
    "InputGrid",
    "LinearTable",
    "ModelTables",
    "NetTable",
    "Table",
    "TreeTable",
]
