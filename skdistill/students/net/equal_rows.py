"""Equal rows as one: a row of weight 2 and two rows of weight 1 train the same network."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def merge_equal_rows(
    X: NDArray[Any],
    targets: NDArray[np.float64],
    weight: NDArray[np.float64],
    hints: NDArray[np.float64],
) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Rows that differ, in an order that depends on nothing but them.

    Parameters
    ----------
    X : float32 or int32 array of shape (n_samples, n_features)
        Training rows.
    targets : float64 array of shape (n_parts, n_samples, n_outputs)
        What they are to give.
    weight : float64 array of shape (n_samples,)
        Weights of the rows.
    hints : float64 array of shape (n_samples, n_hints)
        Further targets.

    Returns
    -------
    X, targets, weight, hints : arrays of n_distinct rows
        Weights are summed.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students.net.equal_rows import merge_equal_rows
    >>> X = np.array([[2], [1], [2]], np.float32)
    >>> targets, hints = np.array([[[1.0], [0.0], [1.0]]]), np.zeros((3, 0))
    >>> X, targets, weight, hints = merge_equal_rows(X, targets, np.ones(3), hints)
    >>> sorted(zip(X[:, 0].tolist(), weight.tolist()))
    [(1.0, 1.0), (2.0, 2.0)]
    """
    columns = [X + X.dtype.type(0), *targets, *([hints] if hints.size else [])]  # −0 is 0
    parts = [np.ascontiguousarray(each).view(np.uint8).reshape(len(X), -1) for each in columns]
    key = np.ascontiguousarray(np.hstack(parts))
    whole = key.view(f"V{key.shape[1]}")[:, 0]
    _, first, which = np.unique(whole, return_index=True, return_inverse=True)
    summed = np.bincount(which, weight).astype(np.float64)
    return X[first], targets[:, first], summed, hints[first]
