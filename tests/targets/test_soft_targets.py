"""Soft targets: their checks, their temperature, their mixture with hard labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from skdistill.targets import (
    EPS,
    SoftTargets,
    calibrate_temperature,
    check_probabilities,
    soft_log_loss,
    temper,
)
from tests.strategies import seeds


def probabilities(seed, n=50, K=4, sharpness=1.0):
    return np.random.default_rng(seed).dirichlet(np.full(K, 1 / sharpness), n)


@given(seeds, st.integers(1, 9))
def test_probabilities_come_back_as_they_are_up_to_their_last_bit(seed, K):
    P = probabilities(seed, K=K)
    back = check_probabilities(P)
    assert np.allclose(back, P, rtol=1e-15, atol=0)
    assert np.abs(back.sum(axis=1) - 1).max() <= 1e-15
    assert np.array_equal(check_probabilities(P.tolist()), back)


@given(seeds, st.floats(-9e-7, 9e-7))
def test_rows_that_miss_1_by_a_rounding_are_put_right_without_touching_the_input(seed, off):
    P = probabilities(seed) * (1 + off)
    given_rows = P.copy()
    back = check_probabilities(P)
    assert np.abs(back.sum(axis=1) - 1).max() <= 1e-15
    assert np.allclose(back, P / (1 + off), rtol=1e-12)
    assert np.array_equal(P, given_rows)


def test_float32_probabilities_are_accepted():
    P = probabilities(0, n=1000, K=30).astype(np.float32)
    assert check_probabilities(P).dtype == np.float64


@pytest.mark.parametrize(
    ("P", "message"),
    [
        ([[1, 0], [0.5, 0.6]], r"labels row 1 sums to 1\.1, not to 1"),
        ([[1, 0], [0.5, 0.5 - 2e-6]], "labels row 1 sums to"),
        ([[1, 0], [0, 0]], "labels row 1 sums to 0"),
        ([[1, 0], [-0.1, 1.1]], r"labels row 1 has the negative value -0\.1"),
        ([[1, 0], [np.nan, 1]], "labels row 1 contains NaN"),
        ([[1, 0], [np.inf, 0]], "labels row 1 contains NaN or infinity"),
        ([0.5, 0.5], r"labels must have shape \(n_samples, n_classes\)"),
        ([[[1.0]]], r"labels must have shape \(n_samples, n_classes\)"),
    ],
)
def test_rows_that_are_no_probabilities_are_refused_by_their_number(P, message):
    with pytest.raises(ValueError, match=message):
        check_probabilities(P, "labels")


@given(seeds, st.floats(0.2, 20))
def test_temper_is_the_power_of_the_clipped_probabilities(seed, temperature):
    P = probabilities(seed, sharpness=5)
    expected = np.clip(P, EPS, 1) ** (1 / temperature)
    expected /= expected.sum(axis=1, keepdims=True)
    tempered = temper(P, temperature)
    if temperature != 1:
        assert np.allclose(tempered, expected, rtol=1e-10)
    best = P.argmax(axis=1)
    assert (tempered[np.arange(50), best] >= tempered.max(axis=1) * (1 - 1e-12)).all()


def test_temper_at_1_changes_nothing_at_all():
    P = np.array([[1.0, 0.0], [1e-9, 1 - 1e-9]])
    assert temper(P, 1.0) is P


def test_high_temperature_flattens_and_low_temperature_sharpens():
    P = probabilities(0)
    entropy = [
        -(T * np.log(T + 1e-300)).sum(axis=1) for T in (temper(P, t) for t in (0.5, 1.0, 2.0, 8.0))
    ]
    assert (np.diff(entropy, axis=0) > 0).all()
    assert np.allclose(temper(P, 1e9), 0.25, atol=1e-6)


@pytest.mark.parametrize(("eps", "expected"), [(1e-12, 0.998), (1e-6, 0.94), (1e-3, 0.74)])
def test_the_clip_shows_in_one_hot_rows_at_high_temperature(eps, expected):
    P = np.eye(3)[:1]
    assert temper(P, 4.0, eps)[0, 0] == pytest.approx(expected, abs=1e-2)


@given(seeds, st.sampled_from([0.3, 0.6, 1.5, 3.0]))
def test_calibration_finds_the_temperature_that_was_applied(seed, applied):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(4000, 3)) * 2
    true = np.exp(z - z.max(axis=1, keepdims=True))
    true /= true.sum(axis=1, keepdims=True)
    y = (true.cumsum(axis=1) < rng.random((4000, 1))).sum(axis=1).clip(0, 2)
    wrong = np.exp((z - z.max(axis=1, keepdims=True)) / applied)
    temperature = calibrate_temperature(wrong / wrong.sum(axis=1, keepdims=True), y)
    assert temperature == pytest.approx(1 / applied, rel=0.12)


def test_calibration_minimises_the_weighted_log_loss():
    rng = np.random.default_rng(0)
    P, y, weight = probabilities(0, 500), rng.integers(0, 4, 500), rng.random(500)
    best = minimize_scalar(
        lambda t: log_loss(y, temper(P, t), sample_weight=weight),
        bounds=(0.1, 10),
        method="bounded",
    )
    assert calibrate_temperature(P, y, weight) == pytest.approx(best.x, rel=1e-2)
    repeated = rng.integers(1, 4, 500)
    assert calibrate_temperature(P, y, repeated) == pytest.approx(
        calibrate_temperature(np.repeat(P, repeated, axis=0), np.repeat(y, repeated)), rel=1e-3
    )


@pytest.mark.parametrize(("right", "end"), [(True, 0.1), (False, 10)])
def test_calibration_stays_in_its_range(right, end):
    P = np.tile([0.6, 0.4], (20, 1))
    y = np.zeros(20, int) if right else np.ones(20, int)
    assert calibrate_temperature(P, y) == pytest.approx(end, rel=0.01)


def test_soft_log_loss_of_hard_labels_is_scikit_learns_log_loss():
    rng = np.random.default_rng(0)
    P, y, weight = probabilities(1, 300), rng.integers(0, 4, 300), rng.random(300)
    assert soft_log_loss(np.eye(4)[y], P) == pytest.approx(log_loss(y, P))
    assert soft_log_loss(np.eye(4)[y], P, weight) == pytest.approx(
        log_loss(y, P, sample_weight=weight)
    )


@given(seeds)
def test_soft_log_loss_is_least_where_the_prediction_is_the_truth(seed):
    truth, other = probabilities(seed), probabilities(seed + 1)
    entropy = float(-(truth * np.log(np.clip(truth, 1e-300, 1))).sum(axis=1).mean())
    assert soft_log_loss(truth, truth) == pytest.approx(entropy)
    assert soft_log_loss(truth, other) > entropy


def test_soft_log_loss_of_certain_and_wrong_is_finite():
    assert soft_log_loss([[1, 0]], [[0, 1]]) == pytest.approx(-np.log(np.finfo(float).eps))


@pytest.mark.parametrize(
    ("true", "pred", "message"),
    [
        ([[1, 0]], [[1, 0], [0, 1]], "P_true has shape"),
        ([[1, 0]], [[1, 0, 0]], "P_true has shape"),
        ([[2, 0]], [[1, 0]], "P_true row 0"),
        ([[1, 0]], [[2, 0]], "P_pred row 0"),
    ],
)
def test_soft_log_loss_refuses_what_it_cannot_compare(true, pred, message):
    with pytest.raises(ValueError, match=message):
        soft_log_loss(true, pred)


def test_a_perfect_student_of_a_logistic_teacher_has_its_entropy_as_loss():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    P = LogisticRegression().fit(X, X[:, 0] > 0).predict_proba(X)
    assert soft_log_loss(P, P) < soft_log_loss(P, temper(P, 2.0))


def targets(alpha=0.3, temperature=1.0):
    return SoftTargets(probabilities(0, 6), np.array([0, 3, -1, 2, 2, -1]), alpha, temperature)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_the_mixture_weighs_the_teacher_by_alpha_and_alone_where_no_label_is(alpha, temperature):
    mixed = targets(alpha).mixture(temperature)
    teacher = temper(targets().teacher, temperature)
    for i, label in enumerate([0, 3, None, 2, 2, None]):
        if label is None:
            assert np.array_equal(mixed[i], teacher[i])
        else:
            assert np.allclose(
                mixed[i], alpha * teacher[i] + (1 - alpha) * np.eye(4)[label], rtol=1e-15
            )
    assert np.allclose(mixed.sum(axis=1), 1, rtol=1e-15)


def test_the_mixture_is_untempered_unless_asked():
    soft = targets(temperature=4.0)
    assert np.array_equal(soft.mixture(), targets().mixture())
    assert not np.allclose(soft.mixture(soft.temperature), soft.mixture())


def test_hard_labels_alone_are_one_hot_whatever_the_teacher_said():
    soft = SoftTargets(np.zeros((3, 2)), np.array([1, 0, 1]), alpha=0.0)
    assert soft.mixture(3.0).tolist() == [[0, 1], [1, 0], [0, 1]]


def test_without_labels_alpha_does_not_matter():
    soft = SoftTargets(probabilities(0, 6), alpha=0.2)
    assert soft.row_alpha.tolist() == [1] * 6
    assert not soft.one_hot.any()
    assert np.array_equal(soft.mixture(), soft.teacher)


def test_one_hot_and_row_alpha_follow_the_labels():
    assert targets().one_hot.tolist() == [
        [1, 0, 0, 0],
        [0, 0, 0, 1],
        [0] * 4,
        [0, 0, 1, 0],
        [0, 0, 1, 0],
        [0] * 4,
    ]
    assert targets().row_alpha.tolist() == [0.3, 0.3, 1, 0.3, 0.3, 1]
    assert (len(targets()), targets().n_classes) == (6, 4)


@pytest.mark.parametrize("hard", [True, False])
def test_taking_rows_keeps_everything_that_belongs_to_them(hard):
    soft = SoftTargets(probabilities(0, 6), np.arange(6) % 4 if hard else None, 0.7, 2.0)
    rows = np.array([True, False, True, True, False, False])
    taken = soft.take(rows)
    assert (taken.alpha, taken.temperature, len(taken)) == (0.7, 2.0, 3)
    assert np.array_equal(taken.mixture(2.0), soft.mixture(2.0)[rows])
    assert (taken.hard is None) == (not hard)


def test_alpha_may_differ_from_row_to_row():
    P, hard = probabilities(0, n=3, K=2), np.array([0, 1, -1])
    targets = SoftTargets(P, hard, alpha=np.array([0.0, 0.25, 0.5]))
    assert np.array_equal(targets.row_alpha, [0, 0.25, 1])
    expected = [[1, 0], 0.25 * P[1] + 0.75 * np.array([0, 1]), P[2]]
    assert np.allclose(targets.mixture(), expected)
    few = targets.take(np.array([False, True, True]))
    assert np.array_equal(few.mixture(), targets.mixture()[1:])


@given(seeds, st.floats(0, 8))
def test_hints_have_their_share_of_the_variance(seed, share):
    rng = np.random.default_rng(seed)
    P, hints = probabilities(seed), rng.normal(5, 3, (50, 2))
    weight = rng.random(50) + 0.1
    targets = SoftTargets(P, hints=hints, hint_weight=share)
    scaled = targets.scaled_hints(P, weight)
    assert np.allclose(weight @ scaled, 0, atol=1e-9)
    variance = weight @ (P - weight @ P / weight.sum()) ** 2
    assert (weight @ scaled**2).sum() == pytest.approx(share * variance.sum())
    few = np.arange(50) < 20
    assert np.array_equal(targets.take(few).hints, hints[:20])


def test_hints_that_say_nothing_stay_nothing():
    targets = SoftTargets(probabilities(0), hints=np.full((50, 3), 7.0))
    assert (targets.scaled_hints(targets.teacher, np.ones(50)) == 0).all()
    with pytest.raises(ValueError, match="these targets have no hints"):
        SoftTargets(targets.teacher).scaled_hints(targets.teacher, np.ones(50))
