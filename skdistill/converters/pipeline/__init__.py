"""Preprocessing in front of a model, folded into its tables."""
