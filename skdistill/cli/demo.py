"""The comparison on two data sets that come with scikit-learn."""

from __future__ import annotations

from os import PathLike

from sklearn.datasets import load_breast_cancer, load_digits

from skdistill.dataframe.files import Table
from skdistill.inspection.compare import Comparison, Say, compare
from skdistill.students import SoftTreeClassifier

DATASETS = {"digits": (load_digits, 256), "breast cancer": (load_breast_cancer, 16)}
"""Name, loader and leaves of the student: about 5 KB and 150 bytes."""


def run(out: str | PathLike[str], *, seed: int = 0, say: Say | None = None) -> list[Comparison]:
    """Compare teacher and students on digits and breast cancer.

    Parameters
    ----------
    out : str or path-like
        Folder for the exported students; it must exist.
    seed : int, default=0
    say : callable, default=None
        Takes one line of progress at a time.

    Returns
    -------
    comparisons : list of Comparison
    """
    comparisons = []
    for name, (load, leaves) in DATASETS.items():
        data = load()
        table = Table(data.data, data.target_names[data.target], list(data.feature_names), [])
        student = SoftTreeClassifier(max_leaf_nodes=leaves)
        comparisons.append(compare(name, table, student, out, seed=seed, say=say))
    return comparisons
