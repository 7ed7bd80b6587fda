"""The search for the largest size within a number of bytes, against trying all sizes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from skdistill.compact import CategoryTable
from skdistill.compact.tables.categories import NO_CATEGORIES
from skdistill.students.size_search import largest_size, largest_that_fits


@pytest.mark.parametrize("smallest", [1, 2])
@pytest.mark.parametrize("largest", [2, 3, 64, 1000])
def test_the_largest_size_where_bytes_rise(smallest, largest):
    rng = np.random.default_rng(largest)
    nbytes = np.cumsum(rng.integers(0, 9, largest + 1))
    for max_bytes in range(0, int(nbytes[-1]) + 5, max(1, largest // 20)):
        fitting = [n for n in range(smallest, largest + 1) if nbytes[n] <= max_bytes]
        found = largest_size(lambda n: nbytes[n], max_bytes, smallest, largest)
        assert found == max(fitting, default=smallest - 1)


def test_a_fall_of_bytes_is_found():
    def nbytes(size):
        return 4 * size - (80 if size > 85 else 0)

    for max_bytes in (280, 330, 400):
        sizes = [size for size in range(1, 1001) if nbytes(size) <= max_bytes]
        assert largest_size(nbytes, max_bytes, 1, 1000) == max(sizes)


def test_few_sizes_are_tried():
    tried = []

    def nbytes(size):
        tried.append(size)
        return 3 * size

    assert largest_size(nbytes, 3000, 1, 10**6) == 1000
    assert len(tried) < 30


@dataclass
class Chain:
    """Models that read one column more with each size, at some bytes a column."""

    order: list[int]
    bytes_of: dict[int, int]
    smallest: int = 1
    excluded: frozenset[int] = field(default=frozenset())

    def without(self, excluded):
        order = [column for column in self.order if column not in excluded]
        return Chain(order, self.bytes_of, self.smallest, excluded)

    @property
    def largest(self):
        return len(self.order)

    def nbytes(self, size):
        return sum(self.bytes_of[column] for column in self.order[:size])

    def columns(self, size):
        return np.array(self.order[:size], np.int32)


def of_sizes(counts):
    """Categories of some columns, so many in each."""
    labels = [np.array([f"{j:03}" for j in range(count)]) for count in counts.values()]
    ranks = [np.arange(count + 2) for count in counts.values()]
    return CategoryTable(list(counts), labels, np.concatenate(ranks).astype(np.uint8))


def test_columns_of_categories_that_do_not_fit_are_left_out():
    chain = Chain([0, 1, 2, 3, 4], {0: 5, 1: 100, 2: 5, 3: 40, 4: 5})
    categories = of_sizes({1: 95, 3: 35})
    for max_bytes, order in ((15, [0, 2, 4]), (55, [0, 2, 3, 4]), (110, [0, 1, 2]), (155, chain)):
        found, size = largest_that_fits(chain.without, categories, max_bytes, "one column")
        expected = order.order if isinstance(order, Chain) else order
        assert found.order[:size] == expected
        assert found.nbytes(size) <= max_bytes


def test_too_few_bytes_name_the_smallest_model():
    chain = Chain([0, 1], {0: 50, 1: 7})
    with pytest.raises(ValueError, match="max_bytes=6 is too small: one column takes 50 bytes"):
        largest_that_fits(chain.without, NO_CATEGORIES, 6, "one column")
    with pytest.raises(ValueError, match="max_bytes=6 is too small: one column takes 7 bytes"):
        largest_that_fits(chain.without, of_sizes({0: 45}), 6, "one column")
    alone = Chain([0], {0: 50})
    with pytest.raises(ValueError, match="max_bytes=6 is too small: one column takes 50 bytes"):
        largest_that_fits(alone.without, of_sizes({0: 45}), 6, "one column")
