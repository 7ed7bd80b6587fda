"""Values of a regression, in float and in integers, are those of Python within what is stated."""

import re
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from skdistill import CompactModel, SoftTreeClassifier, SoftTreeRegressor
from skdistill.device.simavr import missing_tools
from skdistill.export.c import largest_error, to_c
from skdistill.export.c.value import check_value, fraction_bits, value_error
from tests.export.c.harness import Case, answers, load, rows_for
from tests.strategies import tree_model

OUTPUTS = ("value", "value_q16", "value_q4", "value_q0", "value_q30")


def fits(model, output):
    try:
        check_value(model, output)
    except ValueError:
        return False
    return True


@pytest.fixture(scope="module")
def cases():
    """Regressions with one scale and with one for each score, from 1e-30 to 1e20."""
    rng, found = np.random.default_rng(0), []
    models = (tree_model(np.random.default_rng(seed)) for seed in range(60))
    for i, model in enumerate(m for m in models if m.classes is None):
        size = 10.0 ** rng.uniform(-30, 20) if i % 3 == 0 else 10.0 ** rng.uniform(-6, 4)
        scale = size / max(1, int(model.score_bound.max()))
        if i % 2:
            scale = scale * rng.uniform(0.1, 1, model.n_scores)
        model = replace(model, scale=scale)
        found += [
            Case(model, model.input_dtype, output, ["table", "code"][i % 2])
            for output in OUTPUTS
            if fits(model, output)
        ]
    assert {case.output for case in found} == set(OUTPUTS)
    assert {case.model.n_scores for case in found} == {1, 3}
    return found


@pytest.mark.parametrize("compiler", ["gcc", "zig"])
def test_values_keep_to_the_stated_error(cases, compiler, tmp_path):
    library = load(tmp_path, cases, compiler)
    for i, case in enumerate(cases):
        X = rows_for(case, i)
        got = answers(library, case, i, X) * 2.0 ** -(fraction_bits(case.output) or 0)
        error = value_error(case.model, case.output)
        assert (np.abs(got - case.expected(X)) <= error).all()


def test_the_stated_error_is_small(cases):
    for case in cases:
        bits, error = fraction_bits(case.output), value_error(case.model, case.output)
        most = (case.model.score_bound * np.asarray(case.model.scale)).max()
        if bits is None:
            assert error <= most * 2**-22 + 1e-44
        else:
            assert error <= 1.01 * 2.0**-bits


def test_extreme_scores_do_not_overflow(tmp_path):
    """A constant at the end of what 32 bits hold."""
    cases = []
    for score in (2**31 - 1, -(2**31 - 1), 1, 0):
        for bits in (0, 16, 30):
            scale = 0.999999 * 2.0 ** (31 - bits) / max(1, abs(score))
            cases.append(
                Case(CompactModel(1, [score], scale, "identity", None), output=f"value_q{bits}")
            )
    library = load(tmp_path, cases)
    for i, case in enumerate(cases):
        got = answers(library, case, i, np.zeros((1, 1)))[0, 0]
        expected = case.expected(np.zeros((1, 1)))[0, 0] * 2.0 ** fraction_bits(case.output)
        assert abs(got - expected) <= 1


def test_the_header_names_the_function_and_the_error(tmp_path):
    X, y = load_diabetes(return_X_y=True)
    tree = SoftTreeRegressor(max_leaf_nodes=8).fit(X, y)
    text = tree.to_c(tmp_path / "sugar.c", output="value_q16")
    header = (tmp_path / "sugar.h").read_text()
    assert "void sugar_value_q16(const float *x, int32_t *y);" in header
    stated = float(re.search(r"SUGAR_VALUE_ERROR (\S+)", header)[1])
    assert stated == pytest.approx(largest_error(tree.compact_, "value_q16"))
    assert "a value is off by at most" in text
    assert "void sugar_scores(const float *x, int32_t *s)" in text


def test_what_does_not_fit_is_refused_with_a_remedy():
    model = CompactModel(1, [1000], 70.0, "identity", None)  # 70,000
    with pytest.raises(ValueError, match=r"reach 70000: take 'value_q14' or fewer bits"):
        to_c(model, output="value_q16")
    assert "value_q14" in to_c(model, output="value_q14")
    with pytest.raises(ValueError, match=r"reach 7e\+15: take 'value'"):
        to_c(replace(model, scale=7e12), output="value_q0")
    with pytest.raises(ValueError, match="does not suit link 'exp': take 'scores'"):
        to_c(CompactModel(1, [3], 1.0, "exp", None), output="value")
    with pytest.raises(ValueError, match="is float32, which does not hold values of 7e"):
        to_c(replace(model, scale=7e37), output="value")


def test_classes_have_no_value_and_values_no_probability():
    rng = np.random.default_rng(0)
    tree = SoftTreeClassifier(max_leaf_nodes=2).fit(rng.normal(size=(9, 1)), np.arange(9) % 2)
    with pytest.raises(ValueError, match="output='value_q3' is for a regression"):
        tree.to_c(output="value_q3")
    with pytest.raises(
        ValueError, match=r"output='label' needs classes; .* take 'value' or 'scores'"
    ):
        to_c(CompactModel(1, [3], 1.0, "identity", None), output="label")
    with pytest.raises(ValueError, match="value_q0 to value_q30, got 'value_q31'"):
        tree.to_c(output="value_q31")


@pytest.mark.parametrize("output", ["value", "value_q8"])
@pytest.mark.parametrize("target", ["host", "cortex-m0", "cortex-m4f", "rv32imc", "avr"])
def test_cores_give_the_same_values(target, output):
    pytest.importorskip("unicorn")
    if target == "avr" and missing_tools():
        pytest.skip("avr-gcc or simavr is not installed")
    X, y = load_diabetes(return_X_y=True)
    tree = SoftTreeRegressor(max_leaf_nodes=16).fit(X, np.column_stack([y, 100 * y]))
    found = tree.profile(X[:50], target=target, output=output)
    assert found.mismatches == 0
