"""A tree of a compact model, drawn by matplotlib."""

from __future__ import annotations

from typing import Any

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.tree_table import TreeTable
from skdistill.device.profile import compact_of
from skdistill.export.readable.layout import place
from skdistill.export.readable.outcome import drawn_lines, leading
from skdistill.export.readable.svg import PALETTE
from skdistill.export.readable.walk import check_tree, walk
from skdistill.inspection.displays._axes import new_axes


class CompactTreeDisplay:
    """A tree of a model; a dashed branch is the way of missing values.

    Parameters
    ----------
    model : ModelTables
        With trees.
    tree : int, default=0
        Number of the tree.
    max_depth : int, default=4
        Depth below which branches are cut; None draws the whole tree.

    Attributes
    ----------
    annotations_ : list of matplotlib.text.Annotation
        A box for each node, parents before children.
    ax_, figure_ : matplotlib.axes.Axes, matplotlib.figure.Figure
        Where they are drawn.

    See Also
    --------
    CompactModel.to_svg : The same as SVG, without matplotlib.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftTreeClassifier
    >>> from skdistill.inspection import CompactTreeDisplay
    >>> tree = SoftTreeClassifier(max_leaf_nodes=3).fit(*load_iris(return_X_y=True))
    >>> display = CompactTreeDisplay.from_estimator(tree)
    >>> display.annotations_[0].get_text().splitlines()
    ['x[2]', '<= 2.5']
    """

    def __init__(self, model: ModelTables, tree: int = 0, max_depth: int | None = 4) -> None:
        self.model = model
        self.tree = tree
        self.max_depth = max_depth

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, tree: int = 0, max_depth: int | None = 4, ax: Any = None
    ) -> CompactTreeDisplay:
        """Draw a tree of a model.

        Parameters
        ----------
        estimator : CompactModel, student or distiller
            With trees.
        tree : int, default=0
            Number of the tree.
        max_depth : int, default=4
            Depth below which branches are cut; None draws the whole tree.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes new ones.

        Returns
        -------
        display : CompactTreeDisplay

        Raises
        ------
        ValueError
            If there is no such tree.
        """
        return cls(compact_of(estimator), tree, max_depth).plot(ax=ax)

    def plot(self, ax: Any = None) -> CompactTreeDisplay:
        """Draw the tree.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes new ones.

        Returns
        -------
        self : CompactTreeDisplay

        Raises
        ------
        ValueError
            If there is no such tree.
        """
        trees = self.model.table(TreeTable)
        tree = check_tree(trees, self.tree)
        placed = place(list(walk(self.model, trees, tree, self.max_depth)))
        self.figure_, self.ax_ = new_axes(ax, self)
        from matplotlib.colors import to_rgb

        self.annotations_ = []
        for each in placed:
            node, at = each.node, (each.x, -each.node.depth)
            if each.parent >= 0:
                parent = placed[each.parent]
                split = parent.node.split
                missing = split is not None and split.missing_left == node.is_left
                ends = [parent.x, each.x], [-parent.node.depth, -node.depth]
                self.ax_.plot(*ends, "--" if missing else "-", color="0.5", zorder=1)
            if node.split is None:
                lines = drawn_lines(self.model, node.scores)
                index, strength = leading(self.model, node.scores)
                colour, alpha = PALETTE[index % len(PALETTE)], 0.15 + 0.35 * strength
                shape, fill = "round", tuple(1 - alpha * (1 - c) for c in to_rgb(colour))
            else:
                lines = [node.split.name, node.split.question]
                if node.n_hidden:
                    lines.append(f"… {node.n_hidden:,.0f} leaves")
                shape, fill = "square", (1.0, 1.0, 1.0)
            box = {"boxstyle": shape, "facecolor": fill, "edgecolor": "0.5"}
            self.annotations_.append(
                self.ax_.annotate("\n".join(lines), at, ha="center", va="center", bbox=box)
            )
        self.ax_.set_axis_off()
        return self
