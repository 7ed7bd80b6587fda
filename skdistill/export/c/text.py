"""C as text: names, numbers, tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from textwrap import dedent, indent
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.packing.layout import Layout

KEYWORDS = frozenset(
    """alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t
    char32_t class co_await co_return co_yield compl concept const const_cast consteval constexpr
    constinit continue decltype default delete do double dynamic_cast else enum explicit export
    extern false float for friend goto if inline int long main mutable namespace new noexcept not
    not_eq nullptr operator or or_eq private protected public register reinterpret_cast requires
    restrict return short signed sizeof static static_assert static_cast struct switch template
    this thread_local throw true try typedef typeid typename typeof typeof_unqual union unsigned
    using virtual void volatile wchar_t while xor xor_eq""".split()  # noqa: SIM905
)
"""Keywords of C23 and C++20, and main."""


@dataclass(frozen=True)
class CSource:
    """What every part of the file is written from.

    Attributes
    ----------
    name : str
        Prefix of all that is defined.
    layout : Layout
        Constant tables and what they stand for.
    x_type : str
        C type of an input.
    ram : bool
        Whether the leaf values are a variable that the program may change.
    """

    name: str
    layout: Layout
    x_type: str
    ram: bool = False

    @property
    def macro(self) -> str:
        """Prefix of all macros: names that differ in case alone have different ones.

        Upper case for a name in lower case, lower case for one in upper case, else the name.
        """
        if self.name.isupper():
            return self.name.lower()
        return self.name.upper() if self.name.islower() else self.name

    @property
    def index(self) -> str:
        """C type that counts nodes, leaves, values and bits."""
        most = max((8 * t.nbytes for t in self.layout.tables.values()), default=0)
        values = max((table.n_values for table in self.layout.model.tables), default=0)
        return "uint32_t" if max(most, values) >= 2**16 else "unsigned"

    @property
    def n_inputs(self) -> int:
        """Entries of a row that the functions read."""
        model = self.layout.model
        if self.layout.input_dtype != "codes":
            return model.n_features
        return sum(table.n_codes for table in model.tables)

    def get(self, table: str, at: str) -> str:
        """Expression that reads an entry of a table.

        Parameters
        ----------
        table : str
            Name of the table.
        at : str
            Expression of the index.

        Returns
        -------
        expression : str
        """
        kind = self.layout.tables[table].dtype
        if self.ram and table == "values":
            return f"{self.name}_values[{at}]"
        read = f"{self.macro}_GET{8 * kind.itemsize}({self.name}_{table} + {at})"
        return f"({kind.name}_t){read}" if kind.kind == "i" else read


def check_name(name: str) -> str:
    """Return a prefix if C can use it.

    Parameters
    ----------
    name : str
        Prefix of all that a file defines.

    Returns
    -------
    name : str
        The same.

    Raises
    ------
    ValueError
        If it is no identifier, a keyword, or reserved.
    """
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,40}", name):
        raise ValueError(
            f"name must be a C identifier of at most 41 letters, digits and underscores that "
            f"starts with a letter, got {name!r}"
        )
    if name.lower() in KEYWORDS:
        raise ValueError(f"name={name!r} is a keyword of C or C++: choose another prefix")
    return name


def block(text: str, **parts: Any) -> str:
    """C text with ``@part@`` replaced.

    Parameters
    ----------
    text : str
        Is dedented first.
    **parts
        Text or numbers by name. A part that has a line for itself may have several lines, which
        get its indent, or none.

    Returns
    -------
    text : str
    """
    text = dedent(text).strip("\n") + "\n"
    lines = []
    for line in text.split("\n"):
        alone = re.fullmatch(r"(\s*)@(\w+)@", line)
        if alone:
            part = str(parts[alone[2]]).rstrip("\n")
            lines += [indent(part, alone[1])] if part else []
            continue
        lines.append(re.sub(r"@(\w+)@", lambda m: str(parts[m[1]]), line))
    return "\n".join(lines)


def table(source: CSource, name: str, numbers: NDArray[Any], padding: int = 0) -> str:
    """Definition of a constant table.

    Parameters
    ----------
    source : CSource
        Whose prefix and macros are used.
    name : str
        Name of the table.
    numbers : array
        Its entries.
    padding : int, default=0
        Zeros behind them, for reads of packed bits that look at bytes beyond the last one.

    Returns
    -------
    text : str
    """
    kind = numbers.dtype.name
    flat = [*numbers.ravel().tolist(), *[0] * padding]
    if kind == "float32":
        return (
            f"const float {source.name}_{name}[{len(flat)}] = {{\n{_lines(map(number, flat))}}};\n"
        )
    if source.ram and name == "values":
        entries = [str(n) for n in flat]
        return f"{kind}_t {source.name}_values[{len(flat)}] = {{\n{_lines(entries)}}};\n"
    suffix = {"uint32": "u", "int32": ""}.get(kind, "")
    entries = [integer(n, suffix) for n in flat]
    return (
        f"static {source.macro}_ROM {kind}_t {source.name}_{name}[{len(flat)}] "
        f"{source.macro}_STORE = {{\n{_lines(entries)}}};\n"
    )


def integer(n: int, suffix: str = "") -> str:
    """An integer as C writes it.

    Parameters
    ----------
    n : int
        Within the ranges of int32 or uint32.
    suffix : str, default=""
        "u" for an unsigned one.

    Returns
    -------
    text : str
        -2^31 as a difference: C has no negative literals, and 2147483648 is no int.
    """
    return "(-2147483647 - 1)" if n == -(2**31) else f"{n}{suffix}"


def number(x: float) -> str:
    """A float32 as C writes it: the shortest decimal that is read back as it was.

    Parameters
    ----------
    x : float
        A float32 number.

    Returns
    -------
    text : str
        No hexadecimal, which C++ knows from 17 on only.
    """
    return f"{np.float32(x)!s}f"


def _lines(items: Any, width: int = 96) -> str:
    lines, line = [], "   "
    for item in items:
        if len(line) + len(item) + 2 > width:
            lines.append(line)
            line = "   "
        line += f" {item},"
    return "\n".join([*lines, line.rstrip(",")]) + "\n"
