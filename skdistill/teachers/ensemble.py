"""Several teachers as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, MetaEstimatorMixin, RegressorMixin, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Tags, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import check_is_fitted

from skdistill.teachers._fit import route_fit_params
from skdistill.teachers._members import MembersMixin, is_dropped
from skdistill.teachers.cross_fitting import CrossFitResult, cross_fit
from skdistill.teachers.ensemble_weights import ensemble_weights, fixed_weights, weighted_mean
from skdistill.teachers.label_encoding import without_encoding
from skdistill.teachers.response import one_hot_decisions, response_values
from skdistill.teachers.single import expected_classes, is_prefit, single_teacher
from skdistill.teachers.steps import may_read_missing
from skdistill.utils._sklearn_compat import StrOptions, _raise_for_params
from skdistill.utils.documentation import DocumentationLinkMixin


class TeacherEnsemble(MetaEstimatorMixin, DocumentationLinkMixin, MembersMixin):
    """The weighted mean of several teachers' probabilities, or values.

    Whatever a distiller takes as teacher may be a member; a bare list of teachers is an
    ensemble of equal weights. Weights are learnt from out-of-fold predictions, and these are
    also the soft labels of the training rows: a member is fitted once per fold and once on
    all rows, without nested folds.

    Parameters
    ----------
    estimators : list of teachers, or list of (str, teacher) tuples
        Members, with names or without. `FrozenEstimator`, ONNX files, boosters and functions
        are not fitted. If they were trained on the rows at hand, their predictions for these
        are too good, and learnt weights give them too much. "drop" in place of a teacher leaves
        it out, with its weight.
    weights : {"uniform", "log_loss", "greedy"} or array-like of shape (n_teachers,) or \
(n_teachers, n_classes), default="uniform"
        "uniform" are equal weights. "log_loss" are the weights whose mean has the least
        out-of-fold log loss; where the teachers predict values, the least squared error.
        "greedy" adds members one by one, with replacement, by the same loss (Caruana et al.
        2004, section 2). Both are computed by `ensemble_weights`. Numbers >= 0 are divided by
        their sum. With a column for each class, in the order of `classes_`, every column is
        divided by its sum, and then every row of the mean by its own; a row in which all
        classes have 0 becomes uniform.
    cv : "auto", int, splitter or iterable of splits, default="auto"
        Folds for learnt weights, where the ensemble is fitted on its own; inside a distiller
        the `cv` of the distiller is used.

    Attributes
    ----------
    estimators_ : list of fitted estimators
        In the order of `estimators`, without those that were dropped. XGBoost's classifiers are
        fitted on class numbers: their own `predict` returns positions in ``classes_``.
    weights_ : float64 array of shape (n_teachers,) or (n_teachers, n_classes)
        They sum to 1; by class where `weights` are.
    classes_ : array of shape (n_classes,) or None
        Labels; None where values are predicted.

    Notes
    -----
    Caruana, Niculescu-Mizil, Crew & Ksikes 2004, "Ensemble selection from libraries of
    models". Parameters of members are set by name, ``forest__max_depth``; members without
    names are numbered, ``0__max_depth``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill import DistilledClassifier, SoftTreeClassifier, TeacherEnsemble
    >>> X, y = load_iris(return_X_y=True)
    >>> ensemble = TeacherEnsemble(
    ...     [("bayes", GaussianNB()), ("tree", DecisionTreeClassifier())], weights="greedy"
    ... )
    >>> distilled = DistilledClassifier(ensemble, SoftTreeClassifier(), random_state=0).fit(X, y)
    >>> distilled.teacher_.weights_.shape, distilled.predict(X[::50]).tolist()
    ((2,), [0, 1, 2])
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "estimators": [list],
        "weights": [StrOptions({"uniform", "log_loss", "greedy"}), "array-like"],
        "cv": [StrOptions({"auto"}), "cv_object"],
    }

    def __init__(
        self,
        estimators: list[Any],
        weights: ArrayLike | str = "uniform",
        *,
        cv: Any = "auto",
    ) -> None:
        self.estimators = estimators
        self.weights = weights
        self.cv = cv

    def fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        **fit_params: Any,
    ) -> TeacherEnsemble:
        """Fit the members and compute the weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Labels or values. None where all members are fitted already and `weights` are
            "uniform" or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, in learnt weights and for members that take them; with
            metadata routing enabled, for members that requested them.
        groups : array-like of shape (n_samples,), default=None
            Groups of rows, for `cv`.
        **fit_params : dict
            Metadata that members requested; only with metadata routing enabled.

        Returns
        -------
        self : TeacherEnsemble
            The fitted ensemble.

        Raises
        ------
        TypeError
            If a member is no teacher.
        ValueError
            If a parameter is invalid, or `y` is missing.
        """
        _raise_for_params(fit_params, self, "fit")
        regression = is_regressor(self)
        ready = self._as_teacher(X, y, regression=regression, response_method="any")
        if isinstance(ready, FrozenEstimator):
            fitted = ready.estimator
        else:
            if y is None:
                raise ValueError(
                    "TeacherEnsemble requires y to be passed, but the target y is None"
                )
            y = np.asarray(y)
            if sample_weight is not None:
                fit_params["sample_weight"] = np.asarray(sample_weight, np.float64)
            fitted = ready._cross_fit(
                X,
                y,
                None if regression else ready._expected_classes(y),
                fit_params=fit_params,
                groups=groups,
                cv=self.cv,
                response_method="any",
                return_response=False,
            ).teacher
        self.estimators_, self._labelled = fitted.estimators_, fitted._labelled
        self.weights_ = fitted.weights_
        self.classes_ = fitted.classes_
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Weighted mean of the members' probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        P : float64 array of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.

        Raises
        ------
        TypeError
            If a member has neither `predict_proba` nor `decision_function`.
        ValueError
            If values were learnt.
        """
        check_is_fitted(self, "estimators_")
        if self.classes_ is None:
            raise ValueError("TeacherEnsemble was fitted as a regressor: it has no probabilities")
        return self._mean_response(X, "auto")

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels of the largest weighted mean; or the weighted mean of the values.

        A member without probabilities votes with weight 1 for the class that it predicts.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        y : array of shape (n_samples,) or (n_samples, n_outputs)
            Labels or values.
        """
        check_is_fitted(self, "estimators_")
        mean = self._mean_response(X, "any")
        if self.classes_ is None:
            return mean[:, 0] if mean.shape[1] == 1 else mean
        labels: NDArray[Any] = self.classes_[mean.argmax(axis=1)]
        return labels

    def score(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Accuracy of the labels, or R² of the values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels or values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            As of scikit-learn's classifiers and regressors.
        """
        check_is_fitted(self, "estimators_")
        kind = RegressorMixin if self.classes_ is None else ClassifierMixin
        return float(kind.score(self, X, y, sample_weight))

    def get_metadata_routing(self) -> MetadataRouter:
        """What the members request of `fit`; the ensemble itself where weights are learnt.

        Returns
        -------
        routing : MetadataRouter
            With one child for each member, by name or number.
        """
        router = MetadataRouter(owner=self)
        if self._learns_weights:
            router.add_self_request(self)
        for name, member in self._used_members:
            mapping = MethodMapping().add(caller="fit", callee="fit")
            router.add(method_mapping=mapping, **{name: as_ensemble(member)})
        return router

    @property
    def _learns_weights(self) -> bool:
        return isinstance(self.weights, str) and self.weights != "uniform"

    def _as_teacher(self, X: Any, y: Any, *, regression: bool, response_method: str) -> Any:
        """An ensemble of members that are ready; frozen where nothing is left to be fitted."""
        self._validate_params()
        if not self.estimators:
            raise ValueError(
                "The 'estimators' parameter of TeacherEnsemble must be a non-empty list of "
                "teachers, or of (name, teacher) tuples. Got [] instead."
            )
        self._validate_names([name for name, _ in self._members])
        if not self._used_members:
            raise ValueError(
                "All estimators are dropped. At least one is required to be an estimator."
            )
        if self._learns_weights and y is None:
            raise ValueError(f"weights={self.weights!r} of TeacherEnsemble need y to be learnt on")
        method = "any" if response_method == "predict" else response_method
        used = [not is_dropped(member) for _, member in self._members]
        weights = self.weights
        if not isinstance(weights, str) and len(np.asarray(weights)) == len(used):
            weights = np.asarray(weights)[used]
        ready = TeacherEnsemble(self.estimators, weights, cv=self.cv)
        ready._members = [
            (
                name,
                single_teacher(
                    as_ensemble(member), X, y, regression=regression, response_method=method
                ),
            )
            for name, member in self._used_members
        ]
        if self._learns_weights or not ready._is_prefit():
            return ready
        classes = None if regression else ready._expected_classes(None)
        return FrozenEstimator(ready._cross_fit(X, None, classes, return_response=False).teacher)

    def _is_prefit(self) -> bool:
        return not self._learns_weights and all(
            is_prefit(as_ensemble(member)) for _, member in self._used_members
        )

    def _expected_classes(self, y: Any) -> NDArray[Any]:
        known = [expected_classes(member, y) for _, member in self._members]
        return np.unique(np.concatenate([classes for classes in known if classes is not None]))

    def _cross_fit(
        self,
        X: Any,
        y: NDArray[Any] | None,
        classes: NDArray[Any] | None,
        *,
        fit_params: Mapping[str, Any] | None = None,
        groups: Any = None,
        cv: Any = "auto",
        response_method: str = "auto",
        return_response: bool = True,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> CrossFitResult:
        """`cross_fit` of an ensemble that `as_teacher` has made ready; the same parameters."""
        weights = (
            None
            if self._learns_weights
            else fixed_weights(self.weights, len(self.estimators), classes)
        )
        if not (isinstance(cv, str) or hasattr(cv, "split")) and np.iterable(cv):
            cv = list(cv)  # every member reads it
        passed = fit_params or {}
        params = route_fit_params(self, [name for name, _ in self._members], passed)
        results = [
            cross_fit(
                member,
                X,
                y,
                classes,
                fit_params=params[name],
                groups=groups,
                cv=cv,
                response_method="any" if response_method == "predict" else response_method,
                return_response=return_response or weights is None,
                n_jobs=n_jobs,
                verbose=verbose,
            )
            for name, member in self._members
        ]
        responses = [result.response for result in results]
        if weights is None:
            sample_weight = passed.get("sample_weight")
            weights = self._learn_weights(np.stack(responses), y, classes, sample_weight, cv)
        fitted = TeacherEnsemble(self.estimators, self.weights, cv=self.cv)
        fitted._labelled = [result.teacher for result in results]
        fitted.estimators_ = [without_encoding(one) for one in fitted._labelled]
        fitted.weights_, fitted.classes_ = weights, classes
        mean = weighted_mean(weights, responses)
        decides = response_method == "predict" and classes is not None
        return CrossFitResult(fitted, one_hot_decisions(mean) if decides else mean)

    def _learn_weights(
        self,
        responses: NDArray[np.float64],
        y: Any,
        classes: NDArray[Any] | None,
        sample_weight: NDArray[np.float64] | None,
        cv: Any,
    ) -> NDArray[np.float64]:
        seen = np.isfinite(responses).all(axis=(0, 2))
        if not seen.any():
            raise ValueError(f"weights={self.weights!r}: cv={cv!r} holds out no row to learn on")
        target = y if classes is None else np.searchsorted(classes, y)
        weight = None if sample_weight is None else sample_weight[seen]
        return ensemble_weights(responses[:, seen], target[seen], str(self.weights), weight)

    def _mean_probabilities(self, X: Any, response_method: str) -> NDArray[np.float64]:
        """Mean of the members' responses by one method; columns are ``classes_``."""
        if response_method == "predict":
            return one_hot_decisions(self._mean_response(X, "any"))
        return self._mean_response(X, response_method)

    def _mean_response(self, X: Any, response_method: str) -> NDArray[np.float64]:
        used = [i for i, weight in enumerate(self.weights_) if np.any(weight)]
        responses = [
            response_values(self._labelled[i], X, self.classes_, response_method) for i in used
        ]
        return weighted_mean(self.weights_[used], responses)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        members = [as_ensemble(member) for _, member in self._used_members]
        members = [one for one in members if hasattr(one, "__sklearn_tags__")]
        known = [get_tags(one) for one in members]
        regression = bool(known) and all(one.estimator_type == "regressor" for one in known)
        tags.estimator_type = "regressor" if regression else "classifier"
        tags.input_tags.allow_nan = all(may_read_missing(one) for one in members)
        tags.target_tags.multi_output = regression and all(
            one.target_tags.multi_output for one in known
        )
        return tags


def as_ensemble(teacher: Any) -> Any:
    """A list of teachers as a `TeacherEnsemble`; anything else as it is.

    Parameters
    ----------
    teacher : teacher, or list or tuple of teachers
        As it was passed by a user.

    Returns
    -------
    teacher : teacher
        No list.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skdistill.teachers import as_ensemble
    >>> as_ensemble([GaussianNB(), GaussianNB()])
    TeacherEnsemble(estimators=[GaussianNB(), GaussianNB()])
    >>> as_ensemble(GaussianNB())
    GaussianNB()
    """
    return TeacherEnsemble(list(teacher)) if isinstance(teacher, list | tuple) else teacher
