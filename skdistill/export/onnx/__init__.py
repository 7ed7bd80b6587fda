"""A compact model as an ONNX graph."""

from skdistill.export.onnx.export import to_onnx

__all__ = ["to_onnx"]
