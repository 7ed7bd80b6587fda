"""Choosing among models within a budget."""

from skdistill.model_selection.best_under import best_under
from skdistill.model_selection.search import BudgetSearchCV

__all__ = ["BudgetSearchCV", "best_under"]
