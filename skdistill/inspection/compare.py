"""Compare teacher, plain students and distilled student on one data set.

All figures are computed on rows that neither teacher nor students have seen. Students are
judged by the `CompactModel` that is written to disk.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from skdistill.dataframe.files import Dataset, DatasetError, quoted
from skdistill.distillation import DistilledClassifier
from skdistill.export.onnx.export import to_onnx
from skdistill.export.onnx.graph import import_onnx
from skdistill.export.onnx.parity import (
    count_mismatches,
    import_onnxruntime,
    open_session,
    probe_rows,
)
from skdistill.inspection.candidates import (
    TEACHER_NAME,
    default_teacher,
    describe,
    scikit_learn_counterpart,
)
from skdistill.inspection.evaluation import Evaluation, latency, paired_gain
from skdistill.inspection.results import Comparison
from skdistill.model import CompactModel
from skdistill.students import SoftLinearClassifier, SoftTreeClassifier
from skdistill.transfer import Munge

MIN_ROWS = 20
MIN_ROWS_PER_CLASS = 4
_SINGLE_THREAD_ROWS = 10_000  # below, threads cost more time than they save
_MAX_MUNGE_ROWS = 50_000  # the search for neighbours takes time quadratic in the rows
_MAX_SYNTHETIC_ROWS = 200_000
_MAX_SYNTHETIC_VALUES = 20_000_000
_N_STEPS = 4


def compare(
    name: str,
    dataset: Dataset,
    student: SoftTreeClassifier | SoftLinearClassifier,
    out: str | PathLike[str],
    *,
    temperature: float | str = 1.0,
    alpha: float = 0.5,
    test_size: float = 0.25,
    random_state: int = 0,
    n_jobs: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> Comparison:
    """Train, measure, export and verify on one split of a data set.

    Parameters
    ----------
    name : str
        Name of the data set. With _ for spaces it names the files in `out`.
    dataset : Dataset
        Rows, labels and column names.
    student : SoftTreeClassifier or SoftLinearClassifier
        Not fitted.
    out : str or path-like
        Existing folder for the exported students.
    temperature : float or "auto", default=1.0
        Temperature of the teacher's probabilities, see `DistilledClassifier`.
    alpha : float in (0, 1], default=0.5
        Weight of the soft labels; 1 - `alpha` is the weight of the hard labels.
    test_size : float in (0, 1), default=0.25
        Fraction of the rows that is held out, stratified by class.
    random_state : int, default=0
        Seed of the split and of all models.
    n_jobs : int, default=None
        Number of threads of the teacher. None means one below 10,000 training rows, all
        cores from there on.
    progress : callable, default=None
        Called with one line of text before each step.

    Returns
    -------
    comparison : Comparison

    Raises
    ------
    DatasetError
        If the data set has too few rows.
    ImportError
        If a package of the extras "boost" or "onnx" is not installed.
    """
    start = time.perf_counter()
    step = _numbered_steps(name, progress)
    X, X_test, y, y_test = _split(dataset, test_size, random_state)

    step("the teacher, out of fold and on all rows, then the distilled student")
    n_synthetic = n_synthetic_per_row(*X.shape)
    distilled = DistilledClassifier(
        default_teacher(
            random_state=random_state, n_jobs=n_jobs or (1 if len(X) < _SINGLE_THREAD_ROWS else -1)
        ),
        student,
        temperature=temperature,
        alpha=alpha,
        transfer_set=Munge(n_synthetic) if n_synthetic else None,
        random_state=random_state,
        verbose=int(progress is not None),
    ).fit(X, y)
    teacher = distilled.teacher_

    step("the same student from hard labels alone, and scikit-learn's")
    hard = DistilledClassifier(None, student, alpha=0, random_state=random_state).fit(X, y)
    counterpart = scikit_learn_counterpart(distilled.student_, X, random_state=random_state).fit(
        X, y
    )

    step("accuracy, fidelity, log loss, latency on the held-out rows")
    for member in teacher.estimators_:  # on single rows threads only cost time
        member.set_params(n_jobs=1)
    evaluation = Evaluation(X_test, y_test, distilled.classes_, teacher)
    evaluate = evaluation.evaluate
    teacher_figures = evaluate("teacher", TEACHER_NAME, teacher, n_calls=50)
    counterpart_figures = evaluate(
        "scikit-learn", f"scikit-learn {describe(counterpart)}", counterpart
    )
    hard_figures = evaluate("hard labels", f"hard-label {describe(hard.student_)}", hard)
    distilled_figures = evaluate(
        "distilled", f"distilled {describe(distilled.student_)}", distilled
    )

    step("ONNX Runtime against Python, row by row")
    stem = name.replace(" ", "_")
    candidates = [teacher_figures, counterpart_figures]
    for model, figures, file_stem in (
        (hard, hard_figures, f"{stem}-hard-labels"),
        (distilled, distilled_figures, stem),
    ):
        compact = replace(model.compact_, feature_names=tuple(dataset.columns))
        exported = _export_and_verify(compact, Path(out) / file_stem, X_test, random_state)
        candidates.append(replace(figures, **exported))

    return Comparison(
        name=name,
        n_train=len(X),
        n_test=len(X_test),
        columns=tuple(dataset.columns),
        classes=tuple(distilled.classes_.tolist()),
        settings={
            "student": repr(student),
            "temperature": temperature,
            "temperature_used": distilled.temperature_,
            "alpha": alpha,
            "transfer_set": repr(distilled.transfer_set) if n_synthetic else None,
            "test_size": test_size,
            "random_state": random_state,
        },
        notes=tuple(dataset.notes),
        candidates=tuple(candidates),
        accuracy_gain=paired_gain(
            evaluation.hits(distilled).astype(np.int8) - evaluation.hits(hard).astype(np.int8)
        ),
        log_loss_gain=paired_gain(evaluation.losses(hard) - evaluation.losses(distilled)),
        seconds=time.perf_counter() - start,
    )


def check_extras() -> None:
    """Import the optional packages of `compare`, so that a missing one shows at once.

    Raises
    ------
    ImportError
        If a package is not installed. The message names the extra.
    """
    default_teacher()
    import_onnx()
    import_onnxruntime()


def n_synthetic_per_row(n_samples: int, n_features: int) -> int:
    """Choose how many MUNGE rows to make for each training row.

    Parameters
    ----------
    n_samples : int
        Number of training rows.
    n_features : int
        Number of columns.

    Returns
    -------
    n_per_row : int
        20 for small tables, fewer for large ones, 0 above 50,000 rows.
    """
    if n_samples > _MAX_MUNGE_ROWS:
        return 0
    by_rows = _MAX_SYNTHETIC_ROWS // n_samples
    by_values = _MAX_SYNTHETIC_VALUES // (n_samples * n_features)
    return int(np.clip(min(by_rows, by_values), 1, 20))


def _numbered_steps(name: str, progress: Callable[[str], None] | None) -> Callable[[str], None]:
    """Put the data set and the number of the step before each line of progress."""
    done = 0

    def step(description: str) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(f"[{name} {done}/{_N_STEPS}] {description}")

    return step


def _split(
    dataset: Dataset, test_size: float, random_state: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[Any], NDArray[Any]]:
    """Training rows, held-out rows, and the labels of both; refuse tables that are too small."""
    n = len(dataset.y)
    if n < MIN_ROWS:
        raise DatasetError(
            f"Found {n} row(s) with a label, while a minimum of {MIN_ROWS} is required"
        )
    classes, counts = np.unique(dataset.y, return_counts=True)
    rare = classes[counts < MIN_ROWS_PER_CLASS]
    if len(rare):
        raise DatasetError(
            f"fewer than {MIN_ROWS_PER_CLASS} rows have the label {quoted(rare)}: leave these rows "
            "out, or give them another label"
        )
    n_test = int(np.ceil(test_size * n))
    if n_test < len(classes) or n - n_test < 2 * len(classes):
        raise DatasetError(
            f"test_size={test_size:g} leaves {n - n_test} rows for training and {n_test} for "
            f"testing, too few for {len(classes)} classes"
        )
    X = dataset.X.astype(np.float32)  # what students and ONNX read, so all models see the same
    X_fit, X_test, y, y_test = train_test_split(
        X, dataset.y, test_size=n_test, random_state=random_state, stratify=dataset.y
    )
    present, counts = np.unique(y, return_counts=True)
    if len(present) < len(classes) or counts.min() < 2:
        raise DatasetError(
            f"test_size={test_size:g} leaves a class with fewer than two training rows"
        )
    return X_fit, X_test, y, y_test


def _export_and_verify(
    model: CompactModel, stem: Path, X: NDArray[np.float32], random_state: int
) -> dict[str, Any]:
    """Write `model` as .onnx and .skd, and run the ONNX file on held-out and probing rows."""
    files = [stem.parent / f"{stem.name}{suffix}" for suffix in (".onnx", ".skd")]
    to_onnx(model, files[0])
    model.save(files[1])
    session = open_session(files[0])
    rows = np.concatenate([X, probe_rows(model, X, seed=random_state)])
    return {
        "onnx_us": latency(lambda row: session.run(["label"], {"X": row}), X),
        "files": {file.name: file.stat().st_size for file in files},
        "onnx_rows": len(rows),
        "mismatches": count_mismatches(model, session, rows),
    }
