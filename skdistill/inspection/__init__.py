"""Comparisons of distilled models with teachers and plain models."""
