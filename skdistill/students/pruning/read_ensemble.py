"""A given ensemble: checked, fitted where it is not, and read as trees to prune."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from skdistill.compact import Table, TreeTable
from skdistill.converters.float_trees import FloatTree, TreeEnsemble, compact_trees
from skdistill.converters.lightgbm import read_lightgbm
from skdistill.converters.scikit_learn import scikit_learn_trees
from skdistill.converters.xgboost import read_xgboost
from skdistill.model import CompactModel
from skdistill.students.boosting.classifier import SoftBoostingClassifier
from skdistill.students.loss import fit_scale
from skdistill.students.training_data import TrainingSet

_FORESTS = (RandomForestClassifier, ExtraTreesClassifier)
_KNOWN = (
    "RandomForestClassifier, ExtraTreesClassifier, DecisionTreeClassifier, XGBClassifier, "
    "LGBMClassifier or SoftBoostingClassifier"
)


class Source(NamedTuple):
    """What was read of an ensemble.

    Attributes
    ----------
    trees : list of FloatTree
        Values are logits, of shape (N, S).
    dtype : str
        The type that the ensemble compares its input in.
    offset : float64 array of shape (n, S)
        Logits of a linear part.
    constant : float64 array of shape (S,)
        Of an ensemble without linear part.
    beside : tuple of Table
        Tables of the linear part.
    bias : int32 array of shape (S,)
    score_step : float
        Worth of a score of the linear part; 0 without one.
    own_grid : bool
        Whether its thresholds are few already.
    """

    trees: list[FloatTree]
    dtype: str
    offset: NDArray[np.float64]
    constant: NDArray[np.float64]
    beside: tuple[Table, ...]
    bias: NDArray[np.int32]
    score_step: float
    own_grid: bool


def check_kind(ensemble: Any) -> None:
    """Refuse what has no trees that are known; the message says what has."""
    known = (*_FORESTS, DecisionTreeClassifier, SoftBoostingClassifier)
    if not isinstance(ensemble, known) and not _is_xgboost(ensemble) and not _is_lightgbm(ensemble):
        raise TypeError(
            f"estimator must be a {_KNOWN}, or a FrozenEstimator around one, got {ensemble!r}"
        )


def check_outputs(ensemble: Any) -> None:
    """Refuse a forest of several outputs."""
    n_outputs = getattr(ensemble, "n_outputs_", 1)
    if n_outputs > 1:
        raise ValueError(f"a forest of {n_outputs} outputs is not supported, only one")


def _is_xgboost(ensemble: Any) -> bool:
    return isinstance(ensemble, ClassifierMixin) and hasattr(ensemble, "get_booster")


def _is_lightgbm(ensemble: Any) -> bool:
    # `booster_` is a property that raises before `fit`, so that the class is asked.
    return isinstance(ensemble, ClassifierMixin) and hasattr(type(ensemble), "booster_")


def check_agreement(ensemble: Any, given: TrainingSet) -> None:
    """Whether a fitted ensemble knows the columns and the classes of the training set."""
    if ensemble.n_features_in_ != given.X.shape[1]:
        raise ValueError(
            f"X has {given.X.shape[1]} features, the ensemble expects {ensemble.n_features_in_}"
        )
    if not np.array_equal(ensemble.classes_, given.classes):
        raise ValueError(
            f"the ensemble knows the classes {ensemble.classes_.tolist()}, y has "
            f"{given.classes.tolist()}: name them by `classes`"
        )


def fit_ensemble(ensemble: Any, given: TrainingSet) -> Any:
    """Fit on a row for every class with a probability, the probability in its weight."""
    if isinstance(ensemble, SoftBoostingClassifier):
        return ensemble.fit(given.X, given.targets, given.weight)
    P = given.targets.mixture() * given.weight[:, None]
    absent = given.classes[P.sum(axis=0) == 0]
    if len(absent):
        raise ValueError(
            f"no row has the classes {absent.tolist()}: leave them out, or pass a fitted "
            "ensemble in a FrozenEstimator"
        )
    row, number = np.nonzero(P)
    return ensemble.fit(given.X[row], number, sample_weight=P[row, number])


def read_ensemble(ensemble: Any, given: TrainingSet) -> Source:
    """Trees and what stands beside them."""
    S = given.n_scores
    offset, bias = np.zeros((len(given.X), S)), np.zeros(S, np.int32)
    plain = Source([], "float32", offset, np.zeros(S), (), bias, 0.0, False)
    if isinstance(ensemble, SoftBoostingClassifier):
        return _read_compact(ensemble.compact_, given, plain)
    if _is_lightgbm(ensemble):
        read = read_lightgbm(ensemble)
        # LightGBM compares as float64, which holds every int32 as it is.
        return plain._replace(trees=_of_a_classifier(read), dtype=str(given.X.dtype))
    if _is_xgboost(ensemble):
        return plain._replace(trees=_of_a_classifier(read_xgboost(ensemble)))
    members = ensemble.estimators_ if isinstance(ensemble, _FORESTS) else [ensemble]
    return plain._replace(trees=_votes_as_logits(members, given))


def _of_a_classifier(read: TreeEnsemble) -> list[FloatTree]:
    if read.link == "identity":
        raise ValueError("the objective of the ensemble is not that of a classifier")
    return read.trees


def _votes_as_logits(members: Any, given: TrainingSet) -> list[FloatTree]:
    """Votes around their mean, stretched to the logits that fit best; the refit starts there."""
    trees = scikit_learn_trees(member.tree_ for member in members)
    X = given.X.astype(np.float32, copy=False)
    votes = np.zeros((len(X), len(given.classes)))
    for member, tree in zip(members, trees, strict=True):
        votes += tree.values[member.tree_.apply(X)]
    votes = _as_scores(votes / len(trees))
    P = given.targets.mixture()
    stretch = fit_scale(votes, P, given.weight) / len(trees)
    return [tree._replace(values=stretch * _as_scores(tree.values)) for tree in trees]


def _as_scores(P: NDArray[np.float64]) -> NDArray[np.float64]:
    """Votes above what is even, one column for two classes."""
    above = P - 1 / P.shape[1]
    return above[:, 1:] if P.shape[1] == 2 else above


def _read_compact(model: CompactModel, given: TrainingSet, plain: Source) -> Source:
    """Trees of a boosted student, and its linear part."""
    dtype = model.input_dtype
    beside = tuple(table for table in model.tables if not isinstance(table, TreeTable))
    if not beside:
        constant = model.bias * model.scale
        trees = compact_trees(model)
        return plain._replace(trees=trees, dtype=dtype, constant=constant, own_grid=True)
    alone = replace(model, tables=beside)
    return Source(
        compact_trees(model),
        dtype,
        alone.scores(given.X) * model.scale,
        np.zeros(model.n_scores),
        beside,
        model.bias,
        model.scale,
        True,
    )
