"""Native models of XGBoost, LightGBM and CatBoost as teachers."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skdistill.teachers._prefit import BasePrefitTeacher

KINDS = {
    ("xgboost", "Booster"): "xgboost",
    ("lightgbm", "Booster"): "lightgbm",
    ("catboost", "CatBoost"): "catboost",
}
SUFFIXES = {".json", ".ubj", ".txt", ".lgb", ".model", ".cbm"}
PICKLES = {".pkl", ".pickle", ".joblib"}
ENDINGS = ".json or .ubj (XGBoost), .txt (LightGBM), .cbm (CatBoost) or .onnx"


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


def is_model_file(path: Any) -> bool:
    """Whether the name of a file is that of a model of these libraries, or of a pickle.

    Parameters
    ----------
    path : object
        Anything.

    Returns
    -------
    named : bool
        Nothing is opened.
    """
    return isinstance(path, str | PathLike) and Path(path).suffix.lower() in SUFFIXES | PICKLES


def load_booster(path: str | PathLike[str]) -> Any:
    """Load a model file of XGBoost, LightGBM or CatBoost.

    Parameters
    ----------
    path : str or path-like
        JSON or UBJSON of XGBoost (``.json``, ``.ubj``), text of LightGBM (``.txt``, ``.lgb``,
        ``.model``) or a binary file of CatBoost (``.cbm``).

    Returns
    -------
    booster : xgboost.Booster, lightgbm.Booster or catboost.CatBoost
        The model.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        For a pickle, for another suffix, and for a file that is no model.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in PICKLES:
        raise ValueError(
            f"{str(path)!r} is a pickle, which can run any code when it is loaded: load it "
            f"yourself, e.g. model = joblib.load({str(path)!r}), and pass FrozenEstimator(model)"
        )
    if suffix not in SUFFIXES:
        raise ValueError(f"{str(path)!r} is no model file: its name must end in {ENDINGS}")
    if not path.is_file():
        raise FileNotFoundError(f"there is no model file {str(path)!r}")
    content = path.read_bytes()
    if suffix == ".model" and not content.startswith(b"tree"):
        suffix = ".json" if content.lstrip().startswith(b'{"') else ".ubj"
    if suffix == ".cbm" or (suffix == ".json" and b'"oblivious_trees"' in content):
        return _load_catboost(path, suffix)
    if suffix in (".json", ".ubj"):
        return _load_xgboost(path, content)
    return _load_lightgbm(path, content)


def _load_xgboost(path: Path, content: bytes) -> Any:
    try:
        import xgboost
    except ImportError as error:
        raise ImportError(f"{str(path)!r} needs XGBoost: pip install 'skdistill[boost]'") from error
    if b"learner" not in content:
        raise ValueError(f"{str(path)!r} is no model of XGBoost: save one by save_model")
    cut_off = f"{str(path)!r} is cut off or damaged: save the model once more by save_model"
    if not content.rstrip().endswith(b"}"):
        raise ValueError(cut_off)
    try:
        return xgboost.Booster(model_file=str(path))
    except (xgboost.core.XGBoostError, UnicodeDecodeError) as error:  # with a trace of C++
        raise ValueError(cut_off) from error


def _load_lightgbm(path: Path, content: bytes) -> Any:
    try:
        import lightgbm
    except ImportError as error:
        raise ImportError(
            f"{str(path)!r} needs LightGBM: pip install 'skdistill[boost]'"
        ) from error
    if not content.startswith(b"tree"):
        raise ValueError(f"{str(path)!r} is no model of LightGBM: save one by booster.save_model")
    if b"\nend of trees" not in content:  # LightGBM would abort the process
        raise ValueError(f"{str(path)!r} is cut off: save the model once more by save_model")
    try:
        return lightgbm.Booster(model_file=str(path))
    except lightgbm.basic.LightGBMError as error:
        raise ValueError(
            f"{str(path)!r} is no model of LightGBM: save one by booster.save_model ({error})"
        ) from error


def _load_catboost(path: Path, suffix: str) -> Any:
    try:
        import catboost
    except ImportError as error:
        raise ImportError(
            f"{str(path)!r} needs CatBoost: pip install 'skdistill[catboost]'"
        ) from error
    try:
        return catboost.CatBoost().load_model(str(path), format=suffix[1:])
    except catboost.CatBoostError as error:
        raise ValueError(
            f"{str(path)!r} is no model of CatBoost: save one by save_model ({error})"
        ) from error


class BoosterTeacher(BasePrefitTeacher):
    """A trained `xgboost.Booster`, `lightgbm.Booster` or `catboost.CatBoost` as a teacher.

    Such an object is accepted as ``teacher=`` as it is. This class also names its classes,
    reads its margins, and its clones hold the same model: scikit-learn cannot clone a bare
    `catboost.CatBoost`. The scikit-learn estimators of these libraries do not need it.

    Parameters
    ----------
    booster : xgboost.Booster, lightgbm.Booster, catboost.CatBoost, str or path-like
        A model, or the path of a model file: ``.json`` or ``.ubj`` of XGBoost, ``.txt`` of
        LightGBM, ``.cbm`` of CatBoost. Predicts as its own ``predict`` does: with all iterations
        of an XGBoost model, with the best ones of the others.
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
    booster_ : xgboost.Booster, lightgbm.Booster or catboost.CatBoost
        The model, loaded where a path was passed.

    Examples
    --------
    >>> import lightgbm
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import BoosterTeacher, DistilledClassifier, SoftTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> options = {"objective": "multiclass", "num_class": 3, "verbose": -1, "num_threads": 1}
    >>> booster = lightgbm.train(options, lightgbm.Dataset(X, y), 20)
    >>> teacher = BoosterTeacher(booster, classes=["setosa", "versicolor", "virginica"])
    >>> distilled = DistilledClassifier(teacher, SoftTreeClassifier()).fit(X)
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
        booster = self._native()
        if library_of(booster) == "catboost" and not booster.is_fitted():
            raise ValueError(
                "booster is a catboost.CatBoost that is not trained: train it, or pass a "
                "CatBoostClassifier or CatBoostRegressor as teacher= to have it fitted"
            )
        self.booster_ = booster

    def _native(self) -> Any:
        """The booster, loaded where `booster` is a path."""
        is_path = isinstance(self.booster, str | PathLike)
        booster = load_booster(self.booster) if is_path else self.booster
        if library_of(booster) is None:
            raise TypeError(
                "booster must be an xgboost.Booster, lightgbm.Booster, catboost.CatBoost or the "
                f"path of a model file, got {type(booster).__name__}: estimators need no "
                "BoosterTeacher"
            )
        return booster

    def _own_classes(self, X: Any) -> ArrayLike | None:
        own = getattr(self.booster_, "classes_", None)
        return own if own is not None and len(own) else None

    def _raw_response(self, X: Any) -> Any:
        margins = self.response_method == "decision_function"
        library = library_of(self.booster_)
        if library == "xgboost":
            return self.booster_.predict(_as_dmatrix(self.booster_, X), output_margin=margins)
        if library == "lightgbm":
            return self.booster_.predict(X, raw_score=margins)
        raw = margins or getattr(self, "classes_", True) is None  # of a regression: the values
        kind = "RawFormulaVal" if raw else "Probability"
        return self.booster_.predict(X, prediction_type=kind)

    def _title(self) -> str:
        return f"the {type(self.booster_).__module__.split('.')[0]} booster"


def _as_dmatrix(booster: Any, X: Any) -> Any:
    """Rows under the column names of the training rows, where the booster has any."""
    import xgboost

    names = booster.feature_names
    if names is None:
        X = np.asarray(X)
    elif not hasattr(X, "columns"):
        return xgboost.DMatrix(X, feature_names=names, feature_types=booster.feature_types)
    return xgboost.DMatrix(X, enable_categorical=True)
