"""Leaf values that a program overwrites turn one model into another of its structure."""

import ctypes
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skdistill import (
    CompactModel,
    SoftBoostingClassifier,
    SoftLinearClassifier,
    SoftTreeClassifier,
)
from skdistill.compact import TreeTable
from skdistill.export.c import to_c, value_table
from tests.export.c.harness import C99, compile_c


@pytest.mark.parametrize("layout", ["table", "code"])
@pytest.mark.parametrize(
    "student", [SoftBoostingClassifier(4, value_bits=8), SoftTreeClassifier(max_leaf_nodes=20)]
)
def test_other_values_make_another_model(student, layout, tmp_path):
    X, y = load_digits(return_X_y=True)
    model = student.fit(X, y).compact_
    trees = model.table(TreeTable)
    values = np.random.default_rng(0).permutation(trees.values.ravel())
    other = model.with_table(replace(trees, values=values.reshape(trees.values.shape)))
    options = {"input_dtype": "uint8", "output": "scores", "layout": layout}
    text = to_c(model, name="m", values_in_ram=True, **options)
    library = ctypes.CDLL(str(compile_c(tmp_path, text, "gcc", *C99, "-shared", "-fPIC")))
    rows = X[:100].astype(np.uint8)

    def scores():
        out = np.empty((len(rows), model.n_scores), np.int32)
        for x, s in zip(rows, out, strict=True):
            library.m_scores(ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(s.ctypes.data))
        return out

    assert np.array_equal(scores(), model.scores(rows))
    table = value_table(model, other, **options)
    (ctypes.c_char * table.nbytes).in_dll(library, "m_values")[:] = table.tobytes()
    assert np.array_equal(scores(), other.scores(rows))


def test_values_must_fit_and_nothing_else_may_differ():
    X, y = load_digits(return_X_y=True)
    model = SoftTreeClassifier(max_leaf_nodes=5).fit(X, y).compact_
    trees = model.table(TreeTable)
    assert trees.values.min() >= 0
    signed = model.with_table(replace(trees, values=trees.values // 2 - 100))
    with pytest.raises(ValueError, match="declares uint8: export a model that has both signs"):
        value_table(model, signed)
    with pytest.raises(ValueError, match=r"in more than its leaf values: adapt\(…, bias=False\)"):
        value_table(model, replace(model, bias=model.bias + 1))
    with pytest.raises(ValueError, match="must have the trees"):
        value_table(model, SoftTreeClassifier(max_leaf_nodes=6).fit(X, y).compact_)


def test_models_without_leaf_values_are_refused():
    X, y = load_digits(return_X_y=True)
    linear = SoftLinearClassifier().fit(X, y)
    with pytest.raises(ValueError, match="values_in_ram=True needs trees, got a model of linear"):
        linear.to_c(values_in_ram=True)
    constant = CompactModel(1, [0], 1.0, "identity", None)
    with pytest.raises(ValueError, match="values_in_ram=True needs trees, got a constant model"):
        to_c(constant, values_in_ram=True)


def test_packed_values_cannot_be_changed_one_by_one():
    X, y = load_digits(return_X_y=True)
    model = SoftBoostingClassifier(2, value_bits=4).fit(X, y).compact_
    with pytest.raises(ValueError, match="value_bits is 8 or 16, got 4"):
        to_c(model, values_in_ram=True)
