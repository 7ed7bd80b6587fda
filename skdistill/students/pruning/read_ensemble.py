"""Reading a fitted ensemble as trees to prune."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from skdistill.compact import Table, TreeTable
from skdistill.compact.model_tables import VALUE_LINKS
from skdistill.converters.float_trees import FloatTree, TreeEnsemble, compact_trees
from skdistill.converters.lightgbm import read_lightgbm
from skdistill.converters.scikit_learn import scikit_learn_trees
from skdistill.converters.xgboost import read_xgboost
from skdistill.model import CompactModel
from skdistill.students.boosting.classifier import SoftBoostingClassifier
from skdistill.students.loss import fit_scale
from skdistill.students.training_data import ClassificationData

_FORESTS = (RandomForestClassifier, ExtraTreesClassifier)
_SUPPORTED = (
    "RandomForestClassifier, ExtraTreesClassifier, DecisionTreeClassifier, XGBClassifier, "
    "LGBMClassifier or SoftBoostingClassifier"
)


@dataclass(frozen=True)
class PrunableEnsemble:
    """The trees of an ensemble, and what they are added to.

    Parameters
    ----------
    trees : list of FloatTree
        Values are logits, float64 arrays of shape (n_nodes, n_scores).
    input_dtype : {"float32", "int32"}
        Type in which the ensemble compares its input.
    offset : float64 array of shape (n_samples, n_scores)
        Logits of the linear part, for the training rows.
    constant : float64 array of shape (n_scores,)
        Logits of the bias of an ensemble without linear part.
    has_own_grid : bool, default=False
        Whether its thresholds are those of a student, which are few already.
    linear_tables : tuple of Table, default=()
        Tables of the linear part.
    bias : int32 array of shape (n_scores,), default=0
        Bias of the linear part.
    score_step : float, default=0.0
        Value of a score of the linear part; 0 without one.
    """

    trees: list[FloatTree]
    input_dtype: str
    offset: NDArray[np.float64]
    constant: NDArray[np.float64]
    has_own_grid: bool = False
    linear_tables: tuple[Table, ...] = ()
    bias: NDArray[np.int32] | int = 0
    score_step: float = 0.0


def check_supported(ensemble: Any) -> None:
    """Refuse an estimator whose trees cannot be read.

    Parameters
    ----------
    ensemble : estimator instance
        Fitted or not.

    Raises
    ------
    TypeError
        With the list of those that can be read.
    """
    known = (*_FORESTS, DecisionTreeClassifier, SoftBoostingClassifier)
    if not isinstance(ensemble, known) and not _is_xgboost(ensemble) and not _is_lightgbm(ensemble):
        raise TypeError(
            f"estimator must be a {_SUPPORTED}, or a FrozenEstimator around one, got {ensemble!r}"
        )


def check_single_output(ensemble: Any) -> None:
    """Refuse a fitted forest of several outputs.

    Parameters
    ----------
    ensemble : fitted estimator
        Any classifier.

    Raises
    ------
    ValueError
        If it predicts more than one label a row.
    """
    n_outputs = getattr(ensemble, "n_outputs_", 1)
    if n_outputs > 1:
        raise ValueError(f"a forest of {n_outputs} outputs is not supported, only one")


def _is_xgboost(ensemble: Any) -> bool:
    return isinstance(ensemble, ClassifierMixin) and hasattr(ensemble, "get_booster")


def _is_lightgbm(ensemble: Any) -> bool:
    # `booster_` is a property that raises before `fit`, so that the class is asked.
    return isinstance(ensemble, ClassifierMixin) and hasattr(type(ensemble), "booster_")


def check_agreement(ensemble: Any, data: ClassificationData) -> None:
    """Check that a fitted ensemble has the columns and the classes of the training data.

    Parameters
    ----------
    ensemble : fitted estimator
        A classifier that is used as it is.
    data : ClassificationData
        Training data.

    Raises
    ------
    ValueError
        If it has others.
    """
    if ensemble.n_features_in_ != data.n_features:
        raise ValueError(
            f"X has {data.n_features} features, the ensemble expects {ensemble.n_features_in_}"
        )
    if not np.array_equal(ensemble.classes_, data.classes):
        raise ValueError(
            f"the ensemble knows the classes {ensemble.classes_.tolist()}, y has "
            f"{data.classes.tolist()}: name them by `classes`"
        )


def fit_ensemble(ensemble: Any, data: ClassificationData) -> Any:
    """Fit an ensemble on soft targets.

    Other ensembles than a `SoftBoostingClassifier` get a row for every class that has a
    probability in it, with the probability as its weight.

    Parameters
    ----------
    ensemble : estimator instance
        Not fitted.
    data : ClassificationData
        Training data.

    Returns
    -------
    ensemble : the same, fitted

    Raises
    ------
    ValueError
        If a class has no probability in any row.
    """
    if isinstance(ensemble, SoftBoostingClassifier):
        return ensemble.fit(data.X, data.targets, data.weight)
    P = data.targets.mixture() * data.weight[:, None]
    absent = data.classes[P.sum(axis=0) == 0]
    if len(absent):
        raise ValueError(
            f"no row has the classes {absent.tolist()}: leave them out, or pass a fitted "
            "ensemble in a FrozenEstimator"
        )
    row, number = np.nonzero(P)
    return ensemble.fit(data.X[row], number, sample_weight=P[row, number])


def read_ensemble(ensemble: Any, data: ClassificationData) -> PrunableEnsemble:
    """Read the trees of a fitted ensemble, and what they are added to.

    Parameters
    ----------
    ensemble : fitted estimator
        One that `check_supported` accepts.
    data : ClassificationData
        Training data; votes of forests are stretched to logits that fit it.

    Returns
    -------
    ensemble : PrunableEnsemble

    Raises
    ------
    ValueError
        If a booster's objective is not that of a classifier.
    """
    n_scores = data.n_scores
    no_offset = np.zeros((len(data.X), n_scores)), np.zeros(n_scores)
    if isinstance(ensemble, SoftBoostingClassifier):
        return _read_student(ensemble.compact_, data)
    if _is_lightgbm(ensemble):
        trees = _classifier_trees(read_lightgbm(ensemble))
        # LightGBM compares in float64, which holds every int32.
        return PrunableEnsemble(trees, str(data.X.dtype), *no_offset)
    if _is_xgboost(ensemble):
        return PrunableEnsemble(_classifier_trees(read_xgboost(ensemble)), "float32", *no_offset)
    members = ensemble.estimators_ if isinstance(ensemble, _FORESTS) else [ensemble]
    return PrunableEnsemble(_votes_as_logits(members, data), "float32", *no_offset)


def _classifier_trees(ensemble: TreeEnsemble) -> list[FloatTree]:
    if ensemble.link in VALUE_LINKS:
        raise ValueError("the objective of the ensemble is not that of a classifier")
    return ensemble.trees


def _votes_as_logits(members: Any, data: ClassificationData) -> list[FloatTree]:
    """Votes around their mean, stretched to the logits that fit best; the refit starts there."""
    trees = scikit_learn_trees(member.tree_ for member in members)
    X = data.X.astype(np.float32, copy=False)
    votes = np.zeros((len(X), len(data.classes)))
    for member, tree in zip(members, trees, strict=True):
        votes += tree.values[member.tree_.apply(X)]
    votes = _centered_scores(votes / len(trees))
    stretch = fit_scale(votes, data.targets.mixture(), data.weight) / len(trees)
    return [tree._replace(values=stretch * _centered_scores(tree.values)) for tree in trees]


def _centered_scores(P: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities less those of an even vote, one column for two classes."""
    centered: NDArray[np.float64] = P - 1 / P.shape[1]
    return centered[:, 1:] if P.shape[1] == 2 else centered


def _read_student(model: CompactModel, data: ClassificationData) -> PrunableEnsemble:
    """Trees of a boosted student, and its linear part."""
    trees, dtype, scale = compact_trees(model), model.input_dtype, float(model.scale)
    linear_tables = tuple(table for table in model.tables if not isinstance(table, TreeTable))
    if not linear_tables:
        offset = np.zeros((len(data.X), data.n_scores))
        return PrunableEnsemble(trees, dtype, offset, model.bias * scale, has_own_grid=True)
    linear = replace(model, tables=linear_tables)
    return PrunableEnsemble(
        trees,
        dtype,
        (linear.scores(data.X) * scale).astype(np.float64, copy=False),
        np.zeros(data.n_scores),
        has_own_grid=True,
        linear_tables=linear_tables,
        bias=model.bias,
        score_step=scale,
    )
