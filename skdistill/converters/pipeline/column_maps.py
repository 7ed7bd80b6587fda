"""What fitted preprocessing does to each column, as far as it can be folded.

Symbols: n rows, d raw columns, c columns behind the steps.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.validation import check_is_fitted

_REMEDY = (
    "apply it to the rows before the model and fold the steps behind it, or export the model "
    "of the last step alone"
)


@dataclass(frozen=True)
class Columns:
    """Columns behind some steps: each is a function of one raw column, and never falls.

    Attributes
    ----------
    source : int array of shape (c,)
        The raw column of each.
    centre, factor : float64 arrays of shape (c,)
        Without rounding, clipping and what replaces NaN a value is ``(x - centre) * factor``.
    scaled, clipped : str arrays of shape (c,), of objects
        The last step that computes with the numbers, and that clips them; "" where none does.
    trouble : str array of shape (c,), of objects
        Why the column cannot be folded; "" where it can.
    transform : callable
        What the steps do to a float array of shape (n, d).
    """

    source: NDArray[np.intp]
    centre: NDArray[np.float64]
    factor: NDArray[np.float64]
    scaled: NDArray[Any]
    clipped: NDArray[Any]
    trouble: NDArray[Any]
    transform: Callable[[NDArray[Any]], NDArray[Any]]

    def then(self, later: Columns) -> Columns:
        """Return what both do, one after the other."""
        at = later.source
        factor = self.factor[at]
        with np.errstate(divide="ignore", invalid="ignore"):  # told as trouble
            centre = self.centre[at] + later.centre / factor
        return Columns(
            self.source[at],
            centre,
            factor * later.factor,
            _last(later.scaled, self.scaled[at]),
            _last(later.clipped, self.clipped[at]),
            _last(self.trouble[at], later.trouble),
            lambda X: later.transform(self.transform(X)),
        )

    def missing(self, width: int, dtype: str) -> NDArray[Any]:
        """What the steps make of NaN, array of shape (c,); `width` is d."""
        values: NDArray[Any] = self.transform(np.full((1, width), np.nan, dtype))[0]
        return values


def _last(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """What `a` says, or where that is nothing `b`."""
    return np.where(a == "", b, a).astype(object)


def read_steps(steps: Sequence[tuple[str, Any]], width: int, path: str = "") -> Columns:
    """What fitted steps do, one after the other.

    Parameters
    ----------
    steps : sequence of (name, transformer)
    width : int
        Columns that they are given.
    path : str, default=""
        What goes before the names in messages.

    Returns
    -------
    columns : Columns

    Raises
    ------
    ValueError
        That names a step which cannot be folded, and why.
    """
    columns = _untouched(np.arange(width))
    for name, step in steps:
        columns = columns.then(_read(step, path + name, len(columns.source)))
    return columns


def _read(step: Any, path: str, width: int) -> Columns:
    while type(step) is FrozenEstimator:
        step = step.estimator
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return _untouched(np.arange(width))
    kind = type(step)
    if kind is Pipeline:
        return read_steps(step.steps, width, f"{path}__")
    if kind is FunctionTransformer and step.func is None:
        return _untouched(np.arange(width))
    if kind not in (*_SCALERS, SimpleImputer, ColumnTransformer):
        name = kind.__name__
        what = f"{name} with a func" if kind is FunctionTransformer else name
        raise ValueError(
            f"step {path!r}: {what} cannot be folded, only StandardScaler, MinMaxScaler, "
            "MaxAbsScaler, RobustScaler, SimpleImputer, ColumnTransformer, Pipeline, "
            f"FunctionTransformer(func=None) and 'passthrough'; {_REMEDY}"
        )
    check_is_fitted(step)
    if step.n_features_in_ != width:
        raise ValueError(f"step {path!r} was fitted on {step.n_features_in_} columns, not {width}")
    if kind is ColumnTransformer:
        return _column_transformer(step, path)
    if kind is SimpleImputer:
        return _imputer(step, path)
    return _scaler(step, path)


def _untouched(source: NDArray[np.intp]) -> Columns:
    """The columns `source` as they are."""
    zero, nothing = np.zeros(len(source)), np.full(len(source), "", object)
    return Columns(source, zero, zero + 1, *[nothing] * 3, lambda X: X[:, source])


def _column_transformer(step: ColumnTransformer, path: str) -> Columns:
    if step.transformer_weights is not None:
        raise ValueError(f"step {path!r}: transformer_weights cannot be folded; fit without them")
    parts, places = [_untouched(np.arange(0))], [np.arange(0)]
    for name, transformer, key in step.transformers_:
        place = _places(key, step)
        if len(place) == 0 or (isinstance(transformer, str) and transformer == "drop"):
            continue
        places.append(place)
        parts.append(_read(transformer, f"{path}__{name}", len(place)))

    def transform(X: NDArray[Any]) -> NDArray[Any]:
        done = [part.transform(X[:, at]) for part, at in zip(parts[1:], places[1:], strict=True)]
        return np.hstack([np.empty((len(X), 0), X.dtype), *done])

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])

    source = np.concatenate([at[part.source] for part, at in zip(parts, places, strict=True)])
    names = ("centre", "factor", "scaled", "clipped", "trouble")
    return Columns(source, *[joined(name) for name in names], transform)


def _places(key: Any, step: ColumnTransformer) -> NDArray[np.intp]:
    """Numbers of the columns that a fitted ColumnTransformer's `key` selects."""
    every = np.arange(step.n_features_in_)
    names = {name: i for i, name in enumerate(getattr(step, "feature_names_in_", ()))}
    if isinstance(key, slice):
        start, stop = key.start, key.stop
        start = names[start] if isinstance(start, str) else start
        stop = names[stop] + 1 if isinstance(stop, str) else stop  # names include the last one
        return every[start : stop : key.step]
    keys = np.atleast_1d(np.asarray(key))
    if len(keys) == 0:
        return every[:0]
    if keys.dtype.kind in "UO":
        keys = np.array([names[name] if isinstance(name, str) else name for name in keys])
    return every[keys]


def _imputer(step: SimpleImputer, path: str) -> Columns:
    missing = step.missing_values
    if not (isinstance(missing, float | np.floating) and np.isnan(missing)):
        raise ValueError(
            f"step {path!r}: SimpleImputer with missing_values={missing!r} cannot be "
            "folded, a threshold cannot single out a number; make such values NaN and fit anew"
        )
    if step.add_indicator:
        raise ValueError(
            f"step {path!r}: SimpleImputer with add_indicator=True cannot be folded; fit it without"
        )
    if any(isinstance(number, str) for number in step.statistics_.tolist()):
        raise ValueError(f"step {path!r}: SimpleImputer of strings cannot be folded; {_REMEDY}")
    transform = _called(step)
    width = step.n_features_in_
    kept = np.flatnonzero(~np.isnan(step.statistics_.astype(np.float64)))
    if transform(np.zeros((1, width))).shape[1] == width:  # as releases differ in what they drop
        kept = np.arange(width)
    return replace(_untouched(kept), transform=transform)


def _scaler(step: Any, path: str) -> Columns:
    width, name = step.n_features_in_, type(step).__name__
    centre, factor = (
        np.broadcast_to(np.asarray(number, np.float64), width)
        for number in _SCALERS[type(step)](step)
    )
    rises = np.isfinite(centre) & np.isfinite(factor) & (factor > 0)
    trouble = np.where(
        rises, "", f"step {path!r}: {name} has no positive, finite scale for it; fit it anew"
    ).astype(object)
    scaled = np.full(width, path, object)
    clipped = scaled if getattr(step, "clip", False) else np.full(width, "", object)
    return Columns(np.arange(width), centre, factor, scaled, clipped, trouble, _called(step))


def _standard(step: StandardScaler) -> tuple[Any, Any]:
    centre = step.mean_ if step.with_mean else 0.0
    return centre, _inverse(step.scale_ if step.with_std else 1.0)


def _min_max(step: MinMaxScaler) -> tuple[Any, Any]:
    return -step.min_ * _inverse(step.scale_), step.scale_


def _max_abs(step: MaxAbsScaler) -> tuple[Any, Any]:
    return 0.0, _inverse(step.scale_)


def _robust(step: RobustScaler) -> tuple[Any, Any]:
    centre = step.center_ if step.with_centering else 0.0
    return centre, _inverse(step.scale_ if step.with_scaling else 1.0)


def _inverse(scale: Any) -> Any:
    with np.errstate(divide="ignore"):  # told as trouble
        return 1 / np.asarray(scale, np.float64)


_SCALERS: dict[type, Callable[[Any], tuple[Any, Any]]] = {
    StandardScaler: _standard,
    MinMaxScaler: _min_max,
    MaxAbsScaler: _max_abs,
    RobustScaler: _robust,
}


def _called(step: Any) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """The step's own transform, from array to array.

    It refuses infinities, which an earlier step may make of large numbers: they are given as
    the largest number.
    """

    def transform(X: NDArray[Any]) -> NDArray[Any]:
        largest = np.finfo(X.dtype).max
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # it was fitted on names; it drops empty columns
            return np.asarray(step.transform(np.clip(X, -largest, largest)))

    return transform
