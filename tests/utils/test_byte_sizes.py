"""Numbers of bytes as people write them."""

from __future__ import annotations

import numpy as np
import pytest

from skdistill.utils.byte_sizes import parse_bytes


@pytest.mark.parametrize(
    ("size", "nbytes"),
    [
        ("2KB", 2048),
        ("512B", 512),
        ("1.5KB", 1536),
        (" 1.5 kB ", 1536),
        ("0.3KB", 307),
        ("1MB", 1024**2),
        (300, 300),
        (np.int64(7), 7),
    ],
)
def test_sizes(size, nbytes):
    assert parse_bytes(size) == nbytes


@pytest.mark.parametrize(
    "size", ["2", "KB", "-1KB", "1e3B", "2 K B", "2GB", "0B", 0, -5, 1.5, True, None]
)
def test_what_is_no_size_is_refused(size):
    with pytest.raises(ValueError, match="budget must be a number of bytes, such as 2048, '512B'"):
        parse_bytes(size)
