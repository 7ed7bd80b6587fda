"""The portfolio: the students that a search tries, and what each of them is taught."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from skdistill.model_selection.splits import LARGEST_TABLE
from skdistill.students import (
    PrunedEnsembleClassifier,
    SoftBoostingClassifier,
    SoftBoostingRegressor,
    SoftLinearClassifier,
    SoftLinearRegressor,
    SoftNetClassifier,
    SoftNetRegressor,
    SoftTreeClassifier,
    SoftTreeRegressor,
)

FAMILIES = ("tree", "boosted", "linear", "net", "pruned")
_CLASSIFIERS = {
    "tree": SoftTreeClassifier,
    "boosted": SoftBoostingClassifier,
    "linear": SoftLinearClassifier,
    "net": SoftNetClassifier,
}
_REGRESSORS = {
    "tree": SoftTreeRegressor,
    "boosted": SoftBoostingRegressor,
    "linear": SoftLinearRegressor,
    "net": SoftNetRegressor,
}
_SPLIT_BYTES = 1.8  # about
_GROWN = 2.0  # times the budget, before it is pruned
_SIX_BITS = {"n_hidden_layers": 2, "weight_bits": 6, "output_bits": 6}  # one width: less code
_EPOCHS, _MOST_EPOCHS = SoftNetClassifier().max_iter, 1000  # of nets
_LARGE_NET = 4096  # bytes of flash: nets of less learn for more epochs, and take about as long


@dataclass(frozen=True)
class Candidate:
    """A student, and what it is taught.

    Parameters
    ----------
    family : {"tree", "boosted", "linear", "net", "pruned"}
        Kind of student.
    labels : {"hard", "soft", "munge"}
        "hard" are the labels alone. "soft" are those of the teacher, mixed with them. "munge" has
        synthetic rows beside, labelled by the teacher.
    settings : dict
        Parameters of the student.
    alpha : float, default=0.5
        Weight of soft labels against hard ones.
    calibrated : bool, default=False
        Whether the teacher's probabilities are tempered so that their log loss is smallest.
    teacher : int, default=0
        Number of the teacher, where there are several.
    """

    family: str
    labels: str
    settings: dict[str, Any] = field(default_factory=dict)
    alpha: float = 0.5
    calibrated: bool = False
    teacher: int = 0

    @property
    def is_hard(self) -> bool:
        """Whether it learns from hard labels alone."""
        return self.labels == "hard"

    @property
    def tables(self) -> list[str]:
        """Kinds of its tables, as `code_estimate` calls them."""
        kinds = {"boosted": "trees", "pruned": "trees"}
        start = ["linear"] if self.settings.get("init") == "linear" else []
        return [kinds.get(self.family, self.family), *start]

    @property
    def params(self) -> dict[str, Any]:
        """What distinguishes it from others."""
        return asdict(self)

    def hard_twin(self) -> Candidate:
        """The same student on hard labels alone."""
        return replace(self, labels="hard", alpha=0.0, calibrated=False, teacher=0)

    def draft(self) -> Candidate | None:
        """A student of about the same size that learns in less time, where there is one.

        The bytes of a net depend on its units and bits, and by a few bytes only on what it learns:
        a net of a single epoch tells how large one may be that learns for minutes.
        """
        if self.family != "net":
            return None
        return replace(self, settings=self.settings | {"max_iter": 1})

    def student(self, *, n_classes: int | None, max_bytes: int, seed: int) -> Any:
        """Make the student.

        Parameters
        ----------
        n_classes : int or None
            Classes; None for a regression.
        max_bytes : int
            Bytes that its tables may take.
        seed : int
            Of its random numbers.

        Returns
        -------
        student : estimator
            Unfitted.
        """
        if self.family == "pruned":
            grown = SoftBoostingClassifier(random_state=seed, **self.settings)
            grown.n_estimators = max(
                2, int(_GROWN * max_bytes / _tree_bytes(self.settings, n_classes))
            )
            names = ("refit_l2_regularization", "value_bits")
            refit = {name: getattr(grown, name) for name in names}
            return PrunedEnsembleClassifier(grown, max_bytes, random_state=seed, **refit)
        kind = (_REGRESSORS if n_classes is None else _CLASSIFIERS)[self.family]
        student = kind(max_bytes=max_bytes, **self.settings)
        if "random_state" in student.get_params(deep=False):
            student.set_params(random_state=seed)
        return student

    def __str__(self) -> str:
        taught = {"hard": "hard labels", "soft": "soft labels", "munge": "soft labels and MUNGE"}
        options = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        return f"{self.family}({options}) on {taught[self.labels]}"


def check_families(families: Any) -> tuple[str, ...]:
    """Validate `families` of a search.

    Parameters
    ----------
    families : "auto" or list of str
        Some of `FAMILIES`.

    Returns
    -------
    families : tuple of str

    Raises
    ------
    ValueError
        If one is unknown, or there is none.
    """
    if isinstance(families, str):
        return FAMILIES
    unknown = [each for each in families if each not in FAMILIES]
    if unknown or not families:
        raise ValueError(f"families must be 'auto' or some of {list(FAMILIES)}, got {families!r}")
    return tuple(families)


def portfolio(
    families: Iterable[str],
    *,
    n_classes: int | None,
    has_categories: bool,
    n_teachers: int,
    n_samples: int,
    flash: int | None,
) -> list[Candidate]:
    """The candidates of a search; each has its twin on hard labels.

    For classes they are what ``benchmarks/portfolio.py`` chooses from the records of
    ``benchmarks/budget.py``, ten tables at 1, 2 and 4 KB: the best recipe of each family, and those
    that add most to it, for two and for several classes. Chosen without the table that they are
    tried on, seven recipes are 0.26 points below the best of all records on the test rows, and a
    pick among all recipes 0.25. There are no such records of regressions: their candidates were
    chosen by hand, after those for classes.

    Parameters
    ----------
    families : iterable of str
        Some of `FAMILIES`.
    n_classes : int or None
        Classes; None for a regression.
    has_categories : bool
        Whether some columns hold categories, which pruned ensembles do not read.
    n_teachers : int
        Each candidate on soft labels is tried with each teacher.
    n_samples : int
        Rows. Of more than 10,000, nets of less than 4 KB learn several classes for more epochs.
    flash : int or None
        Bytes of the budget; None where it has no such limit.

    Returns
    -------
    candidates : list of Candidate
        Without duplicates.

    Raises
    ------
    ValueError
        If no family suits the data.

    Examples
    --------
    >>> from skdistill.model_selection.portfolio import portfolio
    >>> for each in portfolio(
    ...     ["tree"], n_classes=3, has_categories=False, n_teachers=1, n_samples=150, flash=1024
    ... ):
    ...     print(each)
    tree() on soft labels and MUNGE
    tree() on hard labels
    """
    chosen = set(families)
    recipes = _values() if n_classes is None else _labels(n_classes, has_categories)
    taught = [each for each in recipes if each.family in chosen]
    if not taught:
        raise ValueError(
            f"families={sorted(chosen)} has no student for "
            f"{'values' if n_classes is None else 'columns of categories'}: pruned ensembles learn "
            "classes from columns of numbers; add another family, or pass 'auto'"
        )
    if n_samples > LARGEST_TABLE and n_classes is not None and n_classes > 2:
        taught = [_with_epochs(each, flash) for each in taught]
    soft = [replace(each, teacher=t) for each in taught for t in range(n_teachers)]
    hard: list[Candidate] = []
    for each in taught:
        if each.hard_twin() not in hard:
            hard.append(each.hard_twin())
    return soft + hard


def _with_epochs(candidate: Candidate, flash: int | None) -> Candidate:
    """A net with the epochs that its size asks for; others as they are."""
    if candidate.family != "net" or flash is None or flash >= _LARGE_NET:
        return candidate
    epochs = min(_EPOCHS * _LARGE_NET // flash, _MOST_EPOCHS)
    return replace(candidate, settings=candidate.settings | {"max_iter": epochs})


def _tree_bytes(settings: dict[str, Any], n_classes: int | None) -> float:
    """About the bytes of a tree of a boosted student."""
    n_scores = n_classes if n_classes is not None and n_classes > 2 else 1
    bits = 1.6 if settings["value_bits"] == "ternary" else settings["value_bits"]
    leaves = settings["max_leaf_nodes"]
    return float(_SPLIT_BYTES * (leaves - 1) + leaves * n_scores * bits / 8)


def _labels(n_classes: int, has_categories: bool) -> list[Candidate]:
    """Of a classification."""
    recipes = [
        Candidate("linear", "soft"),
        Candidate("tree", "munge"),
        Candidate("net", "soft", {"n_hidden_layers": 2}),
        Candidate("net", "soft", _SIX_BITS, 0.2, True),
    ]
    if n_classes == 2:
        trees: dict[str, Any] = {"max_leaf_nodes": 8, "value_bits": 4}
        quantiles = {"binning": "quantile", "threshold_bits": 6}
        recipes += [Candidate("boosted", "soft", trees | quantiles)]
        recipes += [Candidate("boosted", "soft", trees)]
    else:
        linear = {"init": "linear", "linear_bits": 4, "refit_l2_regularization": 1e-4}
        trees = {"max_leaf_nodes": 8, "value_bits": "ternary", **linear}
        recipes += [Candidate("boosted", "soft", trees)]
        recipes += [Candidate("net", "soft", {"n_hidden_layers": 1}, 0.2, True)]
    return recipes if has_categories else [*recipes, Candidate("pruned", "soft", trees)]


def _values() -> list[Candidate]:
    """Of a regression."""
    trees = {"max_leaf_nodes": 8, "value_bits": 8}
    return [
        Candidate("linear", "soft"),
        Candidate("tree", "munge"),
        Candidate("net", "soft", {"n_hidden_layers": 1}),
        Candidate("net", "soft", _SIX_BITS),
        Candidate("boosted", "soft", trees),
        Candidate("boosted", "soft", trees | {"init": "linear"}),
    ]
