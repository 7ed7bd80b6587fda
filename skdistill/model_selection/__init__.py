"""Choosing among models within a budget."""

from skdistill.model_selection.best_under import best_under

__all__ = ["best_under"]
