"""A compact model as one C99 file without heap, recursion or library."""

from skdistill.export.c.api import prepare_source, to_c, value_table
from skdistill.export.c.bounds import bounds
from skdistill.export.c.costs import Costs
from skdistill.export.c.errors import largest_error
from skdistill.export.c.input_rows import device_input, device_rows
from skdistill.export.c.library import to_c_library

__all__ = [
    "Costs",
    "bounds",
    "device_input",
    "device_rows",
    "largest_error",
    "prepare_source",
    "to_c",
    "to_c_library",
    "value_table",
]
