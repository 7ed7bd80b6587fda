"""CompactModel: the small integer model that predictions, exports and reports come from."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.compact import evaluate
from skdistill.compact._frozen import require
from skdistill.compact.file_format import MAX_BYTES, from_bytes, to_bytes
from skdistill.compact.model_tables import ModelTables
from skdistill.compact.packing.pack import table_sizes
from skdistill.utils.files import write_whole


class CompactModel(ModelTables):
    """A small integer model: what is cross-validated is what is flashed.

    ``scores = bias + the scores of all tables`` in int32; the label is their argmax (for one
    column: class 1 where the score is > `threshold`), ties to the lowest class; the link
    makes probabilities of ``scale * scores``.

    Parameters
    ----------
    n_features : int
        Columns of the input.
    bias : int32 array of shape (S,)
    scale : float, or array of shape (S,)
        Worth of one score unit before the link; kept as float32. A unit for each score is
        for the link "identity" alone, whose scores may stand for different things; it is
        a float32 array then.
    link : {"softmax", "sigmoid", "normalize", "identity"}
        "softmax" and "sigmoid" read logits. "normalize" reads votes, which are
        divided by their sum; with a single column p(class 1) = 1/2 + scale * score,
        clipped. "identity" is for regression.
    classes : array of shape (K,) or None
        Labels in score order; None for regression.
    tables : sequence of Table, default=()
        What adds up to the scores, at most one table of each kind: `TreeTable`, `LinearTable`.
        Without any the scores are the bias.
    feature_names : sequence of str, default=None
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

    def scores(self, X: ArrayLike) -> NDArray[np.int32]:
        """Integer scores, the ground of every other output.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Numbers; NaN and ±inf are defined. Columns of categories hold labels, or their
            indexes where labels are strings and `X` is an array of numbers.

        Returns
        -------
        scores : int32 array of shape (n, S)

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
        X : array-like of shape (n, n_features)

        Returns
        -------
        y : array of shape (n,), or (n, S) for several regression targets
        """
        return evaluate.predict(self, self.scores(X))

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Class probabilities.

        Parameters
        ----------
        X : array-like of shape (n, n_features)

        Returns
        -------
        P : float64 array of shape (n, K)

        Raises
        ------
        ValueError
            If the model has no classes.
        """
        return evaluate.probabilities(self, self.scores(X))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to `path`, whole or not at all.

        Parameters
        ----------
        path : str or path-like
        """
        write_whole(path, to_bytes(self))

    def __repr__(self) -> str:
        what = "; ".join(table.describe() for table in self.tables) or "a constant"
        return f"CompactModel({what}; {self.link}, {self.n_scores} scores, {self.nbytes} B)"


def load(path: str | PathLike[str]) -> CompactModel:
    """Read a model that `CompactModel.save` wrote.

    Parameters
    ----------
    path : str or path-like

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
