"""Numbered checks of a model: what a careful reader would ask, each with a page of its own."""

from skdistill.inspection.checks.evidence import Evidence
from skdistill.inspection.checks.run import CHECKS, CheckResult, check_model

__all__ = ["CHECKS", "CheckResult", "Evidence", "check_model"]
