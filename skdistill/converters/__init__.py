"""Fitted models → compact models, without distillation."""

from skdistill.converters.convert import convert

__all__ = ["convert"]
