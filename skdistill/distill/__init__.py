"""From a teacher to a compact student: who teaches, what is taught, on which rows, who learns."""

from skdistill.distill.classifier import DistilledClassifier
from skdistill.distill.generations import born_again
from skdistill.distill.regressor import DistilledRegressor

__all__ = ["DistilledClassifier", "DistilledRegressor", "born_again"]
