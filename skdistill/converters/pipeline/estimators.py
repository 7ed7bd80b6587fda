"""Trees and coefficients of fitted estimators moved from behind some steps to the raw columns.

Both are moved before anything is rounded, so that nothing is lost but what the conversion of the
estimator alone would lose.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdistill.converters.float_trees import FloatTree, TreeEnsemble, depth_first
from skdistill.converters.linear import LinearCoefficients
from skdistill.converters.pipeline.column_maps import ColumnMaps
from skdistill.converters.pipeline.thresholds import raw_thresholds, settle_splits

_SAME = 1e-6  # numbers that differ by less, in units behind the steps, count as equal


def fold_ensemble(
    ensemble: TreeEnsemble,
    maps: ColumnMaps,
    dtype: str,
    names: Sequence[Any],
    *,
    float64_rows: bool = False,
) -> TreeEnsemble:
    """Trees that send a raw row wherever `ensemble` sends what the steps make of it.

    Splits that part nothing any more are left out.

    Parameters
    ----------
    ensemble : TreeEnsemble
        Splits the columns that the steps yield.
    maps : ColumnMaps
        What the steps do to each column.
    dtype : {"float32", "float64"}
        Of the rows that the steps are given.
    names : sequence of length n_features
        Of the raw columns, for messages.
    float64_rows : bool, default=False
        Whether raw rows are float64. Thresholds are then the last numbers of float64 on their left
        side, whatever the estimator itself rounds rows to.

    Returns
    -------
    folded : TreeEnsemble

    Raises
    ------
    ValueError
        For columns that the trees read and the steps make something else of than thresholds.
    """
    maps.require_foldable(ensemble.columns_read(), names)
    inner = [tree.feature >= 0 for tree in ensemble.trees]
    splits = list(zip(ensemble.trees, inner, strict=True))
    column = np.concatenate([tree.feature[is_split] for tree, is_split in splits])
    threshold = np.concatenate([tree.threshold[is_split] for tree, is_split in splits])
    nan_left = np.concatenate([tree.nan_left[is_split] for tree, is_split in splits])
    missing = maps.nan_values(dtype)[column]
    if ensemble.casts_to_float32:
        missing = missing.astype(np.float32)
    nan_left = np.where(np.isnan(missing), nan_left, missing <= threshold)
    scaled = maps.scaled_by[column] != ""
    if ensemble.casts_to_float32 and float64_rows:
        scaled[:] = True  # the cast of the estimator itself is one of the steps
    pairs, inverse = np.unique(
        np.column_stack([column[scaled], threshold[scaled]]), axis=0, return_inverse=True
    )
    raw = raw_thresholds(
        maps,
        pairs[:, 0].astype(np.intp),
        pairs[:, 1],
        dtype,
        casts_to_float32=ensemble.casts_to_float32,
    )
    threshold[scaled] = raw[inverse.reshape(-1)]
    trees, start = [], 0
    for tree, is_split in splits:
        part = slice(start, start + int(is_split.sum()))
        start = part.stop
        feature, edge, is_left = tree.feature.copy(), tree.threshold.copy(), tree.nan_left.copy()
        feature[is_split] = maps.raw_column[column[part]]
        edge[is_split], is_left[is_split] = threshold[part], nan_left[part]
        moved = tree._replace(feature=feature, threshold=edge, nan_left=is_left)
        trees.append(_without_idle_splits(moved))
    return ensemble._replace(trees=trees, behind_steps=float64_rows)


def _without_idle_splits(tree: FloatTree) -> FloatTree:
    """Remove the splits that send all rows to one side."""
    inner = tree.feature >= 0
    threshold, nan_left, swapped, idle = settle_splits(tree.threshold, tree.nan_left & inner)
    children = np.where(swapped[:, None], tree.children[:, ::-1], tree.children)
    target = np.arange(len(inner))  # what to point at in place of each node
    for node in reversed(np.flatnonzero(idle & inner)):  # children come after their parents
        target[node] = target[children[node, 0 if threshold[node] > 0 else 1]]
    children = np.where(inner[:, None], target[children], -1)
    tree = tree._replace(threshold=threshold, nan_left=nan_left, children=children)
    return depth_first(tree, int(target[0]))


def fold_coefficients(
    linear: LinearCoefficients, maps: ColumnMaps, dtype: str, names: Sequence[Any]
) -> LinearCoefficients:
    """Coefficients for raw columns.

    Parameters
    ----------
    linear : LinearCoefficients
        For the columns that the steps yield.
    maps : ColumnMaps
        What the steps do to each column.
    dtype : {"float32", "float64"}
        Of the rows that the steps are given.
    names : sequence of length n_features
        Of the raw columns, for messages.

    Returns
    -------
    folded : LinearCoefficients

    Raises
    ------
    ValueError
        For columns that count and that the steps clip or bend, or in which one step replaces NaN by
        another number than the next.
    """
    columns = linear.columns_read()
    maps.require_foldable(columns, names)
    maps.require_scalings(columns, names, linear.name)
    raw = maps.raw_column[columns]
    clipped = np.flatnonzero(maps.clipped_by[columns] != "")
    if len(clipped):
        step, name = maps.clipped_by[columns[clipped[0]]], names[raw[clipped[0]]]
        raise ValueError(
            f"step {step!r} clips column {name!r}, which {linear.name} does not, so that it cannot "
            "be folded: fit it with clip=False"
        )
    center, factor = maps.center[columns], maps.factor[columns]
    scaled = linear.coef[columns] * factor[:, None]
    coef = np.zeros((maps.n_features, scaled.shape[1]))
    np.add.at(coef, raw, scaled)  # a raw column may stand behind several
    replacement = center + maps.nan_values(dtype)[columns] / factor  # on the raw scale
    nan_values = np.full(maps.n_features, np.nan)
    nan_values[raw] = replacement
    differ = ~(np.abs(replacement - nan_values[raw]) * factor <= _SAME)
    differ &= ~(np.isnan(replacement) & np.isnan(nan_values[raw]))
    if differ.any():
        raise ValueError(
            f"column {names[raw[np.argmax(differ)]]!r} reaches {linear.name} more than once, with "
            "several replacements of NaN: impute it once, in front of the ColumnTransformer"
        )
    return linear._replace(
        coef=coef, intercept=linear.intercept - center @ scaled, nan_values=nan_values
    )
