"""CompactModel: the integer tables that every prediction and every export reads.

Symbols: n rows, S score columns (one for two classes or one target, else one a class),
N inner nodes and L leaves of all trees together, u columns that a table reads.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.compact import execute
from skdistill.compact._frozen import Frozen, as_table, require
from skdistill.compact.grid import InputGrid
from skdistill.compact.pack import table_sizes

LINKS = ("softmax", "sigmoid", "normalise", "identity")
INT32_MAX = 2**31 - 1


def value_limits(bits: int | str, *, signed: bool) -> tuple[int, int]:
    """Smallest and largest integer that `bits` can hold.

    Parameters
    ----------
    bits : int in [2, 16] or "ternary"
    signed : bool
        Whether negative values are needed; "ternary" is always -1, 0, 1.

    Returns
    -------
    low, high : int

    Raises
    ------
    ValueError
        If `bits` is neither.

    Examples
    --------
    >>> from skdistill.compact.model import value_limits
    >>> value_limits(8, signed=False), value_limits(8, signed=True), value_limits("ternary", signed=True)
    ((0, 255), (-128, 127), (-1, 1))
    """
    if bits == "ternary":
        return -1, 1
    if not isinstance(bits, int | np.integer) or isinstance(bits, bool) or not 2 <= bits <= 16:
        raise ValueError(f"value_bits must be 'ternary' or an int in [2, 16], got {bits!r}")
    width = int(bits)
    return (-(2 ** (width - 1)), 2 ** (width - 1) - 1) if signed else (0, 2**width - 1)


def _check_bits(owner: TreeTable | LinearTable, name: str) -> None:
    """Check that table `name` fits `value_bits`, and keep those as a plain int."""
    values, bits = getattr(owner, name), owner.value_bits
    low, high = value_limits(bits, signed=bool((values < 0).any()))
    inside = values.size == 0 or bool(low <= values.min() and values.max() <= high)
    require(inside, f"{name} must lie in [{low}, {high}] for value_bits={bits!r}")
    object.__setattr__(owner, "value_bits", bits if isinstance(bits, str) else int(bits))


@dataclass(frozen=True, eq=False)
class TreeTable(Frozen):
    """Binary trees as arrays; leaves, and whole subtrees, may be shared.

    A child, or a root, that is >= 0 is an inner node; a negative one, ``c``, is
    leaf ``~c``. Children come after their parents, so no walk can cycle. A node
    sends a row left where ``x <= grid.edges[grid.offsets[feature] + threshold]``,
    and where x is NaN and ``nan_left`` is set.

    Parameters
    ----------
    roots : int32 array of shape (T,)
    feature, threshold, left, right : int32 arrays of shape (N,)
        Feature of the grid, edge of that feature, children.
    nan_left : bool array of shape (N,)
    values : int32 array of shape (L, S)
        What a leaf adds to the scores.
    value_bits : int in [2, 16] or "ternary"
        Width in which a value is stored.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    nan_left: NDArray[np.bool_]
    values: NDArray[np.int32]
    value_bits: int | str

    def __post_init__(self) -> None:
        for name in ("roots", "feature", "threshold", "left", "right"):
            as_table(self, name, np.int32, 1)
        as_table(self, "nan_left", np.bool_, 1)
        as_table(self, "values", np.int32, 2)
        n_nodes, n_leaves = len(self.feature), len(self.values)
        for name in ("threshold", "left", "right", "nan_left"):
            length = len(getattr(self, name))
            require(length == n_nodes, f"{name} has {length} entries for {n_nodes} nodes")
        for name in ("roots", "left", "right"):
            child = getattr(self, name)
            inside = bool(((child >= -n_leaves) & (child < n_nodes)).all())
            require(inside, f"{name} points outside the {n_nodes} nodes and {n_leaves} leaves")
        for name in ("left", "right"):
            child = getattr(self, name)
            after = bool(((child < 0) | (child > np.arange(n_nodes))).all())
            require(after, f"{name} must point to leaves or later nodes: the tree has a cycle")
        _check_bits(self, "values")


@dataclass(frozen=True, eq=False)
class LinearTable(Frozen):
    """A linear model on inputs that were rounded to integers.

    ``q = clip(round((x - offset) * inv_step), -Q, Q)`` in float32, half to even,
    with Q = 2^(input_bits - 1) - 1; NaN reads as 0, which is the offset. The
    scores gain ``q @ weights``.

    Parameters
    ----------
    features : int32 array of shape (u,)
    offset, inv_step : float32 arrays of shape (u,)
    input_bits : int in [2, 16]
    weights : int32 array of shape (u, S)
    value_bits : int in [2, 16] or "ternary"
        Width in which a weight is stored.
    """

    features: NDArray[np.int32]
    offset: NDArray[np.float32]
    inv_step: NDArray[np.float32]
    input_bits: int
    weights: NDArray[np.int32]
    value_bits: int | str

    def __post_init__(self) -> None:
        as_table(self, "features", np.int32, 1)
        as_table(self, "offset", np.float32, 1)
        as_table(self, "inv_step", np.float32, 1)
        as_table(self, "weights", np.int32, 2)
        u = len(self.features)
        for name in ("offset", "inv_step", "weights"):
            length = len(getattr(self, name))
            require(length == u, f"{name} has {length} rows for {u} features")
        require(
            u > 0 and bool((np.diff(self.features) > 0).all()) and self.features[0] >= 0,
            "features must be ascending column numbers, at least one",
        )
        require(bool(np.isfinite(self.offset).all()), "offset must be finite")
        require(bool((np.isfinite(self.inv_step) & (self.inv_step > 0)).all()), "inv_step must be finite and positive")
        bits = self.input_bits
        whole = isinstance(bits, int | np.integer) and bits in range(2, 17)
        require(whole, f"input_bits must be an int in [2, 16], got {bits!r}")
        object.__setattr__(self, "input_bits", int(bits))
        _check_bits(self, "weights")

    @property
    def q_max(self) -> int:
        """Largest rounded input."""
        return 2 ** (self.input_bits - 1) - 1


@dataclass(frozen=True, eq=False)
class CompactModel(Frozen):
    """A small integer model: what is cross-validated is what is flashed.

    ``scores = bias + trees + linear`` in int32; the label is their argmax (for one
    column: class 1 where the score is > 0), ties to the lowest class; the link
    makes probabilities of ``scale * scores``.

    Parameters
    ----------
    n_features : int
        Columns of the input.
    bias : int32 array of shape (S,)
    scale : float
        Worth of one score unit before the link; kept as float32.
    link : {"softmax", "sigmoid", "normalise", "identity"}
        "softmax" and "sigmoid" read logits. "normalise" reads votes, which are
        divided by their sum; with a single column p(class 1) = 1/2 + scale * score,
        clipped. "identity" is for regression.
    classes : array of shape (K,) or None
        Labels in score order; None for regression.
    grid : InputGrid, default=None
        Needed by `trees`.
    trees : TreeTable, default=None
    linear : LinearTable, default=None
    feature_names : sequence of str, default=None

    Raises
    ------
    ValueError
        If the tables contradict each other or some input could overflow int32.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compact import CompactModel, InputGrid, TreeTable
    >>> stump = TreeTable([0], [0], [0], [-1], [-2], [False], [[-3], [2]], value_bits=4)
    >>> model = CompactModel(
    ...     1, [0], 0.5, "sigmoid", np.array(["no", "yes"]),
    ...     grid=InputGrid([0], [0, 1], np.array([7.5], np.float32)), trees=stump,
    ... )
    >>> model.scores([[7.5], [8]]).tolist(), model.predict([[7.5], [8]]).tolist()
    ([[-3], [2]], ['no', 'yes'])
    """

    n_features: int
    bias: NDArray[np.int32]
    scale: float
    link: str
    classes: NDArray[Any] | None
    grid: InputGrid | None = None
    trees: TreeTable | None = None
    linear: LinearTable | None = None
    feature_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        as_table(self, "bias", np.int32, 1)
        with np.errstate(over="ignore"):  # validate() refuses infinity
            object.__setattr__(self, "scale", float(np.float32(self.scale)))
        width: Any = self.n_features
        object.__setattr__(self, "n_features", int(width) if isinstance(width, np.integer) else width)
        if self.classes is not None:
            classes = np.array(self.classes)
            if classes.dtype.kind == "U":
                classes = np.array(classes.tolist(), dtype=str)  # as wide as is needed, whoever made them
            classes.setflags(write=False)
            object.__setattr__(self, "classes", classes)
        if self.feature_names is not None:
            object.__setattr__(self, "feature_names", tuple(str(name) for name in self.feature_names))
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
        require(bool(np.isfinite(self.scale)) and self.scale > 0, f"scale must be positive, got {self.scale}")
        names = self.feature_names
        require(
            names is None or len(names) == self.n_features,
            f"feature_names has {len(names or ())} names for {self.n_features} features",
        )
        self._validate_classes()
        if self.trees is not None:
            require(self.grid is not None, "trees need a grid")
            self._validate_trees(self.grid, self.trees)
        if self.linear is not None:
            columns = self.linear.weights.shape[1]
            require(columns == self.n_scores, f"weights has {columns} columns for {self.n_scores} scores")
            require(int(self.linear.features[-1]) < self.n_features, "linear reads a column beyond n_features")
        worst = int(self.score_bound.max(initial=0))
        require(worst <= INT32_MAX, f"a score can reach {worst}, which overflows int32: use fewer bits")

    def _validate_classes(self) -> None:
        if self.classes is None:
            require(self.link == "identity", f"link {self.link!r} needs classes")
            return
        require(self.link != "identity", "link 'identity' has no classes")
        require(self.classes.ndim == 1 and len(self.classes) >= 1, "classes must be a non-empty 1-D array")
        require(self.classes.dtype.kind in "biufUO", f"classes of dtype {self.classes.dtype} are not supported")
        n_classes = len(self.classes)
        require(len(set(self.classes.tolist())) == n_classes, "classes must be unique")
        columns = 1 if n_classes <= 2 else n_classes
        require(self.n_scores == columns, f"{n_classes} classes need {columns} score column(s), got {self.n_scores}")
        require(
            self.link != "softmax" or columns > 1, "link 'softmax' needs three classes or more; use 'sigmoid' for two"
        )
        require(self.link != "sigmoid" or columns == 1, "link 'sigmoid' is for two classes; use 'softmax' for more")

    def _validate_trees(self, grid: InputGrid, trees: TreeTable) -> None:
        columns = trees.values.shape[1]
        require(columns == self.n_scores, f"values has {columns} columns for {self.n_scores} scores")
        require(int(grid.features.max(initial=0)) < self.n_features, "grid reads a column beyond n_features")
        known = bool(((trees.feature >= 0) & (trees.feature < len(grid.features))).all())
        require(known, "feature points outside the grid")
        inside = bool(((trees.threshold >= 0) & (trees.threshold < grid.counts[trees.feature])).all())
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
        return execute.largest_values(self.trees)

    @cached_property
    def walk(self) -> tuple[NDArray[Any], ...]:
        """Tables of a tree walk, derived once: see `execute.walk_tables`."""
        require(self.trees is not None, "the model has no trees")
        return execute.walk_tables(self.grid, self.trees)  # type: ignore[arg-type]

    @property
    def n_scores(self) -> int:
        """Number of score columns, S."""
        return len(self.bias)

    @property
    def input_dtype(self) -> str:
        """Declared type of the input, ``"float32"`` or ``"int32"``."""
        return "float32" if self.grid is None else self.grid.dtype

    @property
    def nbytes(self) -> int:
        """Bytes of the constant tables, for label output and the declared input type."""
        return sum(table_sizes(self).values())

    def scores(self, X: ArrayLike) -> NDArray[np.int32]:
        """Integer scores, the ground of every other output.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Numbers; NaN and ±inf are defined.

        Returns
        -------
        scores : int32 array of shape (n, S)

        Raises
        ------
        ValueError
            If `X` is not a table of `n_features` numeric columns.
        """
        return execute.scores(self, X)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Labels, or for regression the values.

        Parameters
        ----------
        X : array-like of shape (n, n_features)

        Returns
        -------
        y : array of shape (n,), or (n, S) for several regression targets
        """
        return execute.predict(self, self.scores(X))

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
        return execute.probabilities(self, self.scores(X))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to `path`, whole or not at all.

        Parameters
        ----------
        path : str or path-like
        """
        from skdistill.compact.io import save

        save(self, path)

    def __repr__(self) -> str:
        parts = [f"{len(self.trees.roots)} trees, {len(self.trees.values)} leaves"] if self.trees is not None else []
        parts += [f"linear on {len(self.linear.features)} columns"] if self.linear is not None else []
        return f"CompactModel({'; '.join(parts) or 'constant'}; {self.link}, {self.n_scores} scores, {self.nbytes} B)"

    def equals(self, other: CompactModel) -> bool:
        """Whether `other` has the same tables, number by number.

        Parameters
        ----------
        other : CompactModel

        Returns
        -------
        same : bool
        """
        return _same(self, other)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Frozen):
        names = [f.name for f in fields(a)]  # type: ignore[arg-type]
        return type(a) is type(b) and all(_same(getattr(a, name), getattr(b, name)) for name in names)
    if isinstance(a, np.ndarray):
        same_kind = isinstance(b, np.ndarray) and a.dtype == b.dtype
        return same_kind and np.array_equal(a, b)
    return type(a) is type(b) and bool(a == b)
