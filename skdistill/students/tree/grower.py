"""Growing one tree on integer codes, best-first.

The leaf whose split gains most is split next (Friedman, Hastie & Tibshirani 2000, "Additive
logistic regression", section 8; LightGBM's leaf-wise growth), until there are enough leaves or no
split gains anything. Each node finds its best split in a histogram of its rows: the smaller child
of a split is summed up, the larger one is its parent's histogram minus it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.students.tree.grown_tree import GrownTree
from skdistill.students.tree.growth import Growth
from skdistill.students.tree.histogram import first_bins

_HISTOGRAM_BYTES = 1 << 28  # for the histograms of open leaves; further leaves are summed up anew


class SplitPenalties(NamedTuple):
    """What a split has to gain beyond 0, in units of the row statistics.

    A penalty is paid once in a tree: it counts no more for later splits by the same feature or
    threshold.

    Attributes
    ----------
    feature : float64 array of shape (n_features,)
        For each feature.
    threshold : float64 array of shape (n_bins,)
        For each threshold, at the bin of its code; a feature has ``n_edges + 2`` bins.
    """

    feature: NDArray[np.float64]
    threshold: NDArray[np.float64]


def grow_tree(
    codes: NDArray[Any],
    n_edges: NDArray[np.int32],
    row_stats: NDArray[np.int32],
    *,
    criterion: int,
    max_leaf_nodes: int,
    max_depth: int,
    min_samples_leaf: int,
    min_weight_fraction: float = 0.0,
    l2_regularization: float = 0.0,
    penalties: SplitPenalties | None = None,
    signs: NDArray[np.int8] | None = None,
) -> GrownTree:
    """Grow a tree, always splitting the leaf that gains most.

    Parameters
    ----------
    codes : uint8 or uint16 array of shape (n_features, n_samples)
        As `InputGrid.encode` returns them; the code ``n_edges[j] + 1`` is NaN.
    n_edges : int32 array of shape (n_features,)
        Edges of each feature, which are its possible thresholds.
    row_stats : int32 array of shape (n_samples, n_stats)
        Weighted targets and weight of each row in fixed point, followed by a 1 if
        `min_samples_leaf` is above 1. Weights are above 0.
    criterion : {SQUARED_ERROR, ENTROPY}
        The impurity.
    max_leaf_nodes : int
        Maximum number of leaves.
    max_depth : int
        Maximum number of splits on the way to a leaf.
    min_samples_leaf : int
        Minimum number of rows in a leaf.
    min_weight_fraction : float, default=0.0
        Minimum weight of a leaf, as a fraction of the total weight.
    l2_regularization : float, default=0.0
        Added to the weight of a node in its squared error, in units of the row statistics.
    penalties : SplitPenalties, default=None
        What a split has to gain; None is 0 for all. They are not changed.
    signs : int8 array of shape (n_features,), default=None
        1 where the mean of the last target has to rise with a feature, −1 where it has to fall;
        None is 0 for all.

    Returns
    -------
    tree : GrownTree
        A feature that no row lacks learns no side for NaN: it goes right, which costs no byte.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students.tree.fixed_point import to_fixed_point
    >>> from skdistill.students.tree.grower import grow_tree
    >>> from skdistill.students.tree.splitting import SQUARED_ERROR
    >>> codes = np.array([[0, 1, 2, 3]], np.uint8)
    >>> row_stats = to_fixed_point(np.array([[0.0], [0.0], [1.0], [1.0]]), np.ones(4))
    >>> limits = {"max_leaf_nodes": 2, "max_depth": 1, "min_samples_leaf": 1}
    >>> tree = grow_tree(
    ...     codes, np.array([3], np.int32), row_stats, criterion=SQUARED_ERROR, **limits
    ... )
    >>> tree.threshold[0], tree.leaf.tolist()
    (np.int32(1), [1, 1, 2, 2])
    """
    bin_offsets = first_bins(n_edges)
    n_bins, n_stats = int(bin_offsets[-1]), row_stats.shape[1]
    slots = _HISTOGRAM_BYTES // max(1, n_bins * n_stats * 8)
    if penalties is None:
        penalties = SplitPenalties(np.zeros(len(n_edges)), np.zeros(n_bins))
    if signs is None:
        signs = np.zeros(len(n_edges), np.int8)
    n_slots = min(max_leaf_nodes + 1, max(2, slots))
    growth = Growth(codes, bin_offsets, row_stats, n_slots, max_leaf_nodes, signs)
    growth.start(
        criterion,
        max_depth,
        min_samples_leaf,
        float(min_weight_fraction),
        float(l2_regularization),
        penalties.feature.copy(),
        penalties.threshold.copy(),
    )
    tree = growth.grow()
    has_nan = codes.max(axis=1) > n_edges
    return tree._replace(nan_left=tree.nan_left & has_nan[tree.feature])
