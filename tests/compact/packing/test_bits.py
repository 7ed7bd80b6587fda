"""Numbers in as few bits as they need."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.compact.packing.bits import bits_for, narrowest, pack_bits, pack_fields, pack_values
from skdistill.compact.tables.limits import value_limits


def bits_of(table):
    """A table of bytes as one integer."""
    return int.from_bytes(np.asarray(table, np.uint8).tobytes(), "little")


@pytest.mark.parametrize(
    ("count", "bits"), [(0, 0), (1, 0), (2, 1), (256, 8), (257, 9), (65537, 17)]
)
def test_an_index_takes_no_more_than_it_needs(count, bits):
    assert bits_for(count) == bits


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        *[([], "uint8"), ([0, 255], "uint8"), ([-1, 127], "int8"), ([-1, 128], "int16")],
        *[([0, 65535], "uint16"), ([-(2**15), 0], "int16"), ([70_001, 0], "uint32")],
        *[([-(2**31), 2**31 - 1], "int32"), ([0, 2**32 - 1], "uint32")],
    ],
)
def test_a_table_has_the_narrowest_type(numbers, kind):
    found = narrowest(np.array(numbers, np.int64))
    assert found.dtype == kind
    assert found.tolist() == numbers


def test_numbers_beyond_32_bits_are_refused():
    for numbers in ([2**32], [-(2**31) - 1], [-1, 2**31]):
        with pytest.raises(ValueError, match="do not fit 32 bits"):
            narrowest(np.array(numbers))


@given(
    st.integers(1, 64).flatmap(
        lambda b: st.tuples(st.just(b), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
    )
)
def test_packed_bits_are_the_low_bits_of_each_number(case):
    bits, numbers = case
    table = pack_bits(np.array(numbers, np.int64), bits)
    assert len(table) == -(-len(numbers) * bits // 8)
    whole = bits_of(table)
    for i, n in enumerate(numbers):
        assert whole >> i * bits & ((1 << bits) - 1) == n % (1 << bits)


@given(st.lists(st.integers(0, 31), min_size=1, max_size=5), st.integers(0, 9), st.integers(0, 99))
def test_records_hold_their_numbers_however_wide(widths, n, seed):
    rng = np.random.default_rng(seed)
    numbers = [rng.integers(0, 1 << width, n) for width in widths]
    table = pack_fields(tuple(numbers), tuple(widths))
    assert len(table) == -(-n * sum(widths) // 8)
    whole, at = bits_of(table), 0
    for i in range(n):
        for number, width in zip(numbers, widths, strict=True):
            assert whole >> at & ((1 << width) - 1) == number[i]
            at += width


@pytest.mark.parametrize("bits", ["ternary", *range(2, 17)])
@pytest.mark.parametrize("signed", [True, False])
def test_values_are_given_back(bits, signed):
    rng = np.random.default_rng(0)
    low, high = value_limits(bits, signed=signed)
    for count in range(12):
        values = rng.integers(low, high + 1, count)
        table = pack_values(values, bits)
        if bits == "ternary":
            assert table.nbytes == -(-count // 5)
            found = [int(table[i // 5]) // 3 ** (i % 5) % 3 - 1 for i in range(count)]
        elif bits in (8, 16):
            assert table.nbytes == count * bits // 8
            found = table.tolist()
        else:
            assert table.nbytes == -(-count * bits // 8)
            found = [bits_of(table) >> i * bits & ((1 << bits) - 1) for i in range(count)]
            found = [n - (1 << bits) if signed and n >> (bits - 1) else n for n in found]
        assert found == values.tolist()
