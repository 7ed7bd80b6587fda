"""Scorecards: additive models as tables of points that people add up by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.compact import LinearTable, NetTable, Table, TreeTable
from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.linear_table import quantize_input
from skdistill.device.profile import compact_of
from skdistill.export.readable.conditions import MISSING, UNKNOWN, column_name, number, score_names

_MOST_CELLS = 10_000
_REMEDY = "fit with max_depth=2, or max_leaf_nodes=3, or use export_text"


@dataclass(frozen=True)
class ScorecardPart:
    """Points for one column, or for two columns together.

    Parameters
    ----------
    columns : tuple of int
        One column or two.
    edges : tuple of arrays
        For each column the upper ends of its intervals but the last; an interval includes its
        upper end.
    labels : tuple of tuple of str
        For each column what its intervals are called; the last is a missing value.
    points : int64 array of shape (n_intervals, n_scores) or (n_intervals, n_intervals, n_scores)
        What is added to the scores.
    """

    columns: tuple[int, ...]
    edges: tuple[NDArray[Any], ...]
    labels: tuple[tuple[str, ...], ...]
    points: NDArray[np.int64]

    def look_up(self, X: NDArray[Any]) -> NDArray[np.int64]:
        """Points of rows.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Numbers as they are compared, with ranks in place of categories.

        Returns
        -------
        points : int64 array of shape (n_samples, n_scores)
        """
        cells = tuple(
            np.where(np.isnan(X[:, column]), len(edges) + 1, np.searchsorted(edges, X[:, column]))
            for column, edges in zip(self.columns, self.edges, strict=True)
        )
        points: NDArray[np.int64] = self.points[cells]
        return points


@dataclass(frozen=True)
class Scorecard:
    """A model as points that are added up; `str` and notebooks show it.

    Parameters
    ----------
    model : ModelTables
        What the card says.
    start : int64 array of shape (n_scores,)
        What all sums start from.
    parts : tuple of ScorecardPart
        Tables of points.
    linear : tuple of LinearTable
        Weights, whose points are the weight times the rounded input.
    """

    model: ModelTables = field(repr=False)
    start: NDArray[np.int64]
    parts: tuple[ScorecardPart, ...]
    linear: tuple[LinearTable, ...]

    def scores(self, X: ArrayLike) -> NDArray[np.int32]:
        """Add up the points of rows, as a person would: by the tables of the card alone.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            As in `CompactModel.scores`.

        Returns
        -------
        scores : int32 array of shape (n_samples, n_scores)
            Those of the model, exactly.
        """
        rows = self.model.categories.rank(self.model.read_rows(X))
        total = np.repeat(self.start[None], len(rows), axis=0)
        for table in self.model.tables_of(TreeTable):
            compared = table.grid.cast(rows)
            for part in self.parts:
                total += part.look_up(compared)
        for linear in self.linear:
            total += quantize_input(rows, linear).astype(np.int64) @ linear.weights.astype(np.int64)
        return total.astype(np.int32)

    def _tables(self) -> list[tuple[str, list[str], list[list[str]]]]:
        """Title, head and rows of each table."""
        names = score_names(self.model)
        tables = [("start", names, [[*map(str, self.start.tolist())]])]
        for part in self.parts:
            tables.append(self._table(part, names))
        for linear in self.linear:
            rows = [
                [
                    column_name(self.model, int(column)),
                    number(linear.offset[f]),
                    number(1 / linear.inv_step[f]),
                    *map(str, linear.weights[f].tolist()),
                ]
                for f, column in enumerate(linear.features)
            ]
            title = (
                f"(column − offset) / step, rounded, from −{linear.q_max} to {linear.q_max}, times "
                "the points; a missing value adds 0"
            )
            tables.append((title, ["column", "offset", "step", *names], rows))
        return tables

    def _table(self, part: ScorecardPart, names: list[str]) -> tuple[str, list[str], Any]:
        columns = [column_name(self.model, column) for column in part.columns]
        points = part.points
        if len(columns) == 1:
            rows = [
                [label, *map(str, row.tolist())]
                for label, row in zip(part.labels[0], points, strict=True)
            ]
            return columns[0], [columns[0], *names], rows
        rows = [
            [label, other, *map(str, points[i, j].tolist())]
            for i, label in enumerate(part.labels[0])
            for j, other in enumerate(part.labels[1])
        ]
        return " and ".join(columns), [*columns, *names], rows

    @property
    def rule(self) -> str:
        """How the sum becomes the answer."""
        model = self.model
        names = score_names(model)
        if model.classes is None:
            power = "e to the power of " if model.link == "exp" else ""
            return f"value: {power}the sum times {np.asarray(model.scale).tolist()}"
        if model.n_classes == 1:
            return f"label: {names[0]}"
        if model.n_scores > 1:
            return "label: the largest sum; of equal ones the first"
        other = model.classes.tolist()[0]
        return f"label: {names[0]} where the sum is above {model.threshold}, else {other}"

    def __str__(self) -> str:
        lines = []
        for title, head, rows in self._tables():
            widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
            lines.append(title)
            for row in [head, *rows]:
                cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
                lines.append("  " + "  ".join(cells).rstrip())
        return "\n".join([*lines, self.rule])

    def _repr_html_(self) -> str:
        parts = []
        for title, head, rows in self._tables():
            cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
            body = "".join(
                "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
                for row in rows
            )
            parts.append(
                f"<table><caption>{escape(title)}</caption><thead><tr>{cells}</tr></thead>"
                f"<tbody>{body}</tbody></table>"
            )
        return "".join(parts) + f"<p>{escape(self.rule)}</p>"


def export_scorecard(model: Any) -> Scorecard:
    """Write an additive model as tables of points.

    Points of all trees that read the same column, or the same two columns, are added up to one
    table. The sum of a row's points is its integer score, exactly.

    Parameters
    ----------
    model : CompactModel, student or distiller
        Trees and weights. No way through a tree may read more than two columns: trees of depth 2
        never do.

    Returns
    -------
    scorecard : Scorecard

    Raises
    ------
    ValueError
        If a way through a tree reads three columns, the model is a net, or the tables would have
        more than 10,000 cells.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftTreeRegressor
    >>> from skdistill.inspection import export_scorecard
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = SoftTreeRegressor(max_leaf_nodes=3, value_bits=4).fit(X[:, 2:3], y)
    >>> print(export_scorecard(tree))
    start
      value
      70
    x[0]
      x[0]                     value
      at most 2.5              0
      above 2.5, at most 4.75  17472
      above 4.75               32760
      missing                  32760
    value: the sum times 5.772486110799946e-05
    """
    compact = compact_of(model)
    start = compact.bias.astype(np.int64)
    parts: tuple[ScorecardPart, ...] = ()
    linear: tuple[LinearTable, ...] = ()
    for table in compact.tables:
        constant, some, weights = CARDS[type(table)](compact, table)
        start, parts, linear = start + constant, parts + some, linear + weights
    return Scorecard(compact, start, parts, linear)


_Card = tuple[NDArray[np.int64], tuple[ScorecardPart, ...], tuple[LinearTable, ...]]
_Limits = dict[int, tuple[float, float, bool]]


def _of_trees(model: ModelTables, trees: TreeTable) -> _Card:
    leaves: dict[tuple[int, ...], list[tuple[_Limits, NDArray[np.int64]]]] = {}
    for root in trees.roots.tolist():
        for limits, leaf in _ways(trees, root):
            columns = tuple(sorted(limits))
            scores = trees.scaled_values[leaf].astype(np.int64)
            if len(columns) > 2:
                names = ", ".join(column_name(model, column) for column in columns)
                raise ValueError(
                    f"a scorecard has tables of two columns, and a way through a tree reads "
                    f"{len(columns)} ({names}): {_REMEDY}"
                )
            leaves.setdefault(columns, []).append((limits, scores))
    constants = [scores for _, scores in leaves.pop((), [])]
    start = np.sum([np.zeros(trees.n_scores, np.int64), *constants], axis=0)
    parts = [_part(model, trees, columns, ways) for columns, ways in sorted(leaves.items())]
    n_cells = sum(part.points.size for part in parts)
    if n_cells > _MOST_CELLS:
        raise ValueError(
            f"the scorecard would have {n_cells:,} cells, more than {_MOST_CELLS:,}: fit fewer "
            "trees, or with a smaller threshold_bits"
        )
    return start, tuple(parts), ()


def _ways(trees: TreeTable, root: int) -> Sequence[tuple[_Limits, int]]:
    """Every way from a root to a leaf: what each column must be above, at most, and if missing."""
    out: list[tuple[_Limits, int]] = []
    stack: list[tuple[int, _Limits]] = [(root, {})]
    while stack:
        node, limits = stack.pop()
        if node < 0:
            out.append((limits, ~node))
            continue
        column = int(trees.grid.features[trees.feature[node]])
        edge, nan_left = float(trees.edges[node]), bool(trees.nan_left[node])
        low, high, missing = limits.get(column, (-np.inf, np.inf, True))
        left = limits | {column: (low, min(high, edge), missing and nan_left)}
        right = limits | {column: (max(low, edge), high, missing and not nan_left)}
        for child, limits in ((trees.right[node], right), (trees.left[node], left)):
            low, high, missing = limits[column]
            if low < high or missing:  # else no row goes there
                stack.append((int(child), limits))
    return out


def _part(
    model: ModelTables,
    trees: TreeTable,
    columns: tuple[int, ...],
    ways: Sequence[tuple[_Limits, NDArray[np.int64]]],
) -> ScorecardPart:
    """Add up the leaves of one set of columns."""
    edges = []
    for column in columns:
        ends = {end for limits, _ in ways for end in limits[column][:2] if end > -np.inf}
        # +inf is a threshold too: it parts all numbers from missing values.
        edges.append(np.array(sorted(ends - {np.inf})))
    shape = [len(each) + 2 for each in edges]
    points = np.zeros((*shape, trees.n_scores), np.int64)
    for limits, scores in ways:
        inside = [
            _inside(ends, *limits[column]) for column, ends in zip(columns, edges, strict=True)
        ]
        points[np.ix_(*inside)] += scores
    labels = tuple(_labels(model, *each) for each in zip(columns, edges, strict=True))
    return ScorecardPart(columns, tuple(edges), labels, points)


def _inside(
    edges: NDArray[np.float64], low: float, high: float, missing: bool
) -> NDArray[np.bool_]:
    """Intervals above `low` and at most `high`, and whether a missing value is inside."""
    upper, lower = np.append(edges, np.inf), np.append(-np.inf, edges)
    return np.append((lower >= low) & (upper <= high), missing)


def _labels(model: ModelTables, column: int, edges: NDArray[np.float64]) -> tuple[str, ...]:
    """What the intervals of a column are called."""
    among = np.flatnonzero(model.categories.columns == column)
    if len(among):
        j = int(among[0])
        names = [*(str(each) for each in model.categories.labels[j].tolist()), MISSING, UNKNOWN]
        at = np.searchsorted(edges, model.categories.ranks_of(j))
        cells = [", ".join(np.array(names, object)[at == i]) or "–" for i in range(len(edges) + 1)]
        return (*cells, "–")
    texts = []
    for i in range(len(edges) + 1):
        low = [f"above {_edge(edges[i - 1])}"] if i else []
        high = [f"at most {_edge(edges[i])}"] if i < len(edges) else []
        texts.append(", ".join(low + high) or "any number")
    return (*texts, MISSING)


def _edge(edge: float) -> str:
    return number(int(edge)) if edge == int(edge) else number(np.float32(edge))


def _of_weights(model: ModelTables, linear: LinearTable) -> _Card:
    return np.zeros(linear.n_scores, np.int64), (), (linear,)


def _of_net(model: ModelTables, net: NetTable) -> _Card:
    raise ValueError("a net is no sum of tables: a scorecard needs trees of depth 2, or weights")


CARDS: dict[type[Table], Callable[[ModelTables, Any], _Card]] = {
    TreeTable: _of_trees,
    LinearTable: _of_weights,
    NetTable: _of_net,
}
"""What makes the points of each kind of table."""
