"""Teachers by name: the committee that teaches where none was passed, and single ones."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from skdistill.dataframe import EncodedTable, encode_table
from skdistill.teachers import TeacherEnsemble

_TREES = 200
_ROUNDS = 150
# Of a booster that learns less noise by heart than one with its defaults.
_SMALL_STEPS: dict[str, dict[str, Any]] = {
    "lightgbm": {
        "learning_rate": 0.05,
        "num_leaves": 15,
        "colsample_bytree": 0.5,
        "subsample": 0.7,
        "subsample_freq": 1,
        "reg_lambda": 5.0,
    },
    "scikit-learn": {
        "learning_rate": 0.05,
        "max_leaf_nodes": 15,
        "max_features": 0.5,
        "l2_regularization": 5.0,
    },
}
_HIDDEN = (128, 64)  # units of a net
_EPOCHS = 40  # of a net, and more where rows are few:
_ROW_EPOCHS = 100_000
_MOST_EPOCHS = 200
_MOST_CATEGORIES = 32  # of a column, for a net


def new_teacher(name: str, rows: EncodedTable, *, n_classes: int, n_outputs: int = 1) -> Any:
    """An unfitted teacher by its name; it reads tables of any container.

    Parameters
    ----------
    name : {"committee", "forest", "lightgbm", "xgboost"}
        "committee" are extremely randomized trees, gradient boosting twice, one of them with
        small steps and trees for noisy tables, by LightGBM where it is installed, and a neural
        network of scikit-learn. Each has the weight that out-of-fold predictions give it.
    rows : EncodedTable
        What it will learn from. Categories are numbered.
    n_classes : int
        Classes; 0 for a regression.
    n_outputs : int, default=1
        Targets of a regression. Boosting has one: a committee goes without it for more.

    Returns
    -------
    teacher : estimator

    Raises
    ------
    ImportError
        If the library is not installed; names the extra.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.dataframe import read_table
    >>> from skdistill.model_selection.named_teachers import new_teacher
    >>> new_teacher("forest", read_table(np.eye(3)), n_classes=3)[-1]
    RandomForestClassifier(n_estimators=200)
    """
    labelled = np.flatnonzero(rows.has_labels).tolist()
    labels = [rows.labels[column] for column in labelled]
    if name == "committee":
        members = _committee(labelled, rows.n_samples, n_classes, n_outputs)
        return _weighted(
            TeacherEnsemble(
                [
                    (each, make_pipeline(TableEncoder(labelled, labels), member))
                    for each, member in members.items()
                ],
                weights="log_loss",
            )
        )
    if name == "forest":
        teacher = (RandomForestRegressor if n_classes == 0 else RandomForestClassifier)(_TREES)
    else:
        teacher = _booster(name, n_classes)
    return make_pipeline(TableEncoder(labelled, labels), teacher)


def _committee(
    labelled: list[int], n_samples: int, n_classes: int, n_outputs: int
) -> dict[str, Any]:
    forest = (ExtraTreesRegressor if n_classes == 0 else ExtraTreesClassifier)(_TREES)
    members = {"forest": _weighted(forest)}
    if n_outputs == 1:
        library = "scikit-learn" if find_spec("lightgbm") is None else "lightgbm"
        members["boosting"] = _weighted(_booster(library, n_classes))
        members["small_steps"] = _weighted(
            _booster(library, n_classes).set_params(**_SMALL_STEPS[library])
        )
    net = _weighted(_net(n_classes, n_samples))
    if n_classes == 0:
        net = TransformedTargetRegressor(net, transformer=StandardScaler())
    members["net"] = make_pipeline(_inputs_of_a_net(labelled), net)
    return members


def _weighted(estimator: Any, weighted: bool = True) -> Any:
    """Say whether the estimator takes weights, which metadata routing asks for."""
    if get_config()["enable_metadata_routing"]:
        estimator.set_fit_request(sample_weight=weighted)
    return estimator


def _booster(library: str, n_classes: int) -> Any:
    """An unfitted booster; larger steps than its default of 0.1 diverge for many classes."""
    try:
        if library == "lightgbm":
            from lightgbm import LGBMClassifier, LGBMRegressor

            kind = LGBMRegressor if n_classes == 0 else LGBMClassifier
            return kind(n_estimators=_ROUNDS, n_jobs=1, verbose=-1)
        if library == "xgboost":
            from xgboost import XGBClassifier, XGBRegressor

            kind = XGBRegressor if n_classes == 0 else XGBClassifier
            return kind(n_estimators=_ROUNDS, learning_rate=0.1, n_jobs=1)
    except ImportError as error:
        raise ImportError(
            f"this teacher needs {library}: pip install 'skdistill[boost]'"
        ) from error
    gradient = HistGradientBoostingRegressor if n_classes == 0 else HistGradientBoostingClassifier
    return gradient(max_iter=_ROUNDS, early_stopping=False)


def _inputs_of_a_net(labelled: list[int]) -> Any:
    """Scaled columns, medians where values are missing, and a column for each category.

    Parameters
    ----------
    labelled : list of int
        Columns that hold numbers of categories.
    """
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    scaled = make_pipeline(imputer, _weighted(StandardScaler(), False))
    if not labelled:
        return scaled
    one_hot = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=_MOST_CATEGORIES, sparse_output=False
    )
    return ColumnTransformer([("categories", one_hot, labelled)], remainder=scaled)


class TableEncoder(TransformerMixin, BaseEstimator):
    """Numbers of a table of any container, in float64; NaN where a number is missing.

    Parameters
    ----------
    columns : list of int
        Columns of categories.
    labels : list of arrays
        Their labels; a category becomes its number among them. A missing one comes after them,
        and then what is unknown.
    """

    def __init__(self, columns: list[int], labels: list[Any]) -> None:
        self.columns = columns
        self.labels = labels

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn nothing."""
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Read the table."""
        return np.asarray(encode_table(X, self.columns, self.labels), np.float64)

    def __sklearn_is_fitted__(self) -> bool:
        return True


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
            super().fit(X, y, sample_weight)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """As `MLPClassifier.predict_proba`."""
        with _quiet_thread():
            P: NDArray[np.float64] = super().predict_proba(X)
        return P


class OneThreadRegressor(MLPRegressor):
    """The same for values."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """As `MLPRegressor.fit`."""
        with _quiet_thread():
            super().fit(X, y, sample_weight)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """As `MLPRegressor.predict`."""
        with _quiet_thread():
            values: NDArray[np.float64] = super().predict(X)
        return values


@contextmanager
def _quiet_thread() -> Iterator[None]:
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "Got `batch_size` .* larger than sample size")
        yield
