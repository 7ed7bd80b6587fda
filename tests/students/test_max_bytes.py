"""`max_bytes` of all students: never exceeded, nearly used up, and otherwise no other model."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from skdistill import SoftTreeClassifier, SoftTreeRegressor
from skdistill.compact import TreeTable
from skdistill.compact.file_format import to_bytes


def table(seed, *, regression, categories=False, missing=False):
    """Random rows with weights: a frame with columns of categories, or an array."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(150, 500)), int(rng.integers(2, 7))
    X = rng.normal(size=(n, d)).round(int(rng.integers(0, 4)))
    signal = np.sin(2 * X[:, 0]) + X[:, 1] / 2 + 0.3 * rng.normal(size=n)
    if missing:
        X[rng.random(X.shape) < 0.1] = np.nan
    if categories:
        X = pd.DataFrame(X, columns=[f"x{j}" for j in range(d)])
        for name, count in (("many", 90), ("some", 30)):
            codes = rng.integers(0, count, n)
            X[name] = pd.Categorical([f"{name} {code}" for code in codes])
            signal += (codes % 7 > 3) * rng.uniform(1, 2)
    weight = rng.uniform(0.5, 2, n)
    if regression:
        y = np.column_stack([signal, signal**2])[:, : int(rng.integers(1, 3))]
        return X, y, weight
    n_classes = int(rng.integers(2, 5))
    levels = np.quantile(signal, np.linspace(0, 1, n_classes + 1)[1:-1])
    return X, np.digitize(signal, levels), weight


def smallest_size(student, data):
    """Bytes that the error of too few bytes names."""
    with pytest.raises(
        ValueError, match=r"max_bytes=1 is too small: .* takes [0-9]+ bytes"
    ) as error:
        student.set_params(max_bytes=1).fit(*data)
    return int(re.search(r"takes ([0-9]+) bytes", str(error.value))[1])


KINDS = [
    {"regression": False},
    {"regression": True},
    {"regression": False, "categories": True},
    {"regression": True, "categories": True},
    {"regression": False, "missing": True},
]


class TestTrees:
    @pytest.mark.parametrize("kind", KINDS, ids=str)
    @pytest.mark.parametrize("seed", range(4))
    def test_as_many_leaves_as_fit(self, kind, seed):
        data = table(seed, **kind)
        Tree = SoftTreeRegressor if kind["regression"] else SoftTreeClassifier
        whole = Tree(max_leaf_nodes=None).fit(*data).compact_.nbytes
        smallest = smallest_size(Tree(), data)
        rng = np.random.default_rng(seed)
        for max_bytes in [smallest, *rng.integers(smallest, whole, 3).tolist()]:
            tree = Tree(max_bytes=max_bytes).fit(*data)
            assert tree.compact_.nbytes <= max_bytes
            if "categories" in kind:
                continue
            n_leaves = len(tree.compact_.table(TreeTable).values)
            equal = Tree(max_leaf_nodes=n_leaves).fit(*data)
            assert to_bytes(equal.compact_) == to_bytes(tree.compact_)
            larger = Tree(max_leaf_nodes=n_leaves + 1).fit(*data)
            assert larger.compact_.nbytes > max_bytes or n_leaves == rows(data)

    @pytest.mark.parametrize("Tree", [SoftTreeClassifier, SoftTreeRegressor])
    @pytest.mark.parametrize("settings", [{}, {"max_leaf_nodes": 20}, {"ccp_alpha": 1e-3}], ids=str)
    def test_enough_bytes_change_nothing(self, Tree, settings):
        data = table(3, regression=Tree is SoftTreeRegressor, categories=True)
        free = Tree(**{"max_leaf_nodes": None, **settings}).fit(*data)
        limited = Tree(max_bytes=10**6, **settings).fit(*data)
        assert to_bytes(limited.compact_) == to_bytes(free.compact_)
        assert (limited.feature_importances_ == free.feature_importances_).all()

    def test_without_max_bytes_there_are_64_leaves(self):
        X, y, weight = table(1, regression=True)
        values = SoftTreeRegressor().fit(X, y, weight).compact_.table(TreeTable).values
        assert len(values) == 64

    def test_columns_of_categories_are_read_where_they_fit(self):
        rng = np.random.default_rng(0)
        codes = rng.integers(0, 100, 2000)
        X = pd.DataFrame({"x": rng.normal(size=2000), "code": [f"c{code}" for code in codes]})
        y = (codes % 2 == 0) ^ (X["x"].to_numpy() > 1.5)
        small, large = (SoftTreeClassifier(max_bytes=b).fit(X, y) for b in (60, 200))
        assert small.compact_.columns.tolist() == [0]
        assert large.compact_.columns.tolist() == [0, 1]
        assert large.score(X, y) > 0.9 > small.score(X, y)
        with pytest.raises(ValueError, match=r"a tree of two leaves takes 10[0-9] bytes"):
            SoftTreeClassifier(max_bytes=60).fit(X[["code"]], y)

    @pytest.mark.parametrize("max_bytes", [30, 60, 120])
    def test_refined_trees_stay_within(self, max_bytes):
        X, y, weight = table(5, regression=False)
        tree = SoftTreeClassifier(max_bytes=max_bytes, tao_n_iter=3, ccp_alpha=1e-4)
        tree.fit(X, y, weight)
        assert 0.7 * max_bytes < tree.compact_.nbytes <= max_bytes

    def test_what_needs_no_split_fits(self):
        X = np.zeros((10, 2))
        assert SoftTreeClassifier(max_bytes=1).fit(X, [0, 1] * 5).compact_.nbytes == 0
        assert SoftTreeClassifier(max_bytes=1).fit(X, np.ones(10)).compact_.nbytes == 0
        assert SoftTreeRegressor(max_bytes=1).fit(X, np.ones(10)).compact_.nbytes == 0


def rows(data):
    return len(data[1])
