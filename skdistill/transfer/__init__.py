"""Where the rows come from that a student learns on beside the training rows.

A transfer object has ``sample(X, random_state) -> rows``: a table with the columns of
`X`, which the teacher will label.
"""

from skdistill.transfer.munge import Munge, munge
from skdistill.transfer.pool import Pool
from skdistill.transfer.samplers import Marginals, NaiveBayes

__all__ = ["Marginals", "Munge", "NaiveBayes", "Pool", "munge"]
