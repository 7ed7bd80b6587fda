"""One table with categories and missing values, in all kinds of containers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa


def mixed_frame(n=90):
    """Strings, numbered categories, flags as strings, and numbers."""
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=n)
    return pd.DataFrame({
        "colour": pd.array(rng.choice(["red", "green", "blue"], n)).astype(object),
        "size": pd.Categorical(rng.choice(["S", "M", "L"], n), categories=["S", "M", "L"]),
        "flag": rng.choice(["no", "yes"], n).astype(object),
        "x": numbers,
        "y": np.rint(9 * numbers).astype("i4"),
        "z": (numbers + rng.normal(size=n)).astype("f4"),
    }).mask(pd.DataFrame({name: rng.random(n) < (0.1 if name in ("colour", "x") else 0)
                          for name in ("colour", "size", "flag", "x", "y", "z")}))  # fmt: skip


CONTAINERS = {
    "pandas": lambda frame: frame,
    "polars": lambda frame: pl.from_pandas(frame),
    "pyarrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
}
