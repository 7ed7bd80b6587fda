"""Trees grown on soft targets."""
