"""Soft targets, their temperature and their loss."""

from skdistill.targets.checks import SUM_TOLERANCE, check_probabilities
from skdistill.targets.losses import soft_log_loss
from skdistill.targets.soft_targets import SoftTargets
from skdistill.targets.temperature import EPS, calibrate_temperature, temper

__all__ = [
    "EPS",
    "SUM_TOLERANCE",
    "SoftTargets",
    "calibrate_temperature",
    "check_probabilities",
    "soft_log_loss",
    "temper",
]
