"""Packages of the extras: those that a command needs are asked for before it works."""

from __future__ import annotations

from importlib import import_module

_PACKAGES = {
    "onnx": ("onnx", "onnxruntime"),
    "report": ("jinja2",),
    "device": ("ziglang", "unicorn", "elftools"),
}


def require_extras(*extras: str) -> None:
    """Import the packages of extras, so that a missing one shows at once.

    Parameters
    ----------
    *extras : str
        Names of extras.

    Raises
    ------
    ImportError
        That names the first package that is missing, and its extra.
    """
    for extra in extras:
        for package in _PACKAGES[extra]:
            try:
                import_module(package)
            except ImportError as error:
                raise ImportError(
                    f"this needs {package}: pip install 'skdistill[{extra}]'"
                ) from error
