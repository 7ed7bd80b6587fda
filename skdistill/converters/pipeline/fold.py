"""Steps of a Pipeline folded into the model behind them, which then reads the raw columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline

from skdistill.compact import CategoryTable, LinearTable, NetTable, TreeTable
from skdistill.converters.float_trees import TreeEnsemble
from skdistill.converters.kinds import FittedModel
from skdistill.converters.pipeline.column_maps import ColumnMaps
from skdistill.converters.pipeline.estimators import fold_coefficients, fold_ensemble
from skdistill.converters.pipeline.linear import fold_linear
from skdistill.converters.pipeline.steps import read_steps
from skdistill.converters.pipeline.trees import fold_trees
from skdistill.model import CompactModel


class Preprocessing(NamedTuple):
    """Fitted steps in front of a model.

    Attributes
    ----------
    maps : ColumnMaps
        What they do to each column.
    feature_names : sequence of str, or None
        Of the raw columns.
    dtype : {"float32", "float64", "int32"}
        Of the raw rows.
    """

    maps: ColumnMaps
    feature_names: Any
    dtype: str

    @property
    def computes_in(self) -> str:
        """Type that the steps compute in; scalers and imputers make float64 of integers."""
        return "float64" if self.dtype == "int32" else self.dtype

    @property
    def names(self) -> Sequence[Any]:
        """Of the raw columns, for messages: numbers where they have no names."""
        return range(self.maps.n_features) if self.feature_names is None else self.feature_names

    def require_integers(self, columns: NDArray[np.integer], remedy: str) -> None:
        """Refuse steps that compute with columns which a model reads as integers.

        Parameters
        ----------
        columns : int array
            Columns behind the steps that the model reads.
        remedy : str
            What to do instead, for the message.

        Raises
        ------
        ValueError
            That names the step and the column.
        """
        for column in columns:
            step = self.maps.scaled_by[column]
            if step:
                name = self.names[self.maps.raw_column[column]]
                raise ValueError(
                    f"step {step!r} makes other numbers of column {name!r}, but the model reads "
                    f"int32: {remedy}"
                )


def read_preprocessing(
    steps: list[tuple[str, Any]], n_features: int, feature_names: Any, dtype: str
) -> Preprocessing:
    """Read the fitted steps in front of a model.

    Parameters
    ----------
    steps : list of (name, transformer)
        Fitted, in the order of the Pipeline.
    n_features : int
        Columns that the model reads.
    feature_names : sequence of str, or None
        Of those columns, for raw columns whose names no step knows.
    dtype : {"float32", "float64", "int32"}
        Of the raw rows.

    Returns
    -------
    preprocessing : Preprocessing

    Raises
    ------
    ValueError
        For a step that cannot be folded, or that yields other columns than the model reads.
    """
    n_raw, names = _raw_columns(steps) or (n_features, feature_names)
    maps = read_steps(steps, n_raw)
    if len(maps.raw_column) != n_features:
        raise ValueError(
            f"the steps yield {len(maps.raw_column)} columns, the last one reads {n_features}"
        )
    return Preprocessing(maps, names, dtype)


def _raw_columns(steps: list[tuple[str, Any]]) -> tuple[int, Any] | None:
    """Number and names of the columns that the steps were fitted on; None if none of them knows."""
    for _, step in steps:  # those that do not know pass on what they are given
        while isinstance(step, FrozenEstimator):
            step = step.estimator
        if isinstance(step, Pipeline):
            if (known := _raw_columns(step.steps)) is not None:
                return known
        elif isinstance(step, FeatureUnion):  # all parts read the same columns
            if (known := _raw_columns(step.transformer_list)) is not None:
                return known
        elif hasattr(step, "n_features_in_"):
            return step.n_features_in_, getattr(step, "feature_names_in_", None)
    return None


def fold_fitted(fitted: FittedModel, before: Preprocessing) -> FittedModel:
    """Move what was read of an estimator to the raw columns.

    Parameters
    ----------
    fitted : FittedModel
        Reads what the steps yield.
    before : Preprocessing
        The steps in front of the estimator.

    Returns
    -------
    folded : FittedModel

    Raises
    ------
    ValueError
        For columns that the estimator reads and that cannot be folded.
    """
    scores = fitted.scores
    if isinstance(scores, TreeEnsemble):
        if before.dtype == "int32":
            before.require_integers(scores.columns_read(), "use dtype='float32'")
        scores = fold_ensemble(
            scores,
            before.maps,
            before.computes_in,
            before.names,
            float64_rows=before.dtype == "float64",
        )
    elif scores is not None:
        scores = fold_coefficients(scores, before.maps, before.computes_in, before.names)
    return fitted._replace(
        n_features=before.maps.n_features, feature_names=before.feature_names, scores=scores
    )


def fold_model(model: CompactModel, before: Preprocessing) -> tuple[CompactModel, bool]:
    """Move a compact model to the raw columns.

    Trees are moved exactly: each threshold becomes the last float32 number that the fitted
    steps themselves take to it or below. A linear part rounds its inputs anew.

    Parameters
    ----------
    model : CompactModel
        Reads what the steps yield.
    before : Preprocessing
        The steps in front of the model.

    Returns
    -------
    folded : CompactModel
    exact : bool
        Whether no linear part was rounded anew.

    Raises
    ------
    ValueError
        For columns that the model reads and that cannot be folded, and for networks.
    """
    if model.tables_of(NetTable):
        raise ValueError(
            "the steps in front of a network cannot be folded: its input codes are steps of powers "
            "of two. Fit the network on the raw columns, which it scales itself"
        )
    maps, names = before.maps, before.names
    read = model.columns
    maps.require_foldable(read, names)
    if model.input_dtype == "int32":
        remedy = "fit it on the steps' floats, or on the raw integers without them"
        before.require_integers(read, remedy)
    linear = [
        fold_linear(table, maps, before.computes_in, names)
        for table in model.tables_of(LinearTable)
    ]
    trees = [
        fold_trees(table, maps, before.computes_in, linear) for table in model.tables_of(TreeTable)
    ]
    folded = replace(
        model,
        n_features=maps.n_features,
        bias=sum((part.bias for part in linear), model.bias.astype(np.int64)),
        tables=(*trees, *(part.table for part in linear)),
        feature_names=before.feature_names,
        categories=_moved_categories(model, before),
    )
    return folded, all(part.exact for part in linear)


def _moved_categories(model: CompactModel, before: Preprocessing) -> CategoryTable:
    """Categories of the raw columns, which no step may have changed."""
    table, maps = model.categories, before.maps
    moved = (maps.refusal == "") & (maps.scaled_by == "") & (maps.clipped_by == "")
    moved &= np.isnan(maps.nan_values(before.computes_in).astype(float))
    for column in table.columns[~moved[table.columns]]:
        raise ValueError(
            f"column {before.names[maps.raw_column[column]]!r} holds categories and cannot be "
            "folded: the steps do more than move it; pass it through as it is"
        )
    raw = maps.raw_column[table.columns]
    order = np.argsort(raw)
    ranks = np.concatenate([table.ranks[:0], *(table.ranks_of(int(j)) for j in order)])
    return CategoryTable(raw[order], tuple(table.labels[j] for j in order), ranks)
