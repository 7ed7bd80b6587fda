"""A compact model as one C99 file without floats, heap, recursion or library."""

from skdistill.export.c.export import device_input, to_c

__all__ = ["device_input", "to_c"]
