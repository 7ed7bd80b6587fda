"""Raw tables to a device: what do students keep of a teacher, and do all readings agree?

Strings, blanks and rare classes, from the data frame to C and ONNX. Three questions: does
distillation help on such tables, does the order of categories that students learn, and which
remedy for rare classes does what. Then rows that are spoiled on purpose are run as C on an
emulated Cortex-M0 and in ONNX Runtime.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from _common import options, save
from _frames import MADE_UP, Frames, load, spoil
from _real_tables_report import report, summary  # noqa: F401  (for _readme.py)
from _tables import add_data_options, choose_sets
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    log_loss,
    roc_auc_score,
)
from sklearn.model_selection import (
    TunedThresholdClassifierCV,
    cross_val_predict,
    train_test_split,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from sklearn.utils.class_weight import compute_sample_weight
from tqdm import tqdm

from skdistill import (
    DistilledClassifier,
    Munge,
    SoftBoostingClassifier,
    SoftTreeClassifier,
    convert,
    profile,
)
from skdistill.export.onnx import to_onnx
from skdistill.export.onnx.parity import count_mismatches, open_session
from skdistill.targets import SoftTargets

IMBALANCED = ("telco_churn", "bank_marketing", MADE_UP)
ROWS, SPOILED, SEEDS, FACTOR = 20_000, 1_000, 3, 3
SIZES: dict[str, int | None] = {
    "tree, 64 leaves": None,
    "boosted, 1 KB": 1024,
    "boosted, 4 KB": 4096,
}
FIRST = {"boosted, 1 KB": 40, "boosted, 4 KB": 160}  # trees that a search begins with
# What the hard-label student is picked from on a fifth of its rows: it has no teacher that
# would keep it from learning its rows by heart. Shares are of leaves or trees.
HELD_BACK = [(1.0, 1e-3), (1.0, 1e-1), (0.3, 1e-3), (0.3, 1e-1)]


def text_columns() -> make_column_selector:
    return make_column_selector(dtype_exclude=np.number)


def one_hot() -> Any:
    coder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer((coder, text_columns()), remainder="passthrough")


def alphabetical() -> Any:
    coder = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1
    )
    return make_column_transformer((coder, text_columns()), remainder="passthrough")


def make_teacher(seed: int, n_classes: int) -> Pipeline:
    """What one would build of scikit-learn for such a table: one-hot, then a vote of trees."""
    two = n_classes == 2
    boosted = LGBMClassifier(
        n_estimators=100 if two else 200,
        learning_rate=0.05 if two else 0.1,
        num_leaves=15 if two else 31,
        random_state=seed,
        n_jobs=1,
        verbose=-1,
    )
    extra = ExtraTreesClassifier(100, min_samples_leaf=5 if two else 2, random_state=seed, n_jobs=1)
    vote = VotingClassifier([("extra", extra), ("boosted", boosted)], voting="soft")
    return make_pipeline(one_hot(), vote)


def make_student(
    size: str, count: int, n_classes: int, seed: int, l2_regularization: float = 1e-3
) -> Any:
    """A tree of `count` leaves, or `count` trees."""
    if SIZES[size] is None:
        return SoftTreeClassifier(max_leaf_nodes=count)
    two = n_classes == 2
    return SoftBoostingClassifier(
        count,
        init=None if two else "linear",
        linear_bits=4,
        value_bits=4 if two else "ternary",
        threshold_bits=6,
        refit_l2_regularization=l2_regularization,
        random_state=seed,
    )


def within(fit: Callable[[int], Any], size: str, counts: dict[str, int]) -> Any:
    """A model of about, and no more than, the bytes of `size`; remembers how many trees.

    Three fits settle it nearly always.
    """
    room = SIZES[size]
    if room is None:
        return fit(64)
    count, tried, best = counts.get(size, FIRST[size]), {0: 60}, None
    for _ in range(4):
        model = fit(count)
        tried[count] = model.compact_.nbytes
        if tried[count] <= room and (best is None or count > best[0]):
            best = count, model
            if tried[count] >= 0.92 * room:
                break
        near = max(set(tried) - {count}, key=lambda other: (other > 0, -abs(other - count)))
        each = max(1.0, (tried[count] - tried[near]) / (count - near))
        count = max(1, int(count + (0.97 * room - tried[count]) / each))
        if count in tried:
            break
    if best is None:
        raise RuntimeError(f"no student fits into {room} bytes; tried {tried}")
    counts[size] = best[0]
    return best[1]


def figures(model: Any, X: Any, y: np.ndarray) -> dict[str, float]:
    P = np.clip(model.predict_proba(X), np.finfo(np.float64).eps, 1)
    P /= P.sum(axis=1, keepdims=True)
    said = model.predict(X)
    found = {
        "accuracy": accuracy_score(y, said),
        "balanced": balanced_accuracy_score(y, said),
        "log_loss": log_loss(y, P, labels=model.classes_),
    }
    if len(model.classes_) == 2:
        found["auc"] = roc_auc_score(y, P[:, 1])
        found["precision"] = average_precision_score(y == model.classes_[1], P[:, 1])
    else:
        found["auc"] = roc_auc_score(y, P, multi_class="ovr")
    return {key: float(value) for key, value in found.items()}


class Draw:
    """All models of one draw of a table; records are what is told of them."""

    def __init__(self, name: str, given: Frames, seed: int, sizes: list[str], memory: str) -> None:
        self.given, self.seed, self.sizes, self.memory = given, seed, sizes, memory
        self.base = {"table": name, "seed": seed}
        self.n_classes = len(np.unique(given.y_train))
        self.records: list[dict[str, Any]] = []
        self.counts: dict[str, int] = {}
        self.distilled: dict[str, Any] = {}
        self.picked: dict[str, Any] = {}

    def tell(self, model: Any, X: Any = None, /, **what: Any) -> None:
        found = figures(model, self.given.X_test if X is None else X, self.given.y_test)
        compact = getattr(model, "compact_", None)
        size = {} if compact is None else {"bytes": compact.nbytes}
        self.records.append(self.base | {"way": "plain"} | what | size | found)

    def distiller(self, student: Any, **settings: Any) -> DistilledClassifier:
        settings = {"transfer_set": Munge(FACTOR), **settings}
        teacher = make_teacher(self.seed, self.n_classes)
        return DistilledClassifier(
            teacher, student, memory=self.memory, random_state=self.seed, **settings
        )

    def fit_plain(self) -> None:
        """Teacher, and for each size the student on hard labels and the distilled one."""
        X, y = self.given.X_train, self.given.y_train
        for size in self.sizes:

            def taught(count: int, size: str = size) -> Any:
                student = make_student(size, count, self.n_classes, self.seed)
                return self.distiller(student).fit(X, y)

            started = time.perf_counter()
            model = within(taught, size, self.counts)
            seconds = time.perf_counter() - started
            self.distilled[size] = model
            self.tell(model, model="distilled", size=size, seconds=seconds)
            self.picked[size] = self.hard(size, None)
            self.tell(self.picked[size], model="hard, picked", size=size)
        self.tell(model.teacher_, model="teacher", size="")

    def hard(self, size: str, class_weight: str | None) -> Any:
        """The student on hard labels, as large as a fifth of its rows says is best."""
        X, y = self.given.X_train, self.given.y_train
        fit, pick = train_test_split(
            np.arange(len(y)), test_size=0.2, random_state=self.seed, stratify=y
        )
        weight = compute_sample_weight(class_weight, y[pick])

        def student(share: float, l2_regularization: float) -> Any:
            most = self.counts.get(size, 64)
            made = make_student(
                size, max(2, int(share * most)), self.n_classes, self.seed, l2_regularization
            )
            return made.set_params(class_weight=class_weight)

        losses = []
        choices = HELD_BACK if SIZES[size] else [(share, 0.0) for share in (1.0, 0.5, 0.25, 0.12)]
        for choice in choices:
            model = student(*choice).fit(X.iloc[fit], y[fit])
            P = np.clip(model.predict_proba(X.iloc[pick]), 1e-9, 1)
            losses.append(log_loss(y[pick], P, labels=model.classes_, sample_weight=weight))
        share, l2_regularization = choices[int(np.argmin(losses))]

        def whole(count: int) -> Any:
            made = make_student(size, count, self.n_classes, self.seed, l2_regularization)
            return made.set_params(class_weight=class_weight).fit(X, y)

        if SIZES[size] and share == 1.0 and class_weight is None:
            return within(whole, size, dict(self.counts))
        return student(share, l2_regularization).fit(X, y)

    def fit_ways(self) -> None:
        """What can be done for a rare class: weights, proportions of MUNGE rows, a threshold."""
        X, y = self.given.X_train, self.given.y_train
        for size in self.sizes:
            student = make_student(size, self.counts.get(size, 64), self.n_classes, self.seed)
            weighed = self.distiller(student, class_weight="balanced").fit(X, y)
            self.tell(weighed, model="distilled", size=size, way="class_weight")
            balanced = Munge(FACTOR, class_proportions="balanced")
            weighted = self.distiller(student, transfer_set=balanced).fit(X, y)
            self.tell(weighted, model="distilled", size=size, way="class_proportions")
            self.tell(
                self.hard(size, "balanced"), model="hard, picked", size=size, way="class_weight"
            )
            ways = {"distilled": self.distiller(student), "hard, picked": self.picked[size]}
            for model, estimator in ways.items():
                tuned = TunedThresholdClassifierCV(
                    clone(estimator), scoring="balanced_accuracy", cv=0.8, random_state=self.seed
                ).fit(X, y)
                exported = convert(tuned)
                wrong = exported.predict(_objects(self.given.X_test)) != tuned.predict(
                    self.given.X_test
                )
                self.tell(
                    tuned,
                    model=model,
                    size=size,
                    way="threshold",
                    bytes=exported.nbytes,
                    threshold=exported.threshold,
                    wrong=int(wrong.sum()),
                )
                if model == "distilled":
                    self.distilled[f"{size}, threshold"] = exported

    def fit_encodings(self) -> None:
        """Ranks, codes in the order of the alphabet, one-hot; all else is the same for them."""
        X, y = self.given.X_train, self.given.y_train
        teacher = make_teacher(self.seed, self.n_classes)
        P = cross_val_predict(teacher, X, y, method="predict_proba")
        more = Munge(FACTOR).sample(X, self.seed)
        P = np.concatenate([P, teacher.fit(X, y).predict_proba(more)])
        classes, hard = np.unique(y, return_inverse=True)
        labels = np.concatenate([hard, np.full(len(more), -1)])
        rows = pd.concat([X, more], ignore_index=True)
        targets_by_name = {"distilled": (rows, SoftTargets(P, labels, 0.5)), "hard": (X, hard)}
        for encoding, coder in (
            ("ranks", None),
            ("alphabet", alphabetical()),
            ("one-hot", one_hot()),
        ):
            if coder is not None:
                coder.fit(X)
            read = (lambda frame: frame) if coder is None else coder.transform
            test = read(self.given.X_test)
            for model, (frame, targets) in targets_by_name.items():
                counts = dict(self.counts)
                seen = read(frame)
                for size in self.sizes:

                    def taught(count: int, size: str = size, seen: Any = seen) -> Any:
                        student = make_student(size, count, self.n_classes, self.seed)
                        named = targets if isinstance(targets, SoftTargets) else classes[targets]  # noqa: B023
                        return student.fit(seen, named, classes=classes)

                    fitted = within(taught, size, counts)
                    self.tell(
                        fitted, test, model=model, size=size, encoding=encoding, way="encoding"
                    )

    def parity(self, n: int) -> list[dict[str, Any]]:
        """Spoiled rows on an emulated Cortex-M0 and in ONNX Runtime, against Python."""
        rows = spoil(self.given.X_test.iloc[:n], self.seed)
        told = []
        for size, model in self.distilled.items():
            compact = getattr(model, "compact_", model)
            X = _objects(rows)
            sessions = {
                "strings": open_session(
                    to_onnx(compact, per_column_inputs=True).SerializeToString()
                ),
                "indexes": open_session(to_onnx(compact).SerializeToString()),
            }
            one = self.base | {"size": size, "rows": len(rows), "bytes": compact.nbytes}
            one["onnx"] = {kind: count_mismatches(compact, s, X) for kind, s in sessions.items()}
            if model is not compact:
                # The student is asked: a distiller whose teacher had no NaN may take none.
                one["frame"] = int((model.student_.predict(rows) != compact.predict(X)).sum())
            one["device"] = {}
            for output in ("label", "proba_q15"):
                for layout in ("table", "code"):
                    run = profile(compact, X, target="cortex-m0", output=output, layout=layout)
                    one["device"][f"{output}, {layout}"] = {
                        "mismatches": run.mismatches,
                        "instructions": run.instructions_mean,
                        "flash": run.flash_bytes,
                    }
            told.append(one)
        return told


def _objects(frame: pd.DataFrame) -> np.ndarray:
    return frame.astype(object).to_numpy()


def measure(name: str, seed: int, args: argparse.Namespace) -> tuple[list[Any], list[Any]]:
    """Records and runs of one draw."""
    given = load(name, args.data, args.rows, seed)
    with TemporaryDirectory() as memory:  # the teacher is fitted once for all students
        draw = Draw(name, given, seed, args.sizes, memory)
        draw.fit_plain()
        if name in IMBALANCED:
            draw.fit_ways()
        draw.fit_encodings()
        return draw.records, draw.parity(args.spoiled) if seed == 0 else []


def parse() -> argparse.Namespace:
    parser = options(__doc__.splitlines()[0])
    add_data_options(parser)
    parser.add_argument("--draws", type=int, metavar="N", help=f"default: {SEEDS}")
    parser.add_argument("--rows", type=int, default=ROWS, metavar="N", help="training rows at most")
    parser.add_argument(
        "--resume", action="store_true", help="keep the draws that OUTPUT holds already"
    )
    args = parser.parse_args()
    if args.quick:
        args.data = None
    args.draws = args.draws or (1 if args.quick else SEEDS)
    args.sets = [MADE_UP] if args.data is None else choose_sets(args, ())
    args.sizes = list(SIZES)[: 2 if args.quick else None]
    args.spoiled = 200 if args.quick else SPOILED
    return args


def main() -> None:
    args = parse()
    warnings.filterwarnings("ignore", message="X does not have valid feature names")
    results: dict[str, Any] = {"rows": args.rows, "records": [], "parity": []}
    if args.resume and args.output.exists():
        kept = json.loads(args.output.read_text())
        results["records"], results["parity"] = kept["records"], kept["parity"]
    done = {(each["table"], each["seed"]) for each in results["records"]}
    todo = [(name, seed) for seed in range(args.draws) for name in args.sets]
    bar = tqdm([each for each in todo if each not in done])
    for name, seed in bar:
        bar.set_description(f"{name}, draw {seed}")
        records, runs = measure(name, seed, args)
        results["records"] += records
        results["parity"] += runs
        save(args.output, results)
    print(report(results))


if __name__ == "__main__":
    main()
