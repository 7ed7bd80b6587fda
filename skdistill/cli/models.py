"""Models in files: ours, and those of other libraries."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import skdistill
from skdistill.cli.errors import InputError, bad_input
from skdistill.dataframe.cleaning import clean_columns
from skdistill.dataframe.files import read_frame
from skdistill.dataframe.labelled import (
    labels_in,
    note_of_left_out,
    numbers_of,
    require_columns,
)
from skdistill.dataframe.number_text import is_number
from skdistill.model import CompactModel
from skdistill.teachers.booster import PICKLES, load_booster

# Types of trees, beside those that skops trusts: they hold numbers and name no code to be run.
_TRUSTED = [
    "collections.OrderedDict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
    "xgboost.sklearn.XGBRegressor",
]


def load_model(path: Path) -> CompactModel:
    """Load a .skd file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    model : CompactModel

    Raises
    ------
    InputError
        If it is no such file.
    """
    _require_file(path)
    with bad_input(str(path)):
        return skdistill.load(path)


def load_fitted(path: Path, *, trust_pickle: bool) -> Any:
    """Load a fitted model of another library.

    Parameters
    ----------
    path : Path
        Of XGBoost, LightGBM, CatBoost, skops, or a pickle.
    trust_pickle : bool
        Whether pickles are loaded.

    Returns
    -------
    model : object
        An estimator, or a native booster.

    Raises
    ------
    ImportError
        If the library is missing.
    InputError
        If the file cannot be loaded, and for a pickle that is not trusted.
    """
    _require_file(path)
    suffix = path.suffix.lower()
    if suffix in PICKLES:
        return _load_pickle(path, trust_pickle=trust_pickle)
    if suffix == ".skops":
        return _load_skops(path)
    if suffix == ".skd":
        return load_model(path)
    with bad_input():
        return load_booster(path)


def rows_of(model: CompactModel, path: Path) -> tuple[Any, list[str]]:
    """Rows of a table, with the columns of a model.

    Parameters
    ----------
    model : CompactModel
        Without names of columns it takes the table as it is.
    path : Path
        Of the table. Other columns are left out.

    Returns
    -------
    frame : pandas.DataFrame
        The columns of the model.
    notes : list of str
        What was assumed about the file.

    Raises
    ------
    DatasetError
        If the file cannot be read or lacks a column.
    InputError
        If a column holds something else than the model reads.
    """
    frame, notes = read_frame(path)
    return _select(model, frame, path, notes)


def labelled_rows_of(
    model: CompactModel, path: Path, target: str
) -> tuple[Any, NDArray[Any], Any, list[str]]:
    """Rows of a table that have a label, and their labels.

    Parameters
    ----------
    model : CompactModel
        Decides how labels are read.
    path : Path
        Of the table.
    target : str
        Column of the labels or values.

    Returns
    -------
    frame : pandas.DataFrame
        The columns of the model.
    y : array of shape (n_samples,)
        Labels or values.
    whole : pandas.DataFrame
        All columns of these rows.
    notes : list of str
        What was assumed, and how many rows were left out.

    Raises
    ------
    DatasetError
        If the file cannot be read or lacks a column or labels.
    InputError
        If a column holds something else than the model reads, or no label is one of the model.
    """
    frame, notes = read_frame(path)
    require_columns(path, frame, [target])
    labels, is_labelled = labels_in(frame, target, path)
    if not is_labelled.all():
        notes.append(note_of_left_out(is_labelled, target))
    whole = frame[is_labelled].reset_index(drop=True)
    y = _labels_for(model, labels, target)
    inputs = whole if model.feature_names is not None else whole.drop(columns=target)
    X, notes = _select(model, inputs, path, notes)
    return X, y, whole, notes


def _labels_for(model: CompactModel, labels: Any, target: str) -> NDArray[Any]:
    """Labels in the type of the model's classes."""
    values = numbers_of(labels)
    if model.classes is None:
        if values is None:
            raise InputError(
                f"target {target!r} holds {str(labels.iloc[0])!r} and the like, but the model "
                "predicts numbers"
            )
        return values
    kind = model.classes.dtype.kind
    y: NDArray[Any]
    if kind == "b":
        is_truth = labels.map(lambda label: isinstance(label, bool | np.bool_)).to_numpy(bool)
        if values is not None:
            is_truth = np.isin(values, (0, 1))
        if not is_truth.all():
            raise _foreign_label(model, labels[~is_truth].iloc[0], target)
        y = (labels if values is None else values).astype(bool)
        return np.asarray(y)
    if kind in "iuf":
        if values is None:
            foreign = [label for label in map(str, labels) if not is_number(label)]
            raise _foreign_label(model, foreign[0] if foreign else labels.iloc[0], target)
        y = values.astype(model.classes.dtype) if (values == np.rint(values)).all() else values
    elif values is not None and (values == np.rint(values)).all():
        y = np.array([f"{value:.0f}" for value in values])  # as text, without what blanks add
    else:
        y = np.array([str(label) for label in labels])
    if not np.isin(y, model.classes).any():
        raise _foreign_label(model, y[0], target)
    return y


def _foreign_label(model: CompactModel, label: Any, target: str) -> InputError:
    known = ", ".join(repr(str(each)) for each in np.asarray(model.classes)[:5])
    return InputError(
        f"target {target!r} holds {str(label)!r} and the like, none of the model's classes {known}"
    )


def _select(model: CompactModel, frame: Any, path: Path, notes: list[str]) -> tuple[Any, list[str]]:
    if model.feature_names is not None:
        require_columns(path, frame, list(model.feature_names))
        frame = frame[list(model.feature_names)]
    elif frame.shape[1] != model.n_features:
        raise InputError(
            f"{path} has {frame.shape[1]} columns, the model reads {model.n_features} and has no "
            "names for them"
        )
    frame, more = clean_columns(frame, leave_out_empty=False)
    with bad_input(str(path)):
        model.read_rows(frame if model.feature_names is not None else frame.to_numpy())
    if model.feature_names is None:
        frame = frame.to_numpy()
    return frame, [*notes, *more]


def _require_file(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a model")
    if not path.is_file():
        raise InputError(f"there is no file {path}")


def _load_pickle(path: Path, *, trust_pickle: bool) -> Any:
    if not trust_pickle:
        raise InputError(
            f"{path} is a pickle, which can run any code when it is loaded: pass --trust-pickle "
            "if you know where it comes from"
        )
    import joblib

    with bad_input(f"{path} cannot be loaded", Exception):  # whatever its code raises
        return joblib.load(path)


def _load_skops(path: Path) -> Any:
    try:
        from skops import io
    except ImportError as error:
        raise ImportError(f"{path} needs skops: pip install 'skdistill[cli]'") from error
    about = f"{path} cannot be loaded"
    with bad_input(about, zipfile.BadZipFile, KeyError, AttributeError):
        unknown = sorted(set(io.get_untrusted_types(file=path)) - set(_TRUSTED))
    if unknown:
        raise InputError(
            f"{path} holds types that skops does not trust: {', '.join(unknown[:5])}; load it "
            "yourself, and call skdistill.convert or DistilledClassifier"
        )
    with bad_input(about, zipfile.BadZipFile, KeyError, AttributeError):
        return io.load(path, trusted=_TRUSTED)
