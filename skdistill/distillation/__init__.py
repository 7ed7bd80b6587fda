"""Distillers: a teacher labels rows, and a compact student learns from them."""

from skdistill.distillation.classifier import DistilledClassifier
from skdistill.distillation.regressor import DistilledRegressor

__all__ = ["DistilledClassifier", "DistilledRegressor"]
