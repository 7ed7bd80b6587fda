import numpy as np
import pytest

from skdistill.students.tree.grower import grow_tree
from skdistill.students.tree.merged_growth import grow_merged, node_histograms
from tests.students.tree.growth_problems import problem


@pytest.mark.parametrize("stored", [1 << 28, 0], ids=["stored", "asked for anew"])
def test_it_is_the_tree_of_all_rows(monkeypatch, stored):
    monkeypatch.setattr("skdistill.students.tree.merged_growth._STORED_BYTES", stored)
    for seed in range(24):
        codes, n_edges, row_stats, parts, limits = problem(seed)

        def histograms_of(request, codes=codes, row_stats=row_stats, n_edges=n_edges, parts=parts):
            answers = [
                node_histograms(codes[:, rows], row_stats[rows], n_edges, request) for rows in parts
            ]
            return tuple(sum(each) for each in zip(*answers, strict=True))

        merged = grow_merged(histograms_of, n_edges, codes.max(axis=1) > n_edges, **limits)
        expected = grow_tree(codes, n_edges, row_stats, **limits)
        for name in expected._fields[:-1]:
            a, b = getattr(merged, name), getattr(expected, name)
            assert a.dtype == b.dtype
            assert np.array_equal(a, b), (seed, name)
