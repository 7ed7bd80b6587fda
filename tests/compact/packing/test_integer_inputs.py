"""A model on whole numbers answers as the model itself, for every number there is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdistill.compact import TreeTable
from skdistill.compact.packing.integer_inputs import whole_cuts
from skdistill.compact.packing.pack import on_integers
from tests.strategies import adversarial_rows, compact_models, seeds, tree_model, tree_models

few = settings(max_examples=max(1, settings().max_examples // 4))
models = st.one_of(tree_models(), compact_models())


@few
@given(models, seeds)
def test_every_integer_of_a_byte_has_the_same_scores(model, seed):
    rng = np.random.default_rng(seed)
    for dtype in ("int8", "uint8"):
        limits = np.iinfo(dtype)
        whole = on_integers(model, dtype)
        numbers = np.arange(limits.min, limits.max + 1)
        X = np.stack([rng.permutation(numbers) for _ in range(model.n_features)], axis=1)
        assert np.array_equal(whole.scores(X), model.scores(X))
        for before, after in zip(
            model.tables_of(TreeTable), whole.tables_of(TreeTable), strict=True
        ):
            edges = after.grid.edges
            assert after.grid.dtype == "int32"
            assert ((edges >= limits.min) & (edges < limits.max)).all()
            assert len(after.feature) <= len(before.feature)


@given(models, seeds, st.sampled_from(["int16", "uint16", "int32"]))
def test_wider_integers_have_the_same_scores(model, seed, dtype):
    limits = np.iinfo(dtype)
    X = np.clip(adversarial_rows(model, seed, 80, "int64"), limits.min, limits.max)
    assert np.array_equal(on_integers(model, dtype).scores(X), model.scores(X))


def test_a_second_time_changes_nothing():
    for seed in range(30):
        model = tree_model(np.random.default_rng(seed))
        once = on_integers(model, "int16")
        assert on_integers(once, "int16").equals(once)


@few
@given(seeds)
def test_whole_cuts_are_the_last_that_pass_after_the_cast(seed):
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2**32, 200).astype(np.uint32).view(np.float32)
    bits = bits[np.isfinite(bits)]
    size = rng.normal(size=200) * 10.0 ** rng.integers(-3, 10, 200)
    far = rng.integers(2**24, 2**33, 200) * rng.choice([-1, 1], 200)
    edges = np.concatenate([bits, size, far, far + 0.5, np.arange(-9, 9) / 2]).astype("f4")
    for edge, cut in zip(edges, whole_cuts(edges), strict=True):
        if abs(edge) > 2.0**33:
            continue
        cut = int(cut)
        assert np.float32(cut) <= edge
        assert np.float32(cut + 1) > edge


@pytest.mark.parametrize(
    ("edge", "cut"), [(2**24, 2**24 + 1), (2**24 + 2, 2**24 + 2), (np.inf, np.inf)]
)
def test_beyond_two_to_the_24_the_cast_rounds(edge, cut):
    assert whole_cuts(np.float32([edge]))[0] == cut


def test_cuts_of_integers_are_the_edges():
    edges = np.array([-(2**31), 5, 2**31 - 1], np.int32)
    assert whole_cuts(edges).tolist() == edges.tolist()
