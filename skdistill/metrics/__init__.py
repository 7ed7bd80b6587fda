"""How closely a student follows its teacher, and how large it is."""

from skdistill.metrics.device_scorers import flash_scorer, instructions_scorer
from skdistill.metrics.scorers import (
    fidelity_scorer,
    kl_divergence_scorer,
    model_size_scorer,
    retention_scorer,
    soft_log_loss_scorer,
)
from skdistill.metrics.scores import fidelity_score, kl_divergence, retention_score
from skdistill.targets import soft_log_loss

__all__ = [
    "fidelity_score",
    "fidelity_scorer",
    "flash_scorer",
    "instructions_scorer",
    "kl_divergence",
    "kl_divergence_scorer",
    "model_size_scorer",
    "retention_score",
    "retention_scorer",
    "soft_log_loss",
    "soft_log_loss_scorer",
]
