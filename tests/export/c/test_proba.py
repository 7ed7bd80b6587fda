"""Probabilities in C lie as near to those of Python as is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from skdistill import CompactModel
from skdistill.compact import LinearTable
from skdistill.export.c import proba
from tests.export.c.harness import Case, answers, load, rows_for
from tests.strategies import tree_model

SCALES = (1e-45, 1e-38, 1e-20, 1e-9, 1e-6, 1e-4, 1e-3, 0.02, 1.0, 7.0, 1e3, 1e10, 1e38, 3.4e38)


def linear_model(link, K, scale, bits=8, seed=0):
    """A linear model whose scores go far."""
    rng, S = np.random.default_rng(seed), 1 if K == 2 else K
    most = 2 ** (bits - 1) - 1
    weights = rng.integers(-most, most + 1, (2, S))
    linear = LinearTable([0, 2], [0.5, 0], [2.0, 1], 16, weights, bits)
    return CompactModel(3, np.arange(S), scale, link, np.arange(K), [linear])


def spread_rows(n, d, seed=0):
    """Rows of all sizes."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) * 10.0 ** rng.integers(-3, 5, (n, d))).astype(np.float32)


def assert_near(folder, cases, rows):
    """All probabilities are within what the header says; fixed ones add up to nearly one."""
    library = load(folder, cases)
    for i, (case, X) in enumerate(zip(cases, rows, strict=True)):
        got, expected = answers(library, case, i, X), case.expected(X)
        error = proba.probability_error(case.model, case.output)
        if case.output == "proba_q15":
            K = case.model.n_classes
            assert np.abs(got.sum(axis=1).astype(int) - proba.ONE).max() <= (K + 1) // 2, case
            got = got / proba.ONE
        off = np.abs(got - expected).max()
        assert off <= error, (case, off, error)


@pytest.mark.parametrize("output", ["proba_float", "proba_q15"])
def test_all_links_at_all_scales(output, tmp_path):
    links = [("sigmoid", 2), ("normalize", 2), ("softmax", 3), ("normalize", 5), ("softmax", 100)]
    cases = [
        Case(linear_model(link, K, scale), output=output) for link, K in links for scale in SCALES
    ]
    assert_near(tmp_path, cases, [spread_rows(300, 3)] * len(cases))


def test_float_sums_of_many_classes(tmp_path):
    """Off by 1.03e-6 for a stated 1e-6: each of a hundred additions to a sum near 1 is rounded."""
    cases = []
    for seed in range(20):
        bias = np.random.default_rng(seed).integers(-3, 4, 200)
        bias[0] = 2500
        model = CompactModel(1, bias, 0.003, "softmax", np.arange(200))
        cases.append(Case(model, output="proba_float"))
    assert_near(tmp_path, cases, [np.zeros((1, 1))] * len(cases))


@pytest.mark.parametrize("output", ["proba_float", "proba_q15"])
def test_models_of_trees(output, tmp_path):
    cases, rows = [], []
    for seed in range(40):
        model = tree_model(np.random.default_rng(seed))
        if model.classes is None:
            continue
        wanted = max(1e-30, float(np.random.default_rng(seed).choice([0.01, 1, 20])))
        model = replace(model, scale=wanted / max(1, int(np.abs(model.score_bound).max())))
        cases.append(Case(model, model.input_dtype, output, ["table", "code"][seed % 2]))
        rows.append(rows_for(cases[-1], seed))
    assert len(cases) > 20
    assert_near(tmp_path, cases, rows)


def test_one_class_is_certain(tmp_path):
    model = CompactModel(2, [3], 1.0, "sigmoid", ["all"])
    cases = [Case(model, output=output) for output in ("proba_float", "proba_q15")]
    library = load(tmp_path, cases)
    assert answers(library, cases[0], 0, np.zeros((1, 2))).tolist() == [[1.0]]
    assert answers(library, cases[1], 1, np.zeros((1, 2))).tolist() == [[proba.ONE]]


def test_votes_that_need_more_than_32_bits_together(tmp_path):
    """Their sum is kept in range without losing small ones where all are small."""
    model = linear_model("normalize", 5, 1.0, bits=16)
    assert model.score_bound.sum() > 2**32
    X = np.concatenate([spread_rows(300, 3), [[0.5, 0, 0]], [[0.5, 0, 1]]])
    case = Case(model, output="proba_q15")
    assert_near(tmp_path, [case], [X])
    assert model.scores(X)[-2].tolist() == [0, 1, 2, 3, 4]


def test_equal_scores_share_alike(tmp_path):
    for link, K in (("softmax", 4), ("normalize", 4), ("sigmoid", 2)):
        model = CompactModel(1, [0] * (1 if K == 2 else K), 1.0, link, np.arange(K))
        folder = tmp_path / link
        folder.mkdir()
        cases = [Case(model, output=output) for output in ("proba_float", "proba_q15")]
        library = load(folder, cases)
        assert set(answers(library, cases[0], 0, np.zeros((1, 1))).ravel()) == {1 / K}
        assert set(answers(library, cases[1], 1, np.zeros((1, 1))).ravel()) == {proba.ONE // K}


@pytest.mark.parametrize("scale", [1e-12, 1e-4, 0.37, 90.0])
@pytest.mark.parametrize("top", [17, 16384])
def test_products_of_integers_stay_in_32_bits(scale, top):
    """Every step of the sums, in Python, against the exact product."""
    factor = proba.integer_factor(scale, top)
    rng = np.random.default_rng(0)
    reach = min(2**32 - 1, 4 * top / scale)
    for d in {int(x) for x in np.append(rng.uniform(0, reach, 2000), [0, 1, reach])}:
        small = d >> factor.drop
        if small >= factor.most:
            assert d * scale >= top * (1 - 1e-3) - factor.lost
            continue
        assert small * factor.factor < 2**32
        off = abs(small * factor.factor / 2**factor.fraction - d * scale)
        assert off <= factor.relative * max(1, d * scale) + factor.lost + 1e-12


def test_the_table_of_powers():
    assert proba.powers().dtype == np.uint16
    powers = proba.powers().astype(float) / 2**16 + 0.5
    assert powers[0] == 1
    assert powers[-1] == 0.5
    assert np.abs(powers - 2.0 ** (-np.arange(len(powers)) / (len(powers) - 1))).max() <= 2**-17
