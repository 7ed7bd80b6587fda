"""What one calls: the file, and rows in the form in which it takes them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing import Any

from skdistill.compact.execute import as_input, quantize_input
from skdistill.compact.model import CompactModel
from skdistill.export.c.source import make_source, write, x_type
from skdistill.export.c.text import INPUTS


def to_c(model, path=None, *, input=None, output="label", layout="table", name="model"):
    source = make_source(model, name, input, output, layout)
    return write(source, output)


def device_input(model: CompactModel, X: ArrayLike, input: str) -> NDArray[Any]:
    """Rows as the C functions take them."""
    X = as_input(X, model.n_features)
    if input == "float32":
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(X, np.float32)
    if input != "codes":
        limits = np.iinfo(input)
        with np.errstate(invalid="ignore"):
            fits = np.isfinite(X) & (X == np.floor(X)) & (limits.min <= X) & (limits.max >= X)
        if not fits.all():
            row, column = np.argwhere(~fits)[0]
            raise ValueError(
                f"X[{row}, {column}] = {X[row, column]} is no {input}: input={input!r} takes "
                f"whole numbers from {limits.min} to {limits.max}"
            )
        return np.ascontiguousarray(X, input)
    kind = x_type(model, "codes").removesuffix("_t")
    if model.grid is None:
        return np.ascontiguousarray(quantize_input(X, model.linear), kind)
    codes = model.grid.encode(X).astype(kind)
    missing = codes > model.grid.counts[:, None]
    return np.ascontiguousarray(np.where(missing, np.iinfo(kind).max, codes).T.astype(kind))
