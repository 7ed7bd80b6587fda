import shutil

import numpy as np
import pytest

from skdistill.device.host import Function, load
from skdistill.device.toolchain import BuildError

SOURCE = """
#include <stdint.h>
int sum(const int16_t *x) { return x[0] + x[1]; }
void roots(const float *x, float *p) { for (int i = 0; i < 3; i++) p[i] = x[0] / (i + 1); }
"""
COMPILERS = [(), ("gcc",), ("clang",)]


def installed(compiler):
    if compiler and shutil.which(compiler[0]) is None:
        pytest.skip(f"{compiler[0]} is not installed")
    return compiler


@pytest.mark.parametrize("compiler", COMPILERS)
def test_whole_arrays(compiler):
    X = np.arange(-6, 6, dtype=np.int16).reshape(-1, 2)
    call = load({"f.c": SOURCE}, Function("sum", 2, "int16"), compiler=installed(compiler))
    assert call(X).tolist() == X.sum(axis=1).tolist()
    assert call(X[::2]).tolist() == X[::2].sum(axis=1).tolist()
    assert call(X[:0]).tolist() == []
    function = Function("roots", 1, "float32", "float32", 3)
    call = load({"f.c": SOURCE}, function, compiler=installed(compiler))
    x = np.array([[6], [-1]], np.float32)
    assert np.array_equal(call(x), x / np.arange(1, 4, dtype=np.float32))


def test_rows_of_another_type_or_width_are_refused():
    call = load({"f.c": SOURCE}, Function("sum", 2, "int16"))
    for X in (np.ones((3, 2)), np.ones((3, 3), np.int16), np.ones(2, np.int16)):
        with pytest.raises(ValueError, match=r"sum\(\) takes int16 of shape \(n, 2\)"):
            call(X)


def test_bytes_as_results():
    outputs = np.array([[1, 0, 0, 0], [255, 255, 255, 255]], np.uint8)
    assert Function("f", 1, "float32").read(outputs).tolist() == [1, -1]
    function = Function("f", 1, "uint8", "uint16", 2)
    assert function.read(outputs).tolist() == [[1, 0], [65535, 65535]]
    assert function.output_bytes == 4
    assert function.prototype == "void f(const uint8_t *x, uint16_t *out);"


def test_refusals_are_the_compilers_own():
    with pytest.raises(BuildError, match=r"error: .*nothing"):
        load({"f.c": "int f(const float *x) { return nothing; }"}, Function("f", 1, "float32"))
    with pytest.raises(BuildError, match="no-such-compiler cannot be run"):
        load({"f.c": SOURCE}, Function("sum", 2, "int16"), compiler=["no-such-compiler"])
