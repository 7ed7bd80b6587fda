"""The comment at the top of the C file and of its header."""

from __future__ import annotations

import numpy as np

from skdistill.compact.model_tables import ModelTables
from skdistill.export.c import proba
from skdistill.export.c.bounds import bounds_by_core
from skdistill.export.c.text import CSource
from skdistill.export.c.value import VALUES, value_error


def banner(source: CSource, output: str, mark: str) -> str:
    """The comment at the top of a file: what the model is, what goes in, what it costs.

    Parameters
    ----------
    source : CSource
        What is printed.
    output : str
        As in `to_c`.
    mark : str
        Hash of the rest of the file.

    Returns
    -------
    text : str
    """
    model = source.layout.model
    tables = source.layout.tables
    sizes = ", ".join(f"{name} {t.nbytes}" for name, t in tables.items())
    what = "a regression" if model.classes is None else f"{model.n_classes} classes"
    parts = " and ".join(each.describe() for each in model.tables) or "a constant"
    lines = [
        f"{source.name}: {what} of {model.n_features} inputs, {parts}.",
        f"Written by skdistill; hash {mark}. This file is yours: use it under any terms.",
        "",
        f"Inputs    {source.n_inputs} of type {source.x_type}{_meaning(source)}",
    ]
    if model.classes is not None:
        entries = [f"{k}: {_comment(c)}" for k, c in enumerate(model.classes.tolist())]
        lines += _wrapped("Classes   ", entries)
    if model.feature_names is not None and source.layout.input_dtype != "codes":
        entries = [f"{j}: {_comment(n)}" for j, n in enumerate(model.feature_names)]
        lines += _wrapped("Columns   ", entries)
    lines += _categories(source)
    if model.classes is None:
        power = "exp of " if model.link == "exp" else ""
        lines.append(f"Values    {power}a score times {_scale(model)}")
    lines.append(
        f"Tables    {sum(t.nbytes for t in tables.values())} bytes"
        + (f": {sizes}" if sizes else "")
    )
    lines += [
        f"{'Bounds' if i == 0 else '':<10}{line}"
        for i, line in enumerate(_bound_lines(source, output))
    ]
    if output.startswith("proba"):
        error = proba.probability_error(model, output)
        one = ", of 32768 for 1" if output == "proba_q15" else ""
        lines.append(f"Error     a probability is off by at most {error:.2g}{one}")
    if output in VALUES:
        lines.append(f"Error     a value is off by at most {value_error(model, output):.2g}")
    return "/*\n" + "\n".join(f" * {line}".rstrip() for line in lines) + "\n */\n"


def _categories(source: CSource) -> list[str]:
    """The indexes of the categories of each column that is read."""
    categories, lines = source.layout.categories, list[str]()
    for column, labels in zip(categories.columns.tolist(), categories.labels, strict=True):
        entries = [f"{k}: {_comment(label)}" for k, label in enumerate(labels.tolist())]
        lines += _wrapped(f"x[{column}]".ljust(10), [*entries, f"{len(labels)}: missing"])
    return lines


def _bound_lines(source: CSource, output: str) -> list[str]:
    costs = bounds_by_core(source, output)
    turns, most = costs["cortex-m0"], int(source.layout.model.score_bound.max(initial=0))
    unit = {"avr": "cycles"}
    return [
        f"{turns.splits} splits and {turns.steps} steps of loops, whatever the input; at -Os:",
        *(
            f"{core:<10} {each.instructions} {unit.get(core, 'instructions')}, "
            f"{each.stack} bytes of stack"
            for core, each in costs.items()
        ),
        f"scores stay within {most} of 0: no sum leaves 32 bits",
    ]


def _meaning(source: CSource) -> str:
    if source.layout.missing_number is not None:
        return f"; {source.layout.missing_number} is a missing one"
    if source.layout.input_dtype != "codes":
        return ""
    return "".join(f": {each.describe_codes()}" for each in source.layout.model.tables)


def _scale(model: ModelTables) -> str:
    scale = np.atleast_1d(np.asarray(model.scale, np.float64))
    return f"{scale[0]:.9g}" if len(scale) == 1 else "its entry of the table of scales"


def _comment(text: object) -> str:
    plain = str(text).encode("unicode_escape").decode("ascii")
    return plain.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?")


def _wrapped(head: str, items: list[str], width: int = 92) -> list[str]:
    lines, line = [], head
    for i, item in enumerate(items):
        part = item + (", " if i + 1 < len(items) else "")
        if len(line) + len(part) > width and line.strip() and line != head:
            lines.append(line.rstrip())
            line = " " * len(head)
        line += part
    return [*lines, line]
