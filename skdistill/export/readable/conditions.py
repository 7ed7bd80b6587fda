"""What a split asks, in words: names of columns and categories, and the side of missing values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.limits import INT32_MAX
from skdistill.compact.tables.tree_table import TreeTable

MISSING, UNKNOWN = "missing", "unknown"
_MOST_SHOWN = 4  # categories of one side, before the rest is counted


class Split(NamedTuple):
    """The question of an inner node.

    Attributes
    ----------
    column : int
        Column of the input.
    name : str
        Name of the column.
    threshold : float or int
        The largest number that goes left; of a column of categories, the largest rank.
    missing_left : bool
        Whether a missing value goes left.
    categories : tuple of two tuples of str, or None
        Labels that go left and right, those of unknown categories last; None for numbers.
    """

    column: int
    name: str
    threshold: float | int
    missing_left: bool
    categories: tuple[tuple[str, ...], tuple[str, ...]] | None

    @property
    def left_text(self) -> str:
        """What sends a row left."""
        return self._side(left=True)

    @property
    def right_text(self) -> str:
        """What sends a row right."""
        return self._side(left=False)

    @property
    def question(self) -> str:
        """What sends a row left, for drawings: four digits, and missing values are marked there."""
        if self.categories is not None:
            return f"in {_listed(self.categories[0], missing=False)}"
        if self.threshold in (np.inf, INT32_MAX):
            return "is a number"
        return f"<= {self.threshold:.4g}"

    def _side(self, *, left: bool) -> str:
        missing = self.missing_left == left
        if self.categories is not None:
            labels = self.categories[0 if left else 1]
            return f"{self.name} in {_listed(labels, missing)}"
        # The largest number is a threshold that parts all numbers from missing values.
        if self.threshold in (np.inf, INT32_MAX):
            texts = [f"{self.name} is a number"] if left else []
            texts += [f"{self.name} is missing"] if missing else []
            return " or ".join(texts) or "never"
        sign = "<=" if left else ">"
        return f"{self.name} {sign} {number(self.threshold)}" + (" or missing" if missing else "")


def _listed(labels: Sequence[str], missing: bool) -> str:
    shown = list(labels[:_MOST_SHOWN])
    if len(labels) > _MOST_SHOWN:
        shown.append(f"{len(labels) - _MOST_SHOWN} more")
    return "{" + ", ".join(shown + [MISSING] * missing) + "}"


def number(value: float | np.floating[Any]) -> str:
    """Write a number as the shortest text that reads as the same float32 or integer.

    Parameters
    ----------
    value : float, int or float32
        A threshold or a coefficient.

    Returns
    -------
    text : str

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.export.readable.conditions import number
    >>> number(np.float32(0.1)), number(7), number(np.float32(2.0))
    ('0.1', '7', '2')
    """
    if isinstance(value, int | np.integer):
        return str(int(value))
    text = str(np.float32(value))
    return text.removesuffix(".0")


def column_name(model: ModelTables, column: int) -> str:
    """Name of a column, or ``x[column]``.

    Parameters
    ----------
    model : ModelTables
        With or without names.
    column : int
        Column of the input.

    Returns
    -------
    name : str
    """
    names = model.feature_names
    return f"x[{column}]" if names is None else names[column]


def score_names(model: ModelTables) -> list[str]:
    """What each score speaks for: a class, the second of two classes, or a target.

    Parameters
    ----------
    model : ModelTables
        Of any kind of tables.

    Returns
    -------
    names : list of str, one for each score
    """
    if model.classes is None:
        many = model.n_scores > 1
        return [f"value {k}" if many else "value" for k in range(model.n_scores)]
    labels = [str(label) for label in model.classes.tolist()]
    return labels[-1:] if model.n_scores == 1 else labels


def split_of(model: ModelTables, trees: TreeTable, node: int) -> Split:
    """The question of a node.

    Parameters
    ----------
    model : ModelTables
        Whose names and categories hold.
    trees : TreeTable
        Its trees.
    node : int
        An inner node.

    Returns
    -------
    split : Split
    """
    column = int(trees.grid.features[trees.feature[node]])
    threshold = trees.edges[node].item()
    name = column_name(model, column)
    among = np.flatnonzero(model.categories.columns == column)
    if not len(among):
        return Split(column, name, threshold, bool(trees.nan_left[node]), None)
    j = int(among[0])
    goes_left = model.categories.ranks_of(j) <= threshold
    labels = [str(label) for label in model.categories.labels[j].tolist()]
    sides: list[list[str]] = [[], []]
    for label, is_left in zip([*labels, MISSING, UNKNOWN], goes_left, strict=True):
        if label != MISSING or len(sides[0]) + len(sides[1]) < len(labels):
            sides[0 if is_left else 1].append(label)
    missing_left = bool(goes_left[len(labels)])
    return Split(column, name, threshold, missing_left, (tuple(sides[0]), tuple(sides[1])))
