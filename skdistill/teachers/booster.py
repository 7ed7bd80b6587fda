"""Native models of XGBoost, LightGBM and CatBoost as teachers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skdistill.teachers._prefit import BasePrefitTeacher

KINDS = {
    ("xgboost", "Booster"): "xgboost",
    ("lightgbm", "Booster"): "lightgbm",
    ("catboost", "CatBoost"): "catboost",
}


def library_of(model: Any) -> str | None:
    """The library that a native model belongs to.

    Parameters
    ----------
    model : object
        Anything.

    Returns
    -------
    library : {"xgboost", "lightgbm", "catboost"} or None
        None for everything else, and for the scikit-learn estimators of these libraries.
    """
    kind = type(model)
    return KINDS.get((kind.__module__.split(".")[0], kind.__name__))


class BoosterTeacher(BasePrefitTeacher):
    """A trained `xgboost.Booster`, `lightgbm.Booster` or `catboost.CatBoost` as a teacher.

    Such an object is accepted as ``teacher=`` as it is. This class also names its classes,
    reads its margins, and its clones hold the same model: scikit-learn cannot clone a bare
    `catboost.CatBoost`. The scikit-learn estimators of these libraries do not need it.

    Parameters
    ----------
    booster : xgboost.Booster, lightgbm.Booster or catboost.CatBoost
        Predicts as its own ``predict`` does: with all iterations of an XGBoost model, with the
        best ones of the others.
    classes : array-like of shape (n_classes,), default=None
        Labels in the order of the columns. None means those of a CatBoost model, else the
        sorted classes of `y`, or 0, 1, … without `y`.
    response_method : {"predict_proba", "decision_function"}, default="predict_proba"
        What is read: probabilities, or the raw margins, of which the softmax is taken (of
        one column the sigmoid). Custom objectives, "binary:logitraw", "binary:hinge" and
        "multi:softmax" need the latter.

    Attributes
    ----------
    classes_ : array of shape (n_classes,) or None
        Labels; None where values are predicted.

    Examples
    --------
    >>> import lightgbm
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import BoosterTeacher, DistilledClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> options = {"objective": "multiclass", "num_class": 3, "verbose": -1, "num_threads": 1}
    >>> booster = lightgbm.train(options, lightgbm.Dataset(X, y), 20)
    >>> teacher = BoosterTeacher(booster, classes=["setosa", "versicolor", "virginica"])
    >>> distilled = DistilledClassifier(teacher, random_state=0).fit(X)
    >>> distilled.predict(X[::50]).tolist()
    ['setosa', 'versicolor', 'virginica']
    """

    def __init__(
        self,
        booster: Any,
        classes: ArrayLike | None = None,
        *,
        response_method: str = "predict_proba",
    ) -> None:
        self.booster = booster
        self.classes = classes
        self.response_method = response_method

    def _load(self) -> None:
        library = library_of(self.booster)
        if library is None:
            raise TypeError(
                "booster must be an xgboost.Booster, lightgbm.Booster or catboost.CatBoost, got "
                f"{type(self.booster).__name__}: pass estimators as teacher= directly"
            )
        if library == "catboost" and not self.booster.is_fitted():
            raise ValueError(
                "booster is a catboost.CatBoost that is not trained: train it, or pass a "
                "CatBoostClassifier or CatBoostRegressor as teacher= to have it fitted"
            )

    def _own_classes(self, X: Any) -> ArrayLike | None:
        own = getattr(self.booster, "classes_", None)
        return own if own is not None and len(own) else None

    def _raw_response(self, X: Any) -> Any:
        margins = self.response_method == "decision_function"
        library = library_of(self.booster)
        if library == "xgboost":
            return self.booster.predict(_as_dmatrix(self.booster, X), output_margin=margins)
        if library == "lightgbm":
            return self.booster.predict(X, raw_score=margins)
        raw = margins or getattr(self, "classes_", True) is None  # of a regression: the values
        kind = "RawFormulaVal" if raw else "Probability"
        return self.booster.predict(X, prediction_type=kind)

    def _title(self) -> str:
        return f"the {type(self.booster).__module__.split('.')[0]} booster"


def _as_dmatrix(booster: Any, X: Any) -> Any:
    """Rows under the column names of the training rows, where the booster has any."""
    import xgboost

    names = booster.feature_names
    if names is None:
        X = np.asarray(X)
    elif not hasattr(X, "columns"):
        return xgboost.DMatrix(X, feature_names=names, feature_types=booster.feature_types)
    return xgboost.DMatrix(X, enable_categorical=True)
