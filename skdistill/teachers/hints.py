"""What a teacher knows beside its answers, as further targets while a student's trees grow.

A hint object has ``targets(teacher, X) -> (n, r)``: r numbers for each row that a fitted
teacher was asked about. A split that tells them apart gains, as one that tells the classes
apart does; what the leaves hold is learnt without them, so that hints cost no byte.

Hints of the training rows come from the teacher that was fitted on them, not out of fold:
two teachers' leaves cannot be compared.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.base import BaseEstimator
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from skdistill.dataframe import shuffle_column
from skdistill.teachers import Committee, LabelEncodedClassifier, MarginTeacher
from skdistill.utils._sklearn_compat import (
    ACTIVATIONS,
    BaseSearchCV,
    Interval,
    StrOptions,
    _fit_context,
)

_FEW = {
    "n_components": [Interval(Integral, 1, None, closed="left")],
    "random_state": ["random_state"],
}


class FeatureHints(BaseEstimator):
    """The teacher's own features: the leaves of its trees, or the hidden units of its network.

    The tabular form of hint-based training (Romero et al. 2015, "FitNets: hints for thin deep
    nets", section 2.2). Of trees every leaf is a column that holds 1 for its rows. With
    ``reduce="svd"`` the columns that stay are the low-rank factor of the proximity kernel,
    the share of trees in which two rows fall into one leaf (Davies & Ghahramani 2014, "The
    random forest kernel"): the relations between rows that the teacher sees (Park et al.
    2019, "Relational knowledge distillation", section 3.2).

    Parameters
    ----------
    n_components : int, default=8
        Columns that stay.
    reduce : {"svd", "projection"}, default="svd"
        Truncated singular value decomposition, or a random projection, which is faster.
    random_state : int, RandomState instance or None, default=0

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill.teachers.hints import FeatureHints
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(20, random_state=0).fit(X, y)
    >>> FeatureHints(3).targets(forest, X).shape
    (150, 3)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **_FEW,
        "reduce": [StrOptions({"svd", "projection"})],
    }

    def __init__(self, n_components: int = 8, reduce: str = "svd", random_state: Any = 0) -> None:
        self.n_components = n_components
        self.reduce = reduce
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def targets(self, teacher: Any, X: Any) -> NDArray[np.float64]:
        """Features of the rows, in few columns.

        Parameters
        ----------
        teacher : fitted estimator
            Forest, boosted trees, XGBoost, LightGBM or `MLPClassifier`, also inside a
            `FrozenEstimator`, a `Pipeline`, a search, a `VotingClassifier`, a
            `StackingClassifier` or a `Committee`, whose other members are left out.
        X : array-like of shape (n, d)

        Returns
        -------
        hints : float64 array of shape (n, r)
            Of at most `n_components` columns.

        Raises
        ------
        TypeError
            If no part of the teacher has leaves or hidden layers.
        """
        read = _ask(teacher, X, (_leaves, _hidden_units), "leaves or hidden layers")
        Z = hstack([csr_matrix(part) / np.sqrt(len(read)) for part in read]).tocsr()
        return _reduced(Z, self.n_components, self.reduce, self.random_state)


class StageHints(BaseEstimator):
    """What a boosted teacher would have answered earlier: its probabilities after fewer rounds.

    The tabular form of learning from a teacher's layers one after the other (Sun et al. 2019,
    "Patient knowledge distillation for BERT model compression", section 3.2). Here all
    stages are taught at once; one after the other, a stage to some of a student's rounds,
    they brought less.

    Parameters
    ----------
    n_stages : int, default=4
        Evenly spaced, the last answer not among them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import GradientBoostingClassifier
    >>> from skdistill.teachers.hints import StageHints
    >>> X, y = load_iris(return_X_y=True)
    >>> boosted = GradientBoostingClassifier(n_estimators=10).fit(X, y)
    >>> StageHints(2).targets(boosted, X).shape
    (150, 6)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "n_stages": [Interval(Integral, 1, None, closed="left")]
    }

    def __init__(self, n_stages: int = 4) -> None:
        self.n_stages = n_stages

    @_fit_context(prefer_skip_nested_validation=True)
    def targets(self, teacher: Any, X: Any) -> NDArray[np.float64]:
        """Probabilities at all stages.

        Parameters
        ----------
        teacher : fitted estimator
            Boosted trees of scikit-learn, XGBoost or LightGBM, also inside what
            `FeatureHints` looks into.
        X : array-like of shape (n, d)

        Returns
        -------
        hints : float64 array of shape (n, r)

        Raises
        ------
        TypeError
            If no part of the teacher has stages.
        """
        return np.hstack(_ask(teacher, X, (self._stages,), "stages")).astype(np.float64)

    def _stages(self, member: Any, X: Any) -> NDArray[Any] | None:
        if _is_lightgbm(member):
            rounds = member.booster_.current_iteration()
            told = [member.predict_proba(X, num_iteration=k) for k in self._spread(rounds)]
        elif hasattr(member, "get_booster"):
            rounds = member.get_booster().num_boosted_rounds()
            told = [member.predict_proba(X, iteration_range=(0, k)) for k in self._spread(rounds)]
        elif hasattr(member, "staged_predict_proba"):
            rounds = sum(1 for _ in member.staged_predict_proba(X[:1]))
            asked = self._spread(rounds)
            told = [P for k, P in enumerate(member.staged_predict_proba(X), 1) if k in asked]
        else:
            return None
        return np.hstack(told)

    def _spread(self, rounds: int) -> list[int]:
        stages = np.linspace(0, rounds, self.n_stages + 2)[1:-1]
        return np.unique(np.maximum(1, stages.astype(int))).tolist()


class AttributionHints(BaseEstimator):
    """Which columns the teacher's answer for a row is owed to.

    After Zagoruyko & Komodakis 2017, "Paying more attention to attention", section 3. For
    XGBoost and LightGBM these are SHAP values (Lundberg, Erion & Lee 2018, "Consistent
    individualized feature attribution for tree ensembles"); for any other teacher the change
    of its probabilities where a column gets the value of another row.

    Parameters
    ----------
    n_components : int, default=8
        Columns that stay, by singular value decomposition.
    random_state : int, RandomState instance or None, default=0

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdistill.teachers.hints import AttributionHints
    >>> X, y = load_iris(return_X_y=True)
    >>> AttributionHints(3).targets(LogisticRegression(max_iter=500).fit(X, y), X).shape
    (150, 3)
    """

    _parameter_constraints: dict[str, list[Any]] = {**_FEW}

    def __init__(self, n_components: int = 8, random_state: Any = 0) -> None:
        self.n_components = n_components
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def targets(self, teacher: Any, X: Any) -> NDArray[np.float64]:
        """Attributions of the rows, in few columns.

        Parameters
        ----------
        teacher : fitted estimator
            With `predict_proba`. Where one or several of its parts, as `FeatureHints` finds
            them, are of XGBoost or LightGBM, theirs are the attributions.
        X : array-like of shape (n, d)

        Returns
        -------
        hints : float64 array of shape (n, r)
            Of at most `n_components` columns.
        """
        rng = check_random_state(self.random_state)
        found = [_shap_values(*part) for part in _parts(teacher, X)]
        found = [each for each in found if each is not None]
        A = np.hstack(found or [_changes(teacher, X, rng)])
        return _reduced(A - A.mean(axis=0), self.n_components, "svd", rng)


Reader = Callable[[Any, Any], Any]


def _ask(teacher: Any, X: Any, readers: tuple[Reader, ...], what: str) -> list[Any]:
    """What the first reader that can finds in each part of the teacher."""
    answers = []
    for part in _parts(teacher, X):
        found = (read(*part) for read in readers)
        answers += [each for each in found if each is not None][:1]
    if not answers:
        raise TypeError(f"teacher {type(teacher).__name__} has no {what} that these hints know")
    return answers


def _parts(teacher: Any, X: Any) -> list[tuple[Any, Any]]:
    """Fitted models that a teacher consists of, each with its own input."""
    if isinstance(teacher, FrozenEstimator):
        return _parts(teacher.estimator, X)
    if isinstance(teacher, Pipeline):
        return _parts(teacher[-1], teacher[:-1].transform(X) if len(teacher) > 1 else X)
    if isinstance(teacher, VotingClassifier | StackingClassifier):
        return [part for member in teacher.estimators_ for part in _parts(member, X)]
    if isinstance(teacher, Committee):
        asked = [m for m, w in zip(teacher.members_, teacher.weights_, strict=True) if np.any(w)]
        return [part for member in asked for part in _parts(member, X)]
    if isinstance(teacher, LabelEncodedClassifier | MarginTeacher):
        return _parts(teacher.estimator_, X)
    if isinstance(teacher, BaseSearchCV):
        return _parts(teacher.best_estimator_, X)
    return [(teacher, X)]


def _is_lightgbm(member: Any) -> bool:
    # `booster_` is a property that raises before `fit`, so that the class is asked.
    return hasattr(type(member), "booster_")


def _leaves(member: Any, X: Any) -> csr_matrix | None:
    """1 / sqrt(T) for each leaf that a row is in, of T trees."""
    if _is_lightgbm(member):
        leaf = member.predict(X, pred_leaf=True)
    elif hasattr(member, "apply"):
        leaf = member.apply(X)
    else:
        return None
    leaf = np.reshape(leaf, (len(leaf), -1))
    n, n_trees = leaf.shape
    columns, width = np.empty(leaf.shape, np.int64), 0
    for tree in range(n_trees):
        known, number = np.unique(leaf[:, tree], return_inverse=True)
        columns[:, tree] = width + number
        width += len(known)
    one = np.full(n * n_trees, 1 / np.sqrt(n_trees))
    return csr_matrix((one, columns.ravel(), np.arange(0, n * n_trees + 1, n_trees)), (n, width))


def _hidden_units(member: Any, X: Any) -> NDArray[np.float64] | None:
    if not isinstance(member, MLPClassifier):
        return None
    units, layers = np.asarray(X, dtype=np.float64), []
    for W, b in zip(member.coefs_[:-1], member.intercepts_[:-1], strict=True):
        units = units @ W + b
        ACTIVATIONS[member.activation](units)  # in place
        layers.append(units)
    return np.hstack(layers)


def _shap_values(member: Any, X: Any) -> NDArray[np.float64] | None:
    """Attributions to each column of each score, shape (n, scores * d)."""
    if _is_lightgbm(member):
        told = member.predict(X, pred_contrib=True)
        told = told.toarray() if hasattr(told, "toarray") else told
    elif hasattr(member, "get_booster"):
        from xgboost import DMatrix

        told = member.get_booster().predict(DMatrix(X, missing=member.missing), pred_contribs=True)
    else:
        return None
    told = np.reshape(told, (len(told), -1, np.shape(X)[1] + 1))
    return told[:, :, :-1].reshape(len(told), -1).astype(np.float64)  # the last is a constant


def _changes(teacher: Any, X: Any, rng: np.random.RandomState) -> NDArray[np.float64]:
    """Change of the probabilities by each column, shape (n, d * (K - 1))."""
    P, changes = np.asarray(teacher.predict_proba(X))[:, 1:], []
    for j in range(np.shape(X)[1]):
        other = shuffle_column(X, j, rng.permutation(len(P)))
        changes.append(P - np.asarray(teacher.predict_proba(other))[:, 1:])
    return np.hstack(changes)


def _reduced(Z: Any, n_components: int, how: str, random_state: Any) -> NDArray[np.float64]:
    """`Z` in at most so many columns."""
    rng = check_random_state(random_state)
    few = min(n_components, Z.shape[0], Z.shape[1])
    if few == Z.shape[1]:
        return Z.toarray() if hasattr(Z, "toarray") else np.asarray(Z)
    if how == "projection":
        return Z @ rng.standard_normal((Z.shape[1], few))
    return TruncatedSVD(few, random_state=rng).fit_transform(Z)
