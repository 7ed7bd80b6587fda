"""What distillation brings on one table: teacher, plain students and distilled student.

All figures are of rows that neither teacher nor students have seen. Students are judged
by the `CompactModel` that is written to disk, never by a float ancestor of it.
"""

from __future__ import annotations

import pickle
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skdistill.compact import TreeTable
from skdistill.dataframe.files import Table, TableError, quoted
from skdistill.distillation import DistilledClassifier
from skdistill.export.onnx.export import to_onnx
from skdistill.export.onnx.graph import import_onnx
from skdistill.export.onnx.parity import (
    count_mismatches,
    import_onnxruntime,
    open_session,
    probe_rows,
)
from skdistill.metrics import fidelity_score
from skdistill.model import CompactModel
from skdistill.students import SoftLinearClassifier, SoftTreeClassifier
from skdistill.transfer import Munge

Say = Callable[[str], None]
Role = Literal["teacher", "scikit-learn", "hard labels", "distilled"]

LEAST_ROWS, LEAST_OF_A_CLASS = 20, 4
SMALL = 10_000  # rows below which threads cost more than they bring
_MOST_MUNGED = 50_000  # rows; the search for neighbours takes time quadratic in them
_MOST_SYNTHETIC = 200_000, 20_000_000  # rows and values
_CLIP = np.finfo(float).eps  # of probabilities in a log loss, as in scikit-learn


@dataclass(frozen=True)
class Candidate:
    """One model and its figures.

    Attributes
    ----------
    role : {"teacher", "scikit-learn", "hard labels", "distilled"}
    name : str
    accuracy, fidelity, log_loss : float
    bytes : int
        Of the pickle; for students of the constant tables that a device holds.
    predict_us : float
        Median microseconds of ``predict`` on a single row.
    onnx_us : float or None
        The same of the ONNX file in ONNX Runtime, on one thread.
    files : dict of str to int
        What was written into the output folder, and the bytes of these files.
    onnx_rows, mismatches : int or None
        Rows on which ONNX Runtime and Python were compared, and on how many of them a
        label or an integer score differs.
    """

    role: Role
    name: str
    accuracy: float
    fidelity: float
    log_loss: float
    bytes: int
    predict_us: float
    onnx_us: float | None = None
    files: dict[str, int] = field(default_factory=dict)
    onnx_rows: int | None = None
    mismatches: int | None = None


class Gain(NamedTuple):
    """What the distilled student has over the hard-label one; positive is better.

    Attributes
    ----------
    amount : float
        Mean over the held-out rows.
    z : float
        `amount` in units of the standard error it would have by chance alone.
    """

    amount: float
    z: float


@dataclass(frozen=True)
class Comparison:
    """All figures of one table.

    Attributes
    ----------
    name : str
    n_train, n_test : int
    columns : tuple of str
        In the order in which every exported model reads them.
    classes : tuple
    settings : dict
    notes : tuple of str
        What was changed in the table before.
    candidates : tuple of Candidate
    accuracy_gain, log_loss_gain : Gain
    seconds : float
    """

    name: str
    n_train: int
    n_test: int
    columns: tuple[str, ...]
    classes: tuple[Any, ...]
    settings: dict[str, Any]
    notes: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    accuracy_gain: Gain
    log_loss_gain: Gain
    seconds: float

    def __getitem__(self, role: Role) -> Candidate:
        """Candidate of that role."""
        return next(candidate for candidate in self.candidates if candidate.role == role)

    @property
    def onnx_rows(self) -> int:
        """Rows on which ONNX Runtime and Python were compared."""
        return sum(candidate.onnx_rows or 0 for candidate in self.candidates)

    @property
    def mismatches(self) -> int:
        """Rows among them on which a label or a score differs."""
        return sum(candidate.mismatches or 0 for candidate in self.candidates)


def compare(
    name: str,
    table: Table,
    student: SoftTreeClassifier | SoftLinearClassifier,
    out: str | PathLike[str],
    *,
    temperature: float | str = 1.0,
    alpha: float = 0.5,
    test_size: float = 0.25,
    seed: int = 0,
    n_jobs: int | None = None,
    say: Say | None = None,
) -> Comparison:
    """Teach, measure, export and check, once, on one split of a table.

    Parameters
    ----------
    name : str
        Of the table; also, with _ for spaces, of the files in `out`.
    table : Table
    student : SoftTreeClassifier or SoftLinearClassifier
        Unfitted.
    out : str or path-like
        Folder for the exported students; it must exist.
    temperature : float or "auto", default=1.0
    alpha : float in (0, 1], default=0.5
        Weight of the teacher's soft labels against the hard ones.
    test_size : float in (0, 1), default=0.25
        Share of the rows that is held out, stratified.
    seed : int, default=0
    n_jobs : int, default=None
        Threads of the teacher; None is one on small tables, else all cores.
    say : callable, default=None
        Takes one line of progress at a time.

    Returns
    -------
    comparison : Comparison

    Raises
    ------
    TableError
        If the table has too few rows.
    ImportError
        Without the extras "boost" and "onnx".
    """
    started = time.perf_counter()
    progress = _Progress(name, say)
    X, X_test, y, y_test = _split(table, test_size, seed)

    progress.step("the teacher, out of fold and on all rows, then the distilled student")
    distilled = DistilledClassifier(
        committee(seed=seed, n_jobs=n_jobs or (1 if len(X) < SMALL else -1)),
        student,
        temperature=temperature,
        alpha=alpha,
        transfer_set=_transfer(*X.shape),
        random_state=seed,
        verbose=int(say is not None),
    ).fit(X, y)
    teacher = distilled.teacher_

    progress.step("the same student from hard labels alone, and scikit-learn's")
    hard = DistilledClassifier(None, student, alpha=0, random_state=seed).fit(X, y)
    plain = _scikit_learn_peer(student, X, seed).fit(X, y)

    progress.step("accuracy, fidelity, log loss, latency on the held-out rows")
    _use_one_thread(teacher)
    exam = _Evaluation(X_test, y_test, distilled.classes_, teacher)
    candidates = [
        exam.sit("teacher", "XGBoost + LightGBM + forest", teacher, calls=50),
        exam.sit("scikit-learn", f"scikit-learn {_kind(plain)}", plain),
        exam.sit("hard labels", f"hard-label {_kind(hard.student_)}", hard),
        exam.sit("distilled", f"distilled {_kind(distilled.student_)}", distilled),
    ]

    progress.step("ONNX Runtime against Python, row by row")
    stem = name.replace(" ", "_")
    for at, fitted, file in ((2, hard, f"{stem}-hard-labels"), (3, distilled, stem)):
        model = replace(fitted.compact_, feature_names=tuple(table.columns))
        candidates[at] = _export(model, candidates[at], Path(out), file, X_test, seed)

    return Comparison(
        name=name,
        n_train=len(X),
        n_test=len(X_test),
        columns=tuple(table.columns),
        classes=tuple(distilled.classes_.tolist()),
        settings={
            "student": repr(student),
            "temperature": temperature,
            "temperature_used": distilled.temperature_,
            "alpha": alpha,
            "transfer_set": None
            if distilled.transfer_set is None
            else repr(distilled.transfer_set),
            "test_size": test_size,
            "seed": seed,
        },
        notes=tuple(table.notes),
        candidates=tuple(candidates),
        accuracy_gain=_gain(exam.right(distilled).astype(float) - exam.right(hard)),
        log_loss_gain=_gain(exam.losses(hard) - exam.losses(distilled)),
        seconds=time.perf_counter() - started,
    )


def committee(*, seed: int = 0, n_jobs: int | None = None) -> VotingClassifier:
    """Make the teacher: XGBoost, LightGBM and a random forest, voting softly.

    Parameters
    ----------
    seed : int, default=0
    n_jobs : int, default=None
        Threads of each member.

    Returns
    -------
    teacher : VotingClassifier
        Unfitted. Labels of any kind, and NaN, will do.

    Raises
    ------
    ImportError
        Without the extra "boost".
    """
    try:
        from lightgbm import LGBMClassifier
        from xgboost import XGBClassifier
    except ImportError as error:
        raise ImportError(
            f"the teacher needs {error.name}: pip install 'skdistill[boost]'"
        ) from error
    shared = {"n_jobs": n_jobs, "random_state": seed}
    members = [
        ("xgboost", XGBClassifier(n_estimators=100, tree_method="hist", **shared)),
        (
            "lightgbm",
            LGBMClassifier(
                n_estimators=100, deterministic=True, force_col_wise=True, verbose=-1, **shared
            ),
        ),
        ("forest", RandomForestClassifier(200, max_leaf_nodes=4096, **shared)),
    ]
    return VotingClassifier(members, voting="soft")


def check_extras() -> None:
    """Import what a comparison needs, so that a missing extra shows before the work.

    Raises
    ------
    ImportError
        That names the extra.
    """
    committee()
    import_onnx()
    import_onnxruntime()


def _split(table: Table, test_size: float, seed: int) -> list[NDArray[Any]]:
    """Rows to learn from, held-out rows, and the labels of both."""
    n = len(table.y)
    if n < LEAST_ROWS:
        raise TableError(f"{n} rows with a label are too few: {LEAST_ROWS} are the least")
    classes, count = np.unique(table.y, return_counts=True)
    rare = classes[count < LEAST_OF_A_CLASS]
    if len(rare):
        raise TableError(
            f"fewer than {LEAST_OF_A_CLASS} rows have the label {quoted(rare)}: leave these rows "
            "out, or give them another label"
        )
    n_test = int(np.ceil(test_size * n))
    if n_test < len(classes) or n - n_test < 2 * len(classes):
        raise TableError(
            f"--test-size {test_size:g} leaves {n - n_test} rows to learn from and {n_test} to "
            f"measure on, too few for {len(classes)} classes"
        )
    X = table.X.astype(np.float32)  # what students and ONNX read, so let all see the same
    parts = train_test_split(X, table.y, test_size=n_test, random_state=seed, stratify=table.y)
    kept, count = np.unique(parts[2], return_counts=True)
    if len(kept) < len(classes) or count.min() < 2:
        raise TableError(f"--test-size {test_size:g} leaves a class without two rows to learn from")
    return parts


def _transfer(n: int, d: int) -> Munge | None:
    """Twenty synthetic rows for each row, fewer of big tables, none where rows abound."""
    if n > _MOST_MUNGED:
        return None
    rows, values = _MOST_SYNTHETIC
    return Munge(factor=int(np.clip(min(rows // n, values // (n * d)), 1, 20)))


def _scikit_learn_peer(student: Any, X: NDArray[Any], seed: int) -> Any:
    if isinstance(student, SoftLinearClassifier):
        before = [SimpleImputer(keep_empty_features=True)] if np.isnan(X).any() else []
        return make_pipeline(*before, StandardScaler(), LogisticRegression(max_iter=1000))
    return DecisionTreeClassifier(
        max_leaf_nodes=student.max_leaf_nodes,
        max_depth=student.max_depth,
        min_samples_leaf=student.min_samples_leaf,
        random_state=seed,
    )


def _kind(fitted: Any) -> str:
    if isinstance(fitted, DecisionTreeClassifier):
        return f"tree, {fitted.get_n_leaves()} leaves"
    if isinstance(fitted, SoftTreeClassifier):
        return f"tree, {_leaves(fitted.compact_)} leaves"
    return "logistic regression" if hasattr(fitted, "steps") else "linear model"


def _leaves(model: CompactModel) -> int:
    return 1 + sum(len(table.feature) for table in model.tables_of(TreeTable))


def _use_one_thread(teacher: VotingClassifier) -> None:
    """On single rows threads only cost time."""
    for member in teacher.estimators_:
        member.set_params(n_jobs=1)


class _Evaluation:
    """Held-out rows, and what the models answer on them."""

    def __init__(
        self, X: NDArray[np.float32], y: NDArray[Any], classes: NDArray[Any], teacher: Any
    ) -> None:
        self.X, self.y, self.classes = X, y, classes
        self.teacher_labels = teacher.predict(X)

    def sit(self, role: Role, name: str, model: Any, calls: int = 200) -> Candidate:
        compact = hasattr(model, "compact_")
        deployed = getattr(model, "student_", model)
        return Candidate(
            role=role,
            name=name,
            accuracy=float(self.right(model).mean()),
            fidelity=fidelity_score(self.teacher_labels, model.predict(self.X)),
            log_loss=float(self.losses(model).mean()),
            bytes=model.compact_.nbytes if compact else _pickled_bytes(model),
            predict_us=microseconds(deployed.predict, self.X, calls),
        )

    def right(self, model: Any) -> NDArray[np.bool_]:
        return model.predict(self.X) == self.y

    def losses(self, model: Any) -> NDArray[np.float64]:
        """Negative log probability of each row's true label."""
        number = np.searchsorted(self.classes, self.y)
        P = model.predict_proba(self.X)[np.arange(len(number)), number]
        return -np.log(np.clip(P, _CLIP, 1))


def _pickled_bytes(model: Any) -> int:
    """Length of the pickle, without holding it in memory."""

    class Counter:
        length = 0

        def write(self, part: Any) -> None:
            self.length += memoryview(part).nbytes

    counter = Counter()
    pickle.dump(model, counter)
    return counter.length


def microseconds(predict: Callable[[Any], Any], X: NDArray[Any], calls: int = 200) -> float:
    """Median time of `predict` on a single row.

    Parameters
    ----------
    predict : callable
        Takes a table of one row.
    X : array of shape (n, d)
        Rows to ask for, one after the other.
    calls : int, default=200

    Returns
    -------
    microseconds : float
    """
    rows = [X[i : i + 1] for i in range(min(len(X), calls))]
    for row in rows[:10]:
        predict(row)
    times = []
    for call in range(calls):
        row = rows[call % len(rows)]
        before = time.perf_counter_ns()
        predict(row)
        times.append(time.perf_counter_ns() - before)
    return statistics.median(times) / 1000


def _export(
    model: CompactModel, candidate: Candidate, out: Path, stem: str, X: NDArray[Any], seed: int
) -> Candidate:
    """Write `model` as .onnx and .skd, and run the ONNX file on held-out and probing rows."""
    files = [out / f"{stem}.onnx", out / f"{stem}.skd"]
    to_onnx(model, files[0])
    model.save(files[1])
    session = open_session(files[0])
    rows = np.concatenate([X, probe_rows(model, X, seed=seed)])
    return replace(
        candidate,
        onnx_us=microseconds(lambda row: session.run(["label"], {"X": row}), X),
        files={file.name: file.stat().st_size for file in files},
        onnx_rows=len(rows),
        mismatches=count_mismatches(model, session, rows),
    )


def _gain(better_by: NDArray[np.float64]) -> Gain:
    """Mean of paired differences; `z` is McNemar's where they are -1, 0 and 1."""
    scatter = float(np.sqrt((better_by**2).sum()))
    return Gain(float(better_by.mean()), float(better_by.sum()) / scatter if scatter > 0 else 0.0)


class _Progress:
    """Numbered lines of what is being done."""

    STEPS = 4

    def __init__(self, name: str, say: Say | None) -> None:
        self.name, self.say, self.done = name, say, 0

    def step(self, what: str) -> None:
        self.done += 1
        if self.say is not None:
            self.say(f"[{self.name} {self.done}/{self.STEPS}] {what}")
