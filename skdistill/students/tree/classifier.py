"""One decision tree that learns from probabilities, on a quantized grid."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import InputGrid
from skdistill.model import CompactModel
from skdistill.quantization.assemble import assemble
from skdistill.quantization.binning import fit_grid
from skdistill.quantization.leaf_values import leaf_logits
from skdistill.students._student import StudentClassifierMixin, relative_importances
from skdistill.students.chunk_fit import ChunkSource
from skdistill.students.class_weight import CLASS_WEIGHT
from skdistill.students.training_data import ClassificationData
from skdistill.students.tree._base import BaseSoftTree
from skdistill.students.tree.chunk_encoder import ClassificationEncoder
from skdistill.students.tree.fixed_point import to_fixed_point
from skdistill.students.tree.grown_tree import GrownTree, sum_by_leaf
from skdistill.students.tree.growth_rows import ChunkedRows, GrowthRows, HeldRows
from skdistill.students.tree.monotonic import add_up, clip_values, monotonic_signs
from skdistill.students.tree.splitting import ENTROPY, SQUARED_ERROR
from skdistill.students.tree.tao import alternating_optimization
from skdistill.targets import SoftTargets
from skdistill.utils._sklearn_compat import Interval, StrOptions

_CRITERIA = {"squared_error": SQUARED_ERROR, "entropy": ENTROPY}


class SoftTreeClassifier(StudentClassifierMixin, BaseSoftTree):
    """Decision tree on soft targets, with integer thresholds and leaf values.

    The tree is grown best-first from histograms of exact integer sums. Thresholds come from a
    grid of at most ``2 ** threshold_bits - 2`` quantiles a column, so that the tree is quantized
    while it learns. Its structure follows the tempered mixture of teacher and hard labels; leaf
    values are weighted means of the untempered one, kept as integer logits.

    Parameters
    ----------
    criterion : {"squared_error", "entropy"}, default="squared_error"
        Impurity that splits reduce. "squared_error", summed over the class probabilities, equals
        the Gini impurity on rows repeated by their probabilities.
    max_leaf_nodes : int, "auto" or None, default="auto"
        Maximum number of leaves. "auto" is 64 without `max_bytes`, and unlimited with it. None
        is unlimited.
    max_depth : int or None, default=None
        Maximum number of splits on the way to a leaf. None is unlimited.
    min_samples_leaf : int, default=1
        Minimum number of training rows in a leaf.
    min_weight_fraction_leaf : float, default=0.0
        Minimum weight of a leaf, as a fraction in [0, 0.5] of the total weight.
    ccp_alpha : float, default=0.0
        Complexity parameter of minimal cost-complexity pruning, in units of the criterion, as in
        scikit-learn's trees. The cost is measured on the targets that the tree was grown on.
    max_bytes : int or None, default=None
        Maximum ``compact_.nbytes``. The tree is grown, and cut back to the most leaves that fit:
        it is the tree of so many `max_leaf_nodes`. A column of categories whose table of ranks
        does not fit is not read. None sets no limit.
    tao_n_iter : int, default=0
        Maximum number of passes of tree alternating optimization over the grown and pruned tree
        [1]_: each split in turn moves to where the fewest rows are misclassified. The tree keeps
        its size or becomes smaller.
    threshold_bits : int, default=8
        Bits of a threshold, 2 to 16.
    value_bits : int or "ternary", default=8
        Bits of a leaf value, 2 to 16; "ternary" is −1, 0 or 1.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Columns that hold categories: names, indices or a boolean mask. "from_dtype" takes those
        of a data frame that have a categorical type or hold strings; None takes none. Categories
        are ordered by their mean targets, and splits are thresholds on this order.
    monotonic_cst : array-like of int, dict of str to int or None, default=None
        1 where the probability of the second class has to rise with a column, −1 where it has to
        fall, 0 for no constraint; an array of shape (n_features,), or a dict by column name. For
        two classes, and not for columns of categories. None constrains nothing.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes by label, which multiply those of the rows. "balanced" is
        ``n_samples / (n_classes * mass)``, where the mass of a class is the total weight of its
        rows. A row of probabilities without label weighs ``sum_k P_ik w_k``, and gives each
        class its share of the mass. None gives every class the weight 1.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen during `fit`, where all of them are strings.
    compact_ : CompactModel
        The integer model that predicts.
    feature_importances_ : float64 array of shape (n_features,)
        Share of each column in the total decrease of impurity.

    See Also
    --------
    DistilledClassifier : Makes the soft targets and fits a student on them.
    SoftBoostingClassifier : A few small trees, more accurate at the same size.

    Notes
    -----
    Where a column has missing values (NaN), each node learns on which side they go. In other
    columns they go right.

    References
    ----------
    .. [1] Carreira-Perpiñán & Tavallali 2018, "Alternating optimization of decision trees, with
       application to learning sparse oblique trees", NeurIPS 31.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = SoftTreeClassifier(max_leaf_nodes=4).fit(X, y)
    >>> tree.predict(X[::50]).tolist()
    [0, 1, 2]
    """

    _accepts_hints = True
    _parameter_constraints: dict[str, list[Any]] = {
        **BaseSoftTree._parameter_constraints,
        "criterion": [StrOptions(set(_CRITERIA))],
        "tao_n_iter": [Interval(Integral, 0, None, closed="left")],
        "class_weight": CLASS_WEIGHT,
    }

    def __init__(
        self,
        criterion: str = "squared_error",
        *,
        max_leaf_nodes: int | str | None = "auto",
        max_depth: int | None = None,
        min_samples_leaf: int = 1,
        min_weight_fraction_leaf: float = 0.0,
        ccp_alpha: float = 0.0,
        max_bytes: int | None = None,
        tao_n_iter: int = 0,
        threshold_bits: int = 8,
        value_bits: int | str = 8,
        categorical_features: Any = "from_dtype",
        monotonic_cst: Any = None,
        class_weight: dict[Any, float] | str | None = None,
    ) -> None:
        super().__init__(
            max_leaf_nodes=max_leaf_nodes,
            max_depth=max_depth,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            ccp_alpha=ccp_alpha,
            max_bytes=max_bytes,
            threshold_bits=threshold_bits,
            value_bits=value_bits,
            categorical_features=categorical_features,
            monotonic_cst=monotonic_cst,
        )
        self.criterion = criterion
        self.tao_n_iter = tao_n_iter
        self.class_weight = class_weight

    def _learn(self, data: ClassificationData) -> None:
        targets, weight, criterion = data.targets, data.weight, _CRITERIA[self.criterion]
        grid = fit_grid(data.X, self.threshold_bits, weight)
        codes = grid.encode(data.X)
        signs = self._signs(data, grid)
        if signs.any() and targets.hints is not None:
            raise ValueError("hints need monotonic_cst=None")
        probabilities = targets.mixture(targets.temperature)
        growth_targets, impurity_factor = self._growth_targets(targets, probabilities, weight)
        row_stats = to_fixed_point(growth_targets, weight, count=self.min_samples_leaf > 1)
        untempered = None
        if targets.temperature != 1 or growth_targets is not probabilities:
            untempered = to_fixed_point(targets.mixture(), weight)[:, :-1]

        def refine(tree: GrownTree) -> GrownTree:
            if self.tao_n_iter == 0:
                return tree
            return alternating_optimization(
                tree,
                codes,
                grid.counts,
                to_fixed_point(probabilities, weight),
                criterion=criterion,
                n_iter=self.tao_n_iter,
                min_samples_leaf=self.min_samples_leaf,
                min_weight_fraction=self.min_weight_fraction_leaf,
            )

        def class_sums(tree: GrownTree) -> NDArray[np.int64]:
            if untempered is None:
                return tree.sums[:, : targets.n_classes]
            sums: NDArray[np.int64] = sum_by_leaf(untempered, tree.leaf, len(tree.feature))
            return sums

        rows = HeldRows(codes, row_stats)
        self._grow_model(data, grid, rows, impurity_factor, signs, class_sums, refine)

    def _learn_chunks(self, source: ChunkSource) -> None:
        """Learn from all rows of a table."""
        data: ClassificationData = source.data
        if len(data.classes) == 1:
            self._learn(data)
            return
        if data.targets.hints is not None or self.tao_n_iter:
            name = "hints" if data.targets.hints is not None else f"tao_n_iter={self.tao_n_iter}"
            raise ValueError(
                f"{name} needs all rows in memory, and chunks are not held: leave it out, or pass "
                "X and y"
            )
        grid, T = fit_grid(data.X, self.threshold_bits, data.weight), data.targets.temperature
        signs = self._signs(data, grid)
        n_classes = data.targets.n_classes
        one_column = n_classes == 2 and self.criterion == "squared_error"
        data = source.release()
        encoder = ClassificationEncoder(source, grid, T, int(one_column), self.min_samples_leaf > 1)
        rows = ChunkedRows(source.load(encoder))

        def class_sums(tree: GrownTree) -> NDArray[np.int64]:
            if T != 1:
                return rows.sum_by_leaf(tree, grid.counts)
            if one_column:
                second, weight = tree.sums[:, 0], tree.sums[:, 1]
                return np.column_stack([weight - second, second])
            return tree.sums[:, :n_classes]

        factor = 0.5 if one_column else 1.0
        self._grow_model(data, grid, rows, factor, signs, class_sums)

    def _signs(self, data: ClassificationData, grid: InputGrid) -> NDArray[np.int8]:
        """Signs of the features of the grid."""
        signs = monotonic_signs(
            self,
            self.monotonic_cst,
            data.categories,
            n_classes=data.targets.n_classes,
            n_outputs=1,
        )
        of_grid: NDArray[np.int8] = signs[grid.features]
        return of_grid

    def _grow_model(
        self,
        data: ClassificationData,
        grid: InputGrid,
        rows: GrowthRows,
        impurity_factor: float,
        signs: NDArray[np.int8],
        class_sums: Callable[[GrownTree], NDArray[np.int64]],
        refine: Callable[[GrownTree], GrownTree] | None = None,
    ) -> None:
        """Grow a tree on rows; leaf values come from the sums of each class in its leaves."""

        def model_of(tree: GrownTree) -> CompactModel:
            if len(data.classes) == 1:
                return data.single_class_model()
            P = _leaf_probabilities(tree, class_sums(tree), signs)
            values, bias, scale = leaf_logits(P, self.value_bits)
            table = assemble(grid, [tree.with_values(values)], self.value_bits)
            return data.model(bias, scale, table)

        tree, self.compact_ = self._fit_tree(
            rows,
            grid,
            _CRITERIA[self.criterion],
            self.ccp_alpha * impurity_factor,
            data.categories,
            model_of,
            signs,
            refine,
        )
        self.feature_importances_ = relative_importances(tree.gain_by_feature(data.n_features))

    def _growth_targets(
        self, targets: SoftTargets, probabilities: NDArray[np.float64], weight: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], float]:
        """What the structure is grown on, and the unit of its impurity in that of the criterion."""
        growth_targets, impurity_factor = probabilities, 1.0
        if targets.n_classes == 2 and self.criterion == "squared_error":
            # The squared errors of both columns are equal: one column will do.
            growth_targets, impurity_factor = probabilities[:, 1:], 0.5
        if targets.hints is None:
            return growth_targets, impurity_factor
        if self.criterion != "squared_error":
            raise ValueError(f"hints need criterion='squared_error', got {self.criterion!r}")
        hints = targets.scaled_hints(growth_targets, weight)
        growth_targets = np.column_stack([growth_targets, hints])
        _, exponent = np.frexp(np.abs(growth_targets).max())
        unit = float(np.ldexp(1.0, -max(0, exponent)))  # within [−1, 1], as fixed point asks for
        return growth_targets * unit, impurity_factor * unit**2


def _leaf_probabilities(
    tree: GrownTree, sums: NDArray[np.int64], signs: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Probabilities of every node, float64 array of shape (n_nodes, n_classes); even inside."""
    if signs.any():
        sums = add_up(tree, sums)
    means = sums / np.maximum(sums.sum(axis=1, keepdims=True), 1)
    if signs.any():
        second = clip_values(tree, means[:, 1], signs)
        means = np.column_stack([1 - second, second])
    P: NDArray[np.float64] = np.where(tree.is_leaf[:, None], means, 1 / means.shape[1])
    return P
