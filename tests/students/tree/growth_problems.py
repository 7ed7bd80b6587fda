"""Random codes and limits, for what has to grow the same tree another way."""

import numpy as np

from skdistill.students.tree.fixed_point import to_fixed_point
from skdistill.students.tree.grower import SplitPenalties


def problem(seed):
    """Codes, edges, row statistics, parts of the rows, and limits, with ties and penalties."""
    rng = np.random.default_rng(seed)
    n, n_features, n_targets = rng.integers(50, 2000), rng.integers(1, 6), rng.integers(1, 4)
    n_edges = rng.integers(0, 30, n_features).astype(np.int32)
    codes = np.array([rng.integers(0, most + 2, n) for most in n_edges], np.uint8)
    weight = rng.random(n) + 0.1 if seed % 2 else np.ones(n)
    P = rng.random((n, n_targets))
    P = np.rint(P) if seed % 3 == 0 else P  # ties
    limits = {
        "criterion": int(seed % 4 == 0),
        "max_leaf_nodes": int(rng.integers(1, 60)),
        "max_depth": int(rng.choice([3, 100])),
        "min_samples_leaf": int(rng.choice([1, 5])),
        "min_weight_fraction": float(rng.choice([0, 0.01])),
        "l2_regularization": float(rng.choice([0, 1e6])),
    }
    if n_targets == 1 and limits["criterion"] == 0:
        limits["signs"] = rng.integers(-1, 2, n_features).astype(np.int8)
    if seed % 3 == 1:
        bins = int((n_edges.astype(int) + 2).sum())
        limits["penalties"] = SplitPenalties(
            rng.random(n_features) * 2**35, rng.random(bins) * 2**33
        )
    row_stats = to_fixed_point(P, weight, count=limits["min_samples_leaf"] > 1)
    parts = np.split(np.arange(n), np.sort(rng.integers(0, n, 3)))  # some may be empty
    return codes, n_edges, row_stats, parts, limits
