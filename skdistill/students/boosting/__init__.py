"""Boosted trees with jointly refitted leaf values."""
