"""The models that are compared with the distilled student, and what they are called."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skdistill.compact import TreeTable
from skdistill.model import CompactModel
from skdistill.students import SoftLinearClassifier, SoftTreeClassifier

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
    student: SoftTreeClassifier | SoftLinearClassifier,
    X: NDArray[np.float32],
    *,
    random_state: int = 0,
) -> Any:
    """Make the scikit-learn estimator of the same family and size as a student.

    Parameters
    ----------
    student : SoftTreeClassifier or SoftLinearClassifier
        Its size parameters are copied. With `max_bytes` it has to be fitted; a tree has as many
        leaves.
    X : float32 array of shape (n_samples, n_features)
        Training rows. A linear model gets an imputer if they have missing values.
    random_state : int, default=0
        Seed of a tree.

    Returns
    -------
    estimator : DecisionTreeClassifier or Pipeline
        Not fitted.
    """
    if isinstance(student, SoftLinearClassifier):
        imputer = [SimpleImputer(keep_empty_features=True)] if np.isnan(X).any() else []
        return make_pipeline(*imputer, StandardScaler(), LogisticRegression(max_iter=1000))
    most_leaves = student.most_leaves(len(X))
    if student.max_bytes is not None:
        most_leaves = max(2, _n_leaves(student.compact_))
    return DecisionTreeClassifier(
        max_leaf_nodes=most_leaves,
        max_depth=student.max_depth,
        min_samples_leaf=student.min_samples_leaf,
        random_state=random_state,
    )


def describe(fitted: Any) -> str:
    """Name the family of a fitted small model, and the size of a tree.

    Parameters
    ----------
    fitted : estimator
        A student, or what `scikit_learn_counterpart` returned.

    Returns
    -------
    description : str
    """
    if isinstance(fitted, DecisionTreeClassifier):
        return f"tree, {fitted.get_n_leaves()} leaves"
    if isinstance(fitted, SoftTreeClassifier):
        return f"tree, {_n_leaves(fitted.compact_)} leaves"
    return "logistic regression" if hasattr(fitted, "steps") else "linear model"


def _n_leaves(model: CompactModel) -> int:
    return 1 + sum(len(trees.feature) for trees in model.tables_of(TreeTable))
