"""CompactModel: the small integer model that predictions, exports and reports come from."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import accuracy_score, r2_score

from skdistill.compact import evaluate
from skdistill.compact._frozen import require
from skdistill.compact.file_format import MAX_BYTES, from_bytes
from skdistill.compact.model_tables import ModelTables
from skdistill.compact.packing.pack import table_sizes
from skdistill.compact.rows import check_names, check_shape
from skdistill.compact.summary import Summary, summarize
from skdistill.compact.tables.tree_table import TreeTable
from skdistill.dataframe import as_array, column_names, encode_table, is_frame
from skdistill.export_mixin import ExportMixin
from skdistill.readable_mixin import ReadableMixin


class CompactModel(ExportMixin, ReadableMixin, ModelTables):
    """A small integer model: what is cross-validated is what is flashed.

    ``scores = bias + the scores of all tables`` in int32; the label is their argmax (for one
    column: class 1 where the score is > `threshold`), ties to the lowest class; the link
    makes probabilities of ``scale * scores``.

    Parameters
    ----------
    n_features : int
        Columns of the input.
    bias : int32 array of shape (n_scores,)
        What all scores start from: one for two classes or one target, else one a class or target.
    scale : float, or array of shape (n_scores,)
        Factor of a score before the link, stored as float32. Only regressions may have one for
        each score, as a float32 array.
    link : {"softmax", "sigmoid", "normalize", "identity", "exp"}
        "softmax" and "sigmoid" take logits. "normalize" takes votes, which are divided by their
        sum; with a single score p(class 1) = 1/2 + scale * score, clipped. "identity" is for
        regression; "exp" too, of positive values: scores are their logarithms.
    classes : array of shape (n_classes,) or None
        Labels in score order; None for regression.
    tables : sequence of Table, default=()
        What adds up to the scores, at most one table of each kind: `TreeTable`, `LinearTable`,
        `NetTable`. Without any the scores are the bias.
    feature_names : sequence of str, default=None
        Names of the columns.
    categories : CategoryTable, default=NO_CATEGORIES
        Columns that hold categories, which the tables read as ranks.
    threshold : int, default=0
        Of two classes: the score above which the label is the second one. Probabilities do
        not change with it.

    Raises
    ------
    ValueError
        If the tables contradict each other or some input could overflow int32.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import CompactModel
    >>> from skdistill.compact import InputGrid, TreeTable
    >>> grid = InputGrid([0], [0, 1], np.array([7.5], np.float32))
    >>> stump = TreeTable(grid, [0], [0], [0], [-1], [-2], [False], [[-3], [2]], value_bits=4)
    >>> model = CompactModel(1, [0], 0.5, "sigmoid", ["no", "yes"], [stump])
    >>> model.scores([[7.5], [8]]).tolist(), model.predict([[7.5], [8]]).tolist()
    ([[-3], [2]], ['no', 'yes'])
    """

    @property
    def nbytes(self) -> int:
        """Bytes of the constant tables that give the label, as C stores them."""
        return sum(table_sizes(self).values())

    def read_rows(self, X: Any) -> NDArray[Any]:
        """Read rows as all functions of a model take them: the same numbers from any container.

        Parameters
        ----------
        X : data frame, array-like or sparse matrix of shape (n_samples, n_features)
            As in `scores`.

        Returns
        -------
        X : array of shape (n_samples, n_features)
            Numbers, dense; NaN where a value is missing. A column of categories holds indexes:
            C where a value is missing and C + 1 where it is unknown, for C labels.

        Raises
        ------
        TypeError
            For columns that hold neither numbers nor labels, such as points in time.
        ValueError
            As `scores`.

        Examples
        --------
        >>> import pandas as pd
        >>> from skdistill import CompactModel
        >>> model = CompactModel(2, [0], 1.0, "sigmoid", ["no", "yes"], feature_names=["a", "b"])
        >>> X = pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": [True, False]})
        >>> model.read_rows(X).tolist()
        [[1.0, 1.0], [nan, 0.0]]
        """
        if is_frame(X):
            shape: tuple[int, ...] = (len(X), len(column_names(X)))
        else:
            X = X if hasattr(X, "tocsr") else as_array(X)
            if X.ndim != 2 or X.dtype.kind in "biuf":
                return super().read_rows(X)
            shape = X.shape
        check_names(self.feature_names, X)
        check_shape(shape, self.n_features)
        columns, labels = self.categories.columns, self.categories.labels
        return encode_table(X, columns, labels, self.feature_names)

    def scores(self, X: ArrayLike) -> NDArray[np.int32]:
        """Integer scores, from which every other output follows.

        Parameters
        ----------
        X : data frame, array-like or sparse matrix of shape (n_samples, n_features)
            Numbers; NaN and ±inf are defined, NA and None are NaN. Columns of categories hold
            labels, or their indexes where labels are strings and `X` is an array of numbers.

        Returns
        -------
        scores : int32 array of shape (n_samples, n_scores)

        Raises
        ------
        ValueError
            If `X` is not a table of `n_features` columns, or a column without categories is not
            numeric; or sparse, which linear models alone read.
        """
        return evaluate.scores(self, X)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Labels, or for regression the values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            As in `scores`.

        Returns
        -------
        y : array of shape (n_samples,), or (n, S) for several regression targets
        """
        return evaluate.predict(self, self.scores(X))

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Class probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            As in `scores`.

        Returns
        -------
        P : float64 array of shape (n_samples, n_classes)

        Raises
        ------
        ValueError
            If the model has no classes.
        """
        return evaluate.probabilities(self, self.scores(X))

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Accuracy of the labels, or R² of a regression.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            As in `scores`.
        y : array-like of shape (n_samples,), or (n_samples, n_outputs) for a regression
            True labels or values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            Greater is better, 1 is best.
        """
        metric = r2_score if self.classes is None else accuracy_score
        return float(metric(y, self.predict(X), sample_weight=sample_weight))

    def summary(self) -> Summary:
        """Kinds of tables, columns that they read, bytes of each, size of the file.

        Returns
        -------
        summary : Summary
            Prints as a table, in notebooks too.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdistill import SoftTreeClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> print(SoftTreeClassifier(max_leaf_nodes=4).fit(X, y).compact_.summary())
        3 classes from 4 columns of float32, 2 of them read; link softmax
        table  holds                 columns  bytes
        trees  1 tree with 3 splits        2      9
        total  constant tables in C               9
        file   as save writes it                882
        """
        return summarize(self)

    def _compact_model(self) -> CompactModel:
        return self

    def _repr_html_(self) -> str:
        """Bytes by part, and the first tree, in notebooks."""
        drawings = [
            f"<details><summary>first tree</summary>{self.to_svg(max_depth=3)}</details>"
            for _ in self.tables_of(TreeTable)
        ]
        return self.summary()._repr_html_() + "".join(drawings)

    def __repr__(self) -> str:
        what = "; ".join(table.describe() for table in self.tables) or "a constant"
        return f"CompactModel({what}; {self.link}, {self.n_scores} scores, {self.nbytes} B)"


def load(path: str | PathLike[str]) -> CompactModel:
    """Read a model that `CompactModel.save` wrote.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    model : CompactModel

    Raises
    ------
    ValueError
        If the file is not such a model, is damaged, or describes tables that no
        model can have; the message says which.

    Examples
    --------
    >>> import os, tempfile
    >>> import skdistill
    >>> model = skdistill.CompactModel(2, [5], 0.1, "sigmoid", [0, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "constant.skd")
    ...     model.save(path)
    ...     skdistill.load(path).equals(model)
    True
    """
    size = os.path.getsize(path)
    require(
        size <= MAX_BYTES,
        f"{path} has {size} bytes, more than the {MAX_BYTES} that a model may have",
    )
    return from_bytes(Path(path).read_bytes(), CompactModel)
