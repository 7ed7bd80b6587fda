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
from skdistill.inspection.results import Comparison, Dataset
from skdistill.model import CompactModel
from skdistill.students import SoftTreeClassifier
from skdistill.transfer import Munge

_ALPHA = 0.5  # of the soft labels
_TEST_SIZE = 0.25
_N_SYNTHETIC = 20  # for each training row
_N_STEPS = 4


def compare(
    name: str,
    dataset: Dataset,
    student: SoftTreeClassifier,
    out: str | PathLike[str],
    *,
    random_state: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Comparison:
    """Train, measure, export and verify on one split of a data set.

    Parameters
    ----------
    name : str
        Name of the data set. With _ for spaces it names the files in `out`.
    dataset : Dataset
        Rows, labels and column names.
    student : SoftTreeClassifier
        Not fitted.
    out : str or path-like
        Existing folder for the exported students.
    random_state : int, default=0
        Seed of the split and of all models.
    progress : callable, default=None
        Called with one line of text before each step.

    Returns
    -------
    comparison : Comparison

    Raises
    ------
    ImportError
        If a package of the extras "boost" or "onnx" is not installed.
    """
    start = time.perf_counter()
    step = _numbered_steps(name, progress)
    X, X_test, y, y_test = train_test_split(
        dataset.X.astype(np.float32),  # what students and ONNX read, so all models see the same
        dataset.y,
        test_size=_TEST_SIZE,
        random_state=random_state,
        stratify=dataset.y,
    )

    step("the teacher, out of fold and on all rows, then the distilled student")
    distilled = DistilledClassifier(
        default_teacher(random_state=random_state, n_jobs=1),
        student,
        alpha=_ALPHA,
        transfer_set=Munge(_N_SYNTHETIC),
        random_state=random_state,
        verbose=int(progress is not None),
    ).fit(X, y)
    teacher = distilled.teacher_

    step("the same student from hard labels alone, and scikit-learn's")
    hard = DistilledClassifier(None, student, alpha=0, random_state=random_state).fit(X, y)
    counterpart = scikit_learn_counterpart(student, random_state=random_state).fit(X, y)

    step("accuracy, fidelity, log loss, latency on the held-out rows")
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
            "alpha": _ALPHA,
            "transfer_set": repr(distilled.transfer_set),
            "test_size": _TEST_SIZE,
            "random_state": random_state,
        },
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


def _numbered_steps(name: str, progress: Callable[[str], None] | None) -> Callable[[str], None]:
    """Put the data set and the number of the step before each line of progress."""
    done = 0

    def step(description: str) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(f"[{name} {done}/{_N_STEPS}] {description}")

    return step


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
