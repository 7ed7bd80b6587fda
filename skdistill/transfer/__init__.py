"""Rows that a student learns from beside the training rows.

A transfer set has ``sample(X, random_state) -> rows``: rows with the columns of `X`, which the
teacher will label.
"""

from skdistill.transfer.munge import Munge
from skdistill.transfer.pool import Pool

__all__ = ["Munge", "Pool"]
