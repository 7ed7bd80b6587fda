"""Ensembles pruned to a number of bytes."""
