"""Figures and reports about distilled models."""
