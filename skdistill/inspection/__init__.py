"""Explanations, displays, checks and reports of distilled models."""

from skdistill.inspection.checks import CHECKS, CheckResult, check_model
from skdistill.inspection.displays import (
    CompactTreeDisplay,
    FidelityDisplay,
    FlashDisplay,
    ImportanceDisplay,
    ParetoDisplay,
    QuantizationErrorDisplay,
    TeacherConfusionDisplay,
)
from skdistill.inspection.drift import ColumnDrift, DriftReport, check_drift
from skdistill.inspection.explain import Explanation, explain
from skdistill.inspection.report import BOARDS, Board, Predictions, Report, report
from skdistill.inspection.scorecard import Scorecard, ScorecardPart, export_scorecard

__all__ = [
    "BOARDS",
    "CHECKS",
    "Board",
    "CheckResult",
    "ColumnDrift",
    "CompactTreeDisplay",
    "DriftReport",
    "Explanation",
    "FidelityDisplay",
    "FlashDisplay",
    "ImportanceDisplay",
    "ParetoDisplay",
    "Predictions",
    "QuantizationErrorDisplay",
    "Report",
    "Scorecard",
    "ScorecardPart",
    "TeacherConfusionDisplay",
    "check_drift",
    "check_model",
    "explain",
    "export_scorecard",
    "report",
]
