"""From what was read of a fitted estimator to the tables of a compact model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import TreeTable
from skdistill.compact.model_tables import VALUE_LINKS
from skdistill.converters.float_trees import TreeEnsemble
from skdistill.converters.kinds import FittedModel
from skdistill.converters.linear import linear_tables, on_all_columns
from skdistill.converters.regrid import TreesOnEdges, coarser, on_edges
from skdistill.converters.rounding import check_rounding
from skdistill.model import CompactModel
from skdistill.quantization.assemble import assemble
from skdistill.quantization.binning import fit_grid
from skdistill.quantization.leaf_values import leaf_values, leaf_votes, margin_values
from skdistill.quantization.resolution import rounding_error, warn_of_lost_resolution


def quantize(
    fitted: FittedModel,
    X: NDArray[Any] | None,
    exact: NDArray[Any] | None,
    *,
    dtype: str,
    threshold_bits: int | None,
    value_bits: int | str,
) -> CompactModel:
    """Compact model of a fitted estimator.

    Parameters
    ----------
    fitted : FittedModel
        What was read of the estimator, for its input or for raw columns.
    X : float32 or int32 array of shape (n_samples, n_features), or None
        Rows that show the range of the inputs.
    exact : array of shape (n_samples, n_features), or None
        The same rows as they arrive, numbers of any type.
    dtype : {"float32", "float64", "int32"}
        Type in which rows arrive. Thresholds of float64 rows become float32 numbers.
    threshold_bits : int in [2, 16] or None
        As in `convert`.
    value_bits : int in [2, 16] or "ternary"
        As in `convert`.

    Returns
    -------
    model : CompactModel

    Raises
    ------
    ValueError
        Where `X` is needed and None, and for thresholds that no grid holds.
    """
    n_features, names, classes, scores = fitted
    if scores is None:
        return CompactModel(
            n_features, np.zeros(1, np.int32), 1.0, "normalize", classes, feature_names=names
        )
    if isinstance(scores, TreeEnsemble):
        fine = on_edges(
            scores.trees,
            n_features,
            dtype,
            casts_to_float32=scores.casts_to_float32,
            is_strict=scores.is_strict,
            behind_steps=scores.behind_steps,
            X=exact,
        )
        check_rounding(fine, scores, names, dtype, exact)
        bias, scale, trees = _tree_table(scores, fine, X, threshold_bits, value_bits)
        if scores.link in VALUE_LINKS:
            error = rounding_error(bias, scale, [trees])
            warn_of_lost_resolution(error, _deviation(scores), bias * scale, stacklevel=4)
        return CompactModel(n_features, bias, scale, scores.link, classes, [trees], names)
    bias, scale, tables = linear_tables(scores, X, threshold_bits, value_bits)
    model = CompactModel(n_features, bias, scale, scores.link, classes, tables, names)
    # A list of the columns that are read may take more bytes than weights of 0 for the others.
    wide = [model.with_table(on_all_columns(table, n_features)) for table in tables]
    return min([model, *wide], key=lambda candidate: candidate.nbytes)


def _deviation(ensemble: TreeEnsemble) -> NDArray[np.float64]:
    """About the standard deviation of what the trees add up to, from their leaves alone."""
    total = np.zeros(ensemble.trees[0].values.shape[1])
    for i, tree in enumerate(ensemble.trees):
        leaf = tree.feature < 0
        values, weight = tree.values[leaf], np.ones(int(leaf.sum()))
        if ensemble.node_weights is not None:
            weight = ensemble.node_weights[i][tree.node_id[leaf]]
        mean = np.average(values, axis=0, weights=weight)
        total += np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weight))
    return total if ensemble.node_weights is None else total / len(ensemble.trees)


def _tree_table(
    ensemble: TreeEnsemble,
    fine: TreesOnEdges,
    X: NDArray[Any] | None,
    threshold_bits: int | None,
    value_bits: int | str,
) -> tuple[NDArray[np.int32], Any, TreeTable]:
    """Bias, scale and trees."""
    if threshold_bits is None:
        grid, trees = fine.grid(), fine.trees
    elif X is None:
        raise ValueError("threshold_bits needs X: rows that show where the values lie")
    else:
        grid, trees = coarser(fine, fit_grid(X, threshold_bits, binning="uniform"), X)
    is_leaf = [tree.feature < 0 for tree in trees]
    values, bias, scale, score_step = _integer_values(ensemble, is_leaf, value_bits)
    whole = []
    for tree, leaf, part in zip(trees, is_leaf, values, strict=True):
        wide = np.zeros((len(leaf), part.shape[1]), np.int32)
        wide[leaf] = part
        whole.append(tree._replace(values=wide))
    return bias, scale, assemble(grid, whole, value_bits, score_step)


def _integer_values(
    ensemble: TreeEnsemble, is_leaf: list[NDArray[np.bool_]], value_bits: int | str
) -> tuple[list[NDArray[np.int32]], NDArray[np.int32], Any, int]:
    """Integer values of the leaves of each tree, bias, scale and scores of a value of 1."""
    trees = ensemble.trees
    parts = [tree.values[leaf] for tree, leaf in zip(trees, is_leaf, strict=True)]
    if ensemble.node_weights is None:
        one_scale = ensemble.link not in VALUE_LINKS
        margins, bias, scale, score_step = margin_values(
            parts, ensemble.baseline, value_bits, one_scale=one_scale
        )
        return margins, bias, float(scale[0]) if one_scale else scale, score_step
    V = np.vstack(parts)
    ends = np.cumsum([len(part) for part in parts])[:-1]
    if ensemble.link == "normalize":
        votes, bias, vote_scale = leaf_votes(V, value_bits, len(trees))
        return np.split(votes, ends), bias, vote_scale, 1
    weights = [
        weight[tree.node_id[leaf]]
        for weight, tree, leaf in zip(ensemble.node_weights, trees, is_leaf, strict=True)
    ]
    values, bias, scale, score_step = leaf_values(
        V / len(trees), np.concatenate(weights), value_bits, len(trees)
    )
    return np.split(values, ends), bias, scale, score_step
