"""How much of a forest's AUC does one tree keep that the forest has taught?

Kept share = (student − hard-label tree) / (teacher − hard-label tree) in AUC, once against an
unbounded tree on hard labels, as Dao et al. 2021 measure it, and once against one that is tuned:
the first is easy to beat, the second says whether it is the teacher that helps.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from _common import markdown, options, save
from _tables import add_data_options, choose_sets, read_frame
from joblib import Memory
from scipy.stats import t as student_t
from sklearn import datasets
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier
from tqdm import tqdm

from skdistill import Munge, SoftTreeClassifier
from skdistill.compact import TreeTable
from skdistill.compact.packing.pack import choose_layout
from skdistill.dataframe import concat_rows, take_rows
from skdistill.targets import SoftTargets
from skdistill.teachers import cross_fit, probabilities

SHIPPED = ("breast_cancer",)  # where there is no directory of tables
SEEDS, CAP = 5, 20_000  # draws; training rows of each
TREES = 500  # of the teacher
# The best of a few forests on rows held out of a draw that is not reported.
TEACHERS: dict[str, Any] = {
    "adult": RandomForestClassifier(min_samples_leaf=5, max_features=0.3),
    "magic": ExtraTreesClassifier(max_features=0.7),
}
ANY_TEACHER = ExtraTreesClassifier()
FACTORS = {"adult": 10, "magic": 30}  # MUNGE rows of each training row
CLASSES = np.arange(2)
LEAVES, VALUE_BITS = (64, 256, 1024, 4096, None), (8, 12, 16)
BITS: dict[str, Any] = {"threshold_bits": 8, "value_bits": 12}
HARD, TUNED, TEACHER = "hard labels, unbounded", "hard labels, tuned", "teacher"
OUT_OF_FOLD, MUNGED = "out of fold", "out of fold + MUNGE"
TUNED_LEAVES, TUNED_LEAST = (32, 64, 128, 256, None), (1, 10, 25, 50, 100)
# Settled, like the factors, on draws that are not reported, and so was it that students learn from
# the teacher alone: labels beside it (alpha = .5) bring nothing to unbounded trees.
LEAST = 10  # rows of a student's leaf
# Dao et al. 2021: one tree on hard labels, one on soft labels out of fold, forest of 500 trees.
PUBLISHED = {"adult": (0.740, 0.899, 0.910), "magic": (0.777, 0.908, 0.937)}
AIMS = {"adult": 0.94, "magic": 0.9}
UNDEFINED = 0.005  # a smaller lead of the teacher gives no share


class Draw(NamedTuple):
    """Data frames whose categories, and blanks among them, are as they came."""

    X: Any
    y: np.ndarray
    X_test: Any
    y_test: np.ndarray


class TeacherLabels(NamedTuple):
    """What the teacher says: of the training rows out of fold, of MUNGE rows, of the test rows."""

    P: np.ndarray
    rows: Any
    P_rows: np.ndarray
    P_test: np.ndarray
    nbytes: int
    seconds: float


def draw(name: str, seed: int, directory: str | Path | None) -> Draw:
    """A table's own test rows, or 30 % drawn anew; at most CAP of the others, drawn anew."""
    train = None
    if directory is None:
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True, as_frame=True)
    else:
        X, y, train = read_frame(name, directory)
    y = np.unique(y, return_inverse=True)[1]
    if train is not None:
        rows, test = np.flatnonzero(train), np.flatnonzero(~train)
    else:
        rows, test = train_test_split(
            np.arange(len(y)), test_size=0.3, random_state=seed, stratify=y
        )
    if len(rows) > CAP:
        rows = train_test_split(rows, train_size=CAP, random_state=seed, stratify=y[rows])[0]
    return Draw(take_rows(X, rows), y[rows], take_rows(X, test), y[test])


def one_hot(model: Any) -> Pipeline:
    """What scikit-learn's trees need in front of them where there are categories."""
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)
    text = make_column_selector(dtype_include=["category", "object"])
    return make_pipeline(make_column_transformer((encoder, text), remainder="passthrough"), model)


def learn(given: Draw, seed: int, forest: Any, factor: int) -> TeacherLabels:
    """Fit the teacher, five times more for the labels out of fold, and let it speak."""
    started = time.perf_counter()
    fitted, P = cross_fit(one_hot(forest), given.X, given.y, CLASSES)
    rows = Munge(factor).sample(given.X, seed)
    P_rows, P_test = (probabilities(fitted, X, CLASSES) for X in (rows, given.X_test))
    size = len(pickle.dumps(fitted))
    return TeacherLabels(P, rows, P_rows, P_test, size, time.perf_counter() - started)


def measure(name: str, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    """All figures of one draw."""
    started = time.perf_counter()
    given = draw(name, seed, args.data)
    trees, factor = (20, 1) if args.quick else (TREES, FACTORS.get(name, 10))
    settings = {"n_estimators": trees, "random_state": seed, "n_jobs": 1}
    forest = clone(TEACHERS.get(name, ANY_TEACHER)).set_params(**settings)
    said = Memory(args.cache, verbose=0).cache(learn)(given, seed, forest, factor)
    models = list(hard_trees(given, seed, args.quick)) + list(taught_trees(given, said))
    teacher = {"model": TEACHER, "auc": auc(given, said.P_test), "bytes": said.nbytes}
    return {
        "table": name,
        "seed": seed,
        "rows": len(given.y),
        "models": [*models, teacher],
        "seconds": time.perf_counter() - started,
    }


def hard_trees(given: Draw, seed: int, quick: bool) -> Iterator[dict[str, Any]]:
    """Unbounded ones, and those tuned by AUC on a fifth of the rows, fitted to all of them."""

    def scikit_learn(leaves: int | None, least: int) -> Pipeline:
        limits = {"max_leaf_nodes": leaves, "min_samples_leaf": least}
        return one_hot(DecisionTreeClassifier(**limits, random_state=seed))

    def ours(leaves: int | None, least: int) -> SoftTreeClassifier:
        limits = {"max_leaf_nodes": leaves, "min_samples_leaf": least}
        return SoftTreeClassifier(**limits, **BITS)

    fit, pick = train_test_split(
        np.arange(len(given.y)), test_size=0.2, random_state=seed, stratify=given.y
    )
    part = Draw(take_rows(given.X, fit), given.y[fit], take_rows(given.X, pick), given.y[pick])
    grid = [(None, 1), (8, 1)] if quick else list(product(TUNED_LEAVES, TUNED_LEAST))
    for kind, make in (("scikit-learn", scikit_learn), ("ours", ours)):
        yield {"model": f"{HARD}, {kind}"} | figures(make(None, 1).fit(given.X, given.y), given)
        picked = [
            auc(part, make(*limits).fit(part.X, part.y).predict_proba(part.X_test))
            for limits in grid
        ]
        limits = grid[int(np.argmax(picked))]
        model = make(*limits).fit(given.X, given.y)
        yield {"model": f"{TUNED}, {kind}", "limits": limits} | figures(model, given)


def taught_trees(given: Draw, said: TeacherLabels) -> Iterator[dict[str, Any]]:
    """Students on out-of-fold labels alone, and on MUNGE rows beside them."""
    both = concat_rows(given.X, said.rows), np.concatenate([said.P, said.P_rows])
    for model, X, P in ((OUT_OF_FOLD, given.X, said.P), (MUNGED, *both)):
        for leaves, bits in product(LEAVES, VALUE_BITS):
            if bits != BITS["value_bits"] and leaves is not None:
                continue
            asked = BITS | {"max_leaf_nodes": leaves, "value_bits": bits}
            student = SoftTreeClassifier(min_samples_leaf=LEAST, **asked).fit(X, SoftTargets(P))
            described = {"model": model, "most_leaves": leaves, "value_bits": bits}
            yield described | figures(student, given)


def figures(model: Any, given: Draw) -> dict[str, Any]:
    P = model.predict_proba(given.X_test)
    if isinstance(model, SoftTreeClassifier):
        # A label takes fewer bytes, but rows can be ranked by scores alone.
        tables = choose_layout(model.compact_, output="scores").tables.values()
        size = {
            "bytes": sum(table.nbytes for table in tables),
            "label_bytes": model.compact_.nbytes,
            "leaves": len(model.compact_.table(TreeTable).values),
        }
    else:
        size = {"bytes": len(pickle.dumps(model)), "leaves": int(model[-1].get_n_leaves())}
    return size | {"auc": auc(given, P), "distinct": len(np.unique(P[:, 1]))}


def auc(given: Draw, P: np.ndarray) -> float:
    return float(roc_auc_score(given.y_test, P[:, 1]))


def summary(draws: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Means over the draws of each table, and the kept shares."""
    found = {}
    for name in dict.fromkeys(each["table"] for each in draws):
        mine = [each["models"] for each in draws if each["table"] == name]
        columns = {_key(models[0]): list(models) for models in zip(*mine, strict=True)}
        aucs = {key: np.array([each["auc"] for each in column]) for key, column in columns.items()}
        teacher, hard = aucs[(TEACHER,)], aucs[(f"{HARD}, scikit-learn",)]
        tuned = max((aucs[(f"{TUNED}, {kind}",)] for kind in ("scikit-learn", "ours")), key=np.mean)
        found[name] = [
            {
                key: column[0][key]
                for key in ("model", "most_leaves", "value_bits")
                if key in column[0]
            }
            | {
                key: float(np.mean([each[key] for each in column]))
                for key in ("bytes", "label_bytes", "leaves", "distinct")
                if key in column[0]
            }
            | {
                "draws": len(column),
                "auc": interval(aucs[key]),
                "kept": kept_share(aucs[key] - hard, teacher - hard),
                "kept_of_tuned": kept_share(aucs[key] - tuned, teacher - tuned),
            }
            for key, column in columns.items()
        ]
    return found


def _key(model: dict[str, Any]) -> tuple[Any, ...]:
    names = ("model", "most_leaves", "value_bits")
    return tuple(model[name] for name in names if name in model)


def interval(values: np.ndarray) -> list[float]:
    """Mean and 95 % interval of the mean, by Student's t."""
    n = len(values)
    mean = float(np.mean(values))
    if n < 2:
        return [mean, mean, mean]
    half = float(student_t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return [mean, mean - half, mean + half]


def kept_share(gained: np.ndarray, lead: np.ndarray) -> list[float] | None:
    """Mean gain over mean lead, with the interval of a ratio of means that go together."""
    if lead.mean() < UNDEFINED:
        return None
    share = float(gained.mean() / lead.mean())
    _, low, high = interval((gained - share * lead) / lead.mean())
    return [share, share + low, share + high]


def report(results: dict[str, Any]) -> str:
    found = results["summary"]
    return "\n\n".join(
        [
            *(_table(name, models) for name, models in found.items()),
            _bits(found),
            _beside_published(found),
            "  \n".join(verdicts(found)),
        ]
    )


def _table(name: str, models: list[dict[str, Any]]) -> str:
    header = (f"{name}, {models[0]['draws']} draws", "leaves", "bytes", "AUC", "kept", "of tuned")
    return markdown(
        header,
        [
            (
                _named(each),
                f"{each['leaves']:,.0f}" if "leaves" in each else "",
                f"{each['bytes']:,.0f}",
                "{:.4f} ({:.4f} to {:.4f})".format(*each["auc"]),
                "" if each["model"].startswith(HARD) else _share(each["kept"]),
                "" if each["model"].startswith(HARD) else _share(each["kept_of_tuned"]),
            )
            for each in models
            if each.get("value_bits", BITS["value_bits"]) == BITS["value_bits"]
        ],
    )


def _named(each: dict[str, Any]) -> str:
    if "most_leaves" not in each:
        return each["model"]
    return f"{each['model']}, {each['most_leaves'] or 'unbounded'}"


def _share(kept: list[float] | None) -> str:
    return "undefined" if kept is None else "{:.2f} ({:.2f} to {:.2f})".format(*kept)


def _bits(found: dict[str, Any]) -> str:
    header = (f"{MUNGED}, unbounded", "value bits", "bytes", "to label alone", "scores", "AUC")
    return markdown(
        header,
        [
            (
                name,
                each["value_bits"],
                f"{each['bytes']:,.0f}",
                f"{each['label_bytes']:,.0f}",
                f"{each['distinct']:,.0f}",
                f"{each['auc'][0]:.4f}",
            )
            for name, models in found.items()
            for each in models
            if each["model"] == MUNGED and each["most_leaves"] is None
        ],
    )


def _beside_published(found: dict[str, Any]) -> str:
    rows = []
    for name in found:
        if name in PUBLISHED:
            hard, soft, teacher = PUBLISHED[name]
            told = (f"{auc:.3f}" for auc in (hard, soft, teacher))
            rows.append((f"{name}, Dao et al.", *told, f"{(soft - hard) / (teacher - hard):.2f}"))
        ours = [_find(found[name], f"{HARD}, scikit-learn"), headline(found[name])]
        ours.append(_find(found[name], TEACHER))
        told = (f"{each['auc'][0]:.3f}" for each in ours)
        rows.append((f"{name}, here", *told, _share(ours[1]["kept"])))
    return markdown(("AUC", "hard, unbounded", "taught", "teacher", "kept"), rows)


def _find(models: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(each for each in models if each["model"] == name)


def headline(models: list[dict[str, Any]]) -> dict[str, Any]:
    """The unbounded tree taught by labels out of fold and on MUNGE rows."""
    asked = {"model": MUNGED, "most_leaves": None, "value_bits": BITS["value_bits"]}
    return next(each for each in models if asked.items() <= each.items())


def verdicts(found: dict[str, Any]) -> Iterator[str]:
    for name, models in found.items():
        each = headline(models)
        if each["kept"] is None:
            yield f"undefined: on {name} the teacher leads by less than {UNDEFINED}"
            continue
        aim = AIMS.get(name, 0.9)
        holds = "holds" if each["kept"][0] >= aim else "does not hold"
        yield (
            f"{holds}: {name} keeps {_share(each['kept'])} over an unbounded hard-label tree "
            f"(aim: {aim}), with {_size(each)}"
        )
        enough = [other for other in models if "most_leaves" in other and other["kept"][0] >= aim]
        if enough:
            least = min(enough, key=lambda other: other["bytes"])
            yield f"the smallest taught tree at the aim: {least['model']}, {_size(least)}"
        tuned = [other for other in models if other["model"].startswith(TUNED)]
        plain = max(tuned, key=lambda other: other["auc"][0])
        yield (
            f"a tuned hard-label tree keeps {_share(plain['kept'])} with no teacher; of what it "
            f"leaves open the taught one closes {_share(each['kept_of_tuned'])}"
        )


def _size(each: dict[str, Any]) -> str:
    return f"{each['leaves']:,.0f} leaves in {each['bytes']:,.0f} B"


def parse() -> argparse.Namespace:
    parser = options(__doc__.splitlines()[0])
    add_data_options(parser)
    parser.add_argument("--draws", type=int, metavar="N", help=f"default: {SEEDS}")
    parser.add_argument(
        "--first", type=int, default=0, metavar="N", help="number of the first draw"
    )
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keeps what teachers say")
    parser.add_argument(
        "--resume", action="store_true", help="keep the draws that OUTPUT holds already"
    )
    args = parser.parse_args()
    if args.quick:
        args.data = None
    args.draws = args.draws or (1 if args.quick else SEEDS)
    args.sets = choose_sets(args, SHIPPED, two_classes=True)
    return args


def main() -> None:
    args = parse()
    results: dict[str, Any] = {"draws": []}
    if args.resume and args.output.exists():
        results["draws"] = json.loads(args.output.read_text())["draws"]
    done = {(each["table"], each["seed"]) for each in results["draws"]}
    seeds = range(args.first, args.first + args.draws)
    todo = [(name, seed) for seed in seeds for name in args.sets if (name, seed) not in done]
    for name, seed in tqdm(todo):
        results["draws"].append(measure(name, seed, args))
        results["summary"] = summary(results["draws"])
        save(args.output, results)
    print(report(results))


if __name__ == "__main__":
    main()
