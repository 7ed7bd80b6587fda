"""From a teacher to a compact student: who teaches, what is taught, on which rows, who learns."""

from skdistill.distillation.classifier import DistilledClassifier
from skdistill.distillation.regressor import DistilledRegressor
from skdistill.distillation.self_distillation import born_again

__all__ = ["DistilledClassifier", "DistilledRegressor", "born_again"]
