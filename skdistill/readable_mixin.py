"""What people read of whatever holds a compact model: trees, paths, text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from sklearn.utils.metaestimators import available_if

from skdistill.compact import evaluate
from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.tree_table import TreeTable
from skdistill.export.readable import export_text, to_dot, to_frame, to_svg


def _has_trees(holder: Any) -> bool:
    return bool(holder._compact_model().tables_of(TreeTable))


class ReadableMixin:
    """Text, drawings and paths of whatever holds a `CompactModel`.

    A class has ``_compact_model()``, which returns the model. Inner node i of the trees has the
    number i, leaf l the number ``n_nodes + l``, in all that follows.
    """

    _compact_model: Callable[[], ModelTables]

    def export_text(self, *, tree: int | None = None, max_depth: int | None = 10) -> str:
        """Write the model as text: each tree with its questions, weights, layers of a net.

        Parameters
        ----------
        tree : int, default=None
            Number of the only tree to write; None writes all tables.
        max_depth : int, default=10
            Depth at which trees are cut; None writes them whole.

        Returns
        -------
        text : str

        Raises
        ------
        ValueError
            If there is no such tree.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdistill import SoftTreeClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> tree = SoftTreeClassifier(max_leaf_nodes=3).fit(X, y)
        >>> print(tree.export_text(tree=0), end="")
        |--- x[2] <= 2.5
        |   |--- 0, p = 1.00
        |--- x[2] > 2.5 or missing
        |   |--- x[3] <= 1.75
        |   |   |--- 1, p = 0.91
        |   |--- x[3] > 1.75 or missing
        |   |   |--- 2, p = 0.98
        """
        return export_text(self._compact_model(), tree=tree, max_depth=max_depth)

    def to_frame(self) -> Any:
        """Write the model as a data frame.

        Returns
        -------
        frame : pandas.DataFrame
            A row for each node of trees, for each weight of linear models, for each hidden unit
            and score of nets; `table` says which kind it is. Cells that a kind does not have are
            empty.

        Raises
        ------
        ImportError
            Without pandas, the extra "cli".

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdistill import SoftTreeClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> frame = SoftTreeClassifier(max_leaf_nodes=3).fit(X, y).to_frame()
        >>> print(frame[["node", "depth", "column", "threshold", "missing"]][:2].to_string())
           node  depth column  threshold missing
        0     0      0   x[2]        2.5   right
        1     2      1    NaN        NaN     NaN
        """
        return to_frame(self._compact_model())

    def to_svg(self, *, tree: int = 0, max_depth: int | None = 4) -> str:
        """Draw a tree as SVG.

        A row goes to the left where the question of a node is answered with yes. A dashed branch
        is the way of missing values.

        Parameters
        ----------
        tree : int, default=0
            Number of the tree.
        max_depth : int, default=4
            Depth below which branches are cut; None draws the whole tree.

        Returns
        -------
        svg : str
            One ``<svg>`` element, for files and pages.

        Raises
        ------
        ValueError
            If there is no such tree.
        """
        return to_svg(self._compact_model(), tree=tree, max_depth=max_depth)

    def to_dot(self, *, tree: int = 0, max_depth: int | None = None) -> str:
        """Write a tree in the DOT language of Graphviz.

        Parameters
        ----------
        tree : int, default=0
            Number of the tree.
        max_depth : int, default=None
            Depth below which branches are cut; None writes the whole tree.

        Returns
        -------
        text : str
            A digraph.

        Raises
        ------
        ValueError
            If there is no such tree.
        """
        return to_dot(self._compact_model(), tree=tree, max_depth=max_depth)

    @available_if(_has_trees)
    def apply(self, X: ArrayLike) -> NDArray[np.int32]:
        """Number of the leaf that each row reaches in each tree.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            As in `predict`, but not sparse.

        Returns
        -------
        nodes : int32 array of shape (n_samples, n_trees)
            Numbers of nodes, as `to_frame` lists them.

        Notes
        -----
        Only models with trees have this method.
        """
        model = self._compact_model()
        n_nodes = len(model.table(TreeTable).feature)
        return evaluate.leaves(model, X) + np.int32(n_nodes)

    @available_if(_has_trees)
    def decision_path(self, X: ArrayLike) -> tuple[csr_matrix, NDArray[np.intp]]:
        """Nodes that each row passes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            As in `predict`, but not sparse.

        Returns
        -------
        indicator : sparse matrix of shape (n_samples, n_columns)
            1 where a row passes a node, in CSR.
        n_nodes_ptr : int array of shape (n_trees + 1,)
            Columns ``n_nodes_ptr[t]`` to ``n_nodes_ptr[t + 1]`` belong to tree t. Each tree has a
            column for each node of the model, in the order of their numbers.

        Notes
        -----
        Only models with trees have this method.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdistill import SoftTreeClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> tree = SoftTreeClassifier(max_leaf_nodes=3).fit(X, y)
        >>> indicator, _ = tree.decision_path(X[[0, 149]])
        >>> indicator.toarray().tolist(), tree.apply(X[[0, 149]]).tolist()
        ([[1, 0, 1, 0, 0], [1, 1, 0, 0, 1]], [[2], [4]])
        """
        model = self._compact_model()
        trees = model.table(TreeTable)
        rows = model.categories.rank(model.read_rows(X))
        row, tree, node = trees.paths(rows)
        width = len(trees.feature) + len(trees.values)
        n_trees = len(trees.roots)
        shape = len(rows), n_trees * width
        ones = np.ones(len(row), np.int64)
        columns = tree.astype(np.int64) * width + node
        return csr_matrix((ones, (row, columns)), shape), np.arange(n_trees + 1) * width
