"""Where the nodes and constants of an ONNX graph go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Writer(Protocol):
    """Where nodes and constants go; both methods return the name of the result.

    `GraphWriter` writes a graph of its own, `skl2onnx` one inside a converter library's.
    """

    def node(
        self,
        op: str,
        inputs: Sequence[str],
        output: str,
        *,
        domain: str = "",
        fixed: bool = False,
        **attributes: Any,
    ) -> str:
        """Add a node with one output.

        Parameters
        ----------
        op : str
            Type of the operator.
        inputs : sequence of str
            Names of results or constants.
        output : str
            Name of the result.
        domain : str, default=""
            Domain of the operator; "" is ONNX's own.
        fixed : bool, default=False
            Whether `output` is the name of a graph output; any other name may be made unique.
        **attributes
            Of the operator.

        Returns
        -------
        name : str
        """

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Add an initializer.

        Parameters
        ----------
        name : str
            Name, which may be made unique.
        value : array
            Numbers or strings.

        Returns
        -------
        name : str
        """


Read = Callable[[str, str], str]
"""Writes all inputs as one table of a type, under a name; ranks take the place of categories."""


def import_onnx() -> Any:
    """Import onnx, or say which extra brings it.

    Returns
    -------
    onnx : module

    Raises
    ------
    ImportError
        Without the extra "onnx".
    """
    try:
        import onnx
    except ImportError as error:
        raise ImportError("the ONNX export needs onnx: pip install 'skdistill[onnx]'") from error
    return onnx


def cast(to: Writer, x: str, dtype: str, output: str, *, fixed: bool = False) -> str:
    """Write a Cast.

    Parameters
    ----------
    to : Writer
        Where it is written.
    x : str
        What is cast.
    dtype : str
        NumPy's name of the new type.
    output : str
        Name of the result.
    fixed : bool, default=False
        As in `Writer.node`.

    Returns
    -------
    name : str
    """
    code = import_onnx().helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return to.node("Cast", [x], output, to=int(code), fixed=fixed)


class GraphWriter:
    """Writer of a graph of its own, with the names that a converter library would give."""

    def __init__(self, onnx: Any, taken: Sequence[str]) -> None:
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.taken = {"X", *taken}
        self.taken_nodes: set[str] = set()

    def node(
        self,
        op: str,
        inputs: Sequence[str],
        output: str,
        *,
        domain: str = "",
        fixed: bool = False,
        **attributes: Any,
    ) -> str:
        """Add a node; see `Writer.node`."""
        output = output if fixed else unique(output, self.taken)
        name = unique(op, self.taken_nodes)
        self.nodes.append(
            self.onnx.helper.make_node(op, inputs, [output], name, domain=domain, **attributes)
        )
        return output

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Add an initializer; see `Writer.constant`."""
        name = unique(name, self.taken)
        self.initializers.append(make_tensor(self.onnx, name, value))
        return name


def make_tensor(onnx: Any, name: str, value: NDArray[Any]) -> Any:
    """A TensorProto of an array.

    Parameters
    ----------
    onnx : module
        As `import_onnx` returns it.
    name : str
        Name of the tensor.
    value : array
        Numbers or strings.

    Returns
    -------
    tensor : onnx.TensorProto
    """
    if value.dtype.kind == "U":
        content = [label.encode() for label in value.ravel().tolist()]
        return onnx.helper.make_tensor(name, onnx.TensorProto.STRING, value.shape, content)
    return onnx.numpy_helper.from_array(np.array(value, order="C"), name)


def unique(name: str, taken: set[str]) -> str:
    """A name that is not taken yet, and is from now on.

    Parameters
    ----------
    name : str
        What it should be.
    taken : set of str
        Names in use; the new one is added.

    Returns
    -------
    name : str
        With the first free number behind it, if it was taken.
    """
    candidate, number = name, 1
    while candidate in taken:
        candidate, number = f"{name}{number}", number + 1
    taken.add(candidate)
    return candidate
