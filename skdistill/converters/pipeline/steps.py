"""Fitted steps of a Pipeline, and what each of them does to the columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.validation import check_is_fitted

from skdistill.converters.pipeline.column_maps import REMEDY, ColumnMaps, side_by_side, untouched
from skdistill.converters.pipeline.functions import own_transform, read_function
from skdistill.converters.wrappers import is_passthrough


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
    maps = untouched(np.arange(n_features), n_features)
    for name, step in steps:
        maps = maps.then(_read_step(step, path + name, len(maps.raw_column)))
    return maps


def _read_step(step: Any, path: str, n_features: int) -> ColumnMaps:
    while type(step) is FrozenEstimator:
        step = step.estimator
    if is_passthrough(step):
        return untouched(np.arange(n_features), n_features)
    kind = type(step)  # what a subclass does is not known
    if kind is Pipeline:
        return read_steps(step.steps, n_features, f"{path}__")
    if kind is FunctionTransformer and step.func is None:
        return untouched(np.arange(n_features), n_features)
    selects = isinstance(step, SelectorMixin) and kind.transform is SelectorMixin.transform
    if not selects and kind not in _KINDS:
        known = ", ".join(known.__name__ for known in _KINDS)
        raise ValueError(
            f"step {path!r}: {kind.__name__} cannot be folded, only {known}, feature selectors "
            f"and 'passthrough'; {REMEDY}"
        )
    if kind is FeatureUnion:  # which asks its parts
        return _read_feature_union(step, path, n_features)
    check_is_fitted(step)
    if getattr(step, "n_features_in_", n_features) != n_features:
        raise ValueError(
            f"step {path!r} was fitted on {step.n_features_in_} columns, not {n_features}"
        )
    if selects:
        return untouched(np.flatnonzero(step.get_support()), n_features)
    if kind is ColumnTransformer:
        return _read_column_transformer(step, path)
    if kind is SimpleImputer:
        return _read_imputer(step, path)
    return _read_scaler(step, path) if kind in _SCALERS else read_function(step, path, n_features)


def _read_column_transformer(step: ColumnTransformer, path: str) -> ColumnMaps:
    if step.transformer_weights is not None:
        raise ValueError(f"step {path!r}: transformer_weights cannot be folded; fit without them")
    parts = []
    for name, transformer, key in step.transformers_:
        selected = _selected(key, step)
        if len(selected) == 0 or _is_dropped(transformer):
            continue
        parts.append((selected, _read_step(transformer, f"{path}__{name}", len(selected))))
    return side_by_side(parts, step.n_features_in_)


def _read_feature_union(step: FeatureUnion, path: str, n_features: int) -> ColumnMaps:
    if step.transformer_weights is not None:
        raise ValueError(f"step {path!r}: transformer_weights cannot be folded; fit without them")
    every = np.arange(n_features)
    parts = [
        (every, _read_step(transformer, f"{path}__{name}", n_features))
        for name, transformer in step.transformer_list
        if not _is_dropped(transformer)
    ]
    return side_by_side(parts, n_features)


def _is_dropped(transformer: Any) -> bool:
    return isinstance(transformer, str) and transformer == "drop"


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
        raise ValueError(f"step {path!r}: SimpleImputer of strings cannot be folded; {REMEDY}")
    transform = own_transform(step, path)
    n_features = step.n_features_in_
    columns = np.flatnonzero(~np.isnan(step.statistics_.astype(np.float64)))
    # Releases of scikit-learn differ in which columns without any value they drop.
    if transform(np.zeros((1, n_features))).shape[1] == n_features:
        columns = np.arange(n_features)
    return replace(untouched(columns, n_features), transform=transform)


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
    nowhere = np.full(n_features, "", object)
    return ColumnMaps(
        n_features,
        np.arange(n_features),
        center,
        factor,
        scaled_by,
        scaled_by if clips else nowhere,
        nowhere,
        refusal,
        own_transform(step, path),
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


# Kinds of steps; what a subclass does is not known.
_KINDS = (
    *_SCALERS,
    SimpleImputer,
    FunctionTransformer,
    PowerTransformer,
    QuantileTransformer,
    KBinsDiscretizer,
    Binarizer,
    ColumnTransformer,
    FeatureUnion,
    Pipeline,
)
