"""Tables in chunks: read a few times, never held.

Chunks know neither students nor teachers. They draw a sample of their rows and keep what a student
makes of each chunk: codes of one byte, and targets in integers.
"""

from skdistill.chunks.chunk import Chunk, errors_of
from skdistill.chunks.chunks import (
    MAX_SAMPLES,
    Chunks,
    TableSample,
    as_chunks,
    refuse_beside_chunks,
)
from skdistill.chunks.coded_rows import CodedChunk, CodedRows
from skdistill.chunks.sample import RowSample

__all__ = [
    "MAX_SAMPLES",
    "Chunk",
    "Chunks",
    "CodedChunk",
    "CodedRows",
    "RowSample",
    "TableSample",
    "as_chunks",
    "errors_of",
    "refuse_beside_chunks",
]
