"""A fitted Pipeline as one compact model on its raw columns."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skdistill.compact import CategoryTable, LinearTable, TreeTable, evaluate
from skdistill.converters.pipeline.column_maps import Columns, read_steps
from skdistill.converters.pipeline.linear import fold_linear
from skdistill.converters.pipeline.trees import fold_trees
from skdistill.model import CompactModel


class Differences(NamedTuple):
    """How many rows a Pipeline and its folded model answer differently.

    Attributes
    ----------
    scores : int
        Rows with any other integer score.
    answers : int
        Rows with another label, or for regression another value.
    rows : int
        Rows compared.
    """

    scores: int
    answers: int
    rows: int


def fold_pipeline(
    pipeline: Pipeline, X: ArrayLike | None = None, *, dtype: str = "float64"
) -> CompactModel:
    """Make of preprocessing and student one compact model on the raw columns.

    The steps before the last may be `StandardScaler`, `MinMaxScaler`, `MaxAbsScaler`,
    `RobustScaler`, `SimpleImputer` of NaN, ``"passthrough"``, None, ``FunctionTransformer()``,
    and `ColumnTransformer` and `Pipeline` of those.

    Trees are folded exactly: each threshold becomes the last float32 number that the fitted
    steps themselves take to it or below. A linear part is not: it rounds its inputs anew, with
    an offset and a step on the raw scale, and the folded model is the reference from then on.
    Trees that cut at the borders of a linear part's rounding move along with them.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted. The last step is a student, a distiller or a `CompactModel`.
    X : array-like or data frame of shape (n, d), default=None
        Raw rows. How many of them pipeline and model answer differently is printed; see
        `count_differences`.
    dtype : {"float64", "float32"}, default="float64"
        What the scalers compute in, which is the type of the rows that they are given. Trees
        answer as the Pipeline does for all float32 numbers that it is given in this type.

    Returns
    -------
    model : CompactModel
        Reads all `d` columns that the Pipeline was fitted on, by the same names.

    Raises
    ------
    ValueError
        That names what cannot be folded, and says what to do.

    Warns
    -----
    UserWarning
        If a linear part was rounded anew, and there is no `X` to tell what that changed.

    Notes
    -----
    - Rows that hold other numbers than float32 ones are rounded to them before the model, and
      after the scalers in the Pipeline: a value nearer to a threshold than that may change sides.
    - NaN goes where its replacement goes if there is an imputer, else wherever the student sends
      it. Infinities, which scalers refuse, are read as the largest numbers of float32.
    - A linear part reads NaN as its offset. Where the replacement is something else, the
      offset moves there, the bias makes up for it, and the inputs get one bit more; values
      beyond the old range then saturate later than they did.
    - Columns of categories may be moved by the steps, and nothing else may be done to them.
    - A linear part cannot follow a scaler that clips, nor read a column twice.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skdistill import SoftTreeClassifier, fold_pipeline
    >>> X, y = load_iris(return_X_y=True)
    >>> pipeline = make_pipeline(StandardScaler(), SoftTreeClassifier()).fit(X, y)
    >>> model = fold_pipeline(pipeline, X)
    0 of 150 rows have other scores, 0 another answer
    >>> bool((model.predict(X) == pipeline.predict(X)).all())
    True
    """
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype must be 'float32' or 'float64', got {dtype!r}")
    steps, model = _parts(pipeline)
    width, names = _raw_columns(steps) or (model.n_features, model.feature_names)
    columns = read_steps(steps, width)
    if len(columns.source) != model.n_features:
        raise ValueError(
            f"the steps yield {len(columns.source)} columns, the last one reads {model.n_features}"
        )
    known = list(range(width)) if names is None else list(names)
    _require_foldable(columns, model, known)
    categories = _moved(columns, model, width, dtype, known)
    linear = [
        fold_linear(table, columns, width, dtype, known) for table in model.tables_of(LinearTable)
    ]
    trees = [
        fold_trees(table, columns, width, dtype, linear) for table in model.tables_of(TreeTable)
    ]
    bias = sum((folded.bias for folded in linear), model.bias.astype(np.int64))
    folded = replace(
        model,
        n_features=width,
        bias=bias,
        tables=(*trees, *(part.table for part in linear)),
        feature_names=names,
        categories=categories,
    )
    if X is not None:
        found = count_differences(pipeline, folded, X)
        print(
            f"{found.scores:,} of {found.rows:,} rows have other scores, "
            f"{found.answers:,} another answer"
        )
    elif not all(part.exact for part in linear):
        warnings.warn(
            "the linear part rounds its inputs anew: pass X to see how many rows differ",
            UserWarning,
            stacklevel=2,
        )
    return folded


def count_differences(pipeline: Pipeline, model: CompactModel, X: ArrayLike) -> Differences:
    """Count the rows that a Pipeline and its folded model answer differently.

    Parameters
    ----------
    pipeline : Pipeline
    model : CompactModel
        As `fold_pipeline` made it.
    X : array-like or data frame of shape (n, d)
        Raw rows. Columns that the model does not read may hold anything.

    Returns
    -------
    differences : Differences
    """
    steps, student = _parts(pipeline)
    Z = X
    for _, step in steps:
        if step is not None and not isinstance(step, str):
            Z = step.transform(Z)
    expected, found = student.scores(np.asarray(Z)), model.scores(_rows(model, X))
    answers = evaluate.predict(student, expected) != evaluate.predict(model, found)
    return Differences(
        int((expected != found).any(axis=1).sum()),
        int(answers.reshape(len(found), -1).any(axis=1).sum()),
        len(found),
    )


def _parts(pipeline: Any) -> tuple[list[tuple[str, Any]], CompactModel]:
    """The steps before the last one, and the compact model of that."""
    last = _unfrozen(pipeline)
    if not isinstance(last, Pipeline):
        raise TypeError(
            f"pipeline must be a fitted Pipeline, got {type(last).__name__}: of a search pass its "
            "best_estimator_; a student alone has its model in compact_"
        )
    steps, path = [], ""
    while isinstance(last, Pipeline):
        *before, (name, last) = last.steps
        steps += [(path + own, step) for own, step in before]
        path += f"{name}__"
        last = _unfrozen(last)
    if isinstance(last, CompactModel):
        return steps, last
    if hasattr(last, "fit"):
        check_is_fitted(last)
    if not hasattr(last, "compact_"):
        raise ValueError(
            f"the last step, {name!r}, must be a student, a distiller or a CompactModel, got "
            f"{type(last).__name__}: distil it first"
        )
    return steps, last.compact_


def _unfrozen(estimator: Any) -> Any:
    while isinstance(estimator, FrozenEstimator):
        estimator = estimator.estimator
    return estimator


def _raw_columns(steps: list[tuple[str, Any]]) -> tuple[int, Any] | None:
    """Number and names of the columns that the steps were fitted on; None if none of them knows."""
    for _, step in steps:  # those that do not know pass on what they are given
        step = _unfrozen(step)
        if isinstance(step, Pipeline):
            if (found := _raw_columns(step.steps)) is not None:
                return found
        elif hasattr(step, "n_features_in_"):
            return step.n_features_in_, getattr(step, "feature_names_in_", None)
    return None


def _require_foldable(columns: Columns, model: CompactModel, names: list[Any]) -> None:
    """Refuse columns that the model reads and the steps make something else of than thresholds."""
    for column in model.columns:
        name, trouble, scaled = (
            names[columns.source[column]],
            columns.trouble[column],
            columns.scaled[column],
        )
        if trouble:
            raise ValueError(f"column {name!r} cannot be folded: {trouble}")
        if scaled and model.input_dtype == "int32":
            raise ValueError(
                f"step {scaled!r} makes other numbers of column {name!r}, but the model reads "
                "int32: fit it on the steps' floats, or on the raw integers without them"
            )


def _moved(
    columns: Columns, model: CompactModel, width: int, dtype: str, names: list[Any]
) -> CategoryTable:
    """Categories of the raw columns."""
    table = model.categories
    kept = (columns.trouble == "") & (columns.scaled == "") & (columns.clipped == "")
    kept &= np.isnan(columns.missing(width, dtype).astype(float))
    for column in table.columns[~kept[table.columns]]:
        raise ValueError(
            f"column {names[columns.source[column]]!r} holds categories and cannot be folded: the "
            "steps do more than move it; pass it through as it is"
        )
    raw = columns.source[table.columns]
    order = np.argsort(raw)
    ranks = np.concatenate([table.ranks[:0], *(table.ranks_of(int(j)) for j in order)])
    return CategoryTable(raw[order], tuple(table.labels[j] for j in order), ranks)


def _rows(model: CompactModel, X: Any) -> NDArray[Any]:
    """Raw rows as the model reads them; in a frame other columns may be no numbers."""
    if not hasattr(X, "columns") or model.feature_names is None:
        return np.asarray(X)
    rows = np.zeros((len(X), model.n_features), object if len(model.categories) else float)
    for column in model.columns:
        rows[:, column] = np.asarray(X[model.feature_names[column]])
    return rows
