import numpy as np
import pytest

from skdistill.chunks import Chunk, RowSample
from skdistill.chunks.sample import row_keys

ROWS = np.arange(3000, dtype=np.float64)[:, None]


def sample_of(borders, order=None, max_samples=100, seed=3):
    sample = RowSample(max_samples, seed)
    parts = list(zip([0, *borders], [*borders, len(ROWS)], strict=True))
    for number in order or range(len(parts)):
        first, last = parts[number]
        sample.add(Chunk(number, first, ROWS[first:last], ROWS[first:last, 0], ROWS[first:last, 0]))
    return sample


def test_it_does_not_depend_on_chunks_or_their_order():
    expected = np.sort(np.argsort(row_keys(0, len(ROWS), 3))[:100])
    for borders, order in (([], None), ([1, 2, 2, 999, 1000], None), ([1000, 2000], [2, 0, 1])):
        chunk = sample_of(borders, order).chunk()
        assert chunk.X[:, 0].tolist() == expected.tolist()
        assert chunk.y.tolist() == chunk.sample_weight.tolist() == expected.tolist()


def test_samples_of_parts_are_merged():
    merged = RowSample(100, 3)
    for first in range(0, len(ROWS), 750):
        part = RowSample(100, 3)
        part.add(Chunk(0, first, ROWS[first : first + 750]))
        merged.merge(part)
    assert merged.n_samples == len(ROWS)
    assert np.array_equal(merged.chunk().X, sample_of([]).chunk().X)


def test_a_small_table_is_its_own_sample():
    assert np.array_equal(sample_of([7, 99], max_samples=5000).chunk().X, ROWS)


def test_seeds_differ_and_rows_are_even():
    a, b = (sample_of([], seed=seed).chunk().X[:, 0] for seed in (0, 1))
    assert len(np.intersect1d(a, b)) < 20  # 3.3 are expected
    # 1000 of 3000 rows: a thousand has 333 of them, with a standard deviation of 12.
    rows = sample_of([], max_samples=1000).chunk().X[:, 0]
    assert np.abs(np.bincount((rows // 1000).astype(int)) - 1000 / 3).max() < 60


def test_no_rows():
    with pytest.raises(ValueError, match="the chunks hold no rows"):
        RowSample(5, 0).chunk()
