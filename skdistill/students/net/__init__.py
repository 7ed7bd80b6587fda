"""Neural networks of few-bit weights, trained quantization-aware."""
