"""Which kinds of knowledge help a tiny student: each alone, against soft labels and hard ones.

A student on soft labels learns from 2,000 rows, out-of-fold labels of the teacher mixed with
the hard ones, T = 1, no further rows; every kind changes one thing of that. The teacher is a soft
vote of 200 extremely randomised trees and 100 rounds of LightGBM (60 above ten classes).
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable, Collection, Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from _common import markdown, options, save
from _draws import Draw, draw, measures, without_rare_classes
from _recipes import FEW, Recipe, fit_to_budget
from _samplers import Marginals, NaiveBayes
from _tables import add_data_options, choose_sets
from lightgbm import LGBMClassifier
from scipy.stats import t as student_t
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from skdistill import (
    DistilledClassifier,
    Munge,
    Pool,
    PrunedEnsembleClassifier,
    SoftBoostingClassifier,
    SoftLinearClassifier,
    SoftNetClassifier,
    SoftTreeClassifier,
)
from skdistill.targets import SoftTargets
from skdistill.teachers import cross_fit, probabilities
from skdistill.teachers.hints import AttributionHints, FeatureHints, StageHints

SHIPPED = ("wine", "breast_cancer", "digits")  # where there is no directory of tables
ROWS, TEST, FACTOR, SEEDS = 2000, 4000, 4, 5
HARD, SOFT = "hard labels", "soft labels"
TREE, BOOSTED, NET, LINEAR = STUDENTS = ("64-leaf tree", "1 KB boosted", "1 KB net", "linear")
EPOCHS = 100  # of a net, a third of the default
FIELDS = ("set", "seed", "student", "kind", "accuracy", "log_loss", "fidelity", "bytes", "seconds")
UNITS = {"accuracy": 100, "log_loss": 1, "fidelity": 100}


class Case(NamedTuple):
    """A draw, and what its teacher says."""

    draw: Draw
    teacher: VotingClassifier
    P: np.ndarray  # of the training rows, out of fold
    P_test: np.ndarray
    rest: np.ndarray  # rows that nobody labelled
    net: Any
    middle: Any
    pruned: Any

    def distil(self, student: Any, teacher: Any = None, **settings: Any) -> Any:
        """A student on soft labels with something changed."""
        given = {"transfer_set": None, "random_state": self.draw.seed} | settings
        distiller = DistilledClassifier(FrozenEstimator(teacher or self.teacher), student, **given)
        return distiller.fit(self.draw.X_fit, self.draw.y_fit, teacher_proba=self.P)

    @property
    def said_of_truth(self) -> np.ndarray:
        """The teacher's probability of each row's own label."""
        return self.P[np.arange(len(self.P)), self.draw.y_fit]


class Told(NamedTuple):
    """Hints that were made before: two students have the same."""

    table: np.ndarray

    def targets(self, teacher: Any, X: Any) -> np.ndarray:
        return self.table


Kind = Callable[[Case, Any], Any]


def by_row(alpha: Callable[[Case], np.ndarray]) -> Kind:
    def learn(case: Case, student: Any) -> Any:
        targets = SoftTargets(case.P, case.draw.y_fit.astype(np.intp), alpha(case))
        return clone(student).fit(case.draw.X_fit, targets)

    return learn


def changed(**settings: Any) -> Kind:
    return lambda case, student: case.distil(student, **settings)


def reborn(case: Case, student: Any, max_generations: int = 5) -> Any:
    """Generations of students, as many as held-out rows tell, fitted anew on all rows."""
    draw = case.draw
    rows, held_out, labels, held_out_labels = train_test_split(
        draw.X_fit, draw.y_fit, test_size=0.2, random_state=draw.seed, stratify=draw.y_fit
    )
    losses: list[float] = []
    for pupil in generations(student, rows, labels, draw.seed, max_generations):
        P = pupil.predict_proba(held_out)
        losses.append(log_loss(held_out_labels, P, labels=pupil.classes_))
        if losses[-1] > min(losses):
            break
    n_generations = int(np.argmin(losses)) + 1
    *_, last = generations(student, draw.X_fit, draw.y_fit, draw.seed, n_generations)
    return last


def generations(student: Any, X: Any, y: Any, seed: int, n_generations: int) -> Iterator[Any]:
    """Each is taught by the one before, the first by itself."""
    teacher = student
    for _ in range(n_generations):
        pupil = DistilledClassifier(teacher, student, transfer_set=None, random_state=seed)
        yield pupil.fit(X, y)
        teacher = FrozenEstimator(pupil)


def assisted(case: Case, student: Any) -> Any:
    """Taught by a middle student, also of the training rows."""
    assistant = DistilledClassifier(
        FrozenEstimator(case.middle), student, transfer_set=None, random_state=case.draw.seed
    )
    return assistant.fit(case.draw.X_fit, case.draw.y_fit)


KINDS: dict[str, Kind] = {
    HARD: changed(alpha=0.0),
    SOFT: changed(),
    "soft labels alone, alpha 1": changed(alpha=1.0),
    "the teacher's decisions": changed(response_method="predict"),
    "alpha by row, teacher distrusted": by_row(lambda case: case.said_of_truth),
    "alpha by row, label distrusted": by_row(lambda case: 1 - case.said_of_truth),
    "temperature 2": changed(temperature=2.0),
    "temperature auto": changed(temperature="auto"),
    "logits (temperature 20)": changed(temperature=20.0),
    "itself, born again": reborn,
    "an assistant between": assisted,
    "pool of real rows": lambda case, student: case.distil(student, transfer_set=Pool(case.rest)),
    "MUNGE": changed(transfer_set=Munge(FACTOR)),
    "naive Bayes": changed(transfer_set=NaiveBayes(FACTOR)),
    "marginals": changed(transfer_set=Marginals(FACTOR)),
    "MUNGE, pruned teacher": lambda case, student: case.distil(
        student, case.pruned, transfer_set=Munge(FACTOR)
    ),
}
HINTS: dict[str, Callable[[Case], np.ndarray]] = {
    "hints: leaves, SVD (relations)": lambda case: FeatureHints().targets(
        case.teacher, case.draw.X_fit
    ),
    "hints: leaves, projected": lambda case: FeatureHints(32, "projection").targets(
        case.teacher, case.draw.X_fit
    ),
    "hints: hidden layer of a net": lambda case: FeatureHints().targets(case.net, case.draw.X_fit),
    "hints: stages": lambda case: StageHints().targets(case.teacher, case.draw.X_fit),
    "hints: attributions": lambda case: AttributionHints().targets(case.teacher, case.draw.X_fit),
}
BOTH = "MUNGE and leaves, projected"
ALL = (*KINDS, *HINTS, BOTH)


def prepare(name: str, seed: int, args: argparse.Namespace) -> Case:
    given, rows = draw(name, seed, args.data), 300 if args.quick else ROWS
    order = np.random.default_rng(seed).permutation(len(given.X_fit))
    kept, rest = order[:rows], order[rows : rows * (1 + FACTOR)]
    test = np.random.default_rng(0).permutation(len(given.X_test))[:TEST]
    X, y = given.X_fit[kept], given.y_fit[kept]
    rest = given.X_fit[rest] if len(rest) else X[:1]
    given = given._replace(X_fit=X, y_fit=y, X_test=given.X_test[test], y_test=given.y_test[test])
    given = without_rare_classes(given, 5)  # as many as there are folds
    X, y = given.X_fit, given.y_fit
    share, classes = 10 if args.quick else 1, np.arange(given.n_classes)
    rounds = (100 if given.n_classes <= 10 else 60) // share
    members = [
        ("extra", ExtraTreesClassifier(200 // share, random_state=seed, n_jobs=1)),
        (
            "lightgbm",
            LGBMClassifier(
                n_estimators=rounds, num_leaves=15, random_state=seed, n_jobs=1, verbose=-1
            ),
        ),
    ]
    teacher, P = cross_fit(VotingClassifier(members, voting="soft"), X, y, classes)
    P_test = probabilities(teacher, given.X_test, classes)
    net = MLPClassifier((64,), max_iter=400, early_stopping=True, random_state=seed)
    case = Case(given, teacher, P, P_test, rest, None, None, None)
    middle = SoftBoostingClassifier(48, max_leaf_nodes=16, random_state=seed)
    return case._replace(
        net=make_pipeline(StandardScaler(), net).fit(X, y),
        middle=case.distil(middle),
        pruned=PrunedEnsembleClassifier(
            FrozenEstimator(teacher.estimators_[1]), 16384, value_bits=8, random_state=seed
        ).fit(X, probabilities(teacher, X, classes)),
    )


def make_student(name: str, case: Case) -> Any:
    """A student to fit; None where 1 KB has no room for the classes."""
    seed = case.draw.seed
    if name == TREE:
        return SoftTreeClassifier(max_leaf_nodes=64)
    if name == NET:
        return SoftNetClassifier(max_bytes=1024, max_iter=EPOCHS, random_state=seed)
    if name == LINEAR:
        return SoftLinearClassifier()
    few = FEW | {"value_bits": 4 if case.draw.n_classes == 2 else "ternary"}
    recipe, targets = Recipe("", settings=few), SoftTargets(case.P, case.draw.y_fit, 0.5)
    found = fit_to_budget(recipe, 1024, case.draw.X_fit, targets, seed, {})
    return found and SoftBoostingClassifier(found[1], random_state=seed, **few)


def measure(
    name: str, seed: int, args: argparse.Namespace, students: Collection[str]
) -> dict[str, Any]:
    started = time.perf_counter()
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        case = prepare(name, seed, args)
        ready, records = time.perf_counter() - started, []
        kinds = dict(KINDS)
        for kind, make in HINTS.items():
            kinds[kind] = changed(hints=Told(make(case)))
        kinds[BOTH] = changed(transfer_set=Munge(FACTOR), hints=FeatureHints(32, "projection"))
        estimators = {student: make_student(student, case) for student in students}
        for student, kind in product(estimators, kinds):
            if estimators[student] is None:
                continue
            if student == LINEAR and (kind in HINTS or kind == BOTH):
                continue
            begun = time.perf_counter()
            model = kinds[kind](case, estimators[student])
            seconds = time.perf_counter() - begun
            P, decided = (ask(case.draw.X_test) for ask in (model.predict_proba, model.predict))
            accuracy, log_loss = measures(P, case.draw.y_test, decided)
            fidelity = float((decided == case.P_test.argmax(axis=1)).mean())
            figures = (accuracy, log_loss, fidelity, model.compact_.nbytes, seconds)
            records.append([name, seed, student, kind, *(round(f, 5) for f in figures)])
    teacher = [name, seed, *measures(case.P_test, case.draw.y_test), len(case.rest), ready]
    return {"teacher": teacher, "records": records, "seconds": time.perf_counter() - started}


def changes(
    results: dict[str, Any], student: str, kind: str, key: str, base: str = SOFT
) -> list[np.ndarray]:
    """What a kind changes, for each set an array of its draws."""
    at = FIELDS.index(key)
    found = {tuple(r[:4]): r[at] for r in results["records"]}
    draws = [tuple(teacher[:2]) for teacher in results["teachers"]]
    table = []
    for name in dict.fromkeys(each for each, _ in draws):
        cases = [(name, seed, student) for each, seed in draws if each == name]
        gains = [
            found[*case, kind] - found[*case, base] for case in cases if (*case, kind) in found
        ]
        table += [UNITS[key] * np.array(gains)] if gains else []
    return table


def interval(table: list[np.ndarray]) -> tuple[float, float]:
    """Mean, and half the 95 % interval over draws of rows: the sets are those they are."""
    mean = float(np.mean([draws.mean() for draws in table]))
    if min(len(draws) for draws in table) < 2:
        return mean, float("nan")
    error = np.sqrt(sum(draws.var(ddof=1) / len(draws) for draws in table)) / len(table)
    return mean, float(error * student_t.ppf(0.975, sum(len(draws) - 1 for draws in table)))


def verdict(accuracy: list[np.ndarray], log_loss: list[np.ndarray]) -> str:
    """In words: what is beyond chance, and on how many sets it points that way."""
    if np.isnan(interval(accuracy)[1]):
        return "too few draws"
    words = []
    for table, better, name in ((accuracy, 1, "accuracy"), (log_loss, -1, "log loss")):
        mean, half = interval(table)
        if abs(mean) > half:
            helps = mean * better > 0
            agree = sum(np.sign(draws.mean()) == np.sign(mean) for draws in table)
            words.append(f"{'helps' if helps else 'hurts'} {name} ({agree}/{len(table)})")
    return ", ".join(words) or "no effect found"


def cell(table: list[np.ndarray], key: str) -> str:
    digits = 3 if key == "log_loss" else 2
    mean, half = interval(table)
    return f"{mean:+.{digits}f}" + ("" if np.isnan(half) else f" ± {half:.{digits}f}")


def measured(results: dict[str, Any], student: str) -> list[str]:
    """The kinds that a student was taught by, best accuracy first."""
    kinds = [k for k in ALL if any(r[2:4] == [student, k] for r in results["records"])]
    return sorted(kinds, key=lambda k: -interval(changes(results, student, k, "accuracy"))[0])


def summary(results: dict[str, Any]) -> str:
    """For the docs: every kind against soft labels, all students in one table."""
    kinds, columns = measured(results, TREE), ("accuracy", "log_loss")
    rows = []
    for kind in (each for each in kinds if each != SOFT):
        row = [kind]
        for student in STUDENTS:
            for key in columns:
                table = changes(results, student, kind, key)
                row.append(cell(table, key) if table else "")
        rows.append(tuple(row))
    header = [f"{s}: {k.replace('_', ' ')}" for s in STUDENTS for k in columns]
    return markdown(("", *header), rows) + "\n\n" + draws_of(results)


def draws_of(results: dict[str, Any]) -> str:
    """How many draws of which sets, once for all students that have the same."""
    students: dict[str, list[str]] = {}
    for student in STUDENTS:
        draws = dict.fromkeys(tuple(r[:2]) for r in results["records"] if r[2] == student)
        names = [name for name, _ in draws]
        counts = ", ".join(f"{name} {names.count(name)}" for name in dict.fromkeys(names))
        students.setdefault(f"{len(names)} draws ({counts})", []).append(student)
    return " ".join(f"{', '.join(who)}: {draws}." for draws, who in students.items())


def report(results: dict[str, Any]) -> str:
    """One table a student, best accuracy first."""
    asked = (("accuracy", SOFT), ("accuracy", HARD), ("log_loss", SOFT), ("log_loss", HARD))
    asked += (("fidelity", SOFT),)
    names = ("accuracy over soft", "over hard", "log loss over soft", "over hard")
    parts = []
    for student in STUDENTS:
        rows = []
        for kind in measured(results, student):
            tables = [changes(results, student, kind, key, base) for key, base in asked]
            cells = [
                "" if kind == base else cell(table, key)
                for (key, base), table in zip(asked, tables, strict=True)
            ]
            said = "the measure" if kind == SOFT else verdict(tables[0], tables[2])
            rows.append((kind, *cells, said))
        parts.append(markdown((student, *names, "fidelity over soft", "verdict"), rows))
    accuracy = statistics.mean(each[2] for each in results["teachers"])
    slowest = max(results["seconds"].values())
    parts.append(
        f"Teacher: {100 * accuracy:.1f} % on average. {draws_of(results)} "
        f"{sum(results['seconds'].values()) / 60:.0f} minutes in all, {slowest:.0f} s at most."
    )
    return "\n\n".join(parts)


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    add_data_options(parser)
    parser.add_argument("--seeds", type=int, default=None, metavar="N")
    parser.add_argument("--students", nargs="+", choices=STUDENTS, default=STUDENTS)
    parser.add_argument("--resume", action="store_true", help="add to --output what it lacks")
    args = parser.parse_args()
    if args.quick:
        args.data = None
    sets = choose_sets(args, SHIPPED[: 1 if args.quick else None])
    results: dict[str, Any] = {"fields": FIELDS, "teachers": [], "seconds": {}, "records": []}
    if args.resume and args.output is not None and args.output.exists():
        kept = json.loads(args.output.read_text())
        results = {name: kept[name] for name in results}
    seeds = range(1, 1 + (args.seeds or (1 if args.quick else SEEDS)))
    for name, seed in (bar := tqdm([(name, seed) for seed in seeds for name in sets])):
        done = {r[2] for r in results["records"] if r[:2] == [name, seed]}
        students = [student for student in args.students if student not in done]
        if not students:
            continue
        one = measure(name, seed, args, students)
        if [name, seed] not in [teacher[:2] for teacher in results["teachers"]]:
            results["teachers"].append(one["teacher"])
        results["records"] += one["records"]
        seconds = results["seconds"].get(f"{name} {seed}", 0)
        results["seconds"][f"{name} {seed}"] = seconds + one["seconds"]
        bar.write(f"{name} {seed}: teacher {one['teacher'][2]:.4f}, {one['seconds']:.0f} s")
        save(args.output, results)
    print(report(results))


if __name__ == "__main__":
    main()
