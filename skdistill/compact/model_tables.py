"""ModelTables: the record of integer tables that packing, evaluation and files read.

Symbols: n rows, K classes, S score columns (one for two classes or one target, else one a
class), T trees.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact._frozen import Frozen, as_table, require
from skdistill.compact.tables.categories import CategoryTable
from skdistill.compact.tables.grid import InputGrid
from skdistill.compact.tables.limits import INT32_MAX
from skdistill.compact.tables.linear_table import LinearTable
from skdistill.compact.tables.tree_table import TreeTable, largest_values, walk_tables

LINKS = ("softmax", "sigmoid", "normalize", "identity")


@dataclass(frozen=True, eq=False)
class ModelTables(Frozen):
    """The integer tables of a model, validated.

    ``scores = bias + trees + linear`` in int32; the label is their argmax (for one
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
    grid : InputGrid, default=None
        Needed by `trees`.
    trees : TreeTable, default=None
    linear : LinearTable, default=None
    feature_names : sequence of str, default=None
    categories : CategoryTable, default=None
        Columns that hold categories, which `grid` and `linear` read as ranks.
    threshold : int, default=0
        Of two classes: the score above which the label is the second one. Probabilities do
        not change with it.

    Raises
    ------
    ValueError
        If the tables contradict each other or some input could overflow int32.
    """

    n_features: int
    bias: NDArray[Any]
    scale: float | NDArray[Any]
    link: str
    classes: NDArray[Any] | None
    grid: InputGrid | None = None
    trees: TreeTable | None = None
    linear: LinearTable | None = None
    feature_names: tuple[str, ...] | None = None
    categories: CategoryTable | None = None
    threshold: int = 0

    def __post_init__(self) -> None:
        as_table(self, "bias", np.int32, 1)
        with np.errstate(over="ignore"):  # validate() refuses infinity
            scale = np.array(self.scale, np.float32)
        scale.setflags(write=False)
        one = scale.ndim == 0 or scale.shape == self.bias.shape == (1,)  # one way to say it
        object.__setattr__(self, "scale", float(scale.item()) if one else scale)
        width: Any = self.n_features
        object.__setattr__(
            self, "n_features", int(width) if isinstance(width, np.integer) else width
        )
        if self.classes is not None:
            classes = np.array(self.classes)
            if classes.dtype.kind == "U":
                classes = np.array(
                    classes.tolist(), dtype=str
                )  # as wide as is needed, whoever made them
            classes.setflags(write=False)
            object.__setattr__(self, "classes", classes)
        if self.feature_names is not None:
            object.__setattr__(
                self, "feature_names", tuple(str(name) for name in self.feature_names)
            )
        self.validate()

    def validate(self) -> None:
        """Prove from the tables that every input is defined and no score can overflow.

        Raises
        ------
        ValueError
            That says what is wrong.
        """
        whole = isinstance(self.n_features, int) and self.n_features >= 1
        require(whole, f"n_features must be a positive int, got {self.n_features!r}")
        require(self.n_scores >= 1, "bias must have an entry for each score, at least one")
        require(self.link in LINKS, f"link must be one of {LINKS}, got {self.link!r}")
        self._validate_scale()
        names = self.feature_names
        require(
            names is None or len(names) == self.n_features,
            f"feature_names has {len(names or ())} names for {self.n_features} features",
        )
        self._validate_classes()
        self._validate_threshold()
        require(
            self.categories is None or int(self.categories.columns[-1]) < self.n_features,
            "categories reads a column beyond n_features",
        )
        if self.trees is not None:
            if self.grid is None:
                raise ValueError("trees need a grid")
            self._validate_trees(self.grid, self.trees)
        if self.linear is not None:
            columns = self.linear.weights.shape[1]
            require(
                columns == self.n_scores,
                f"weights has {columns} columns for {self.n_scores} scores",
            )
            require(
                int(self.linear.features[-1]) < self.n_features,
                "linear reads a column beyond n_features",
            )
        worst = int(self.score_bound.max(initial=0))
        require(
            worst <= INT32_MAX, f"a score can reach {worst}, which overflows int32: use fewer bits"
        )

    def _validate_scale(self) -> None:
        scale = np.asarray(self.scale)
        require(
            bool((np.isfinite(scale) & (scale > 0)).all()),
            f"scale must be positive, got {self.scale}",
        )
        if scale.ndim == 0:
            return
        require(self.link == "identity", f"link {self.link!r} needs one scale for all scores")
        require(
            scale.shape == (self.n_scores,),
            f"scale has shape {scale.shape} for {self.n_scores} scores",
        )

    def _validate_classes(self) -> None:
        if self.classes is None:
            require(self.link == "identity", f"link {self.link!r} needs classes")
            return
        require(self.link != "identity", "link 'identity' has no classes")
        require(
            self.classes.ndim == 1 and len(self.classes) >= 1,
            "classes must be a non-empty 1-D array",
        )
        require(
            self.classes.dtype.kind in "biufUO",
            f"classes of dtype {self.classes.dtype} are not supported",
        )
        n_classes = len(self.classes)
        require(len(set(self.classes.tolist())) == n_classes, "classes must be unique")
        columns = 1 if n_classes <= 2 else n_classes
        require(
            self.n_scores == columns,
            f"{n_classes} classes need {columns} score column(s), got {self.n_scores}",
        )
        require(
            self.link != "softmax" or columns > 1,
            "link 'softmax' needs three classes or more; use 'sigmoid' for two",
        )
        require(
            self.link != "sigmoid" or columns == 1,
            "link 'sigmoid' is for two classes; use 'softmax' for more",
        )

    def _validate_threshold(self) -> None:
        threshold = self.threshold
        whole = isinstance(threshold, int | np.integer) and not isinstance(threshold, bool)
        require(
            whole and -INT32_MAX - 1 <= threshold <= INT32_MAX,
            f"threshold must be an int32, got {threshold!r}",
        )
        object.__setattr__(self, "threshold", int(threshold))
        require(
            threshold == 0 or self.n_classes == 2,
            f"threshold={threshold} needs two classes, the model has {self.n_classes}",
        )

    def _validate_trees(self, grid: InputGrid, trees: TreeTable) -> None:
        columns = trees.values.shape[1]
        require(
            columns == self.n_scores, f"values has {columns} columns for {self.n_scores} scores"
        )
        require(
            int(grid.features.max(initial=0)) < self.n_features,
            "grid reads a column beyond n_features",
        )
        known = bool(((trees.feature >= 0) & (trees.feature < len(grid.features))).all())
        require(known, "feature points outside the grid")
        inside = bool(
            ((trees.threshold >= 0) & (trees.threshold < grid.counts[trees.feature])).all()
        )
        require(inside, "threshold points outside its feature's edges")

    @cached_property
    def score_bound(self) -> NDArray[np.int64]:
        """Largest absolute score, partial sums included, that any input can reach.

        Returns
        -------
        bound : int64 array of shape (S,)
            ``|bias| + sum of the trees' largest |value| + sum of Q |weight|``.
        """
        bound = np.abs(self.bias.astype(np.int64))
        if self.trees is not None:
            bound += self.tree_bounds.sum(axis=0)
        if self.linear is not None:
            bound += self.linear.q_max * np.abs(self.linear.weights.astype(np.int64)).sum(axis=0)
        bound.setflags(write=False)
        return bound

    @cached_property
    def tree_bounds(self) -> NDArray[np.int64]:
        """Largest magnitude among each tree's leaf values, int64 array of shape (T, S)."""
        if self.trees is None:
            return np.zeros((0, self.n_scores), np.int64)
        return largest_values(self.trees)

    @cached_property
    def walk(self) -> tuple[NDArray[Any], ...]:
        """Tables of a tree walk, derived once: see `walk_tables`."""
        require(self.trees is not None, "the model has no trees")
        return walk_tables(self.grid, self.trees)  # type: ignore[arg-type]

    @property
    def n_scores(self) -> int:
        """Number of score columns, S."""
        return len(self.bias)

    @property
    def n_classes(self) -> int:
        """Number of classes, K; 0 for a regression."""
        return 0 if self.classes is None else len(self.classes)

    @property
    def input_dtype(self) -> str:
        """Declared type of the input, ``"float32"`` or ``"int32"``."""
        return "float32" if self.grid is None else self.grid.dtype

    def equals(self, other: ModelTables) -> bool:
        """Whether `other` has the same tables, number by number.

        Parameters
        ----------
        other : ModelTables

        Returns
        -------
        same : bool
        """
        return _same(self, other)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Frozen):
        names = [f.name for f in fields(a)]  # type: ignore[arg-type]
        return type(a) is type(b) and all(
            _same(getattr(a, name), getattr(b, name)) for name in names
        )
    if isinstance(a, tuple):
        both = isinstance(b, tuple) and len(a) == len(b)
        return both and all(map(_same, a, b))
    if isinstance(a, np.ndarray):
        same_kind = isinstance(b, np.ndarray) and a.dtype == b.dtype
        return same_kind and np.array_equal(a, b)
    return type(a) is type(b) and bool(a == b)
