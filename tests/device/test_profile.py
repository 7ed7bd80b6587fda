import shutil
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

from skdistill import (
    SoftBoostingClassifier,
    SoftLinearClassifier,
    SoftTreeClassifier,
    SoftTreeRegressor,
)
from skdistill.device.cores import TARGETS
from skdistill.device.profile import Profile, differs, profile
from skdistill.device.toolchain import BuildError
from skdistill.export.c import device_input
from skdistill.export.onnx.categories import graph_input
from skdistill.export.onnx.parity import probe_rows
from tests.strategies import adversarial_rows, compact_models, seeds

RUNNABLE = [name for name, target in TARGETS.items() if target.core or name == "host"]


@pytest.fixture(scope="module")
def fitted():
    digits, cancer = load_digits(return_X_y=True), load_breast_cancer(return_X_y=True)
    boosting = SoftBoostingClassifier(n_estimators=5, max_leaf_nodes=6)
    return {
        "tree": (SoftTreeClassifier(max_leaf_nodes=64).fit(*digits), digits[0]),
        "boosting": (boosting.fit(*cancer), cancer[0]),
        "linear": (SoftLinearClassifier().fit(*digits), digits[0]),
    }


@pytest.mark.parametrize("target", RUNNABLE)
@pytest.mark.parametrize("kind", ["tree", "boosting", "linear"])
def test_fitted_students_answer_as_here(kind, target, fitted):
    student, X = fitted[kind]
    model = student.compact_
    probes = probe_rows(model, X)
    probes = probes[np.random.default_rng(0).choice(len(probes), 120)]
    for output, rows in (("label", probes), ("scores", X[:80])):
        got = profile(student, rows, target=target, output=output)
        assert got.mismatches == 0
        assert got.rows == len(rows)
        assert got.flash_bytes == got.model_bytes + got.code_bytes + got.library_bytes
        assert got.ram_bytes == 0
        assert (got.instructions_mean is None) == (target == "host")
        if output == "label" and target != "host":  # where tables may be aligned
            assert model.nbytes <= got.model_bytes <= model.nbytes + 3 * 4


@pytest.mark.filterwarnings("ignore:input_dtype=.* whole numbers")
@pytest.mark.parametrize("target", RUNNABLE)
@settings(max_examples=6, phases=[Phase.generate])  # shrinking would compile for minutes
@given(model=compact_models(), seed=seeds)
def test_any_model_answers_as_here(target, model, seed):
    X = adversarial_rows(model, seed, dtype=model.input_dtype)
    assert profile(model, X, target=target, output="scores").mismatches == 0
    if model.classes is not None:
        assert profile(model, X, target=target, output="label").mismatches == 0


def test_regressors_have_scores():
    X, y = load_diabetes(return_X_y=True)
    tree = SoftTreeRegressor(max_leaf_nodes=16).fit(X, y)
    assert profile(tree, X).mismatches == 0


def test_integers_spare_the_quantizer(fitted):
    tree, X = fitted["tree"]
    wide, narrow = (profile(tree, X[:300], input_dtype=kind) for kind in ("float32", "uint8"))
    assert narrow.mismatches == 0
    assert narrow.flash_bytes < wide.flash_bytes
    assert narrow.instructions_mean < wide.instructions_mean


def test_what_differs_is_counted(fitted):
    tree, X = fitted["tree"]
    model, X = tree.compact_, X[:50]
    labels = model.predict(X)
    wrong = np.arange(50) % 7 == 0
    assert differs(model, X, "label", labels + wrong).tolist() == wrong.tolist()
    scores = model.scores(X)
    assert differs(model, X, "scores", scores + np.outer(wrong, np.arange(10) == 3)).sum() == 8
    P = model.predict_proba(X)
    assert not differs(model, X, "proba_float", P.astype(np.float32), 1e-6).any()
    assert differs(model, X, "proba_float", P + 1e-3 * wrong[:, None], 1e-4).sum() == 8
    fixed = np.rint(P * 32768).astype(np.uint16)
    assert not differs(model, X, "proba_q15", fixed, 2**-16).any()
    assert differs(model, X, "proba_q15", fixed + 2 * wrong[:, None], 2**-16).sum() == 8


@pytest.mark.parametrize("output", ["proba_float", "proba_q15"])
@pytest.mark.parametrize("kind", ["tree", "boosting", "linear"])
def test_probabilities_keep_to_the_stated_error(kind, output, fitted):
    student, X = fitted[kind]
    assert profile(student, X[:100], target="cortex-m4f", output=output).mismatches == 0


@pytest.mark.parametrize("target", ["cortex-m0", "cortex-m33", "rv32imc"])
@pytest.mark.parametrize("layout", ["table", "code"])
@pytest.mark.parametrize("kind", ["tree", "boosting", "linear"])
def test_no_row_exceeds_the_bounds(kind, layout, target, fitted):
    student, X = fitted[kind]
    probes = probe_rows(student.compact_, X)
    got = profile(student, probes[::40], target=target, layout=layout)
    assert got.instructions_max <= got.instructions_bound
    assert got.stack_bytes <= got.stack_bound


@pytest.mark.parametrize(
    ("target", "compiler"),
    [
        ("cortex-m0", "arm-none-eabi-gcc"),
        ("cortex-m33", "arm-none-eabi-gcc"),
        ("rv32imc", "riscv64-unknown-elf-gcc"),
        ("avr", "avr-gcc"),
        ("host", "gcc"),
    ],
)
def test_a_compiler_of_the_users(target, compiler, fitted):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    for kind in ("tree", "linear"):
        student, X = fitted[kind]
        got = student.profile(X[:20], target=target, compiler=compiler)
        own = profile(student, X[:20], target=target)
        assert not got.mismatches
        assert 0.5 < got.model_bytes / own.model_bytes < 2
        assert (got.library_bytes is None) == (target == "host")
        assert got.stack_bound == own.stack_bound
        fast = profile(student, X[:20], target=target, compiler=compiler, flags="-O3 -DNDEBUG")
        assert not fast.mismatches
        assert fast.stack_bound is fast.instructions_bound is None
        assert fast.code_bytes >= got.code_bytes
    with pytest.raises(BuildError, match="no-such-option"):
        profile(student, X[:20], target=target, compiler=compiler, flags=["--no-such-option"])


def test_a_compiler_that_is_not_there_is_named(fitted):
    tree, X = fitted["tree"]
    with pytest.raises(BuildError, match="no-such-gcc cannot be run"):
        profile(tree, X[:2], compiler="no-such-gcc")


def test_flags_reach_the_compiler_of_pip(fitted):
    tree, X = fitted["boosting"]
    small, fast = (tree.profile(X[:20], flags=flags) for flags in ((), "-O3"))
    assert fast.code_bytes > small.code_bytes
    assert small.mismatches == fast.mismatches == 0


def test_time_is_cycles_over_a_clock(fitted):
    tree, X = fitted["tree"]
    got = profile(tree, X[:20])
    cycles = TARGETS["cortex-m0"].cycles_per_instruction
    for clock in ("48MHz", "48 MHz", "48000kHz", 48e6):
        assert got.time(clock) == pytest.approx(got.instructions_mean * cycles / 48e6)
    assert got.time("1GHz", of="max") == pytest.approx(got.instructions_max * cycles / 1e9)
    assert got.time("16MHz") < got.time("16MHz", of="max") < got.time("16MHz", of="bound")
    for clock in ("fast", "0MHz", -1, "48mHz", "1.2.3Hz", None, [48]):
        with pytest.raises(ValueError, match="clock must be a frequency such as '48MHz'"):
            got.time(clock)
    with pytest.raises(ValueError, match="of must be"):
        got.time("1MHz", of="median")
    with pytest.raises(ValueError, match="target='host' has no mean of instructions"):
        profile(tree, X[:2], target="host").time("1GHz")
    for target in TARGETS.values():
        assert bool(target.cycles_source) == (target.name != "host")


def test_avr_sizes_need_pip_only(fitted):
    tree, X = fitted["tree"]
    got = profile(tree, X[:100], target="avr")
    assert got.model_bytes >= tree.compact_.nbytes
    assert got.ram_bytes == 0
    installed = shutil.which("avr-gcc") and shutil.which("simavr")
    assert got.mismatches == (0 if installed else None)
    assert (got.cycles_mean is None) == (not installed)
    assert (got.stack_bytes is None) == (not installed)
    if installed:
        assert got.cycles_max <= got.instructions_bound
        assert got.stack_bytes <= got.stack_bound
        assert got.time("16MHz") == pytest.approx(got.cycles_mean / 16e6)


def test_bad_arguments_are_refused(fitted):
    tree, X = fitted["tree"]
    with pytest.raises(ValueError, match="target must be one of"):
        profile(tree, X, target="z80")
    with pytest.raises(ValueError, match="at least one row"):
        profile(tree, X[:0])
    with pytest.raises(ValueError, match="SoftTreeClassifier without compact_"):
        profile(SoftTreeClassifier(), X)
    with pytest.raises(ValueError, match="layout must be one of"):
        profile(tree, X, layout="round")
    with pytest.raises(ValueError, match="uint8"):
        profile(tree, X - 1, input_dtype="uint8")


def test_columns_in_another_order_are_refused(fitted):
    X = pd.DataFrame(fitted["boosting"][1]).add_prefix("x")
    model = SoftTreeClassifier(max_leaf_nodes=4).fit(X, np.arange(len(X)) % 2)
    with pytest.raises(ValueError, match="feature names should match"):
        model.profile(X[X.columns[::-1]], target="host")
    with pytest.raises(ValueError, match="feature names should match"):
        device_input(model.compact_, X[X.columns[::-1]], "float32")
    with pytest.raises(ValueError, match="feature names should match"):
        graph_input(model.compact_, X[X.columns[::-1]])


def test_a_profile_reads_as_a_table():
    got = Profile(
        "cortex-m0", "uint8", "label", "table", 1797, 0, 220, 96, 0, 0, 16, 80, 174.44, 295, 400
    )
    assert str(got).splitlines() == [
        "target              cortex-m0, uint8 to label, layout table",
        "flash_bytes         316",
        "model_bytes         220",
        "code_bytes          96",
        "library_bytes       0",
        "ram_bytes           0",
        "stack_bytes         16",
        "stack_bound         80",
        "instructions_mean   174.4",
        "instructions_max    295",
        "instructions_bound  400",
        "mismatches          0 of 1,797 rows",
    ]
    got = Profile(
        "avr", "uint8", "label", "table", 9, None, 1220, 96, None, 0, missing_routines=("memset",)
    )
    assert str(got).splitlines()[1:] == [
        "flash_bytes       1,316",
        "model_bytes       1,220",
        "code_bytes        96",
        "ram_bytes         0",
        "missing_routines  memset",
    ]


@pytest.mark.parametrize("target", ["host", "cortex-m0", "avr"])
def test_what_is_printed_are_attributes(fitted, target):
    tree, X = fitted["tree"]
    got = profile(tree, X[:20], target=target)
    names = [line.split()[0] for line in str(got).splitlines()]
    assert {"target", "flash_bytes", "ram_bytes"} <= set(names)
    assert all(hasattr(got, name) for name in names)


def without(monkeypatch, *modules):
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
@pytest.mark.parametrize("output", ["label", "scores", "proba_float", "proba_q15"])
@pytest.mark.parametrize("kind", ["tree", "boosting", "linear"])
def test_the_systems_compiler_serves_the_host(fitted, kind, output, monkeypatch):
    student, X = fitted[kind]
    zig = profile(student, X[:100], target="host", output=output)
    without(monkeypatch, "ziglang")
    monkeypatch.setenv("CC", "gcc -O1")
    got = profile(student, X[:100], target="host", output=output)
    assert got.mismatches == 0
    assert got.library_bytes is None
    assert got.flash_bytes == got.model_bytes + got.code_bytes > 0
    assert abs(got.model_bytes - zig.model_bytes) <= 64  # gcc aligns each larger table to 32 bytes
    assert got.ram_bytes == zig.ram_bytes == 0
    without(monkeypatch, "elftools")
    bare = profile(student, X[:100], target="host", output=output)
    assert (bare.mismatches, bare.flash_bytes, bare.ram_bytes) == (0, None, None)
    assert str(bare).splitlines()[1:] == ["mismatches  0 of 100 rows"]


def test_without_any_compiler_both_remedies_are_named(fitted, monkeypatch):
    tree, X = fitted["tree"]
    without(monkeypatch, "ziglang")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ImportError, match=r"pip install 'skdistill\[device\]' .* or install gcc"):
        profile(tree, X, target="host")
    with pytest.raises(ImportError, match="device targets need ziglang"):
        profile(tree, X, target="cortex-m0")
