"""The models that are compared with the distilled student, and what they are called."""

from __future__ import annotations

from typing import Any

from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.tree import DecisionTreeClassifier

from skdistill.compact import TreeTable
from skdistill.students import SoftTreeClassifier

TEACHER_NAME = "XGBoost + LightGBM + forest"


def default_teacher(*, random_state: int = 0, n_jobs: int | None = None) -> VotingClassifier:
    """Make a soft vote of XGBoost, LightGBM and a random forest.

    Parameters
    ----------
    random_state : int, default=0
        Seed of each member.
    n_jobs : int, default=None
        Number of threads of each member.

    Returns
    -------
    teacher : VotingClassifier
        Not fitted. It takes labels of any type, and missing values.

    Raises
    ------
    ImportError
        If XGBoost or LightGBM, the extra "boost", is not installed.
    """
    try:
        from lightgbm import LGBMClassifier
        from xgboost import XGBClassifier
    except ImportError as error:
        raise ImportError(
            f"the teacher needs {error.name}: pip install 'skdistill[boost]'"
        ) from error
    shared: dict[str, Any] = {"n_jobs": n_jobs, "random_state": random_state}
    lightgbm = LGBMClassifier(
        n_estimators=100, deterministic=True, force_col_wise=True, verbose=-1, **shared
    )
    members = [
        ("xgboost", XGBClassifier(n_estimators=100, tree_method="hist", **shared)),
        ("lightgbm", lightgbm),
        ("forest", RandomForestClassifier(200, max_leaf_nodes=4096, **shared)),
    ]
    return VotingClassifier(members, voting="soft")


def scikit_learn_counterpart(
    student: SoftTreeClassifier, *, random_state: int = 0
) -> DecisionTreeClassifier:
    """Make scikit-learn's tree of the same size as a student.

    Parameters
    ----------
    student : SoftTreeClassifier
        Its size parameters are copied.
    random_state : int, default=0
        Seed of the tree.

    Returns
    -------
    estimator : DecisionTreeClassifier
        Not fitted.
    """
    return DecisionTreeClassifier(
        max_leaf_nodes=student.max_leaf_nodes,
        max_depth=student.max_depth,
        min_samples_leaf=student.min_samples_leaf,
        random_state=random_state,
    )


def describe(fitted: DecisionTreeClassifier | SoftTreeClassifier) -> str:
    """Name a fitted tree with its size.

    Parameters
    ----------
    fitted : estimator
        A student, or what `scikit_learn_counterpart` returned.

    Returns
    -------
    description : str
    """
    if isinstance(fitted, SoftTreeClassifier):
        splits = sum(len(trees.feature) for trees in fitted.compact_.tables_of(TreeTable))
        return f"tree, {1 + splits} leaves"
    return f"tree, {fitted.get_n_leaves()} leaves"
