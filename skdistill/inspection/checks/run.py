"""The list of checks, and the function that runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from numpy.typing import ArrayLike

from skdistill.inspection.checks import device, distillation, groups, rows
from skdistill.inspection.checks.evidence import Evidence
from skdistill.inspection.predictions import teacher_of
from skdistill.utils.documentation import DOCUMENTATION_URL


class Check(NamedTuple):
    """A check.

    Attributes
    ----------
    title : str
        What is wrong where it speaks.
    run : callable
        From `Evidence` to the facts in a sentence; empty where all is well or nothing is known.
    """

    title: str
    run: Callable[[Evidence], str]


CHECKS: Mapping[str, Check] = {
    "SKD101": Check("The teacher leads hard labels by less than its error", distillation.no_gain),
    "SKD102": Check("Leaves with few training rows", rows.small_leaves),
    "SKD103": Check("Whole numbers as inputs merge thresholds", device.thresholds_merged),
    "SKD104": Check("Classes that are never predicted", distillation.classes_never_predicted),
    "SKD105": Check("The budget is hardly used", device.budget_hardly_used),
    "SKD106": Check("The best value lies at the edge of the searched range", distillation.at_edge),
    "SKD107": Check("The student differs from its teacher by group", groups.fidelity_differs),
    "SKD108": Check("The teacher is biased", groups.teacher_is_biased),
    "SKD109": Check("The student is biased where its teacher is not", groups.student_is_biased),
    "SKD110": Check("Test rows differ from training rows", rows.rows_drift_apart),
    "SKD111": Check(
        "The teacher is hardly better than the largest class", distillation.weak_teacher
    ),
    "SKD112": Check("Too few rows to bound the disagreement", distillation.loose_bound),
}
"""Checks by number. A number is never used again for something else."""


class CheckResult(NamedTuple):
    """What a check says.

    Attributes
    ----------
    code : str
        Its number.
    title : str
        What is wrong.
    message : str
        The facts.
    """

    code: str
    title: str
    message: str

    @property
    def url(self) -> str:
        """Section of the documentation on this check."""
        return f"{DOCUMENTATION_URL}/checks.html#{self.code.lower()}"

    def __str__(self) -> str:
        return f"{self.code} {self.title}: {self.message}"


def run_checks(evidence: Evidence, ignore: Iterable[str] = ()) -> tuple[CheckResult, ...]:
    """Run all checks but those to ignore.

    Parameters
    ----------
    evidence : Evidence
        What is known.
    ignore : iterable of str, default=()
        Numbers of checks.

    Returns
    -------
    results : tuple of CheckResult
        Of the checks that speak.

    Raises
    ------
    ValueError
        If a number to ignore is none.
    """
    ignore = [ignore] if isinstance(ignore, str) else list(ignore)
    unknown = [code for code in ignore if code not in CHECKS]
    if unknown:
        raise ValueError(f"ignore must hold numbers of checks, {list(CHECKS)}; got {unknown}")
    results = []
    for code, check in CHECKS.items():
        message = "" if code in ignore else check.run(evidence)
        if message:
            results.append(CheckResult(code, check.title, message))
    return tuple(results)


def check_model(
    model: Any,
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    teacher: Any = None,
    groups: ArrayLike | None = None,
    X_train: ArrayLike | None = None,
    hard_labels: Any = None,
    budget: int | None = None,
    search: Any = None,
    input_dtype: str | None = None,
    ignore: Iterable[str] = (),
) -> tuple[CheckResult, ...]:
    """Run the numbered checks on a model.

    A check that needs something that was not passed is silent.

    Parameters
    ----------
    model : CompactModel, student or distiller
        What is checked.
    X : array-like of shape (n_samples, n_features), default=None
        Rows that neither teacher nor student have seen.
    y : array-like of shape (n_samples,), default=None
        Their labels or values.
    teacher : estimator, default=None
        Fitted; None is ``model.teacher_`` where there is one.
    groups : array-like of shape (n_samples,), default=None
        Group of each row.
    X_train : array-like of shape (n_train, n_features), default=None
        Rows that the student was fitted on.
    hard_labels : estimator, default=None
        The same student fitted on labels alone.
    budget : int, default=None
        Bytes that the tables may take.
    search : object, default=None
        A fitted search with ``cv_results_["params"]`` and ``best_params_``.
    input_dtype : str, default=None
        Type of the inputs on the device; None is that of the model.
    ignore : iterable of str, default=()
        Numbers of checks that are not run.

    Returns
    -------
    results : tuple of CheckResult
        Of the checks that speak, by number; empty where all is well.

    Raises
    ------
    ValueError
        If a number to ignore is none.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftTreeClassifier
    >>> from skdistill.inspection import check_model
    >>> X, y = load_iris(return_X_y=True)
    >>> stump = SoftTreeClassifier(max_leaf_nodes=2).fit(X, y)
    >>> for result in check_model(stump, X, y):
    ...     print(result)
    SKD104 Classes that are never predicted: 2 (50 of 150 rows)
    """
    evidence = Evidence(
        model,
        X,
        y,
        teacher_of(model, teacher),
        groups,
        X_train,
        hard_labels,
        budget,
        search,
        input_dtype,
    )
    return run_checks(evidence, ignore)
