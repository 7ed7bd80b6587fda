"""Explanations, displays, checks and reports of distilled models."""

from skdistill.inspection.displays import (
    CompactTreeDisplay,
    FidelityDisplay,
    FlashDisplay,
    ImportanceDisplay,
    ParetoDisplay,
    QuantizationErrorDisplay,
    TeacherConfusionDisplay,
)
from skdistill.inspection.explain import Explanation, explain
from skdistill.inspection.scorecard import Scorecard, ScorecardPart, export_scorecard

__all__ = [
    "CompactTreeDisplay",
    "Explanation",
    "FidelityDisplay",
    "FlashDisplay",
    "ImportanceDisplay",
    "ParetoDisplay",
    "QuantizationErrorDisplay",
    "Scorecard",
    "ScorecardPart",
    "TeacherConfusionDisplay",
    "explain",
    "export_scorecard",
]
