"""The committee that teaches where no teacher was passed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from threadpoolctl import threadpool_limits

from skdistill.dataframe import read_table
from skdistill.model_selection.data import SearchData
from skdistill.teachers import TeacherEnsemble

_TREES = 200
_ROUNDS = 150
_HIDDEN = (128, 64)  # units of a net
_EPOCHS = 40  # of a net, and more where rows are few:
_ROW_EPOCHS = 100_000
_MOST_EPOCHS = 200
_MOST_CATEGORIES = 32  # of a column, for a net


def default_teacher(data: SearchData) -> Any:
    """A committee: extremely randomized trees, gradient boosting and a neural network.

    Parameters
    ----------
    data : SearchData
        What it will learn.

    Returns
    -------
    teacher : estimator
        Unfitted. Boosting is LightGBM's where it is installed, else scikit-learn's. Categories
        are numbered before.
    """
    n_classes = 0 if data.classes is None else len(data.classes)
    labelled = np.flatnonzero(data.rows.has_labels).tolist()
    routed = bool(get_config()["enable_metadata_routing"])

    def learner(estimator: Any) -> Any:
        return estimator.set_fit_request(sample_weight=True) if routed else estimator

    forest = (ExtraTreesRegressor if n_classes == 0 else ExtraTreesClassifier)(_TREES)
    members = [learner(forest)]
    if data.y.ndim == 1 or data.y.shape[1] == 1:  # boosting has a single output
        members.append(learner(_boosting(n_classes)))
    net = learner(_net(n_classes, data.rows.n_samples))
    if n_classes == 0:
        net = TransformedTargetRegressor(net, transformer=StandardScaler())
    members.append(make_pipeline(_inputs_of_a_net(len(labelled)), net))
    committee = TeacherEnsemble(members)
    if not labelled:
        return committee
    numbered = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
    )
    columns = ColumnTransformer([("categories", numbered, labelled)], remainder="passthrough")
    return make_pipeline(columns, committee)


def _boosting(n_classes: int) -> Any:
    """An unfitted booster; larger steps than its default of 0.1 diverge for many classes."""
    if find_spec("lightgbm") is not None:
        from lightgbm import LGBMClassifier, LGBMRegressor

        kind = LGBMRegressor if n_classes == 0 else LGBMClassifier
        return kind(n_estimators=_ROUNDS, n_jobs=1, verbose=-1)
    gradient = HistGradientBoostingRegressor if n_classes == 0 else HistGradientBoostingClassifier
    return gradient(max_iter=_ROUNDS, early_stopping=False)


def _inputs_of_a_net(n_labelled: int) -> Any:
    """Scaled columns, medians where values are missing, and a column for each category.

    Parameters
    ----------
    n_labelled : int
        The first columns hold numbers of categories.
    """
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    scaled = make_pipeline(imputer, StandardScaler())
    numbers = FunctionTransformer(_as_numbers)
    if n_labelled == 0:
        return make_pipeline(numbers, scaled)
    one_hot = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=_MOST_CATEGORIES, sparse_output=False
    )
    columns = [("categories", one_hot, slice(0, n_labelled))]
    return make_pipeline(numbers, ColumnTransformer(columns, remainder=scaled))


def _as_numbers(X: Any) -> NDArray[np.float64]:
    """Numbers of any container, for scikit-learn imputes no booleans."""
    return np.asarray(read_table(X, None).values, np.float64)


def _net(n_classes: int, n_samples: int) -> Any:
    """An unfitted net; of values in units of their standard deviation."""
    n_epochs = int(np.clip(_ROW_EPOCHS // n_samples, _EPOCHS, _MOST_EPOCHS))
    kind = OneThreadRegressor if n_classes == 0 else OneThreadClassifier
    return kind(
        hidden_layer_sizes=_HIDDEN,
        alpha=0.01,
        learning_rate_init=2e-3,
        batch_size=100,
        max_iter=n_epochs,
    )


class OneThreadClassifier(MLPClassifier):
    """A net whose answers do not depend on the number of cores, as those of BLAS may.

    Its epochs are a choice: there is no warning that more would change it.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """As `MLPClassifier.fit`."""
        with _quiet_thread():
            return super().fit(X, y, sample_weight)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """As `MLPClassifier.predict_proba`."""
        with _quiet_thread():
            return super().predict_proba(X)


class OneThreadRegressor(MLPRegressor):
    """The same for values."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """As `MLPRegressor.fit`."""
        with _quiet_thread():
            return super().fit(X, y, sample_weight)

    def predict(self, X: Any) -> NDArray[np.float64]:
        """As `MLPRegressor.predict`."""
        with _quiet_thread():
            return super().predict(X)


@contextmanager
def _quiet_thread() -> Iterator[None]:
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "Got `batch_size` .* larger than sample size")
        yield
