"""Tables as dictionaries of lists, and how they become tables of each kind."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from hypothesis import strategies as st

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3
) | st.sampled_from(["", "a", "b", "ü", "1", "nan", "None"])
CELLS = {
    "text": TEXTS,
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "int": st.integers(-(2**24), 2**24),
    "bool": st.booleans(),
}


@st.composite
def listed_tables(draw):
    """A dictionary of lists of str, float, int or bool, and None; names say which."""
    n = draw(st.integers(1, 12))
    kinds = draw(st.lists(st.sampled_from(list(CELLS)), min_size=1, max_size=4))
    return {
        f"{kind} {j}": draw(st.lists(CELLS[kind] | st.none(), min_size=n, max_size=n))
        for j, kind in enumerate(kinds)
    }


def columns_of(table, kind):
    return [j for j, name in enumerate(table) if name.startswith(kind)]


def _pandas(table, text, nullable):
    dtypes = {"int": "Int64", "bool": "boolean", "float": "Float64" if nullable else float}
    return pd.DataFrame(
        {
            name: pd.Series(
                column, dtype=object if None in column and not nullable else dtypes.get(kind, text)
            )
            if (kind := name.split()[0]) != "text"
            else pd.Series(column, dtype=text)
            for name, column in table.items()
        }
    )


def _polars(table, text):
    types = {"text": pl.String, "float": pl.Float64, "int": pl.Int64, "bool": pl.Boolean}
    schema = {name: types[name.split()[0]] for name in table}
    frame = pl.DataFrame(table, schema=schema)
    if text == "enum":
        return frame.with_columns(
            pl.col(name).cast(pl.Enum(sorted({"unused", *(x for x in column if x is not None)})))
            for name, column in table.items()
            if name.startswith("text")
        )
    return frame.with_columns(pl.col(pl.String).cast(text))


def _arrow(table, text):
    types = {"text": text, "float": pa.float64(), "int": pa.int32(), "bool": pa.bool_()}
    return pa.table({name: pa.array(x, types[name.split()[0]]) for name, x in table.items()})


def _objects(table):
    out = np.empty((len(next(iter(table.values()))), len(table)), object)
    for j, column in enumerate(table.values()):
        out[:, j] = column
    return out


CONTAINERS = {
    "pandas": lambda table: _pandas(table, object, nullable=False),
    "pandas strings": lambda table: _pandas(table, "string", nullable=True),
    "pandas categories": lambda table: _pandas(table, "category", nullable=True),
    "polars": lambda table: _polars(table, pl.String),
    "polars categories": lambda table: _polars(table, pl.Categorical),
    "polars enum": lambda table: _polars(table, "enum"),
    "pyarrow": lambda table: _arrow(table, pa.string()),
    "pyarrow dictionary": lambda table: _arrow(table, pa.dictionary(pa.int8(), pa.string())),
    "objects": _objects,
}
