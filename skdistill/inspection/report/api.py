"""`report`: gathers the figures, draws, writes the files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.tree_table import TreeTable
from skdistill.device.profile import compact_of
from skdistill.export.readable import to_svg
from skdistill.inspection.checks.evidence import Evidence
from skdistill.inspection.checks.run import run_checks
from skdistill.inspection.predictions import Predictions, predict_all, teacher_of
from skdistill.inspection.report import sections
from skdistill.inspection.report.boards import BOARDS, board_fits
from skdistill.inspection.report.render import to_html, to_markdown
from skdistill.inspection.report.tracing import choose_rows, trace_rows
from skdistill.utils.files import write_whole

MOST_BYTES = 3_000_000  # of a page
_MOST_TREES = 12
_DRAWN_DEPTH = 4


@dataclass(frozen=True)
class Report:
    """Figures and drawings of a model; notebooks show the page.

    Parameters
    ----------
    content : dict
        All figures, as `to_json` writes them.
    drawings : list of str
        Trees as SVG.
    """

    content: dict[str, Any]
    drawings: list[str] = field(repr=False)

    def to_html(self) -> str:
        """Write one self-contained page that needs no network.

        Returns
        -------
        html : str
            At most 3 MB: of many trees the first ones are drawn.

        Raises
        ------
        ImportError
            Without jinja2, the extra "report".
        """
        drawings = list(self.drawings)
        while len(html := to_html(self.content, drawings).encode()) > MOST_BYTES and drawings:
            drawings.pop()
        return html.decode()

    def to_json(self) -> str:
        """Write all figures, unrounded; what is not known is null.

        Returns
        -------
        text : str
        """
        return json.dumps(_finite(self.content), indent=1, ensure_ascii=False) + "\n"

    def to_markdown(self) -> str:
        """Write a model card in the format of the Hugging Face Hub.

        Returns
        -------
        text : str
            Metadata in YAML, then Markdown.

        Raises
        ------
        ImportError
            Without jinja2, the extra "report".
        """
        return to_markdown(self.content)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the page, and beside it the same figures as .json and .md.

        Each file is written whole or not at all.

        Parameters
        ----------
        path : str or path-like
            Of the page, ending in .html.

        Raises
        ------
        ImportError
            Without jinja2, the extra "report".
        OSError
            If a file cannot be written.
        ValueError
            If the name does not end in .html.
        """
        page = _page(path)
        texts = {".json": self.to_json(), ".md": self.to_markdown(), page.suffix: self.to_html()}
        for suffix, text in texts.items():
            write_whole(page.with_suffix(suffix), text.encode())

    def _repr_html_(self) -> str:
        from html import escape

        page = escape(self.to_html(), quote=True)
        return f'<iframe srcdoc="{page}" title="report" width="100%" height="700"></iframe>'


def report(
    model: Any,
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    teacher: Any = None,
    path: str | PathLike[str] | None = None,
    hard_labels: Any = None,
    X_train: ArrayLike | None = None,
    predictions: Predictions | None = None,
    search: Any = None,
    budget: int | None = None,
    input_dtype: str | None = None,
    targets: Sequence[str] | None = None,
    n_rows: int = 12,
    title: str | None = None,
    ignore: Iterable[str] = (),
) -> Report:
    """Report on a model: quality, classes and groups, calibration, trees, rows, devices, checks.

    Parameters
    ----------
    model : CompactModel, student, distiller or search
        What is reported on.
    X : array-like of shape (n_samples, n_features)
        Rows that neither teacher nor student have seen. May be None with `predictions`: then no
        rows are traced and no device is measured.
    y : array-like of shape (n_samples,)
        Their labels or values.
    groups : array-like of shape (n_samples,), default=None
        Group of each row, for the error rates of labels, teacher and student by group; of a
        classification only.
    teacher : estimator, default=None
        Fitted; None is ``model.teacher_`` where there is one.
    path : str or path-like, default=None
        Where to write the page, ending in .html, with .json and .md beside it; None writes
        nothing.
    hard_labels : estimator, default=None
        The same student fitted on labels alone.
    X_train : array-like of shape (n_train, n_features), default=None
        Rows that the student was fitted on, for checks, and as background of attributions.
    predictions : Predictions, default=None
        Predictions of the rows, in place of those of `model` and `teacher`, such as out-of-fold
        ones.
    search : object, default=None
        A fitted search with `pareto_`; None is `model` where it has one.
    budget : int, default=None
        Bytes that the tables may take, for a check.
    input_dtype : str, default=None
        Type of the inputs on the device, for a check.
    targets : sequence of str, default=None
        Devices to measure; None are those of `BOARDS`.
    n_rows : int, default=12
        Rows to trace: up to half of them such that the student is wrong and the teacher right.
    title : str, default=None
        Of the page.
    ignore : iterable of str, default=()
        Numbers of checks that are not run.

    Returns
    -------
    report : Report

    Raises
    ------
    ImportError
        With a `path`, without jinja2, the extra "report".
    OSError
        If the folder of `path` does not exist, or a file cannot be written.
    TypeError
        If `teacher` has no method ``predict``.
    ValueError
        If there are neither rows nor predictions, numbers of rows differ, a regression gets
        groups, or `path` does not end in .html.

    Notes
    -----
    The bound of the disagreement with the teacher is the upper Clopper-Pearson bound at 95 %: for
    new rows of the same kind it holds in at least 95 % of all samples. It says nothing on rows of
    another kind; see `check_drift`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftTreeClassifier
    >>> from skdistill.inspection import report
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = SoftTreeClassifier(max_leaf_nodes=4).fit(X[::2], y[::2])
    >>> result = report(tree, X[1::2], y[1::2], targets=[])
    >>> round(result.content["quality"]["models"]["student"]["accuracy"], 2)
    0.96
    """
    if path is not None:  # before minutes of work
        _page(path)
    compact = compact_of(model)
    if groups is not None and compact.classes is None:
        raise ValueError(
            "groups are for classifications: rates of errors are compared, but the model predicts "
            "values; leave groups out, or call report for the rows of each group"
        )
    if predictions is None and (X is None or y is None):
        raise ValueError("report needs X and y, rows that the model was not fitted on")
    teacher = teacher_of(model, teacher)
    search = model if search is None and hasattr(model, "pareto_") else search
    rows = None if X is None else compact.read_rows(X)
    if predictions is None:
        assert X is not None and y is not None
        predictions = predict_all(model, compact, X, y, teacher, hard_labels)
    evidence = Evidence(
        model,
        X,
        y,
        teacher,
        groups,
        X_train,
        hard_labels,
        budget,
        search,
        input_dtype,
        predictions,
    )
    described = sections.describe_model(model, compact)
    quality = sections.quality(predictions, compact.classes)
    if targets is None:
        targets = tuple(dict.fromkeys(board.target for board in BOARDS))
    profiles, note = sections.measure_devices(compact, X, tuple(targets))
    prints = sections.fingerprints(compact, rows, predictions.y)
    traced = []
    if X is not None and rows is not None and len(rows) and n_rows > 0:
        chosen = choose_rows(predictions, n_rows)
        traced = trace_rows(compact, X, X if X_train is None else X_train, predictions, chosen)
    content = {
        "title": title or f"{type(model).__name__}, {described['nbytes']:,} bytes",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": described,
        "quality": quality,
        "checks": [
            {**result._asdict(), "url": result.url} for result in run_checks(evidence, ignore)
        ],
        "ignored": sorted([ignore] if isinstance(ignore, str) else ignore),
        "candidates": sections.candidates(described, quality, search, teacher),
        "parts": {},
        "calibration": {},
        "rows": traced,
        "devices": [_profile(profile) for profile in profiles.values()],
        "device_note": note,
        "boards": board_fits(profiles),
        "environment": sections.environment(),
        "fingerprints": prints,
        "code": sections.reproduction(model, prints["model"]),
        "text": compact_text(compact),
    }
    if compact.classes is not None:
        positive = compact.classes[-1]
        content["parts"] = sections.by_class_and_group(predictions, groups, positive)
        content["calibration"] = sections.calibration(predictions)
    result = Report(content, draw_trees(compact))
    if path is not None:
        result.save(path)
    return result


def _page(path: str | PathLike[str]) -> Path:
    """The path of a page, refused where nothing can be written."""
    page = Path(path)
    if page.suffix.lower() != ".html":
        raise ValueError(f"path must end in .html, got {str(path)!r}")
    if not page.parent.is_dir():
        raise FileNotFoundError(f"path={str(path)!r} lies in no folder: create it first")
    return page


def compact_text(compact: ModelTables) -> str:
    """The model as text, cut to 200 lines."""
    from skdistill.export.readable import export_text

    lines = export_text(compact, max_depth=4).splitlines()
    more = [f"… {len(lines) - 200} more lines"] if len(lines) > 200 else []
    return "\n".join(lines[:200] + more)


def draw_trees(compact: ModelTables) -> list[str]:
    """The first trees as SVG."""
    return [
        to_svg(compact, tree=t, max_depth=_DRAWN_DEPTH)
        for trees in compact.tables_of(TreeTable)
        for t in range(min(len(trees.roots), _MOST_TREES))
    ]


def _profile(profile: Any) -> dict[str, Any]:
    names = ("target", "flash_bytes", "model_bytes", "code_bytes", "library_bytes", "ram_bytes",
             "stack_bytes", "stack_bound", "instructions_mean", "instructions_max",
             "instructions_bound", "cycles_mean", "cycles_max", "mismatches", "rows")  # fmt: skip
    return {name: getattr(profile, name) for name in names}


def _finite(value: Any) -> Any:
    """The same with None for numbers that JSON does not have."""
    if isinstance(value, dict):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
