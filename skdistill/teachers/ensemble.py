"""Several teachers that answer together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from skdistill.teachers.cross_fitting import CrossFitResult, teach
from skdistill.teachers.ensemble_weights import committee_weights
from skdistill.teachers.response import answers


class Committee(BaseEstimator):
    """The weighted mean of several teachers' probabilities, or values.

    Whatever a distiller takes as teacher may be a member; a bare list of teachers is a
    committee of equals. Learnt weights come from out-of-fold answers, and the same answers
    are the soft labels of the training rows: a member is fitted once a fold and once on
    all rows, not once a fold of folds.

    Parameters
    ----------
    teachers : list of teachers
        Frozen ones and those that only answer (ONNX files, boosters, functions) are asked
        as they are. If they were trained on the rows at hand, their answers for these look
        better than they are and so do they to learnt weights.
    weights : None, array-like of shape (M,) or (M, K), "learn" or "greedy", default=None
        None are equal weights. Numbers >= 0 are divided by their sum. With a column for each
        class, in the order of `classes_`, every column is divided by its sum, and then every
        row of the mixture by its own; a row in which no class gets anything is even. "learn"
        are the weights of least log loss (squared error of values), "greedy" those of
        ensemble selection with replacement; see `committee_weights`.
    cv : "auto", int, splitter or iterable of splits, default="auto"
        For learnt weights where the committee is fitted on its own; inside a distiller its
        `cv` is used.

    Attributes
    ----------
    members_ : list of fitted teachers
    weights_ : float64 array of shape (M,), or (M, K) where they are given so
    classes_ : array of shape (K,), or None where values are predicted

    Notes
    -----
    Caruana, Niculescu-Mizil, Crew & Ksikes 2004, "Ensemble selection from libraries of
    models". Parameters of a member have its number in front: ``0__max_depth``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill import Committee, DistilledClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> committee = Committee([GaussianNB(), DecisionTreeClassifier()], weights="greedy")
    >>> distilled = DistilledClassifier(committee, random_state=0).fit(X, y)
    >>> distilled.teacher_.weights_.shape, distilled.predict(X[::50]).tolist()
    ((2,), [0, 1, 2])
    """

    def __init__(
        self, teachers: list[Any], weights: ArrayLike | str | None = None, *, cv: Any = "auto"
    ) -> None:
        self.teachers = teachers
        self.weights = weights
        self.cv = cv

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters, and with `deep` those of the members by number.

        Parameters
        ----------
        deep : bool, default=True

        Returns
        -------
        parameters : dict
        """
        parameters = super().get_params(deep=False)
        for i, member in enumerate(self.teachers if deep else []):
            if hasattr(member, "get_params") and not isinstance(member, type):
                inner = member.get_params(deep=True)
                parameters |= {f"{i}__{name}": value for name, value in inner.items()}
        return parameters

    def set_params(self, **parameters: Any) -> Committee:
        """Set parameters, those of a member as ``number__name``.

        Parameters
        ----------
        **parameters : dict

        Returns
        -------
        self : Committee
        """
        own = {name: value for name, value in parameters.items() if not name[:1].isdigit()}
        super().set_params(**own)
        for name, value in parameters.items():
            number, _, inner = name.partition("__")
            if name in own:
                continue
            if not inner or not number.isdigit() or int(number) >= len(self.teachers):
                raise ValueError(f"parameter {name!r}: Committee has {len(self.teachers)} members")
            self.teachers[int(number)].set_params(**{inner: value})
        return self

    def fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
    ) -> Committee:
        """Fit the members and find the weights.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : array-like of shape (n,) or (n, S), default=None
            None where all members are frozen or only answer, and weights are given.
        sample_weight : array-like of shape (n,), default=None
            Handed on to members that take one; of the rows in learnt weights, too.
        groups : array-like of shape (n,), default=None
            Handed to `cv`.

        Returns
        -------
        self : Committee
        """
        from skdistill.teachers.as_teacher import (  # the door knows committees
            as_teacher,
            told_classes,
        )

        values = is_regressor(self)
        ready = as_teacher(self, X, y, values=values)
        if isinstance(ready, FrozenEstimator):
            fitted = ready.estimator
        else:
            if y is None:
                raise ValueError("Committee requires y to be passed, but the target y is None")
            weight = None if sample_weight is None else np.asarray(sample_weight, np.float64)
            y, options = np.asarray(y), {"weight": weight, "groups": groups, "cv": self.cv}
            classes = None if values else told_classes(ready, y)
            fitted = ready.lesson(X, y, classes, label=False, **options).teacher
        self.members_, self.weights_ = fitted.members_, fitted.weights_
        self.classes_ = fitted.classes_
        return self

    def lesson(
        self,
        X: Any,
        y: NDArray[Any] | None,
        classes: NDArray[Any] | None,
        *,
        weight: NDArray[np.float64] | None = None,
        groups: Any = None,
        cv: Any = "auto",
        label: bool = True,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> CrossFitResult:
        """As `skdistill.teachers.teach`, for members that `as_teacher` has made ready.

        Parameters
        ----------
        X, y, classes, weight, groups, cv, label, n_jobs, verbose
            Those of `teach`.

        Returns
        -------
        lesson : CrossFitResult
        """
        learns = isinstance(self.weights, str)
        shares = None if learns else self._given_weights(classes)
        if not (isinstance(cv, str) or hasattr(cv, "split")) and np.iterable(cv):
            cv = list(cv)  # every member reads it
        options = {"weight": weight, "groups": groups, "cv": cv, "label": label or learns}
        options |= {"n_jobs": n_jobs, "verbose": verbose}
        lessons = [teach(member, X, y, classes, **options) for member in self.teachers]
        if learns:
            told = np.stack([lesson.P for lesson in lessons])
            seen = np.isfinite(told).all(axis=(0, 2))
            if not seen.any():
                raise ValueError(
                    f"weights={self.weights!r}: cv={cv!r} holds out no row to learn on"
                )
            target = y if classes is None else np.searchsorted(classes, y)
            on = None if weight is None else weight[seen]
            shares = committee_weights(told[:, seen], target[seen], self.weights, on)
        fitted = Committee(self.teachers, self.weights, cv=self.cv)
        fitted.members_ = [lesson.teacher for lesson in lessons]
        fitted.weights_, fitted.classes_ = shares, classes
        return CrossFitResult(fitted, _mean(shares, [lesson.P for lesson in lessons]))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Weighted mean of the members' probabilities.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        P : float64 array of shape (n, K)
        """
        check_is_fitted(self, "members_")
        if self.classes_ is None:
            raise ValueError("Committee was fitted as a regressor: it has no probabilities")
        return self._answer(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels: the most probable class; or the weighted mean of the members' values.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        y : array of shape (n,), or (n, S) for values of several targets
        """
        check_is_fitted(self, "members_")
        told = self._answer(X)
        if self.classes_ is None:
            return told[:, 0] if told.shape[1] == 1 else told
        return self.classes_[told.argmax(axis=1)]

    def _answer(self, X: Any) -> NDArray[np.float64]:
        asked = [i for i, weight in enumerate(self.weights_) if np.any(weight)]
        told = [answers(self.members_[i], X, self.classes_) for i in asked]
        return _mean(self.weights_[asked], told)

    def _given_weights(self, classes: NDArray[Any] | None) -> NDArray[np.float64]:
        M = len(self.teachers)
        if self.weights is None:
            return np.full(M, 1 / M)
        weights = np.asarray(self.weights, np.float64)
        by_class = classes is not None and weights.shape == (M, len(classes))
        if weights.shape != (M,) and not by_class:
            also = "" if classes is None else f", or one for each of the {len(classes)} classes"
            raise ValueError(
                f"weights has shape {weights.shape} for {M} teachers: one number each is needed"
                + also
            )
        sums = weights.sum(axis=0)
        if not (np.isfinite(weights).all() and (weights >= 0).all() and (sums > 0).all()):
            raise ValueError(
                f"weights={weights.tolist()} of Committee must be >= 0, finite and not all 0"
                + (" for a class" if by_class else "")
            )
        return weights / sums

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        known = [get_tags(one) for one in self.teachers if hasattr(one, "__sklearn_tags__")]
        values = bool(known) and all(one.estimator_type == "regressor" for one in known)
        tags.estimator_type = "regressor" if values else "classifier"
        tags.input_tags.allow_nan = all(one.input_tags.allow_nan for one in known)
        tags.target_tags.multi_output = values and all(
            one.target_tags.multi_output for one in known
        )
        return tags


def _mean(weights: NDArray[np.float64], told: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Weighted mean of tables, by class its rows sum to 1; tables without weight are not read."""
    total = np.zeros_like(told[0])
    for weight, table in zip(weights, told, strict=True):
        if np.any(weight):
            if table.shape != total.shape:
                raise ValueError(f"members predict {total.shape[1]} and {table.shape[1]} targets")
            total += weight * table
    if weights.ndim == 1:
        return total
    sums = total.sum(axis=1, keepdims=True)  # NaN in rows that no fold held out
    return np.where(sums == 0, 1 / total.shape[1], total / np.where(sums == 0, 1, sums))
