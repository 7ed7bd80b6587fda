"""Learnt numbers → integer tables: thresholds, leaf values, weights."""
