"""Steps that are read by what their own transform does: powers, quantiles, bins, any function."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, PowerTransformer

from skdistill.converters.pipeline.column_maps import REMEDY, ColumnMaps
from skdistill.converters.pipeline.monotone import column_functions
from skdistill.quantization.binning import last_where


def own_transform(step: Any, path: str) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """The step's own transform, from array to array.

    It refuses infinities, which an earlier step may make of large numbers: in their place it
    gets the largest number.

    Parameters
    ----------
    step : transformer
        Fitted.
    path : str
        Of the step, for messages.

    Returns
    -------
    transform : callable
        It raises a ValueError that names the step, where the step raises anything.
    """

    def transform(X: NDArray[Any]) -> NDArray[Any]:
        largest = np.finfo(X.dtype).max
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # it was fitted on names; it drops empty columns
            try:
                return np.asarray(step.transform(np.clip(X, -largest, largest)))
            except Exception as error:  # of a function that may do anything
                raise ValueError(
                    f"step {path!r}: {type(step).__name__} cannot be folded, on an array of "
                    f"numbers of all sizes it raises {type(error).__name__}: {error}; {REMEDY}"
                ) from error

    return transform


def read_function(step: Any, path: str, n_features: int) -> ColumnMaps:
    """Read a step whose own transform shows what it does to each column.

    Columns that it does not take by themselves, or for which it falls, cannot be folded. Numbers
    that it has no value for, as the logarithm has none below 0, count as below all others, or as
    above them.

    Parameters
    ----------
    step : FunctionTransformer, PowerTransformer, QuantileTransformer, KBinsDiscretizer, Binarizer
        Fitted.
    path : str
        Of the step, for messages.
    n_features : int
        Columns that it reads.

    Returns
    -------
    maps : ColumnMaps

    Raises
    ------
    ValueError
        For a step that makes other columns, or that fails on some numbers.
    """
    kind, name = type(step), type(step).__name__
    if kind is KBinsDiscretizer and step.encode != "ordinal":
        raise ValueError(
            f"step {path!r}: KBinsDiscretizer with encode={step.encode!r} cannot be folded; fit it "
            "with encode='ordinal'"
        )
    own = own_transform(step, path)
    takes_nan = kind is FunctionTransformer and not step.validate
    ends = {
        np.dtype(dtype): _power_ends(step, path, dtype) if kind is PowerTransformer else _ALL
        for dtype in (np.float32, np.float64)
    }

    def compute(X: NDArray[Any]) -> NDArray[Any]:
        absent = np.isnan(X) & (not takes_nan)
        values = own(np.clip(np.where(absent, X.dtype.type(1), X), *ends[X.dtype]))
        if values.shape != X.shape:
            raise ValueError(
                f"step {path!r}: {name} cannot be folded, it makes {values.shape[1:]} columns of "
                f"{n_features}; {REMEDY}"
            )
        values = values if values.dtype.kind == "f" else values.astype(np.float64)
        return np.where(absent, values.dtype.type(np.nan), values)

    functions = column_functions(compute, n_features)

    def transform(X: NDArray[Any]) -> NDArray[Any]:
        values = compute(X)
        side = np.where(functions.middle > X, -np.inf, np.inf).astype(values.dtype)
        return np.where(np.isnan(values) & ~np.isnan(X), side, values)

    scaled_by, nowhere = np.full(n_features, path, object), np.full(n_features, "", object)
    refusal = [f"step {path!r}: {name} {fault}" if fault else "" for fault in functions.fault]
    return ColumnMaps(
        n_features,
        np.arange(n_features),
        functions.center,
        functions.factor,
        scaled_by,
        nowhere,
        np.where(np.isnan(functions.factor), scaled_by, nowhere),
        np.array(refusal, object),
        transform,
    )


_ALL = (-np.float32(np.inf), np.float32(np.inf))


def _power_ends(step: PowerTransformer, path: str, dtype: Any) -> tuple[Any, Any]:
    """Least and largest number of each column that the step takes, float32 arrays (n_features,).

    It refuses what its powers carry beyond `dtype`, and Box-Cox what is not positive.
    """
    powers = copy(step)
    powers.standardize = False
    transform = own_transform(powers, path)
    least = np.float32(np.finfo(np.float32).tiny if step.method == "box-cox" else -np.inf)

    def values(x: NDArray[np.float32]) -> NDArray[Any]:
        row: NDArray[Any] = transform(np.maximum(x, least).astype(dtype)[None])[0]
        return row

    shape = (step.n_features_in_,)
    high = last_where(lambda x: values(x) < np.inf, shape)
    low = np.nextafter(last_where(lambda x: values(x) == -np.inf, shape), np.float32(np.inf))
    return np.maximum(low, least), high
