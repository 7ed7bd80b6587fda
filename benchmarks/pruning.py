"""How few leaves and bytes keep an ensemble's accuracy? Ensembles that are given, pruned.

Protocol of Devos et al. 2025 (ICML, "Compressing tree ensembles through level-wise optimization
and pruning"): three fifths of the rows train the ensemble and compress it, one fifth validates,
one tests. The smallest model counts whose balanced accuracy on the validation rows is at most
half a point below the ensemble's.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from _common import markdown, options, save
from _tables import add_data_options, fill_missing, read
from lightgbm import LGBMClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import balanced_accuracy_score
from threadpoolctl import threadpool_limits
from tqdm import tqdm
from xgboost import XGBClassifier

from skdistill import PrunedEnsembleClassifier, convert
from skdistill.converters.float_trees import FloatTree, TreeEnsemble, depth_first
from skdistill.converters.kinds import FittedModel
from skdistill.converters.quantize import quantize
from skdistill.converters.scikit_learn import read_forest
from skdistill.converters.xgboost import read_xgboost
from skdistill.model import CompactModel

LOSS = 0.005  # of balanced accuracy on validation rows
FOLDS = 5
# What is the positive class, and what was published: leaves of XGBoost's ensembles divided by
# those that LOP and ForestPrune keep, in notebook icml.ipynb of ML-KULeuven/lop_compress.
PUBLISHED = {"adult": (31.8, 37.5), "electricity": (5.2, 1.5), "dry_bean": (28.8, 19.6)}
XGBOOST = [
    {"n_estimators": count, "max_depth": depth, "learning_rate": rate}
    for count, depth, rate in product((10, 100), (4, 8), (0.25,))
]
FORESTS = [{"n_estimators": 50, "max_depth": 10}]


class Rows(NamedTuple):
    """One fold of a table of two classes."""

    X_fit: np.ndarray
    y_fit: np.ndarray
    X_pick: np.ndarray
    y_pick: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


class Small(NamedTuple):
    """A pruned model: its leaves, its integers and how it answers."""

    leaves: int
    compact: CompactModel
    predict: Callable[[np.ndarray], np.ndarray]


def fold_of(name: str, fold: int, args: argparse.Namespace) -> Rows:
    X, y, _ = read(name, args.data)
    counts = np.bincount(y)
    # The seventh class of dry_bean is that of number 6, as published.
    positive = 6 if name == "dry_bean" else len(counts) - 1
    y = (y == positive).astype(np.intp)
    order = np.random.default_rng(0).permutation(len(y))
    parts = np.array_split(order, FOLDS)
    test, pick = parts[fold], parts[(fold + 1) % FOLDS]
    fit = np.setdiff1d(order, np.concatenate([test, pick]))
    X = fill_missing(X, fit)
    return Rows(*(table[part] for part in (fit, pick, test) for table in (X, y)))


def ensembles(args: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    common: dict[str, Any] = {"random_state": 0, "n_jobs": 1}
    for settings in XGBOOST[: 1 if args.quick else None]:
        yield "xgboost", XGBClassifier(**settings, **common)
    for settings in FORESTS[: 0 if args.quick else None]:
        yield "forest", RandomForestClassifier(**settings, **common)


def accuracy(model: Any, X: np.ndarray, y: np.ndarray) -> float:
    return float(balanced_accuracy_score(y, model.predict(X)))


def is_good(small: Small, given: Rows, least: float) -> bool:
    return accuracy(small, given.X_pick, given.y_pick) >= least


def n_leaves(model: CompactModel) -> int:
    """Leaves of all trees of a compact model."""
    return sum(len(table.values) for table in model.tables if hasattr(table, "nan_left"))


def ours(fitted: Any, given: Rows, least: float) -> Small | None:
    """Subtrees go and all leaves are refitted: the fewest bytes, by bisection on a log scale."""
    best, low, high = None, 5.0, np.log2(convert(fitted).nbytes)
    while high - low > 0.25:
        middle = (low + high) / 2
        model = PrunedEnsembleClassifier(
            FrozenEstimator(fitted), max_bytes=int(2**middle), random_state=0
        ).fit(given.X_fit, given.y_fit)
        small = Small(n_leaves(model.compact_), model.compact_, model.predict)
        if is_good(small, given, least):
            best, high = small, middle
        else:
            low = middle
    return best


def grown_small(candidates: list[Any]) -> Callable[[Any, Rows, float], Small | None]:
    """The smallest of models that are grown small and are good enough."""

    def smallest(fitted: Any, given: Rows, least: float) -> Small | None:
        best: Small | None = None
        for candidate in candidates:
            model = candidate.fit(given.X_fit, given.y_fit)
            compact = convert(model)
            small = Small(n_leaves(compact), compact, model.predict)
            if is_good(small, given, least) and (best is None or small.leaves < best.leaves):
                best = small
        return best

    return smallest


def cost_complexity(fitted: Any, given: Rows, least: float) -> Small | None:
    """The same ensemble with a price for each leaf: `gamma` of XGBoost, `ccp_alpha` of CART."""
    name, values = "gamma", (0.1, 0.3, 1, 3, 10, 30, 100)
    if isinstance(fitted, RandomForestClassifier):
        name, values = "ccp_alpha", (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
    parameters = fitted.get_params()
    kind = type(fitted)
    candidates = [kind(**parameters | {name: value}) for value in values]
    return grown_small(candidates)(fitted, given, least)


def reduced_error(fitted: Any, given: Rows, least: float) -> Small | None:
    """Bottom up, a subtree becomes a leaf where the validation rows allow it (Quinlan 1987)."""
    is_forest = isinstance(fitted, RandomForestClassifier)
    ensemble = (read_forest if is_forest else read_xgboost)(fitted)
    columns = slice(None) if is_forest else slice(0, 1)
    reach = [_rows_of_nodes(tree, given.X_fit) for tree in ensemble.trees]
    picked = [_rows_of_nodes(tree, given.X_pick) for tree in ensemble.trees]
    trees = [
        tree._replace(values=_node_means(tree, rows)[:, columns])
        for tree, rows in zip(ensemble.trees, reach, strict=True)
    ]
    total = np.zeros((len(given.y_pick), trees[0].values.shape[1])) + ensemble.baseline
    for tree, rows in zip(trees, picked, strict=True):
        for node in np.flatnonzero(tree.feature < 0):
            total[rows[node]] += tree.values[node]
    pruned = []
    for tree, rows in zip(trees, picked, strict=True):
        feature, now = tree.feature.copy(), np.zeros((len(given.y_pick), total.shape[1]))
        for node in np.flatnonzero(feature < 0):
            now[rows[node]] = tree.values[node]
        for node in np.flatnonzero(tree.feature >= 0)[::-1]:
            if (feature[tree.children[node]] >= 0).any():
                continue  # not a parent of two leaves
            mine = rows[node]
            tried = total.copy()
            tried[mine] += tree.values[node] - now[mine]
            if _decided_accuracy(tried, given.y_pick, ensemble) >= least:
                total, now[mine], feature[node] = tried, tree.values[node], -1
        children = np.where(feature[:, None] < 0, -1, tree.children)
        pruned.append(depth_first(tree._replace(feature=feature, children=children)))
    small = ensemble._replace(trees=pruned, node_weights=None)
    if is_forest:
        small = small._replace(node_weights=[np.ones(len(t.node_id)) for t in pruned])
        small = small._replace(
            trees=[t._replace(node_id=np.arange(len(t.node_id))) for t in pruned]
        )
    model = FittedModel(given.X_fit.shape[1], None, np.array([0, 1]), small)
    compact = quantize(model, None, None, dtype="float32", threshold_bits=None, value_bits=8)
    return Small(n_leaves(compact), compact, lambda X: compact.predict(X))


def _rows_of_nodes(tree: FloatTree, X: np.ndarray) -> list[np.ndarray]:
    """Which rows come to each node."""
    rows: list[np.ndarray] = [np.array([], np.intp)] * len(tree.feature)
    rows[0] = np.arange(len(X))
    for node in np.flatnonzero(tree.feature >= 0):
        left = X[rows[node], tree.feature[node]] <= tree.threshold[node]
        for child, mine in zip(tree.children[node], (left, ~left), strict=True):
            rows[child] = rows[node][mine]
    return rows


def _node_means(tree: FloatTree, rows: list[np.ndarray]) -> np.ndarray:
    """What a node would answer as a leaf: the mean of its leaves over the training rows."""
    values = tree.values.astype(float).copy()
    for node in np.flatnonzero(tree.feature >= 0)[::-1]:
        weight = np.array([len(rows[child]) for child in tree.children[node]], float)
        weight = weight if weight.sum() else np.ones(2)
        values[node] = np.average(values[tree.children[node]], axis=0, weights=weight)
    return values


def _decided_accuracy(total: np.ndarray, y: np.ndarray, ensemble: TreeEnsemble) -> float:
    decided = total[:, 0] > 0 if total.shape[1] == 1 else total.argmax(axis=1)
    hit = decided == y
    return float(np.mean([hit[y == k].mean() for k in (0, 1)]))


def light(args: argparse.Namespace) -> list[Any]:
    """LightGBM with a price for each split, grown as small: a method of its own."""
    return [
        LGBMClassifier(
            n_estimators=count,
            num_leaves=leaves,
            learning_rate=rate,
            cegb_penalty_split=price,
            random_state=0,
            n_jobs=1,
            verbose=-1,
        )
        for count, leaves, rate, price in product(
            (5, 10, 20, 40, 80), (4, 8, 16), (0.3,), (0.0, 1e-3)
        )
    ][: 2 if args.quick else None]


def measure(name: str, fold: int, args: argparse.Namespace) -> list[list[Any]]:
    given = fold_of(name, fold, args)
    methods: dict[str, Callable[[Any, Rows, float], Small | None]] = {
        "skdistill": ours,
        "reduced error": reduced_error,
        "cost complexity": cost_complexity,
        "LightGBM grown small": grown_small(light(args)),
    }
    records = []
    for number, (kind, model) in enumerate(ensembles(args)):
        model.fit(given.X_fit, given.y_fit)
        whole = convert(model)
        least = accuracy(model, given.X_pick, given.y_pick) - LOSS
        test = accuracy(model, given.X_test, given.y_test)
        records.append(
            [name, fold, kind, number, "as given", n_leaves(whole), whole.nbytes, test, 0.0]
        )
        for method, prune in methods.items():
            started = time.perf_counter()
            small = prune(model, given, least)
            if small is None:
                continue
            test = accuracy(small, given.X_test, given.y_test)
            seconds, nbytes = round(time.perf_counter() - started, 2), small.compact.nbytes
            record = [name, fold, kind, number, method, small.leaves, nbytes, test, seconds]
            records.append(record)
    return records


def report(results: dict[str, Any]) -> str:
    """Ratios of leaves and bytes, means over the ensembles of a table, as published.

    Where a method has no model that is good enough, the ensemble stays as it is.
    """
    whole = {tuple(r[:4]): r for r in results["records"] if r[4] == "as given"}
    pruned = {tuple(r[:5]): r for r in results["records"] if r[4] != "as given"}
    rows = []
    for name, kind, method in dict.fromkeys((key[0], key[2], key[4]) for key in pruned):
        mine = [key for key in whole if key[0] == name and key[2] == kind]
        good = sum((*key, method) in pruned for key in mine)
        pairs = [(whole[key], pruned.get((*key, method), whole[key])) for key in mine]
        leaves, nbytes = (statistics.mean(a[i] / b[i] for a, b in pairs) for i in (5, 6))
        lost = statistics.mean(100 * (before[7] - after[7]) for before, after in pairs)
        row = (name, kind, method, f"{good} of {len(mine)}", f"{leaves:.1f}", f"{nbytes:.1f}")
        rows.append((*row, f"{lost:+.1f}"))
    for name, (lop, forest_prune) in PUBLISHED.items():
        for method, ratio in (("LOP, published", lop), ("ForestPrune, published", forest_prune)):
            rows.append((name, "xgboost", method, "", f"{ratio:.1f}", "", ""))
    header = ("table", "ensemble", "method", "good enough", "times fewer leaves")
    return markdown((*header, "times fewer bytes", "points lost on test rows"), sorted(rows))


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    add_data_options(parser)
    parser.add_argument("--folds", type=int, default=1, metavar="N", help="of five; default: 1")
    parser.add_argument("--resume", action="store_true", help="go on with --output")
    args = parser.parse_args()
    if args.quick:
        args.data = None
    names = args.sets or (["breast_cancer"] if args.data is None else list(PUBLISHED))
    results: dict[str, Any] = {"records": []}
    if args.resume and args.output is not None and args.output.exists():
        results["records"] = json.loads(args.output.read_text())["records"]
    done = {tuple(record[:2]) for record in results["records"]}
    todo = [(n, fold) for fold in range(args.folds) for n in names if (n, fold) not in done]
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        for name, fold in tqdm(todo):
            results["records"] += measure(name, fold, args)
            save(args.output, results)
    print(report(results))


if __name__ == "__main__":
    main()
