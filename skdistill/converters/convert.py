"""convert: fitted estimators and Pipelines as compact models, without distillation."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skdistill.compact._frozen import require
from skdistill.compact.tables.limits import value_limits
from skdistill.converters.decision_threshold import as_tuned
from skdistill.converters.float_trees import TreeEnsemble
from skdistill.converters.kinds import read_fitted
from skdistill.converters.linear import LinearCoefficients, warn_of_rounded_inputs
from skdistill.converters.pipeline.differences import count_differences, warn_of_float32_rows
from skdistill.converters.pipeline.fold import fold_fitted, fold_model, read_preprocessing
from skdistill.converters.quantize import quantize
from skdistill.converters.rows import as_numbers, names_in, read_columns, type_of_rows
from skdistill.converters.verify import verify
from skdistill.converters.wrappers import ThresholdClassifier, Unwrapped, unwrap
from skdistill.model import CompactModel


def convert(
    fitted: Any,
    X: ArrayLike | None = None,
    *,
    dtype: str | None = None,
    threshold_bits: int | None = None,
    value_bits: int | str = 8,
) -> CompactModel:
    """Convert a fitted estimator or Pipeline to a compact model, without distillation.

    The thresholds of trees are lossless: a row goes the way it goes in the estimator, at a
    threshold and with NaN too, or a warning counts what differs; see `dtype`. Only leaf values
    and weights are rounded.
    Forests keep their votes ("normalize"), a single tree keeps the label of every leaf;
    boosters keep their margins and start from the same base score or `init`. Objectives of
    positive values (Poisson, gamma, Tweedie) have the link "exp". Columns
    that a linear estimator reads become integers: whole numbers are read as they are
    where 16 bits allow, others in steps of a power of two.

    A Pipeline becomes one model on its raw columns: scalers and imputers are folded into
    thresholds and weights.

    Parameters
    ----------
    fitted : fitted estimator, Pipeline, Booster, BoosterTeacher, str, path-like or CompactModel
        - DecisionTree, ExtraTree, RandomForest, ExtraTrees, GradientBoosting and
          HistGradientBoosting of scikit-learn; LogisticRegression, RidgeClassifier,
          LinearRegression, Ridge, Lasso and ElasticNet; PoissonRegressor, GammaRegressor and
          TweedieRegressor; regressions of several targets too;
        - classifiers, regressors and native ``Booster`` of XGBoost and LightGBM. A native
          booster keeps no labels: its classes are 0, 1, …, unless
          ``BoosterTeacher(booster, classes=[...])`` names them;
        - the path of a model file of XGBoost (``.json``, ``.ubj``) or LightGBM (``.txt``), which
          is read like a native booster: of XGBoost all iterations;
        - students and distillers of this package, which give their `compact_`;
        - a Pipeline that ends in one of these, after `StandardScaler`, `MinMaxScaler`,
          `MaxAbsScaler`, `RobustScaler`, `SimpleImputer` of NaN, feature selectors,
          ``"passthrough"``, None, and `ColumnTransformer`, `FeatureUnion` and `Pipeline` of
          those; in front of trees also after `PowerTransformer`, `QuantileTransformer`,
          ``KBinsDiscretizer(encode="ordinal")``, `Binarizer`, and a `FunctionTransformer` of
          a function that never falls; in front of linear models, of one that scales;
        - a FixedThresholdClassifier or TunedThresholdClassifierCV around one of these, or at
          the end of a Pipeline: it gives the model its `threshold`, so that labels are those
          of its threshold for every score of the model;
        - a FrozenEstimator around any of these.
    X : data frame, array-like or sparse matrix of shape (n_samples, n_features), default=None
        Rows as `fitted` takes them: of a Pipeline, raw rows. They show the range of the
        inputs, which linear estimators and `threshold_bits` need: columns of whole numbers
        are known by them, and a column that is constant in them counts as constant. Of a
        Pipeline that ends in a student, the rows that the model answers differently are
        counted on them, see Warns.
    dtype : {"float64", "float32", "int32"} or None, default=None
        Type in which rows arrive at `fitted`. None is "float32" where `X` holds float32 numbers
        alone, else "float64". Both give a model of float32 numbers. They differ for LightGBM and
        HistGradientBoosting, which compare rows as they arrive: thresholds for float64 rows
        are rounded to nearest, as the model rounds the rows, or with `X` placed between the
        rounded rows of both their sides; those for float32 rows are rounded down, which is
        exact. And they differ for scalers of a Pipeline, which compute in the type of the
        rows. "int32" keeps whole numbers as thresholds; steps of a Pipeline may then
        move and impute columns of trees, but not scale them. Students keep the type that
        they were fitted with.
    threshold_bits : int in [2, 16], default=None
        Of trees: move each threshold to one of at most ``2**threshold_bits - 2`` even steps
        of its column, where it changes the way of fewest rows of `X`; 8 to 10 bits save
        a quarter to half of the bytes. Of linear estimators: bits of the inputs at most; by
        default as many as whole numbers need (at least 8), and 14 for others. A regression
        far from 0 gets fewer where that loses less. Not for students.
    value_bits : int in [2, 16] or "ternary", default=8
        Of leaf values and weights. The step of leaf values is the spread of the values
        of the widest tree over ``2**value_bits``; votes are within half a step of 1. Not for
        students.

    Returns
    -------
    model : CompactModel
        Of a Pipeline, it reads all columns that the Pipeline was fitted on, by the same
        names.

    Raises
    ------
    TypeError
        For an estimator of another kind, a search, a class. The message says what to pass
        instead.
    NotFittedError
        For an estimator that is not fitted.
    FileNotFoundError
        For a path without a file.
    ValueError
        For what a compact model cannot do: categorical splits, several outputs to classify,
        links other than those of a compact model, steps that cannot be folded. The message
        names it, and what to do instead. For an estimator whose own predictions are not
        those of what was read of it, on rows at and beside its thresholds. And for a file that
        is no model, and for a pickle.

    Warns
    -----
    UserWarning
        If the values of a regression lie so far from 0 that int32 scores lose more than a
        hundredth of their standard deviation: subtract the mean of y before the fit then. The
        same for inputs of a linear estimator that float32 rounds, as far as `X` shows it.
        If `X` is float32 and `dtype` "float64", and the scalers of a Pipeline compute something
        else of some rows for that reason: how many.
        If the type of the model merges thresholds, so that rows which differ in `fitted` get
        the same answer: how many. With `X`, how many of its rows change sides.

        If a Pipeline ends in a student, and the model answers rows of `X` otherwise than the
        Pipeline: how many have other scores, and other labels or values. Without `X`, if a
        linear part was rounded anew, so that there may be such rows.

    Notes
    -----
    Of 3,552 test rows (digits and breast cancer, three halves of each), 8 bits gave
    trees and forests no other label, boosters of 50 rounds at most 3 and logistic
    regression 5; with 10 bits or more all labels were the estimator's.

    LightGBM and HistGradientBoosting compare float64 rows, a compact model float32 or int32
    numbers. Float32 rows go their own way in all trees for ``dtype="float32"``, whole numbers
    for ``dtype="int32"``. Float64 rows do for ``dtype="float64"`` unless float32 rounds two
    rows on both sides of a threshold to one number, which numbers of many digits do: time
    stamps in seconds, for example. scikit-learn's trees and XGBoost round all input to float32
    themselves, so that int32 edges beyond 2^24 lie where that rounding has its own.
    The "softmax" of a RidgeClassifier reads its decision function; the estimator itself
    has no probabilities.

    Of Pipelines:

    - Trees are folded exactly: each threshold becomes the last number that the fitted steps
      themselves take to it or below. Float64 numbers are then rounded to float32, or with `X`
      placed between the rounded rows of both sides; of XGBoost, whose thresholds are numbers of
      rows, to the last number that no row of the right side is rounded to.
    - Coefficients of a linear estimator are moved to the raw columns before they are
      rounded. The linear part of a student is rounded already: it rounds its inputs anew,
      with an offset and a step on the raw scale, and the folded model is the reference from
      then on. Trees that cut at the borders of its rounding move along with them.
    - Rows that hold other numbers than float32 ones are rounded to them before the model, and
      after the scalers in the Pipeline: a value nearer to a threshold than that may change
      sides.
    - NaN goes where its replacement goes if there is an imputer, else wherever the last step
      sends it. Infinities, which scalers refuse, are read as the largest numbers of float32.
    - A linear part reads NaN as its offset, which an imputer's replacement therefore becomes.
      In a student's linear part the bias makes up for it, and the inputs get one bit more;
      values beyond the old range then saturate later than they did.
    - Columns of categories may be moved by the steps, and nothing else may be done to them.
    - Functions are tried out on about 4,000 numbers from the least to the largest float32: what
      falls or mixes columns between them is refused. Numbers without a value, as negative ones of
      a square root, count as below all others.
    - A linear part cannot follow a scaler that clips, nor, of a student, read a column twice.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import convert
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(10, max_depth=3, random_state=0).fit(X, y)
    >>> model = convert(forest)
    >>> model.link, bool((model.predict(X) == forest.predict(X)).all())
    ('normalize', True)

    A Pipeline:

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    >>> model = convert(pipeline, X, value_bits=12)
    >>> bool((model.predict(X) == pipeline.predict(X)).all())
    True
    """
    value_limits(value_bits, signed=True)
    if threshold_bits is not None:
        whole = isinstance(threshold_bits, int | np.integer) and threshold_bits in range(2, 17)
        require(whole, f"threshold_bits must be None or an int in [2, 16], got {threshold_bits!r}")
    dtypes = ("float32", "float64", "int32")
    require(
        dtype is None or dtype in dtypes, f"dtype must be None or one of {dtypes}, got {dtype!r}"
    )
    dtype = type_of_rows(X) if dtype is None else dtype
    parts = unwrap(fitted)
    model = _own_model(parts.model)
    if model is None:
        return _with_thresholds(
            _convert_estimator(parts, X, dtype, threshold_bits, value_bits), parts.thresholds
        )
    for name, value, default in (
        ("threshold_bits", threshold_bits, None),
        ("value_bits", value_bits, 8),
    ):
        require(
            value == default,
            f"{name}={value!r} is for estimators that are converted, but "
            f"{type(parts.model).__name__} is a compact model already: fit it with the bits that "
            "it should have",
        )
    if not parts.steps:
        return _with_thresholds(model, parts.thresholds)
    return _fold_student(parts, model, X, dtype)


def _own_model(fitted: Any) -> CompactModel | None:
    """Compact model of a student, a distiller or such a model itself; None for other kinds."""
    if isinstance(fitted, CompactModel):
        return fitted
    if isinstance(fitted, type):
        return None
    model = getattr(fitted, "compact_", None)
    return model if isinstance(model, CompactModel) else None


def _convert_estimator(
    parts: Unwrapped,
    X: Any,
    dtype: str,
    threshold_bits: int | None,
    value_bits: int | str,
) -> CompactModel:
    """Read an estimator, move what was read to the raw columns, and round it."""
    behind = read = read_fitted(parts.model, parts.classes)
    if parts.steps:
        before = read_preprocessing(parts.steps, read.n_features, read.feature_names, dtype)
        read = fold_fitted(read, before)
    rows = numbers = None
    if X is not None:
        columns = np.arange(0) if read.scores is None else read.scores.columns_read()
        rows = read_columns(X, read.n_features, read.feature_names, columns)
        read = read._replace(feature_names=names_in(X, read.feature_names))
        numbers = as_numbers(rows, "int32" if dtype == "int32" else "float32")
        if isinstance(read.scores, LinearCoefficients):
            warn_of_rounded_inputs(read.scores, rows, read.feature_names)
        elif (
            isinstance(behind.scores, TreeEnsemble)
            and isinstance(read.scores, TreeEnsemble)
            and parts.steps
            and dtype == "float64"
            and type_of_rows(X) == "float32"
        ):
            warn_of_float32_rows(behind.scores, read.scores, before.maps, rows)
    verify(parts.model, behind, None if parts.steps else numbers)
    return quantize(
        read, numbers, rows, dtype=dtype, threshold_bits=threshold_bits, value_bits=value_bits
    )


def _fold_student(parts: Unwrapped, model: CompactModel, X: Any, dtype: str) -> CompactModel:
    """Fold steps into a compact model, and warn of rows that it answers differently."""
    before = read_preprocessing(parts.steps, model.n_features, model.feature_names, dtype)
    folded, exact = fold_model(model, before)
    model = _with_thresholds(model, parts.thresholds)
    folded = _with_thresholds(folded, parts.thresholds)
    if X is None:
        if not exact:
            warnings.warn(
                "the linear part rounds its inputs anew: pass X to count the rows that the "
                "converted Pipeline answers differently",
                UserWarning,
                stacklevel=3,
            )
        return folded
    count = count_differences(parts.steps, model, folded, X)
    if count.scores:
        why = (
            "its linear part rounds its inputs anew"
            if not exact
            else f"it reads float32 numbers, and steps compute in dtype={dtype!r}"
        )
        what = "labels" if model.classes is not None else "values"
        warnings.warn(
            f"the converted Pipeline gives {count.scores:,} of {count.rows:,} rows other scores, "
            f"{count.predictions:,} of them other {what}: {why}",
            UserWarning,
            stacklevel=3,
        )
    return folded


def _with_thresholds(model: CompactModel, thresholds: list[ThresholdClassifier]) -> CompactModel:
    for classifier in reversed(thresholds):  # the outermost decides
        model = as_tuned(model, classifier)
    return model
