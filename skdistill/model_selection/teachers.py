"""Labels of teachers in a search: all candidates share them."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import joblib
import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_memory
from tqdm import tqdm

from skdistill.dataframe import EncodedTable
from skdistill.distillation.labelling import seeded
from skdistill.model_selection.data import CATEGORIES, FurtherRows, SearchData
from skdistill.model_selection.named_teachers import new_teacher
from skdistill.model_selection.splits import Splits
from skdistill.model_selection.storage import Arrays, Storage
from skdistill.teachers import as_teacher, cross_fit, expected_classes, response_values
from skdistill.transfer import Munge
from skdistill.transfer.further_rows import further_tables

_ROWS = 24_000  # training and synthetic rows together, if one pass is less than that
_PASSES = 20
_ARGUMENTS = ("teacher", "data", "train", "test", "synthetic", "training", "inner")  # of `_label`
_INNER_FOLDS = 3  # that label the training rows of a split


class Labeller:
    """Labels of teachers for the splits of a search and for all rows.

    The training rows of a split are labelled by folds of their own. Labels that all splits share
    would know, by way of their teachers, the hard labels of the rows held out:
    ``benchmarks/label_leak.py`` measures what this adds to the scores on soft labels.

    Parameters
    ----------
    teachers : list of estimators
        From `as_teacher`.
    data : SearchData
        All rows.
    splits : Splits
        Of the search.
    storage : Storage
        Keeps the responses.
    memory : str, joblib.Memory or None
        Caches fits of teachers.
    seed : int
        Of teachers without a seed, and of synthetic rows.
    n_jobs : int or None
        Fits that run at a time.
    verbose : int
        Above 0, a progress bar counts the fits.
    """

    def __init__(
        self,
        teachers: list[Any],
        data: SearchData,
        splits: Splits,
        storage: Storage,
        *,
        memory: Any,
        seed: int,
        n_jobs: int | None,
        verbose: int,
    ) -> None:
        rng = np.random.RandomState(seed)
        self._teachers = [seeded(clone(teacher), rng) for teacher in teachers]
        self._data, self._splits, self._storage = data, splits, storage
        self._seed, self._n_jobs, self._verbose = seed, n_jobs, verbose
        self._has_memory = memory is not None and _has_hash(self._teachers)
        self._label = _label
        if self._has_memory:
            self._label = check_memory(memory).cache(_label, ignore=list(_ARGUMENTS))
        self._synthetic = cache(self._make_synthetic)
        self._responses: dict[tuple[int, int], Arrays] = {}

    @property
    def n_teachers(self) -> int:
        """Number of teachers."""
        return len(self._teachers)

    def label_splits(self, munge: bool) -> None:
        """Fit all teachers for all splits, but for those whose responses are stored.

        Parameters
        ----------
        munge : bool
            Whether synthetic rows are labelled, too.
        """
        tasks = [(t, k) for t in range(len(self._teachers)) for k in range(len(self._splits))]
        missing = []
        for t, k in tasks:
            stored = self._storage.read_arrays(_name(t, k, munge))
            if stored is None:
                missing.append((t, k))
            else:
                self._responses[t, k] = stored
        work = Parallel(n_jobs=self._n_jobs, return_as="generator")(
            delayed(self._label)(**self._task(t, k, munge)) for t, k in missing
        )
        progress = tqdm(work, total=len(missing), desc="teachers", disable=self._verbose <= 0)
        for (t, k), arrays in zip(missing, progress, strict=True):
            self._storage.write_arrays(_name(t, k, munge), arrays)
            self._responses[t, k] = arrays

    def held_out(self, teacher: int, split: int) -> NDArray[np.float64]:
        """Responses for the rows that a split holds out.

        Parameters
        ----------
        teacher, split : int
            Numbers of both.

        Returns
        -------
        response : float64 array of shape (n_held_out, n_columns)
        """
        return self._responses[teacher, split]["held_out"]

    def training(self, teacher: int, split: int | None) -> NDArray[np.float64]:
        """Out-of-fold responses for the training rows of a split, or for all rows.

        Parameters
        ----------
        teacher : int
            Its number.
        split : int or None
            Its number; None is all rows.

        Returns
        -------
        response : float64 array of shape (n_train, n_columns)
        """
        if split is not None:
            return self._responses[teacher, split]["training"]
        response = self._out_of_fold(teacher)
        if len(self._splits) == 1:
            response[self._splits.train(0)] = self._responses[teacher, 0]["training"]
        if np.isnan(response).any():  # splits of the user that hold out some rows only
            response = self._of_all_rows(teacher, munge=False, training=True)["training"]
        return response

    def further(self, teacher: int, split: int | None, munge: bool) -> list[FurtherRows]:
        """Rows without labels, with the responses of the teacher of a split, or of all rows.

        Parameters
        ----------
        teacher : int
            Its number.
        split : int or None
            Its number; None is all rows.
        munge : bool
            Whether synthetic rows are among them.

        Returns
        -------
        further : list of FurtherRows
        """
        if not munge and self._data.unlabeled is None:
            return []
        if split is None:
            arrays = self._of_all_rows(teacher, munge=munge, training=False)
        else:
            arrays = self._responses[teacher, split]
        further = []
        if self._data.unlabeled is not None:
            further.append(FurtherRows(self._data.unlabeled, arrays["unlabeled"]))
        if munge:
            further += [
                FurtherRows(rows, arrays[f"synthetic{i}"])
                for i, rows in enumerate(self._synthetic(split))
            ]
        return further

    def _out_of_fold(self, teacher: int) -> NDArray[np.float64]:
        """Responses for rows that some split holds out, NaN for the others."""
        parts = [self.held_out(teacher, k) for k in range(len(self._splits))]
        response = np.full((self._data.rows.n_samples, parts[0].shape[1]), np.nan)
        for k, part in enumerate(parts):
            response[self._splits.test(k)] = part
        return response

    def _of_all_rows(self, teacher: int, *, munge: bool, training: bool) -> Arrays:
        """Responses of the teacher that was fitted on all rows."""
        name = f"{_name(teacher, None, munge)}{'-training' * training}"
        arrays = self._storage.read_arrays(name)
        if arrays is None:
            arrays = self._label(**self._task(teacher, None, munge, training=training))
            self._storage.write_arrays(name, arrays)
        return arrays

    def _task(
        self, teacher: int, split: int | None, munge: bool, training: bool = True
    ) -> dict[str, Any]:
        """Arguments of `_label`, and the key that they are cached by."""
        train = np.arange(self._data.rows.n_samples)
        test = train[:0]
        if split is not None:
            train, test = self._splits.train(split), self._splits.test(split)
        inner = "auto" if split is None else _INNER_FOLDS
        tables = self._synthetic(split) if munge else []
        values = (self._teachers[teacher], self._data, train, test, tables, training, inner)
        arguments = dict(zip(_ARGUMENTS, values, strict=True))
        return arguments | {"key": joblib.hash(arguments) if self._has_memory else ""}

    def _make_synthetic(self, split: int | None) -> list[EncodedTable]:
        """MUNGE rows of the training rows of a split, or of all rows."""
        counted = self._data.weight > 0
        if split is not None:
            mask = np.zeros(len(counted), bool)
            mask[self._splits.train(split)] = True
            counted &= mask
        parents = self._data.rows.take(np.flatnonzero(counted))
        n_passes = min(max(_ROWS // parents.n_samples - 1, 1), _PASSES)
        munge = Munge(n_passes, categorical_features=CATEGORIES)
        return further_tables(parents, munge, None, self._seed, CATEGORIES)


def _name(teacher: int, split: int | None, munge: bool) -> str:
    return f"teacher{teacher}-{'all' if split is None else f'split{split}'}{'-munge' * munge}"


def _label(
    teacher: Any,
    data: SearchData,
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    synthetic: list[EncodedTable],
    training: bool,
    inner: Any,
    key: str,
) -> Arrays:
    """Fit a teacher on some rows, and ask it about others.

    Where answers are cached `key` stands for all arguments.
    """
    params = {"sample_weight": data.weight[train]} if data.is_weighted else {}
    labels = data.y[train]
    folds = _inner_folds(inner, labels, data.classes)
    fitted, response = cross_fit(
        teacher,
        data.rows.take(train).native,
        labels,
        data.classes,
        cv=folds,
        return_response=training,
        fit_params=params,
    )
    arrays = {"held_out": response[:0]}
    if training:
        arrays["training"] = response
    tables = {f"synthetic{i}": table for i, table in enumerate(synthetic)}
    if len(test):
        tables["held_out"] = data.rows.take(test)
    if data.unlabeled is not None:
        tables["unlabeled"] = data.unlabeled
    for name, table in tables.items():
        arrays[name] = response_values(fitted, table.native, data.classes, "auto")
    return arrays


def _has_hash(teachers: list[Any]) -> bool:
    """Whether answers of the teachers can be cached; warns where they cannot."""
    try:
        joblib.hash(teachers)
    except Exception as error:  # whatever pickling raises: some object has no hash
        warnings.warn(
            f"not cached: a teacher cannot be hashed ({error})", UserWarning, stacklevel=2
        )
        return False
    return True


def _inner_folds(inner: Any, y: NDArray[Any], classes: NDArray[Any] | None) -> Any:
    """Folds that label training rows: of a split fewer, where each class has enough rows."""
    if inner == "auto" or len(y) < inner:
        return "auto"
    if classes is not None and np.unique(y, return_counts=True)[1].min() < inner:
        return "auto"
    return inner


def make_teachers(teacher: Any, data: SearchData) -> list[Any]:
    """The teachers of a search.

    Parameters
    ----------
    teacher : estimator or other teacher, list of these, or None
        Of a list each is a teacher of its own. None is the "committee" of `new_teacher`.
    data : SearchData
        What they learn.

    Returns
    -------
    teachers : list of estimators
        From `as_teacher`.

    Raises
    ------
    ValueError
        If the list is empty.
    """
    if isinstance(teacher, list | tuple) and not teacher:
        raise ValueError(f"teacher={teacher!r} has no teacher: pass one, or None for the default")
    if teacher is None:
        n_classes = 0 if data.classes is None else len(data.classes)
        n_outputs = data.y.shape[1] if data.y.ndim == 2 else 1
        passed = [new_teacher("committee", data.rows, n_classes=n_classes, n_outputs=n_outputs)]
    else:
        passed = list(teacher) if isinstance(teacher, list | tuple) else [teacher]
    regression = data.classes is None
    return [as_teacher(each, data.rows.native, data.y, regression=regression) for each in passed]


def with_classes_of(teachers: list[Any], data: SearchData) -> SearchData:
    """The same rows, with the classes that fitted teachers know beside those of the labels.

    Parameters
    ----------
    teachers : list of estimators
        From `make_teachers`.
    data : SearchData
        What is learnt.

    Returns
    -------
    data : SearchData
    """
    if data.classes is None:
        return data
    known = [expected_classes(each, data.y) for each in teachers]
    classes = np.unique(np.concatenate([data.classes, *(c for c in known if c is not None)]))
    if len(classes) == len(data.classes):
        return data
    return data._replace(classes=classes, codes=np.searchsorted(classes, data.y))
