"""Tables that are divided among processes or machines, by Dask.

Needs the extra ``dask``.
"""

from skdistill.distributed.dask_chunks import DaskChunks

__all__ = ["DaskChunks"]
