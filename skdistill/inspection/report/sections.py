"""The figures of a report, as dictionaries that JSON can hold."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import platform
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import log_loss, r2_score, root_mean_squared_error

import skdistill
from skdistill.compact.file_format import to_bytes
from skdistill.compact.model_tables import ModelTables
from skdistill.compact.packing.pack import table_sizes
from skdistill.dataframe.rows import take_rows
from skdistill.device import Profile, profile
from skdistill.export.readable.conditions import column_name
from skdistill.inspection.bounds import clopper_pearson, upper_bound
from skdistill.inspection.displays.fidelity import reliability_curve
from skdistill.inspection.displays.pareto import pareto_front
from skdistill.inspection.evaluation import paired_gain, pickled_size
from skdistill.inspection.groups import (
    GroupGap,
    as_names,
    error_gaps,
    fidelity_gaps,
    part_figures,
)
from skdistill.inspection.predictions import Predictions
from skdistill.metrics import retention_score

_PACKAGES = ("numpy", "scipy", "scikit-learn", "numba", "xgboost", "lightgbm", "onnx", "ziglang")
_MOST_ROWS = 64  # that run on an emulated device
_MOST_PARTS = 60  # groups or classes of a table
_MOST_CANDIDATES = 300
_MOST_FILE = 1 << 16  # bytes of a model inside of a page


def describe_model(model: Any, compact: ModelTables) -> dict[str, Any]:
    """What the model is: tables, bytes, columns, classes.

    Parameters
    ----------
    model : CompactModel, student or distiller
        As it was passed.
    compact : ModelTables
        Its tables.

    Returns
    -------
    section : dict
    """
    sizes = table_sizes(compact)
    return {
        "estimator": type(model).__name__,
        "holds": [table.describe() for table in compact.tables],
        "nbytes": sum(sizes.values()),
        "parts": dict(sorted(sizes.items(), key=lambda each: -each[1])),
        "n_features": compact.n_features,
        "columns_read": [column_name(compact, int(j)) for j in compact.columns],
        "classes": None if compact.classes is None else [str(c) for c in compact.classes.tolist()],
        "link": compact.link,
    }


def quality(predictions: Predictions, classes: NDArray[Any] | None) -> dict[str, Any]:
    """Figures of student, teacher and the student on hard labels.

    Parameters
    ----------
    predictions : Predictions
        Of the rows.
    classes : array of shape (n_classes,) or None
        Names of the columns of probabilities; None for a regression.

    Returns
    -------
    section : dict
    """
    p = predictions
    models = {
        "student": (p.student, p.P_student),
        "teacher": (p.teacher, p.P_teacher),
        "hard_labels": (p.hard_labels, p.P_hard_labels),
    }
    known = {name: each for name, each in models.items() if each[0] is not None}
    section: dict[str, Any] = {
        "n_rows": len(p.y),
        "out_of_fold": p.out_of_fold,
        "task": "regression" if classes is None else "classification",
        "models": {name: _figures(p.y, *each, classes) for name, each in known.items()},
    }
    if p.teacher is None:
        return section
    if classes is None:
        section["fidelity_r2"] = float(r2_score(p.teacher, p.student))
        return section
    count, n = int((p.teacher != p.student).sum()), len(p.y)
    interval = clopper_pearson(n - count, n)
    section |= {
        "fidelity": interval.share,
        "fidelity_low": interval.low,
        "fidelity_high": interval.high,
        "disagreement": 1 - interval.share,
        "disagreement_bound": upper_bound(count, n),
        "retention": retention_score(p.y, p.teacher, p.student),
    }
    if p.hard_labels is not None:
        hits = [(each == p.y).astype(np.int8) for each in (p.student, p.hard_labels)]
        section["gain"] = paired_gain(hits[0] - hits[1])._asdict()
    return section


def _figures(
    y: NDArray[Any], labels: Any, P: NDArray[Any] | None, classes: NDArray[Any] | None
) -> dict[str, Any]:
    if classes is None:
        return {"r2": float(r2_score(y, labels)), "rmse": float(root_mean_squared_error(y, labels))}
    interval = clopper_pearson(int((labels == y).sum()), len(y))
    figures: dict[str, Any] = {
        "accuracy": interval.share, "accuracy_low": interval.low, "accuracy_high": interval.high,
        "log_loss": None, "calibration_error": None,
    }  # fmt: skip
    if P is not None and np.isin(y, classes).all():
        clipped = np.clip(P, np.finfo(float).eps, 1)
        clipped /= clipped.sum(axis=1, keepdims=True)
        if len(classes) > 1:
            figures["log_loss"] = float(log_loss(y, clipped, labels=classes))
        figures["calibration_error"] = reliability_curve(labels == y, P.max(axis=1)).error
    return figures


def by_class_and_group(
    predictions: Predictions, groups: ArrayLike | None, positive: Any
) -> dict[str, Any]:
    """Figures by class and by group, and groups that are treated otherwise.

    Parameters
    ----------
    predictions : Predictions
        Of a classification.
    groups : array-like of shape (n_samples,) or None
        Group of each row.
    positive : label
        Class whose shares are counted.

    Returns
    -------
    section : dict
        Empty without a teacher. Of more than 60 classes or groups the largest are shown.
    """
    p = predictions
    if p.teacher is None:
        return {}
    section: dict[str, Any] = {"classes": _parts(p, as_names(p.y), positive)}
    if groups is not None:
        names = as_names(groups)
        section["groups"] = _parts(p, names, positive)
        section["teacher_gaps"] = _as_dicts(error_gaps(p.y, p.teacher, names))
        section["student_gaps"] = _as_dicts(error_gaps(p.y, p.student, names))
        section["fidelity_gaps"] = _as_dicts(fidelity_gaps(p.teacher, p.student, names))
    return section


def _parts(predictions: Predictions, names: NDArray[Any], positive: Any) -> list[dict[str, Any]]:
    """Figures of the largest parts."""
    p = predictions
    assert p.teacher is not None
    parts, counts = np.unique(names, return_counts=True)
    at = np.isin(names, parts[np.argsort(-counts, kind="stable")[:_MOST_PARTS]])
    figures = part_figures(p.y[at], p.teacher[at], p.student[at], names[at], positive=positive)
    return [each._asdict() for each in figures]


def _as_dicts(gaps: tuple[GroupGap, ...]) -> list[dict[str, Any]]:
    return [gap._asdict() | {"text": str(gap)} for gap in gaps[:20]]


def calibration(predictions: Predictions) -> dict[str, Any]:
    """Confidence and accuracy by bin.

    Parameters
    ----------
    predictions : Predictions
        Of a classification.

    Returns
    -------
    section : dict
        For student and teacher, as far as their probabilities are known.
    """
    section = {}
    p = predictions
    for name, labels, P in (
        ("student", p.student, p.P_student),
        ("teacher", p.teacher, p.P_teacher),
    ):
        if labels is None or P is None:
            continue
        curve = reliability_curve(labels == p.y, P.max(axis=1))
        section[name] = {key: value.tolist() for key, value in curve._asdict().items()}
    return section


def candidates(
    model: dict[str, Any], figures: dict[str, Any], search: Any, teacher: Any
) -> dict[str, Any]:
    """Points of the Pareto chart: candidates of a search, and the models of the report.

    Parameters
    ----------
    model, figures : dict
        From `describe_model` and `quality`.
    search : object or None
        With `pareto_`.
    teacher : estimator or None
        Whose pickle is measured.

    Returns
    -------
    section : dict
        `score` names what the points are compared by; `with_code` says whether bytes are those of
        the search's footprint, code included, in place of those of the tables.
    """
    is_classification = figures["task"] == "classification"
    score = "accuracy" if is_classification else "r2"
    points = []
    if search is not None:
        frame = search.pareto_
        for k in range(min(len(frame), _MOST_CANDIDATES)):
            row = {name: _plain(frame[name].iloc[k]) for name in frame.columns}
            points.append({"name": f"candidate {k + 1}", **row, "score": row.get(score)})
    names = {"student": "this student", "teacher": "teacher", "hard_labels": "hard labels alone"}
    footprint = getattr(search, "footprint_", None)
    nbytes = model["nbytes"] if footprint is None else int(footprint.flash)
    sizes = {"student": nbytes, "hard_labels": nbytes}
    for name, each in figures["models"].items():
        size = sizes.get(name)
        if name == "teacher":
            size = None if teacher is None else _pickled_size(teacher)
        point = {"name": names[name], "family": names[name], "bytes": size, **each}
        points.append(point | {"score": each[score]})
    shown = [
        p for p in points if p.get("bytes") and p["score"] is not None and p["score"] == p["score"]
    ]
    front = pareto_front([p["bytes"] for p in shown], [p["score"] for p in shown])
    for point, is_front in zip(shown, front, strict=True):
        point["front"] = bool(is_front)
    return {"score": score, "points": shown, "with_code": footprint is not None}


def _pickled_size(teacher: Any) -> int | None:
    try:
        return pickled_size(teacher)
    except Exception:  # any teacher may refuse, each in its own way: then its size is not known
        return None


def _plain(value: Any) -> Any:
    """A value that JSON can hold."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def measure_devices(
    compact: ModelTables, X: ArrayLike | None, targets: tuple[str, ...]
) -> tuple[dict[str, Profile], str]:
    """Profile the model on devices.

    Parameters
    ----------
    compact : ModelTables
        What is compiled.
    X : array-like of shape (n_samples, n_features) or None
        Rows; the first ones run.
    targets : tuple of str
        Devices.

    Returns
    -------
    profiles : dict of str to Profile
    note : str
        Why there are none; else empty.
    """
    n_rows = 0 if X is None else min(_MOST_ROWS, np.shape(X)[0])
    if n_rows == 0:
        return {}, "No rows were passed that could run on a device."
    rows = take_rows(X, np.arange(n_rows))
    try:
        return {name: profile(compact, rows, target=name) for name in targets}, ""
    except ImportError as error:
        return {}, f"Not measured: {error}"


def fingerprints(
    compact: ModelTables, X: NDArray[Any] | None, y: ArrayLike | None
) -> dict[str, Any]:
    """SHA-256 of the model's file and of the rows.

    Parameters
    ----------
    compact : ModelTables
        The model.
    X : array of shape (n_samples, n_features) or None
        Rows, from `ModelTables.read_rows`.
    y : array-like or None
        Labels.

    Returns
    -------
    section : dict
        `file` holds the model itself in base 64, where it is small.
    """
    section: dict[str, Any] = {"model": None, "file": None, "rows": None}
    try:
        content = to_bytes(compact)
    except ValueError:  # class labels that no file can hold
        content = b""
    if content:
        section["model"] = hashlib.sha256(content).hexdigest()
        if len(content) <= _MOST_FILE:
            section["file"] = base64.b64encode(content).decode()
    if X is not None:
        digest = hashlib.sha256(np.ascontiguousarray(X, np.float64).tobytes())
        digest.update("\n".join(map(str, np.ravel(np.asarray(y)).tolist())).encode())
        section["rows"] = digest.hexdigest()
    return section


def environment() -> dict[str, str]:
    """Versions of Python and of the packages that matter.

    Returns
    -------
    versions : dict of str to str
    """
    versions = {"Python": platform.python_version(), "platform": platform.platform(terse=True)}
    versions["skdistill"] = skdistill.__version__
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def reproduction(model: Any, fingerprint: str | None) -> str:
    """Python code that fits the same estimator again, or reads the same file.

    Parameters
    ----------
    model : CompactModel, student or distiller
        As it was passed.
    fingerprint : str or None
        Of the model's file.

    Returns
    -------
    code : str
    """
    check = f'assert sha256(to_bytes(model)).hexdigest() == "{fingerprint}"'
    head = "from hashlib import sha256\n\nfrom skdistill.compact.file_format import to_bytes\n"
    if not hasattr(model, "get_params"):
        return f'{head}\nimport skdistill\n\nmodel = skdistill.load("model.skd")\n{check}\n'
    text = model.__repr__(N_CHAR_MAX=10**6)
    return (
        f"{head}\n# With the versions below; parameters that are not shown have their defaults.\n"
        f"estimator = {text}\nmodel = estimator.fit(X, y).compact_  # the training rows\n{check}\n"
    )
