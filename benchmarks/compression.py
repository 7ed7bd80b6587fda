"""How much of what an ensemble gains is kept in 8 KB, on the public problems of Bucila 2006?

Kept share = (best single model − student) / (best single model − teacher) in RMSE to the labels
0 and 1. All three learn from the same 4,000 rows; the student from them and from what the teacher
says of MUNGE rows made of them.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
import warnings
from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from _common import options, save
from _compression_report import report, summary
from _problems import LAYERS, PROBLEMS, SHIPPED, Rows, draw, fit_ensemble, rmse, singles
from _recipes import NET_CODE_FLOATS
from _tables import add_data_options, choose_sets
from lightgbm import LGBMClassifier
from sklearn.base import clone
from tqdm import tqdm

from skdistill import Munge, SoftBoostingClassifier, SoftNetClassifier
from skdistill.device.host import Function, load
from skdistill.export.c import device_input, to_c
from skdistill.targets import SoftTargets
from skdistill.teachers import probabilities

DRAWS = 20
CODE = 80  # bytes of those that a boosted student may take
CLASSES = np.arange(2)


class Recipe(NamedTuple):
    """How a student learns.

    Attributes
    ----------
    settings : dict
        Of the student.
    munge : Munge
    weight : float
        Of a training row, beside 1 of a MUNGE row.
    hard : bool
        Whether training rows say their labels, or what the teacher says of them. It knows them
        by heart: where it is asked they had better not weigh much.
    net : bool
        Whether the student is a net, or boosted trees.
    """

    settings: dict[str, Any]
    munge: Munge
    weight: float
    hard: bool = True
    net: bool = False


EVEN: dict[str, Any] = {
    "max_leaf_nodes": 16,
    "value_bits": 4,
    "threshold_bits": 6,
    "subsample": 0.5,
    "refit_l2_regularization": 1e-5,
}
# Columns that are as skewed as capital gains want their thresholds at quantiles.
QUANTILE: dict[str, Any] = {
    "learning_rate": 0.2,
    "value_bits": 6,
    "threshold_bits": 8,
    "binning": "quantile",
    "subsample": 0.5,
    "refit_l2_regularization": 1e-4,
}
NUMBERS = {
    "near, with labels": Recipe(EVEN | {"learning_rate": 0.2}, Munge(30, local_variance=8.0), 1.5),
    "far, teacher alone": Recipe(EVEN | {"learning_rate": 0.3}, Munge(30, local_variance=2.0), 0.0),
    "net of 4 bits": Recipe(
        {"n_hidden_layers": 2, "max_iter": 150}, Munge(30, local_variance=2.0), 0.0, net=True
    ),
    "net of 6 bits": Recipe(
        {"n_hidden_layers": 2, "weight_bits": 6, "output_bits": 6},
        Munge(30, local_variance=2.0),
        0.0,
        net=True,
    ),
}
CATEGORIES = {
    f"{leaves} leaves": Recipe(
        QUANTILE | {"max_leaf_nodes": leaves}, Munge(10, 0.2, 2.0), 0.5, hard=False
    )
    for leaves in (8, 16)
}


def budget_of(name: str) -> int:
    """Bytes that a student may take."""
    return 4096 if name == "adult" else 8192


def recipes_of(name: str, given: Rows) -> dict[str, Recipe]:
    """What the student is picked from; found on draws that are not reported."""
    if name != "adult":
        return NUMBERS
    nominal = {"categorical_features": given.nominal}
    return {
        name: recipe._replace(
            settings=recipe.settings | nominal, munge=clone(recipe.munge).set_params(**nominal)
        )
        for name, recipe in CATEGORIES.items()
    }


SMALL = [(leaves, rate) for leaves in (4, 8, 16, 31) for rate in (0.1, 0.2)]
SECONDS = 0.2  # a time is that of the fewest calls that take so long


def measure(name: str, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    """All figures of one draw."""
    started = time.perf_counter()
    given = draw(name, seed, args.data)
    single, nets = best_single(given, seed)
    size, teacher = fit_ensemble(given, seed, nets)
    answered = probabilities(teacher, given.X_test, CLASSES)
    recipes, budget = recipes_of(name, given), budget_of(name)
    model, student = best_student(given, seed, teacher, recipes, budget, args.quick)
    return {
        "problem": name,
        "draw": seed,
        "single": single,
        "teacher": {
            "size": size._asdict(),
            "rmse": rmse(answered, given.y_test),
            "bytes": len(pickle.dumps(teacher)),
        },
        "student": student
        | {"to_teacher": float(np.sqrt(np.mean((_told(model, given) - answered[:, 1]) ** 2)))},
        "hard": best_small(given, seed, recipes, budget, args.quick),
        "rates": rates(model, teacher, given.X_test),
        "seconds": time.perf_counter() - started,
    }


def best_single(given: Rows, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The best on the rows to pick on, and beside it the best of each kind; settings of nets."""
    found = []
    for kind, settings, model in singles(given, seed):
        model.fit(given.X_fit, given.y_fit)
        found.append({"kind": kind, "settings": settings} | errors(model.predict_proba, given))
    kinds = {each["kind"]: _picked(found, each["kind"])["rmse"] for each in found}
    return _picked(found) | {"kinds": kinds}, {
        kind: _picked(found, kind)["settings"] for kind in LAYERS
    }


def best_small(
    given: Rows, seed: int, recipes: dict[str, Recipe], budget: int, quick: bool
) -> dict[str, Any]:
    """The best model on hard labels that takes no more bytes than a student may."""
    found = []
    nothing, n = np.zeros((len(given.y_fit), 2)), len(given.y_fit)
    soft_targets = SoftTargets(nothing, given.y_fit, 0.0)
    for recipe, l2_regularization, share in product(
        list(recipes.values())[: 1 if quick else None],
        (1e-3,) if quick else (1e-3, 1e-2, 1e-1),
        (0.25, 1.0),  # of the budget
    ):
        penalty = "l2_regularization" if recipe.net else "refit_l2_regularization"
        tuned = recipe._replace(settings=recipe.settings | {penalty: l2_regularization})
        model, nbytes = fit_to_budget(
            tuned, int(share * budget), given.X_fit, soft_targets, np.ones(n), seed
        )
        kind = "net" if recipe.net else "skdistill"
        found.append({"kind": kind, "bytes": nbytes} | errors(model.predict_proba, given))
    for leaves, rate in SMALL[:1] if quick else SMALL:
        size = 4 * (leaves - 1) + leaves  # 4 B a split and 1 B a leaf, thresholds not rounded
        most = budget // size
        model = LGBMClassifier(
            n_estimators=most,
            num_leaves=leaves,
            learning_rate=rate,
            min_child_samples=5,
            random_state=seed,
            n_jobs=1,
            verbose=-1,
        ).fit(given.X_fit, given.y_fit)
        for rounds in sorted({most // 4, most // 2, most}):

            def answer(X: np.ndarray, model: Any = model, rounds: int = rounds) -> np.ndarray:
                return model.predict_proba(X, num_iteration=rounds)

            found.append({"kind": "lightgbm", "bytes": rounds * size} | errors(answer, given))
    kinds = {each["kind"]: _picked(found, each["kind"])["rmse"] for each in found}
    return _picked(found) | {"kinds": kinds}


def best_student(
    given: Rows, seed: int, teacher: Any, recipes: dict[str, Recipe], budget: int, quick: bool
) -> tuple[Any, dict[str, Any]]:
    """The best of the recipes on the rows to pick on."""
    found = []
    for name, recipe in recipes.items():
        started = time.perf_counter()
        munge = clone(recipe.munge).set_params(**({"n_per_sample": 2} if quick else {}))
        more = munge.sample(given.X_fit, seed)
        rows = np.concatenate([given.X_fit, more.astype(np.float32)])
        told = probabilities(teacher, rows, CLASSES)
        labels = given.y_fit if recipe.hard else np.full(len(given.y_fit), -1)
        soft_targets = SoftTargets(told, np.concatenate([labels, np.full(len(more), -1)]), 0.0)
        weight = np.repeat([recipe.weight, 1.0], [len(given.X_fit), len(more)])
        used = weight > 0
        model, nbytes = fit_to_budget(
            recipe, budget, rows[used], soft_targets.take(used), weight[used], seed
        )
        seconds = time.perf_counter() - started
        figures = {"recipe": name, "bytes": nbytes, "seconds": seconds}
        found.append((figures | errors(model.predict_proba, given), model))
    figures, model = min(found, key=lambda each: each[0]["pick"])
    return model, figures | {"recipes": {each["recipe"]: each["rmse"] for each, _ in found}}


def fit_to_budget(
    recipe: Recipe,
    budget: int,
    rows: np.ndarray,
    soft_targets: SoftTargets,
    weight: np.ndarray,
    seed: int,
) -> tuple[Any, int]:
    """A student that takes no more than `budget` bytes with its code, and how many it takes."""
    student: type = SoftNetClassifier if recipe.net else SoftBoostingClassifier
    code = NET_CODE_FLOATS if recipe.net else CODE
    model = student(max_bytes=budget - code, random_state=seed, **recipe.settings)
    model.fit(rows, soft_targets, weight)
    return model, model.compact_.nbytes + code


def errors(answer: Callable[[np.ndarray], np.ndarray], given: Rows) -> dict[str, float]:
    return {
        "pick": rmse(answer(given.X_pick), given.y_pick),
        "rmse": rmse(answer(given.X_test), given.y_test),
    }


def _picked(found: list[dict[str, Any]], kind: str | None = None) -> dict[str, Any]:
    mine = [each for each in found if kind in (None, each["kind"])]
    return min(mine, key=lambda each: each["pick"])


def _told(model: Any, given: Rows) -> np.ndarray:
    return model.predict_proba(given.X_test)[:, 1]


def rates(model: Any, teacher: Any, X: np.ndarray) -> dict[str, float]:
    """Rows per second on one thread: the student's emitted C, and the teacher in Python."""
    function = Function("model_proba", X.shape[1], "float32", "float32", 2)
    rows = device_input(model.compact_, X, "float32")
    in_c = {}
    for optimize in ("size", "speed"):
        asked = {"input_dtype": "float32", "output": "proba_float", "name": "model"}
        source = to_c(model.compact_, optimize=optimize, **asked)
        in_c[optimize] = load({"model.c": source}, function)
        if not np.allclose(in_c[optimize](rows), model.predict_proba(X), rtol=0, atol=1e-5):
            raise AssertionError("the emitted C gives other probabilities than Python")
    return {
        "student_c": _rate(in_c["size"], rows),
        "student_code": _rate(in_c["speed"], rows),
        "student_python": _rate(model.predict_proba, X[:1000]),
        "teacher_batch": _rate(teacher.predict_proba, X[:1000]),
        "teacher_one": _rate(teacher.predict_proba, X[:1]),
    }


def _rate(call: Callable[[np.ndarray], Any], rows: np.ndarray) -> float:
    """Of the fastest of three tries: others may use the machine at the same time."""
    call(rows)
    best = 0.0
    for _ in range(3):
        calls, started = 0, time.perf_counter()
        while calls == 0 or time.perf_counter() - started < SECONDS:
            call(rows)
            calls += 1
        best = max(best, calls * len(rows) / (time.perf_counter() - started))
    return best


def parse() -> argparse.Namespace:
    parser = options(__doc__.splitlines()[0])
    add_data_options(parser)
    parser.add_argument("--draws", type=int, metavar="N", help=f"default: {DRAWS}")
    parser.add_argument(
        "--first", type=int, default=0, metavar="N", help="number of the first draw"
    )
    parser.add_argument(
        "--resume", action="store_true", help="keep the draws that OUTPUT holds already"
    )
    args = parser.parse_args()
    if args.quick:
        args.data = None
    args.draws = args.draws or (1 if args.quick else DRAWS)
    others = {name: problem.table for name, problem in PROBLEMS.items()}
    chosen = choose_sets(args, list(SHIPPED), others)
    # Tables with problems of their own are asked those alone, where nothing else is asked for.
    own = set(others.values()) - set(others) if not args.sets else set()
    args.sets = [name for name in chosen if name not in own]
    return args


def main() -> None:
    args = parse()
    warnings.filterwarnings("ignore", message="X does not have valid feature names")
    warnings.filterwarnings("ignore", message="Stochastic Optimizer: Maximum iterations")
    results: dict[str, Any] = {"draws": []}
    if args.resume and args.output.exists():
        results["draws"] = json.loads(args.output.read_text())["draws"]
    done = {(each["problem"], each["draw"]) for each in results["draws"]}
    seeds = range(args.first, args.first + args.draws)
    todo = [(name, seed) for seed in seeds for name in args.sets if (name, seed) not in done]
    for name, seed in tqdm(todo):
        one = measure(name, seed, args)
        results["draws"].append(one)
        results["summary"] = summary(results["draws"])
        save(args.output, results)
        errs = {who: one[who]["rmse"] for who in ("single", "teacher", "student", "hard")}
        told = ", ".join(f"{who} {error:.4f}" for who, error in errs.items())
        tqdm.write(f"{name} {seed}: {told}, {one['seconds']:.0f} s")
    print(report(results))


if __name__ == "__main__":
    main()
