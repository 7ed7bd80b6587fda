"""Exported models, many in one file: a compiler call takes longer than all that they answer."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import warnings
from typing import Any, NamedTuple

import numpy as np
import pytest

from skdistill import CompactModel
from skdistill.compact import evaluate
from skdistill.device.toolchain import cache_folder
from skdistill.export.c import device_input, prepare_source, to_c
from skdistill.export.c.value import VALUES
from tests.strategies import adversarial_rows

OPTIMIZE = ("size", "balanced", "speed")
INPUTS = ("float32", "int8", "uint8", "int16", "uint16", "int32", "codes")
STRICT = tuple(["-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"])
C99 = ("-std=c99", *STRICT)
COMPILERS = {"gcc": ["gcc"], "g++": ["g++", "-xc++"], "clang": ["clang"]}
ZIG = {"zig": "cc", "zig c++": "c++"}
_RESULTS = {"label": "int32", "scores": "int32", "proba_float": "float32", "proba_q15": "uint16"}
_FUNCTIONS = {"proba_float": "proba"}


class Case(NamedTuple):
    """A model and how it is exported."""

    model: CompactModel
    input: str = "float32"
    output: str = "label"
    layout: str | None = "table"
    missing_value: str | None = None
    optimize: str | None = None

    def text(self, name: str) -> str:
        """The C file. That random thresholds are no whole numbers does not matter here."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "input_dtype=.* whole numbers")
            return to_c(
                self.model,
                input_dtype=self.input,
                output=self.output,
                optimize=self.optimize,
                layout=self.layout,
                name=name,
                missing_value=self.missing_value,
            )

    def source(self) -> tuple[Any, str]:
        """What the file is printed from."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "input_dtype=.* whole numbers")
            return prepare_source(
                self.model,
                input_dtype=self.input,
                output=self.output,
                optimize=self.optimize,
                layout=self.layout,
                missing_value=self.missing_value,
            )

    @property
    def result(self) -> tuple[str, int]:
        """Type of a result, and how many there are."""
        model = self.model
        many = {"label": 1, "scores": model.n_scores}.get(self.output)
        if self.output in VALUES:
            return "float32" if self.output == "value" else "int32", model.n_scores
        return _RESULTS[self.output], len(model.classes) if many is None else many

    def expected(self, X: np.ndarray) -> np.ndarray:
        """What Python answers to rows."""
        scores = self.model.scores(X)
        if self.output == "scores":
            return scores
        if self.output in VALUES:
            return scores * np.asarray(self.model.scale, np.float64)
        if self.output == "label":
            one = len(self.model.classes) == 1
            return np.zeros(len(X), int) if one else evaluate.labels(scores, self.model.threshold)
        return evaluate.probabilities(self.model, scores)


def suits(model: CompactModel, input: str, output: str, missing_value: str | None = None) -> bool:
    """Whether a model can be exported so."""
    try:
        Case(model, input, output, missing_value=missing_value).text("m")
    except ValueError as error:
        known = (
            "take a wider type",
            "input_dtype='codes'",
            "does not suit",
            "needs classes",
            "makes one threshold of",
        )
        assert any(reason in str(error) for reason in known), error
        return False
    return True


def rows_for(case: Case, seed: int, n: int = 80) -> np.ndarray:
    """Rows at the turning points of a model, of the type of its inputs."""
    rng = np.random.default_rng(seed)
    if case.input in ("float32", "codes"):
        X = adversarial_rows(case.model, seed, n)
        X[rng.random(X.shape) < 0.03] = np.nan
        return X
    X = adversarial_rows(case.model, seed, n, "int64")
    limits = np.iinfo(case.input)
    anywhere = rng.integers(limits.min, limits.max, X.shape, endpoint=True)
    X = np.where(rng.random(X.shape) < 0.2, anywhere, np.clip(X, limits.min, limits.max))
    if case.missing_value is None:
        return X
    return np.where((limits.max == X) | (rng.random(X.shape) < 0.1), np.nan, X)


def library_text(cases: list[Case]) -> str:
    """One file that holds all cases, as `m0`, `m1` …, and calls each for many rows."""
    parts = ["#include <stddef.h>", "#include <stdint.h>"]
    for i, case in enumerate(cases):
        text = case.text(f"m{i}")
        parts += [text, _loop(case, i, text)]
    return "\n".join(parts)


def _loop(case: Case, i: int, text: str) -> str:
    function = f"m{i}_{_FUNCTIONS.get(case.output, case.output)}"
    kind, count = case.result
    c_type = "float" if kind == "float32" else f"{kind}_t"
    x_type = re.search(rf"{function}\(const (\w+) \*x", text)[1]
    width = device_input(case.model, np.zeros((1, case.model.n_features)), case.input).shape[1]
    call = f"*out = {function}(x)" if case.output == "label" else f"{function}(x, out)"
    return f"""
#ifdef __cplusplus
extern "C"
#endif
void call{i}(const {x_type} *x, {c_type} *out, size_t n);
void call{i}(const {x_type} *x, {c_type} *out, size_t n)
{{
    for (; n != 0; n--, x += {width}, out += {count})
        {call};
}}
"""


def command(compiler: str) -> list[str]:
    """How a compiler is called; skips the test where it is absent."""
    if compiler in ZIG:
        if importlib.util.find_spec("ziglang") is None:
            pytest.skip("ziglang is not installed: pip install 'skdistill[device]'")
        return [sys.executable, "-m", "ziglang", ZIG[compiler]]
    if shutil.which(COMPILERS[compiler][0]) is None:
        pytest.skip(f"{compiler} is not installed")
    return COMPILERS[compiler]


def compile_c(folder: Any, text: str, compiler: str, *flags: str, output: str = "out.so") -> Any:
    """Compile a text; path of what comes out."""
    (folder / "in.c").write_text(text)
    (folder / "in.cpp").write_text(text)
    source = "in.cpp" if compiler == "zig c++" else "in.c"
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache_folder()}
    environment["ZIG_LOCAL_CACHE_DIR"] = str(folder / "zig-cache")
    sanitize = ["-fno-sanitize=all"] if compiler in ZIG else []
    done = subprocess.run(
        [*command(compiler), *sanitize, *flags, source, "-o", output],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[:4000])
    return folder / output


def load(folder: Any, cases: list[Case], compiler: str = "gcc", *flags: str) -> ctypes.CDLL:
    """A shared library of all cases."""
    flags = flags or (*C99, "-O1")
    path = compile_c(folder, library_text(cases), compiler, *flags, "-shared", "-fPIC")
    return ctypes.CDLL(str(path))


def answers(library: ctypes.CDLL, case: Case, i: int, X: np.ndarray) -> np.ndarray:
    """What case `i` of a library answers to rows."""
    rows = device_input(case.model, X, case.input, missing_value=case.missing_value)
    kind, count = case.result
    out = np.full((len(rows), count), 77, kind)
    call = library[f"call{i}"]
    call.restype, call.argtypes = None, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    call(rows.ctypes.data, out.ctypes.data, len(rows))
    return out[:, 0] if case.output == "label" else out


def assert_equal(library: ctypes.CDLL, cases: list[Case], seed: int = 0, n: int = 80) -> None:
    """Labels and scores of all cases are those of Python."""
    for i, case in enumerate(cases):
        X = rows_for(case, seed + i, n)
        got, expected = answers(library, case, i, X), case.expected(X)
        if not np.array_equal(got, expected):
            row = np.argwhere(got != expected)[0][0]
            raise AssertionError(
                f"case {i}, {case}: {X[row]} gives {got[row]}, not {expected[row]}\n"
                f"{case.text('m')[:6000]}"
            )
