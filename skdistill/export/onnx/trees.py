"""Trees as nodes of an ONNX graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.packing.node_order import inner_nodes
from skdistill.compact.tables.tree_table import TreeTable
from skdistill.export.onnx.graph import Read, Writer, cast, import_onnx

_MOST_COPIES = 2**20  # nodes that shared subtrees may become
_EXACT_FLOAT32 = 2**24  # a TreeEnsembleRegressor sums in float32: exact up to here


def write_trees(to: Writer, trees: TreeTable, read: Read) -> list[str]:
    """Write TreeEnsembleRegressors, each of so few trees that its float32 sums are exact.

    Parameters
    ----------
    to : Writer
        Where they are written.
    trees : TreeTable
        The table of the model.
    read : callable
        Writes the inputs in a type, under a name.

    Returns
    -------
    terms : list of str
        Names of int32 scores.

    Raises
    ------
    ValueError
        If subtrees are shared so often that the graph, which cannot share, becomes too large.
    """
    _check_size(trees)
    grid, S = trees.grid, trees.n_scores
    x = read("float32" if grid.dtype == "float32" else "float64", "x_compared")
    bound = trees.tree_bounds.max(axis=1)
    groups: list[list[int]] = [[]]
    reached = 0
    for tree, most in enumerate(bound.tolist()):
        if groups[-1] and reached + most > _EXACT_FLOAT32:
            groups.append([])
            reached = 0
        groups[-1].append(tree)
        reached += most
    column = grid.features[trees.feature]
    results = []
    for group in groups:
        attributes = _Ensemble(S)
        for number, tree in enumerate(group):
            attributes.add_tree(number, int(trees.roots[tree]), trees, column)
        results.append(
            to.node(
                "TreeEnsembleRegressor",
                [x],
                "tree_sums",
                domain="ai.onnx.ml",
                n_targets=S,
                aggregate_function="SUM",
                post_transform="NONE",
                **attributes.as_dict(grid.dtype),
            )
        )
    return [cast(to, part, "int32", "tree_scores") for part in results]


def _check_size(trees: TreeTable) -> None:
    """Refuse trees that grow beyond all bounds: 60 nodes can share 2^60 paths."""
    inner = trees.roots[trees.roots >= 0]
    written = int(inner_nodes(trees)[inner].sum())
    if written > max(_MOST_COPIES, len(trees.feature)):
        raise ValueError(
            f"the trees share subtrees, which ONNX has to write out: more than {_MOST_COPIES:,} "
            "nodes. Export to C, which shares them"
        )


class _Ensemble:
    """The attribute lists of a TreeEnsembleRegressor; shared subtrees are written out."""

    def __init__(self, n_scores: int) -> None:
        self.n_scores = n_scores
        self.nodes: list[tuple[int, int, int, float, bytes, int, int, int]] = []
        self.targets: list[tuple[int, int, int, float]] = []

    def add_tree(self, number: int, root: int, trees: TreeTable, column: NDArray[Any]) -> None:
        scaled_values = trees.scaled_values
        waiting = [root]  # nodes get their ids in the order in which they are found
        for node_id, node in enumerate(waiting):
            if node < 0:
                self.nodes.append((number, node_id, 0, 0.0, b"LEAF", 0, 0, 0))
                values = scaled_values[~node].tolist()
                self.targets += [
                    (number, node_id, k, float(value)) for k, value in enumerate(values)
                ]
                continue
            left = len(waiting)
            waiting += [int(trees.left[node]), int(trees.right[node])]
            split = (int(column[node]), float(trees.edges[node]), b"BRANCH_LEQ")
            self.nodes.append((number, node_id, *split, left, left + 1, int(trees.nan_left[node])))

    def as_dict(self, dtype: str) -> dict[str, Any]:
        helper = import_onnx().helper
        tree, node, feature, value, mode, true, false, missing = (
            list(part) for part in zip(*self.nodes, strict=True)
        )
        target_tree, target_node, target, weight = (
            list(part) for part in zip(*self.targets, strict=True)
        )
        lists: dict[str, Any] = {
            "nodes_treeids": tree,
            "nodes_nodeids": node,
            "nodes_featureids": feature,
            "nodes_modes": mode,
            "nodes_truenodeids": true,
            "nodes_falsenodeids": false,
            "nodes_missing_value_tracks_true": missing,
            "target_treeids": target_tree,
            "target_nodeids": target_node,
            "target_ids": target,
        }
        if dtype == "float32":
            return {**lists, "nodes_values": value, "target_weights": weight}
        double = helper.np_dtype_to_tensor_dtype(np.dtype("float64"))
        lists["nodes_values_as_tensor"] = helper.make_tensor(
            "nodes_values", double, [len(value)], value
        )
        lists["target_weights_as_tensor"] = helper.make_tensor(
            "target_weights", double, [len(weight)], weight
        )
        return lists
