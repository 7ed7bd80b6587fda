"""The one door for tables: data frames and arrays → numbers, and numbers → the same container.

A column of categories is read as the place of each value among the sorted labels of its column.
The same rows give the same numbers whether they come from pandas, polars, pyarrow or NumPy.

Symbols: n rows, d columns, C labels of a column.
"""

from skdistill.dataframe._columns import category_columns, column_names, container, is_frame
from skdistill.dataframe.read import Table, index_table, read_table
from skdistill.dataframe.rows import concat_rows, hash_categories, shuffle_column, take_rows
from skdistill.dataframe.write import write_table

__all__ = [
    "Table",
    "category_columns",
    "column_names",
    "concat_rows",
    "container",
    "hash_categories",
    "index_table",
    "is_frame",
    "read_table",
    "shuffle_column",
    "take_rows",
    "write_table",
]
