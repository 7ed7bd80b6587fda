"""Hints: further targets, read in the fitted teacher, while a student learns.

A hint object has a method ``targets(teacher, X)`` that returns an array of shape
``(n_samples, n_hints)``. Splits that separate hints gain as splits that separate classes do.
Leaf values are learnt without hints, so that these cost no byte. Networks predict hints by further
outputs of the last hidden layer, which are dropped after training.

Hints of the training rows come from the teacher that was fitted on all of them, not out of
fold: the leaves of two teachers cannot be compared.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from skdistill.dataframe import shuffle_column
from skdistill.teachers.ensemble import TeacherEnsemble
from skdistill.teachers.label_encoding import LabelEncodedClassifier
from skdistill.teachers.response import known_classes, probabilities
from skdistill.utils._sklearn_compat import Interval, StrOptions, _fit_context
from skdistill.utils.documentation import DocumentationLinkMixin

_REDUCTION: dict[str, list[Any]] = {
    "n_components": [Interval(Integral, 1, None, closed="left")],
    "random_state": ["random_state"],
}

ACTIVATIONS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "identity": np.positive,
    "logistic": expit,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
}
"""Functions of `MLPClassifier` by the name of its parameter `activation`."""


class _HintsMixin(DocumentationLinkMixin):
    _documented_module = "skdistill.teachers.hints"


class FeatureHints(_HintsMixin, BaseEstimator):
    """The teacher's own features: the leaves of its trees, or the hidden units of its network.

    The tabular form of hint-based training (Romero et al. 2015, "FitNets: hints for thin deep
    nets", section 2.2). Every leaf of a tree is a column that is 1 for its rows. With
    ``reduce="svd"`` the columns are reduced to a low-rank factor of the proximity kernel, the
    share of trees in which two rows fall into the same leaf (Davies & Ghahramani 2014, "The
    random forest kernel"). It holds the relations between rows that the teacher sees (Park et
    al. 2019, "Relational knowledge distillation", section 3.2).

    Parameters
    ----------
    n_components : int, default=8
        Largest number of hints per row.
    reduce : {"svd", "projection"}, default="svd"
        Truncated singular value decomposition, or a random projection, which is faster.
    random_state : int, RandomState instance or None, default=0
        Seed of the decomposition or projection.

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
        **_REDUCTION,
        "reduce": [StrOptions({"svd", "projection"})],
    }

    def __init__(self, n_components: int = 8, reduce: str = "svd", random_state: Any = 0) -> None:
        self.n_components = n_components
        self.reduce = reduce
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def targets(self, teacher: Any, X: Any) -> NDArray[np.float64]:
        """Features of the rows, reduced to few columns.

        Parameters
        ----------
        teacher : fitted estimator
            Forest, boosted trees, XGBoost, LightGBM or `MLPClassifier`, also inside a
            `FrozenEstimator`, a `Pipeline`, a search, a `VotingClassifier`, a
            `StackingClassifier` or a `TeacherEnsemble`; other members of these are left out.
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        hints : float64 array of shape (n_samples, n_hints)
            At most `n_components` columns.

        Raises
        ------
        TypeError
            If no part of the teacher has leaves or hidden layers.
        """
        parts = _read_parts(teacher, X, (_leaves, _hidden_units), "leaves or hidden layers")
        Z = hstack([csr_matrix(part) / np.sqrt(len(parts)) for part in parts]).tocsr()
        return _reduced(Z, self.n_components, self.reduce, self.random_state)


class StageHints(_HintsMixin, BaseEstimator):
    """Probabilities of a boosted teacher after fewer iterations.

    The tabular form of learning from a teacher's layers one after the other (Sun et al. 2019,
    "Patient knowledge distillation for BERT model compression", section 3.2). Here all stages
    are taught at once, which gave better students than one stage after the other.

    Parameters
    ----------
    n_stages : int, default=4
        Number of stages, evenly spaced; the final probabilities are not among them.

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
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        hints : float64 array of shape (n_samples, n_hints)
            The probabilities of all classes at the first stage, at the second, and so on.

        Raises
        ------
        TypeError
            If no part of the teacher has stages.
        """
        stages = np.hstack(_read_parts(teacher, X, (self._stages,), "stages"))
        return stages.astype(np.float64)

    def _stages(self, member: Any, X: Any) -> NDArray[Any] | None:
        if _is_lightgbm(member):
            iterations = self._spread(member.booster_.current_iteration())
            stages = [member.predict_proba(X, num_iteration=k) for k in iterations]
        elif hasattr(member, "get_booster"):
            iterations = self._spread(member.get_booster().num_boosted_rounds())
            stages = [member.predict_proba(X, iteration_range=(0, k)) for k in iterations]
        elif hasattr(member, "staged_predict_proba"):
            n_iter = sum(1 for _ in member.staged_predict_proba(X[:1]))
            iterations = self._spread(n_iter)
            staged = enumerate(member.staged_predict_proba(X), 1)
            stages = [P for k, P in staged if k in iterations]
        else:
            return None
        return np.hstack(stages)

    def _spread(self, n_iter: int) -> list[int]:
        stages = np.linspace(0, n_iter, self.n_stages + 2)[1:-1]
        return [int(k) for k in np.unique(np.maximum(1, stages.astype(int)))]


class AttributionHints(_HintsMixin, BaseEstimator):
    """How much each column contributes to the teacher's prediction for a row.

    After Zagoruyko & Komodakis 2017, "Paying more attention to attention", section 3. For
    XGBoost and LightGBM these are SHAP values (Lundberg, Erion & Lee 2018, "Consistent
    individualized feature attribution for tree ensembles"); for any other teacher the change
    of its probabilities where a column gets the value of another row.

    Parameters
    ----------
    n_components : int, default=8
        Largest number of hints per row, after singular value decomposition.
    random_state : int, RandomState instance or None, default=0
        Seed of the other rows and of the decomposition.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdistill.teachers.hints import AttributionHints
    >>> X, y = load_iris(return_X_y=True)
    >>> AttributionHints(3).targets(LogisticRegression(max_iter=500).fit(X, y), X).shape
    (150, 3)
    """

    _parameter_constraints: dict[str, list[Any]] = {**_REDUCTION}

    def __init__(self, n_components: int = 8, random_state: Any = 0) -> None:
        self.n_components = n_components
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def targets(self, teacher: Any, X: Any) -> NDArray[np.float64]:
        """Attributions of the rows, reduced to few columns.

        Parameters
        ----------
        teacher : fitted classifier
            With `predict_proba` or `decision_function`. Where parts of it, as in
            `FeatureHints`, are models of XGBoost or LightGBM, the attributions are theirs.
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        hints : float64 array of shape (n_samples, n_hints)
            At most `n_components` columns.

        Raises
        ------
        TypeError
            If the teacher has no probabilities.
        """
        rng = check_random_state(self.random_state)
        shap = [_shap_values(*part) for part in _parts(teacher, X)]
        attributions = [each for each in shap if each is not None]
        A = np.hstack(attributions or [_changes(teacher, X, rng)])
        return _reduced(A - A.mean(axis=0), self.n_components, "svd", rng)


Reader = Callable[[Any, Any], Any]
"""A function of a fitted model and rows, that returns None for models it does not know."""


def _read_parts(teacher: Any, X: Any, readers: tuple[Reader, ...], what: str) -> list[Any]:
    """Of each part of the teacher what the first reader returns that knows its kind."""
    values = []
    for part in _parts(teacher, X):
        known = (read(*part) for read in readers)
        values += [each for each in known if each is not None][:1]
    if not values:
        raise TypeError(f"teacher {type(teacher).__name__} has no {what} that these hints know")
    return values


def _parts(teacher: Any, X: Any) -> list[tuple[Any, Any]]:
    """Fitted models that a teacher consists of, each with its own input."""
    if isinstance(teacher, FrozenEstimator):
        return _parts(teacher.estimator, X)
    if isinstance(teacher, Pipeline):
        return _parts(teacher[-1], teacher[:-1].transform(X) if len(teacher) > 1 else X)
    if isinstance(teacher, VotingClassifier | StackingClassifier):
        return [part for member in teacher.estimators_ for part in _parts(member, X)]
    if isinstance(teacher, TeacherEnsemble):
        used = zip(teacher.estimators_, teacher.weights_, strict=True)
        return [part for member, w in used if np.any(w) for part in _parts(member, X)]
    if isinstance(teacher, LabelEncodedClassifier):
        return _parts(teacher.estimator_, X)
    if hasattr(teacher, "best_estimator_"):  # a search
        return _parts(teacher.best_estimator_, X)
    return [(teacher, X)]


def _is_lightgbm(member: Any) -> bool:
    # `booster_` is a property that raises before `fit`, so that the class is looked at.
    return hasattr(type(member), "booster_")


def _leaves(member: Any, X: Any) -> csr_matrix | None:
    """A column for each leaf: 1 / sqrt(n_trees) in its rows, so that Z @ Z.T is the kernel."""
    if _is_lightgbm(member):
        leaf = member.predict(X, pred_leaf=True)
    elif hasattr(member, "apply"):
        leaf = member.apply(X)
    else:
        return None
    leaf = np.reshape(leaf, (len(leaf), -1))
    n_samples, n_trees = leaf.shape
    columns, n_columns = np.empty(leaf.shape, np.int64), 0
    for tree in range(n_trees):
        leaves, number = np.unique(leaf[:, tree], return_inverse=True)
        columns[:, tree] = n_columns + number
        n_columns += len(leaves)
    data = np.full(n_samples * n_trees, 1 / np.sqrt(n_trees))
    ends = np.arange(0, n_samples * n_trees + 1, n_trees)
    return csr_matrix((data, columns.ravel(), ends), (n_samples, n_columns))


def _hidden_units(member: Any, X: Any) -> NDArray[np.float64] | None:
    """Values of all hidden layers, side by side."""
    if not isinstance(member, MLPClassifier):
        return None
    units, layers = np.asarray(X, dtype=np.float64), []
    for W, b in zip(member.coefs_[:-1], member.intercepts_[:-1], strict=True):
        units = ACTIVATIONS[member.activation](units @ W + b)
        layers.append(units)
    return np.hstack(layers)


def _shap_values(member: Any, X: Any) -> NDArray[np.float64] | None:
    """Attributions of each score to each column, shape (n_samples, n_scores * n_features)."""
    if _is_lightgbm(member):
        values = member.predict(X, pred_contrib=True)
        values = values.toarray() if hasattr(values, "toarray") else values
    elif hasattr(member, "get_booster"):
        from xgboost import DMatrix

        rows = DMatrix(X, missing=member.missing)
        values = member.get_booster().predict(rows, pred_contribs=True)
    else:
        return None
    table = np.reshape(values, (len(values), -1, np.shape(X)[1] + 1))
    # The last column is the expected score, the same in all rows.
    return np.reshape(table[:, :, :-1], (len(table), -1)).astype(np.float64)


def _changes(teacher: Any, X: Any, rng: np.random.RandomState) -> NDArray[np.float64]:
    """Change of the probabilities by each column, (n_samples, n_features * (n_classes - 1))."""
    classes = np.sort(known_classes(teacher))
    P, changes = probabilities(teacher, X, classes)[:, 1:], []
    for j in range(np.shape(X)[1]):
        shuffled = shuffle_column(X, j, rng.permutation(len(P)))
        changes.append(P - probabilities(teacher, shuffled, classes)[:, 1:])
    return np.hstack(changes)


def _reduced(Z: Any, n_components: int, how: str, random_state: Any) -> NDArray[np.float64]:
    """At most `n_components` columns that stand for those of `Z`."""
    rng = check_random_state(random_state)
    n_columns = min(n_components, Z.shape[0], Z.shape[1])
    reduced: NDArray[np.float64]
    if n_columns == Z.shape[1]:
        reduced = Z.toarray() if hasattr(Z, "toarray") else np.asarray(Z)
    elif how == "projection":
        reduced = Z @ rng.standard_normal((Z.shape[1], n_columns))
    else:
        reduced = TruncatedSVD(n_columns, random_state=rng).fit_transform(Z)
    return reduced
