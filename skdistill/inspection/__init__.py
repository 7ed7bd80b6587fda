"""Explanations, displays, checks and reports of distilled models."""

from skdistill.inspection.explain import Explanation, explain
from skdistill.inspection.scorecard import Scorecard, ScorecardPart, export_scorecard

__all__ = ["Explanation", "Scorecard", "ScorecardPart", "explain", "export_scorecard"]
