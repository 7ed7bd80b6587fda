"""Small helpers without any knowledge of models."""
