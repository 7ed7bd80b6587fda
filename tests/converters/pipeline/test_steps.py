"""Steps that cannot be folded are named, and so is the way out."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

from skdistill import SoftBoostingClassifier, SoftLinearClassifier, SoftTreeClassifier
from skdistill.compact import TreeTable
from skdistill.converters.pipeline.steps import read_steps
from tests.converters.pipeline.harness import fold


def two_columns(X):
    return X[:, :2]


class OwnScaler(StandardScaler):
    """What a subclass does nobody knows."""


@pytest.mark.parametrize(
    ("step", "named"),
    [
        (PCA(3), "PCA cannot be folded, only StandardScaler"),
        (
            KBinsDiscretizer(encode="onehot-dense", strategy="uniform"),
            "encode='onehot-dense' cannot.*encode='ordinal'",
        ),
        (KNNImputer(), "KNNImputer cannot be folded"),
        (OwnScaler(), "OwnScaler cannot be folded"),
        (OrdinalEncoder(), "OrdinalEncoder cannot be folded"),
        (FunctionTransformer(two_columns), "it makes .* columns of"),
        (SimpleImputer(missing_values=-1), r"missing_values=-1 cannot be folded.*make such.*NaN"),
        (SimpleImputer(add_indicator=True), "add_indicator=True cannot be folded"),
    ],
    ids=lambda step: type(step).__name__,
)
def test_a_step_is_refused_by_name_wherever_it_stands(step, named):
    X, y = load_wine(return_X_y=True)
    student = ("student", SoftTreeClassifier())
    plain = Pipeline([("first", MinMaxScaler()), ("odd", step), student]).fit(X, y)
    with pytest.raises(ValueError, match=f"step 'odd': .*{named}"):
        fold(plain)
    inner = Pipeline([("odd", step)])
    columns = ColumnTransformer([("part", inner, [0, 1, 2])], remainder="passthrough")
    nested = Pipeline([("columns", columns), student]).fit(X, y)
    with pytest.raises(ValueError, match=f"step 'columns__part__odd': .*{named}"):
        fold(nested)


def test_weights_of_a_column_transformer_are_refused():
    X, y = load_wine(return_X_y=True)
    columns = ColumnTransformer([("a", StandardScaler(), [0, 1])], transformer_weights={"a": 2.0})
    pipeline = make_pipeline(columns, SoftTreeClassifier()).fit(X, y)
    with pytest.raises(ValueError, match=r"'columntransformer': transformer_weights cannot"):
        fold(pipeline)


@pytest.mark.parametrize("scale", [-1.0, 0.0, np.nan, np.inf])
@pytest.mark.parametrize("student", [SoftTreeClassifier(), SoftLinearClassifier()], ids=str)
def test_scales_that_do_not_rise_are_refused_where_they_matter(scale, student):
    X, y = load_wine(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), RobustScaler(), student).fit(X, y)
    column = int(
        pipeline[-1].compact_.table(TreeTable).grid.features[0]
        if pipeline[-1].compact_.tables_of(TreeTable)
        else 4
    )
    pipeline[0].scale_[column] = scale
    message = rf"column {column} cannot be folded: step 'standardscaler': StandardScaler has no pos"
    with pytest.raises(ValueError, match=message):
        fold(pipeline)


def test_a_column_that_nobody_reads_may_have_any_scale():
    X, y = load_wine(return_X_y=True)
    X[:, 3] = np.nan
    with np.errstate(all="ignore"):
        pipeline = make_pipeline(RobustScaler(), SoftTreeClassifier())
        with pytest.warns(RuntimeWarning):
            pipeline.fit(X, y)
    model = fold(pipeline)
    X[:, 3] = 1.0
    assert (model.predict(X) == pipeline.predict(X)).all()


def test_a_linear_part_refuses_what_it_cannot_follow():
    X, y = load_wine(return_X_y=True)
    clipped = make_pipeline(MinMaxScaler(clip=True), SoftLinearClassifier()).fit(X, y)
    with pytest.raises(ValueError, match=r"'minmaxscaler' clips column 0 .*clip=False"):
        fold(clipped)
    twice = ColumnTransformer([("a", StandardScaler(), [1, 2]), ("b", "passthrough", [2])])
    student = SoftBoostingClassifier(2, init="linear", random_state=0)
    with pytest.raises(ValueError, match=r"column 2 reaches the linear part more than once"):
        fold(make_pipeline(twice, student).fit(X, y))
    X[0, 0] = np.nan
    filled = SimpleImputer(strategy="constant", fill_value=0.0)
    wide = SoftLinearClassifier(input_bits=16)
    with pytest.raises(ValueError, match=r"16 input bits.*input_bits of 15"):
        fold(make_pipeline(filled, wide).fit(X, y))
    scaler = StandardScaler()
    tiny = make_pipeline(scaler, SoftLinearClassifier()).fit(np.nan_to_num(X), y)
    scaler.scale_[2] = 1e-60
    with pytest.raises(ValueError, match="column 2 has a range that float32 cannot tell"):
        fold(tiny)


def test_center_and_factor_tell_what_the_steps_do():
    X = np.random.default_rng(0).normal(5, 3, (50, 4))
    steps = make_pipeline(StandardScaler(), MinMaxScaler((2, 7)), RobustScaler()).fit(X)
    maps = read_steps(steps.steps, 4)
    assert maps.raw_column.tolist() == [0, 1, 2, 3]
    assert maps.scaled_by.tolist() == ["robustscaler"] * 4
    assert maps.clipped_by.tolist() == [""] * 4
    np.testing.assert_allclose((X - maps.center) * maps.factor, steps.transform(X), atol=1e-9)
    assert (maps.transform(X) == steps.transform(X)).all()
