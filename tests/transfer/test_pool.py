"""The pool of unlabeled rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skdistill import Pool


@pytest.mark.parametrize("kind", [list, np.array, pd.DataFrame])
def test_sample_is_the_pool(kind):
    rows = kind([[1.0, 2.0], [3.0, 4.0]])
    assert Pool(rows).sample(np.zeros((5, 2)), random_state=0) is rows
    assert Pool(X=rows).get_params() == {"X": rows}


def test_a_clone_holds_the_same_rows():
    rows = np.arange(6.0).reshape(3, 2)
    assert clone(Pool(rows)).sample(rows).tolist() == rows.tolist()
