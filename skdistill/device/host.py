"""A C function as a Python one: compiled for this machine, called for whole arrays of rows."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.device.toolchain import has_zig, run_compiler, run_zig, system_compiler

FLAGS = ("-std=c99", "-O2")
# Any CPU of the family: no fused multiply-add where the sources do not ask for one.
ZIG_FLAGS = ("-mcpu=baseline", "-fno-sanitize=all")
LOOP = """
#include <stddef.h>
#include <stdint.h>
{prototype}
void skdistill_rows(const {element} *x, {result} *out, size_t n) {{
  for (size_t i = 0; i < n; i++, x += {width}, out += {step}) {call};
}}
"""


@dataclass(frozen=True)
class Function:
    """How a function of the emitted C is called.

    Parameters
    ----------
    name : str
        Name of the function.
    width : int
        Elements of a row.
    element : str
        NumPy's name of their type.
    result : str, default="int32"
        NumPy's name of the type of a result.
    entries : int, default=0
        Results that it writes to its second argument; 0 if it returns one int instead.

    Examples
    --------
    >>> from skdistill.device.host import Function
    >>> Function("model_label", 30, "float32").prototype
    'int model_label(const float *x);'
    """

    name: str
    width: int
    element: str
    result: str = "int32"
    entries: int = 0

    @property
    def output_bytes(self) -> int:
        """Bytes of the second argument, 0 if there is none."""
        return self.entries * np.dtype(self.result).itemsize

    @property
    def prototype(self) -> str:
        """Its declaration in C."""
        row = f"const {c_type(self.element)} *x"
        if self.entries:
            return f"void {self.name}({row}, {c_type(self.result)} *out);"
        return f"int {self.name}({row});"

    def read(self, outputs: NDArray[np.uint8]) -> NDArray[Any]:
        """Make bytes of shape (n_rows, n_bytes) an array of results."""
        values = np.ascontiguousarray(outputs).view(self.result)
        return values if self.entries else values[:, 0]


def c_type(dtype: str) -> str:
    """C's name of a NumPy type.

    Parameters
    ----------
    dtype : str
        NumPy's name: "float32" or an integer type.

    Returns
    -------
    c_type : str
        ``"float"``, or a type of ``<stdint.h>``.
    """
    return "float" if dtype == "float32" else f"{dtype}_t"


def load(
    sources: Mapping[str, str],
    function: Function,
    *,
    compiler: Sequence[str] = (),
    flags: Sequence[str] = (),
) -> Any:
    """Compile `sources` for this machine and load `function`.

    Parameters
    ----------
    sources : mapping of str to str
        File names and texts; names that do not end in ``.c`` are headers.
    function : Function
        Which function, and how it is called.
    compiler : sequence of str, default=()
        A command that understands gcc's options, such as ``["gcc"]``; by default that of
        ziglang, or without it the system's.
    flags : sequence of str, default=()
        Further options, after ours.

    Returns
    -------
    call : callable
        Takes an array of shape (n_rows, width) of the function's element type, returns results
        of shape (n_rows,) or (n_rows, n_entries).

    Raises
    ------
    BuildError
        If the compiler refuses.
    ImportError
        If there is neither ziglang nor a system's compiler, and `compiler` is not given.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.device.host import Function, load
    >>> source = "int first(const short *x) { return x[0]; }"
    >>> first = load({"first.c": source}, Function("first", 2, "int16"))
    >>> first(np.array([[3, 1], [-4, 1]], np.int16)).tolist()
    [3, -4]
    """
    call = f"{function.name}(x, out)" if function.entries else f"*out = {function.name}(x)"
    loop = LOOP.format(
        prototype=function.prototype,
        element=c_type(function.element),
        result=c_type(function.result),
        width=function.width,
        step=function.entries or 1,
        call=call,
    )
    # A loaded library cannot be deleted on Windows.
    with tempfile.TemporaryDirectory(prefix="skdistill-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        for name, text in {**sources, "skdistill_rows.c": loop}.items():
            (folder / name).write_text(text, encoding="utf-8")
        units = [name for name in sources if name.endswith(".c")]
        options = [*FLAGS, *flags, "-fPIC", "-shared", *units, "skdistill_rows.c", "-o", "rows.lib"]
        if not compiler and has_zig():
            run_zig(["cc", *ZIG_FLAGS, *options], folder)
        else:
            run_compiler([*(compiler or system_compiler()), *options], folder)
        rows = ctypes.CDLL(str(folder / "rows.lib")).skdistill_rows
    rows.restype = None
    rows.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]

    def call_rows(X: NDArray[Any]) -> NDArray[Any]:
        """Results for each row of `X`."""
        if X.shape[1:] != (function.width,) or X.dtype != np.dtype(function.element):
            raise ValueError(
                f"{function.name}() takes {function.element} of shape (n, {function.width}), "
                f"got {X.dtype} of shape {X.shape}"
            )
        X = np.ascontiguousarray(X)
        shape = (len(X), function.entries) if function.entries else (len(X),)
        out = np.zeros(shape, function.result)
        rows(X.ctypes.data, out.ctypes.data, len(X))
        return out

    return call_rows
