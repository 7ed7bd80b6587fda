"""Linear parts behind steps: read anew, as nearly as float32 can, and counted."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler

from skdistill import SoftBoostingClassifier, SoftLinearClassifier, SoftLinearRegressor
from skdistill.compact import LinearTable, TreeTable
from skdistill.compact.packing.threshold_codes import rounding_borders
from tests.converters.pipeline.harness import differences, fold, own_scores, with_holes
from tests.converters.pipeline.test_fold import IMPUTERS
from tests.strategies import adversarial_rows

LINEAR = [
    SoftLinearClassifier(),
    SoftBoostingClassifier(4, init="linear", random_state=0),
    SoftBoostingClassifier(4, init="linear", binning="quantile", random_state=0),
]


def far_from_borders(pipeline, X):
    """Rows whose values lie inside the range of the linear part, and not between two integers."""
    linear = pipeline[-1].compact_.table(LinearTable)
    Z = pipeline[:-1].transform(X)[:, linear.features]
    q = (Z - linear.offset.astype(np.float64)) * linear.inv_step
    between = np.abs(q - np.floor(q) - 0.5) < 1e-4
    return ~(between | (np.abs(q) >= linear.q_max)).any(axis=1)


@pytest.mark.parametrize("student", LINEAR, ids=str)
@pytest.mark.parametrize("scaler", [StandardScaler(), RobustScaler()], ids=str)
def test_a_linear_part_rounds_anew_and_warns_how_many_rows_differ(student, scaler):
    X, y = load_breast_cancer(return_X_y=True)
    pipeline = make_pipeline(scaler, student).fit(X, y)
    with pytest.warns(UserWarning, match="pass X to count the rows"):
        model = fold(pipeline)
    expected, scores = own_scores(pipeline, X), model.scores(X)
    differ = sum(a != b for a, b in zip(expected.tolist(), scores.tolist(), strict=True))
    labels = int((pipeline.predict(X) != model.predict(X)).sum())
    assert differences(pipeline, model, X) == (differ, labels, len(X))
    message = (
        f"the converted Pipeline gives {differ} of 569 rows other scores, {labels} of them other "
        "labels: its linear part rounds its inputs anew"
    )
    with pytest.warns(UserWarning, match=message) if differ else contextlib.nullcontext():
        assert fold(pipeline, X).equals(model)


def test_rows_that_differ_are_counted_in_a_warning():
    X = np.random.default_rng(0).normal(size=(500, 3)) * [1, 1e3, 1e-3]
    pipeline = make_pipeline(StandardScaler(), SoftLinearRegressor()).fit(X, X @ [1, 1e-3, 1e3])
    linear = pipeline[-1].compact_.table(LinearTable)
    scaler, half = pipeline[0], (np.arange(-99, 100) + 0.5)[:, None]
    at_borders = (linear.offset + half / linear.inv_step) * scaler.scale_ + scaler.mean_
    with pytest.warns(UserWarning, match="gives .* of 199 rows other scores.* other values") as got:
        model = fold(pipeline, at_borders)
    counted = differences(pipeline, model, at_borders)
    assert counted.scores == (own_scores(pipeline, at_borders) != model.scores(at_borders)).sum()
    assert counted.scores > 20 and f"gives {counted.scores} of 199" in str(got[0].message)
    assert got[0].filename == fold.__code__.co_filename


def test_steps_of_few_bits_leave_a_linear_part_as_it_was():
    X = np.random.default_rng(0).integers(-40, 40, (200, 3)) / 8
    y = X @ [1.0, -2.0, 0.5]
    scaler = StandardScaler().fit(X)
    scaler.mean_, scaler.scale_ = np.array([3.0, -1.0, 0.25]), np.array([4.0, 0.5, 1.0])
    pipeline = make_pipeline(FrozenEstimator(scaler), SoftLinearRegressor()).fit(X, y)
    with pytest.warns(UserWarning, match="pass X"):
        model = fold(pipeline)
    assert differences(pipeline, model, X * 3) == (0, 0, 200)


@pytest.mark.parametrize("student", [*LINEAR, SoftLinearRegressor()], ids=str)
@pytest.mark.parametrize("imputer", IMPUTERS[1:], ids=str)
def test_nan_in_a_linear_part_reads_as_its_replacement(student, imputer):
    X, y = load_wine(return_X_y=True)
    X = np.round(with_holes(X), 2)
    pipeline = make_pipeline(imputer, StandardScaler(), student).fit(X, y)
    with pytest.warns(UserWarning, match="pass X"):
        model = fold(pipeline)
    linear = pipeline[-1].compact_.table(LinearTable)
    assert model.table(LinearTable).input_bits == linear.input_bits + 1
    sure = far_from_borders(pipeline, X)  # what lies beyond the range saturates later now
    assert sure.mean() > 0.8
    assert differences(pipeline, model, X[sure]) == (0, 0, sure.sum())
    nothing = np.full((1, 13), np.nan)
    assert (model.scores(nothing) == own_scores(pipeline, nothing)).all()


def test_trees_beside_a_linear_part_share_its_rounding():
    X, y = load_wine(return_X_y=True)
    student = SoftBoostingClassifier(4, init="linear", random_state=0)
    swapped = ColumnTransformer([("a", "passthrough", list(range(12, -1, -1)))])
    for step in (None, IMPUTERS[1], swapped):
        pipeline = make_pipeline(step, StandardScaler(), student).fit(X, y)
        with pytest.warns(UserWarning, match="pass X"):
            model = fold(pipeline)
        assert rounding_borders(model.table(TreeTable).grid, model.table(LinearTable)) is not None
        sure = far_from_borders(pipeline, X)
        assert differences(pipeline, model, X[sure]) == (0, 0, sure.sum())
        offset_and_step = 8 * 13  # in full: nothing else takes more bytes than it did
        assert model.nbytes <= pipeline[-1].compact_.nbytes + offset_and_step


def test_a_linear_part_untouched_stays_as_it_is(recwarn):
    X, y = load_wine(return_X_y=True)
    swap = ColumnTransformer([("a", "passthrough", [5, 3]), ("b", "passthrough", [0])])
    pipeline = make_pipeline(swap, SoftLinearClassifier()).fit(X, y)
    model = fold(pipeline)
    assert not recwarn.list and model.table(LinearTable).features.tolist() == [0, 3, 5]
    rows = adversarial_rows(model, 0, n=300)
    assert (model.scores(rows) == own_scores(pipeline, rows)).all()
