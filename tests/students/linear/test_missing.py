"""Linear students fill holes themselves: with the offset, near the mean of what is there."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skdistill import (
    DistilledClassifier,
    SoftBoostingClassifier,
    SoftLinearClassifier,
    SoftLinearRegressor,
)
from skdistill.compact import LinearTable
from skdistill.export.onnx.parity import count_mismatches, open_session, probe_rows
from skdistill.quantization.linear_weights import linear_input
from tests.export.c.harness import Case, answers, load

X, Y = load_breast_cancer(return_X_y=True)
RNG = np.random.default_rng(0)
HOLES = np.where(RNG.random(X.shape) < 0.15, np.nan, X)


def test_offset_and_step_are_those_of_the_values_that_are_there():
    rows, weight = HOLES.astype(np.float32), RNG.uniform(0, 2, len(HOLES))
    weight[::7] = 0
    offset, inv_step, useful = linear_input(rows, weight, 8)
    assert useful.all()
    for j in range(rows.shape[1]):
        known = ~np.isnan(rows[:, j])
        alone = linear_input(rows[known, j : j + 1], weight[known], 8)
        assert (offset[j], inv_step[j]) == (alone[0][0], alone[1][0])
        mean = np.average(rows[known, j].astype(float), weights=weight[known])
        assert abs(offset[j] - mean) <= 0.5 / inv_step[j] * (1 + 1e-6)


def test_nothing_changes_where_nothing_is_missing():
    rows, weight = X.astype(np.float32), np.ones(len(X))
    one_hole = rows.copy()
    one_hole[0, 3] = np.nan
    others = np.arange(X.shape[1]) != 3
    for ours, theirs in zip(
        linear_input(one_hole, weight, 8), linear_input(rows, weight, 8), strict=True
    ):
        assert np.array_equal(ours[others], theirs[others])


@pytest.mark.parametrize("student", [SoftLinearClassifier(), SoftLinearRegressor()])
def test_as_good_as_an_imputer_before_it(student):
    data, y = (
        (HOLES, Y) if isinstance(student, SoftLinearClassifier) else load_diabetes(return_X_y=True)
    )
    if data is not HOLES:
        data = np.where(RNG.random(data.shape) < 0.15, np.nan, data)
    fit, held, y_fit, y_held = train_test_split(data, y, test_size=0.4, random_state=0)
    inside = student.fit(fit, y_fit).score(held, y_held)
    before = make_pipeline(SimpleImputer(), type(student)()).fit(fit, y_fit).score(held, y_held)
    assert inside > before - 0.01


@pytest.mark.parametrize(
    "student",
    [
        SoftLinearClassifier(),
        SoftLinearClassifier(input_bits=5, weight_bits="ternary"),
        SoftBoostingClassifier(5, init="linear", random_state=0),
        SoftBoostingClassifier(5, init="linear", binning="quantile", random_state=0),
        DistilledClassifier(
            SoftBoostingClassifier(10, random_state=0),
            SoftLinearClassifier(),
            transfer_set=None,
        ),
    ],
    ids=lambda e: repr(e)[:60],
)
def test_holes_are_read_alike_everywhere(student, tmp_path):
    student.fit(HOLES, Y)
    model = student.compact_
    assert student.score(HOLES, Y) > 0.9
    rows = np.concatenate([HOLES.astype(np.float32), probe_rows(model, HOLES)[:4000]])
    rows = np.where(np.random.default_rng(1).random(rows.shape) < 0.1, np.float32(np.nan), rows)
    assert count_mismatches(model, open_session(student.to_onnx().SerializeToString()), rows) == 0
    cases = [Case(model, "float32", output) for output in ("label", "scores")]
    library = load(tmp_path, cases)
    for i, case in enumerate(cases):
        assert np.array_equal(answers(library, case, i, rows), case.expected(rows))


def test_whole_numbers_with_holes_go_to_integers_in_c(tmp_path):
    whole = np.clip(np.rint(HOLES[:, :6]), 0, 250)
    student = SoftLinearClassifier().fit(whole, Y)
    assert (student.compact_.table(LinearTable).inv_step <= 1).all()
    case = Case(student.compact_, "uint8", "scores", missing_value="max")
    assert np.array_equal(answers(load(tmp_path, [case]), case, 0, whole), case.expected(whole))
