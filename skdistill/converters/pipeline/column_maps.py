"""What fitted preprocessing does to each column, as far as it can be folded.

Raw columns are those that the first step reads.
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

from skdistill.converters.wrappers import is_passthrough

_REMEDY = (
    "apply it to the rows before the model and fold the steps behind it, or convert the last step "
    "alone"
)


@dataclass(frozen=True)
class ColumnMaps:
    """Columns behind some steps: each is a function of one raw column, and never falls.

    Attributes
    ----------
    n_features : int
        Number of raw columns.
    raw_column : int array of shape (n_features_out,)
        The raw column that each column behind the steps is a function of.
    center, factor : float64 arrays of shape (n_features_out,)
        But for rounding, clipping and the replacement of NaN, a value is
        ``(x - center) * factor``.
    scaled_by, clipped_by : str arrays of shape (n_features_out,), of objects
        The last step that computes with the numbers, and the last one that clips them; ""
        where none does.
    refusal : str array of shape (n_features_out,), of objects
        Why the column cannot be folded; "" where it can.
    transform : callable
        What the steps do to a float array of shape (n_samples, n_features).
    """

    n_features: int
    raw_column: NDArray[np.intp]
    center: NDArray[np.float64]
    factor: NDArray[np.float64]
    scaled_by: NDArray[Any]
    clipped_by: NDArray[Any]
    refusal: NDArray[Any]
    transform: Callable[[NDArray[Any]], NDArray[Any]]

    def then(self, later: ColumnMaps) -> ColumnMaps:
        """Maps of these steps and later ones.

        Parameters
        ----------
        later : ColumnMaps
            Whose raw columns are the columns behind these steps.

        Returns
        -------
        maps : ColumnMaps
        """
        at = later.raw_column
        factor = self.factor[at]
        with np.errstate(divide="ignore", invalid="ignore"):  # has a refusal
            center = self.center[at] + later.center / factor
        return ColumnMaps(
            self.n_features,
            self.raw_column[at],
            center,
            factor * later.factor,
            _first_text(later.scaled_by, self.scaled_by[at]),
            _first_text(later.clipped_by, self.clipped_by[at]),
            _first_text(self.refusal[at], later.refusal),
            lambda X: later.transform(self.transform(X)),
        )

    def nan_values(self, dtype: str) -> NDArray[Any]:
        """What the steps make of NaN.

        Parameters
        ----------
        dtype : {"float32", "float64"}
            Of the rows.

        Returns
        -------
        values : float array of shape (n_features_out,)
            NaN where no step replaces it.
        """
        values: NDArray[Any] = self.transform(np.full((1, self.n_features), np.nan, dtype))[0]
        return values

    def require_foldable(self, columns: NDArray[np.integer], names: Sequence[Any]) -> None:
        """Refuse columns that are no rising function of a raw one.

        Parameters
        ----------
        columns : int array
            Columns behind the steps that the model reads.
        names : sequence of length `n_features`
            Of the raw columns.

        Raises
        ------
        ValueError
            That names the column and the step.
        """
        for column in columns:
            if self.refusal[column]:
                name = names[self.raw_column[column]]
                raise ValueError(f"column {name!r} cannot be folded: {self.refusal[column]}")


def _first_text(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Texts of `a`, and where they are empty those of `b`."""
    return np.where(a == "", b, a).astype(object)


def read_steps(steps: Sequence[tuple[str, Any]], n_features: int, path: str = "") -> ColumnMaps:
    """Read what fitted steps do to each column, one after the other.

    Parameters
    ----------
    steps : sequence of (name, transformer)
        Fitted, in the order of the Pipeline.
    n_features : int
        Number of raw columns.
    path : str, default=""
        Prefix of the names in messages.

    Returns
    -------
    maps : ColumnMaps

    Raises
    ------
    ValueError
        That names a step which cannot be folded, and why.
    """
    maps = _untouched(np.arange(n_features), n_features)
    for name, step in steps:
        maps = maps.then(_read_step(step, path + name, len(maps.raw_column)))
    return maps


def _read_step(step: Any, path: str, n_features: int) -> ColumnMaps:
    while type(step) is FrozenEstimator:
        step = step.estimator
    if is_passthrough(step):
        return _untouched(np.arange(n_features), n_features)
    kind = type(step)  # what a subclass does is not known
    if kind is Pipeline:
        return read_steps(step.steps, n_features, f"{path}__")
    if kind is FunctionTransformer and step.func is None:
        return _untouched(np.arange(n_features), n_features)
    if kind not in (*_SCALERS, SimpleImputer, ColumnTransformer):
        name = kind.__name__
        what = f"{name} with a func" if kind is FunctionTransformer else name
        raise ValueError(
            f"step {path!r}: {what} cannot be folded, only StandardScaler, MinMaxScaler, "
            "MaxAbsScaler, RobustScaler, SimpleImputer, ColumnTransformer, Pipeline, "
            f"FunctionTransformer(func=None) and 'passthrough'; {_REMEDY}"
        )
    check_is_fitted(step)
    if step.n_features_in_ != n_features:
        raise ValueError(
            f"step {path!r} was fitted on {step.n_features_in_} columns, not {n_features}"
        )
    if kind is ColumnTransformer:
        return _read_column_transformer(step, path)
    if kind is SimpleImputer:
        return _read_imputer(step, path)
    return _read_scaler(step, path)


def _untouched(columns: NDArray[np.intp], n_features: int) -> ColumnMaps:
    """Some of the raw columns as they are."""
    zeros, empty = np.zeros(len(columns)), np.full(len(columns), "", object)
    return ColumnMaps(
        n_features, columns, zeros, zeros + 1, empty, empty, empty, lambda X: X[:, columns]
    )


def _read_column_transformer(step: ColumnTransformer, path: str) -> ColumnMaps:
    if step.transformer_weights is not None:
        raise ValueError(f"step {path!r}: transformer_weights cannot be folded; fit without them")
    parts, selections = [_untouched(np.arange(0), 0)], [np.arange(0)]
    for name, transformer, key in step.transformers_:
        selected = _selected(key, step)
        if len(selected) == 0 or (isinstance(transformer, str) and transformer == "drop"):
            continue
        selections.append(selected)
        parts.append(_read_step(transformer, f"{path}__{name}", len(selected)))

    def transform(X: NDArray[Any]) -> NDArray[Any]:
        blocks = [
            part.transform(X[:, at]) for part, at in zip(parts[1:], selections[1:], strict=True)
        ]
        return np.hstack([np.empty((len(X), 0), X.dtype), *blocks])

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])

    return ColumnMaps(
        step.n_features_in_,
        np.concatenate([at[part.raw_column] for part, at in zip(parts, selections, strict=True)]),
        joined("center"),
        joined("factor"),
        joined("scaled_by"),
        joined("clipped_by"),
        joined("refusal"),
        transform,
    )


def _selected(key: Any, step: ColumnTransformer) -> NDArray[np.intp]:
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
    selected: NDArray[np.intp] = every[keys]
    return selected


def _read_imputer(step: SimpleImputer, path: str) -> ColumnMaps:
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
    transform = _transform_of(step)
    n_features = step.n_features_in_
    columns = np.flatnonzero(~np.isnan(step.statistics_.astype(np.float64)))
    # Releases of scikit-learn differ in which columns without any value they drop.
    if transform(np.zeros((1, n_features))).shape[1] == n_features:
        columns = np.arange(n_features)
    return replace(_untouched(columns, n_features), transform=transform)


def _read_scaler(step: Any, path: str) -> ColumnMaps:
    n_features, name = step.n_features_in_, type(step).__name__
    center, factor = (
        np.broadcast_to(np.asarray(number, np.float64), n_features)
        for number in _SCALERS[type(step)](step)
    )
    rises = np.isfinite(center) & np.isfinite(factor) & (factor > 0)
    refusal = np.where(
        rises, "", f"step {path!r}: {name} has no positive, finite scale for it; fit it anew"
    ).astype(object)
    scaled_by = np.full(n_features, path, object)
    clips = getattr(step, "clip", False)
    clipped_by = scaled_by if clips else np.full(n_features, "", object)
    return ColumnMaps(
        n_features,
        np.arange(n_features),
        center,
        factor,
        scaled_by,
        clipped_by,
        refusal,
        _transform_of(step),
    )


def _standard(step: StandardScaler) -> tuple[Any, Any]:
    center = step.mean_ if step.with_mean else 0.0
    return center, _inverse(step.scale_ if step.with_std else 1.0)


def _min_max(step: MinMaxScaler) -> tuple[Any, Any]:
    return -step.min_ * _inverse(step.scale_), step.scale_


def _max_abs(step: MaxAbsScaler) -> tuple[Any, Any]:
    return 0.0, _inverse(step.scale_)


def _robust(step: RobustScaler) -> tuple[Any, Any]:
    center = step.center_ if step.with_centering else 0.0
    return center, _inverse(step.scale_ if step.with_scaling else 1.0)


def _inverse(scale: Any) -> Any:
    with np.errstate(divide="ignore"):  # a scale of 0 has a refusal
        return 1 / np.asarray(scale, np.float64)


# Center and factor of each kind of scaler.
_SCALERS: dict[type, Callable[[Any], tuple[Any, Any]]] = {
    StandardScaler: _standard,
    MinMaxScaler: _min_max,
    MaxAbsScaler: _max_abs,
    RobustScaler: _robust,
}


def _transform_of(step: Any) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """The step's own transform, from array to array.

    It refuses infinities, which an earlier step may make of large numbers: in their place it
    gets the largest number.
    """

    def transform(X: NDArray[Any]) -> NDArray[Any]:
        largest = np.finfo(X.dtype).max
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # it was fitted on names; it drops empty columns
            return np.asarray(step.transform(np.clip(X, -largest, largest)))

    return transform
