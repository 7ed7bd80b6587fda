"""Constant tables as C stores them: bit packing, node order, threshold codes."""
