"""Checks of rows: of those in leaves, and of test rows against training rows."""

from __future__ import annotations

import numpy as np

from skdistill.compact import TreeTable, evaluate
from skdistill.inspection.checks.evidence import Evidence
from skdistill.inspection.drift import check_drift

_LEAST_ROWS = 5  # of a leaf
_LEAST_SHARE = 0.1  # of leaves with fewer rows


def small_leaves(evidence: Evidence) -> str:
    """SKD102: count the training rows of each leaf."""
    if evidence.X_train is None:
        return ""
    texts = []
    for trees in evidence.compact.tables_of(TreeTable):
        leaves = evaluate.leaves(evidence.compact, evidence.X_train)
        counts = np.bincount(leaves.ravel(), minlength=len(trees.values))
        n_small = int((counts < _LEAST_ROWS).sum())
        if n_small > _LEAST_SHARE * len(counts):
            texts.append(
                f"{n_small:,} of {len(counts):,} leaves have fewer than {_LEAST_ROWS} training rows"
            )
    return "; ".join(texts)


def rows_drift_apart(evidence: Evidence) -> str:
    """SKD110: compare the columns of training and test rows."""
    if evidence.X is None or evidence.X_train is None:
        return ""
    drifted = check_drift(evidence.compact, evidence.X, evidence.X_train).drifted
    texts = [f"{each.column} (distance {each.distance:.2f})" for each in drifted if each.is_read]
    return ", ".join(texts[:5]) + (f" and {len(texts) - 5} more" if len(texts) > 5 else "")
