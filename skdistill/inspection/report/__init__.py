"""One page on a model: what it does, where it loses what the teacher knew, what it takes."""

from skdistill.inspection.predictions import Predictions
from skdistill.inspection.report.api import Report, report
from skdistill.inspection.report.boards import BOARDS, Board

__all__ = ["BOARDS", "Board", "Predictions", "Report", "report"]
