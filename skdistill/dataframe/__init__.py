"""Data frames and arrays → numbers, and numbers → rows of the same container.

A column of categories is read as the index of each value among the sorted labels of its column.
The same rows give the same numbers whether they come from pandas, polars, pyarrow or NumPy.
"""

from skdistill.dataframe._columns import (
    as_array,
    column_names,
    container_type,
    is_frame,
    is_object_array,
)
from skdistill.dataframe.read import encode_table, read_table
from skdistill.dataframe.rows import concat_rows, shuffle_column, take_columns, take_rows
from skdistill.dataframe.table import EncodedTable, concat_tables, numeric_table
from skdistill.dataframe.write import write_table

__all__ = [
    "EncodedTable",
    "as_array",
    "column_names",
    "concat_rows",
    "concat_tables",
    "container_type",
    "encode_table",
    "is_frame",
    "is_object_array",
    "numeric_table",
    "read_table",
    "shuffle_column",
    "take_columns",
    "take_rows",
    "write_table",
]
