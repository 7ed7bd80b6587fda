"""Compact models as people read them: text, tables of nodes, drawings."""

from skdistill.export.readable.dot import to_dot
from skdistill.export.readable.frame import to_frame
from skdistill.export.readable.svg import to_svg
from skdistill.export.readable.text import export_text

__all__ = ["export_text", "to_dot", "to_frame", "to_svg"]
