"""ModelTables: the record of integer tables that packing, evaluation and files read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from skdistill.compact._frozen import Frozen, as_table, require
from skdistill.compact.rows import check_names, read_array
from skdistill.compact.tables.categories import NO_CATEGORIES, CategoryTable
from skdistill.compact.tables.limits import INT32_MAX
from skdistill.compact.tables.table import Table

AnyTable = TypeVar("AnyTable", bound=Table)

VALUE_LINKS = ("identity", "exp")  # of regressions
LINKS = ("softmax", "sigmoid", "normalize", *VALUE_LINKS)


@dataclass(frozen=True, eq=False)
class ModelTables(Frozen):
    """The integer tables of a model, validated.

    ``scores = bias + the scores of all tables`` in int32; the label is their argmax (for one
    column: class 1 where the score is > `threshold`), ties to the lowest class; the link
    makes probabilities of ``scale * scores``.

    Parameters
    ----------
    n_features : int in [1, 2^31 - 1]
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
    """

    n_features: int
    bias: NDArray[Any]
    scale: float | NDArray[Any]
    link: str
    classes: NDArray[Any] | None
    tables: Sequence[Table] = ()
    feature_names: tuple[str, ...] | None = None
    categories: CategoryTable = NO_CATEGORIES
    threshold: int = 0

    def __post_init__(self) -> None:
        as_table(self, "bias", np.int32, 1)
        with np.errstate(over="ignore"):  # validate refuses infinity
            scale = np.array(self.scale, np.float32)
        scale.setflags(write=False)
        # A scale of one score is a float in whatever form it comes, so that equal models are equal.
        is_single = scale.ndim == 0 or scale.shape == self.bias.shape == (1,)
        object.__setattr__(self, "scale", float(scale.item()) if is_single else scale)
        width: Any = self.n_features
        if isinstance(width, np.integer):
            object.__setattr__(self, "n_features", int(width))
        object.__setattr__(self, "tables", tuple(self.tables))
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
        positive = isinstance(self.n_features, int) and 1 <= self.n_features <= INT32_MAX
        require(positive, f"n_features must be a positive int32, got {self.n_features!r}")
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
            isinstance(self.categories, CategoryTable),
            f"categories must be a CategoryTable, got {type(self.categories).__name__}",
        )
        require(
            int(self.categories.columns.max(initial=-1)) < self.n_features,
            "categories reads a column beyond n_features",
        )
        for table in self.tables:
            require(
                isinstance(table, Table),
                f"tables must hold tables, got {type(table).__name__}",
            )
            table.validate_for(self.n_features, self.n_scores)
        kinds = [table.kind for table in self.tables]
        require(len(set(kinds)) == len(kinds), f"tables must be of different kinds, got {kinds}")
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
        require(self.link in VALUE_LINKS, f"link {self.link!r} needs one scale for all scores")
        require(
            scale.shape == (self.n_scores,),
            f"scale has shape {scale.shape} for {self.n_scores} scores",
        )

    def _validate_classes(self) -> None:
        if self.classes is None:
            require(self.link in VALUE_LINKS, f"link {self.link!r} needs classes")
            return
        require(self.link not in VALUE_LINKS, f"link {self.link!r} has no classes")
        require(
            self.classes.ndim == 1 and len(self.classes) >= 1,
            "classes must be a non-empty 1-D array",
        )
        require(
            self.classes.dtype.kind in "biufUO",
            f"classes of dtype {self.classes.dtype} are not supported",
        )
        n_classes = len(self.classes)
        labels = self.classes.tolist()
        n_missing = sum(label != label for label in labels)  # a set holds NaN several times
        require(len(set(labels)) == n_classes and n_missing <= 1, "classes must be unique")
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
        is_int = isinstance(threshold, int | np.integer) and not isinstance(threshold, bool)
        require(
            is_int and -INT32_MAX - 1 <= threshold <= INT32_MAX,
            f"threshold must be an int32, got {threshold!r}",
        )
        object.__setattr__(self, "threshold", int(threshold))
        require(
            threshold == 0 or self.n_classes == 2,
            f"threshold={threshold} needs two classes, the model has {self.n_classes}",
        )

    @cached_property
    def score_bound(self) -> NDArray[np.int64]:
        """Largest absolute score, partial sums included, that any input can reach.

        Returns
        -------
        bound : int64 array of shape (n_scores,)
            ``|bias|`` and the bounds of all tables.
        """
        bound = np.abs(self.bias.astype(np.int64))
        for table in self.tables:
            bound += table.score_bound
        bound.setflags(write=False)
        return bound

    def tables_of(self, kind: type[AnyTable]) -> tuple[AnyTable, ...]:
        """Tables of one kind.

        Parameters
        ----------
        kind : type
            `TreeTable`, `LinearTable`, …

        Returns
        -------
        tables : tuple
            Empty, or with one table.
        """
        return tuple(table for table in self.tables if isinstance(table, kind))

    def table(self, kind: type[AnyTable]) -> AnyTable:
        """The table of one kind.

        Parameters
        ----------
        kind : type
            `TreeTable`, `LinearTable`, …

        Returns
        -------
        table : kind

        Raises
        ------
        ValueError
            If the model has none.
        """
        for table in self.tables_of(kind):
            return table
        raise ValueError(f"the model has no {kind.kind} table")

    def with_table(self, table: Table) -> Self:
        """The same model with another table in place of that of the same kind.

        Parameters
        ----------
        table : Table
            Of a kind that the model has.

        Returns
        -------
        model : ModelTables
            Of the same type.
        """
        kind = type(table)
        return replace(
            self, tables=tuple(table if type(each) is kind else each for each in self.tables)
        )

    def read_rows(self, X: Any) -> NDArray[Any]:
        """Read rows as all functions of a model take them.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Numbers; labels, or their indexes, in columns of categories.

        Returns
        -------
        X : array of shape (n_samples, n_features)
            Numbers, dense. A column of categories holds indexes: C where a value is missing and
            C + 1 where it is unknown, for C labels.

        Raises
        ------
        ValueError
            If `X` has other columns than the model, is not numeric, or is sparse and the model
            is not linear.
        """
        check_names(self.feature_names, X)
        if hasattr(X, "tocsr"):
            require(
                self.accepts_sparse,
                "X is sparse, which linear models alone read: use X.toarray()",
            )
            X = X.toarray()
        return read_array(X, self.n_features, self.categories)

    @property
    def accepts_sparse(self) -> bool:
        """Whether rows may be sparse: for linear models, where a zero costs nothing."""
        return not len(self.categories) and all(table.accepts_sparse for table in self.tables)

    @property
    def columns(self) -> NDArray[np.intp]:
        """Columns of the input that some table reads, ascending int array."""
        read = [np.empty(0, np.intp), *(table.columns for table in self.tables)]
        return np.unique(np.concatenate(read))

    @property
    def n_scores(self) -> int:
        """Number of scores of a row."""
        return len(self.bias)

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for a regression."""
        return 0 if self.classes is None else len(self.classes)

    @property
    def input_dtype(self) -> str:
        """Declared type of the input, ``"float32"`` or ``"int32"``."""
        # A linear table casts whatever comes in to float32; trees on an int32 grid need integers.
        needs_int32 = any(table.input_dtype == "int32" for table in self.tables)
        return "int32" if needs_int32 else "float32"
