"""The comparison on two data sets that come with scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike

from sklearn.datasets import load_breast_cancer, load_digits

from skdistill.dataframe.files import Dataset
from skdistill.inspection.compare import compare
from skdistill.inspection.results import Comparison
from skdistill.students import SoftTreeClassifier

DATASETS = {"digits": (load_digits, 256), "breast cancer": (load_breast_cancer, 16)}
"""Name → loader, and number of leaves of the student."""


def run(
    out: str | PathLike[str],
    *,
    random_state: int = 0,
    progress: Callable[[str], None] | None = None,
) -> list[Comparison]:
    """Compare teacher and students on digits and breast cancer.

    Parameters
    ----------
    out : str or path-like
        Existing folder for the exported students.
    random_state : int, default=0
        Seed of the splits and of all models.
    progress : callable, default=None
        Called with one line of text before each step.

    Returns
    -------
    comparisons : list of Comparison
        One for each data set.
    """
    comparisons = []
    for name, (load, max_leaf_nodes) in DATASETS.items():
        data = load()
        dataset = Dataset(data.data, data.target_names[data.target], list(data.feature_names), [])
        student = SoftTreeClassifier(max_leaf_nodes=max_leaf_nodes)
        comparisons.append(
            compare(name, dataset, student, out, random_state=random_state, progress=progress)
        )
    return comparisons
