"""For budget.py: the students that are tried, and how one is made to fit a number of bytes.

RECIPES and VARIANTS are what one edits. A recipe fixes everything but the number of trees (of
leaves for a single tree), which `fit_to_budget` chooses.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
from _draws import Draw, TeacherLabels, measures

from skdistill import (
    PrunedEnsembleClassifier,
    SoftBoostingClassifier,
    SoftLinearClassifier,
    SoftNetClassifier,
    SoftTreeClassifier,
)
from skdistill.students.boosting import gradient_boosting, leaf_refit
from skdistill.targets import SoftTargets, calibrate_temperature, temper

CODE = 80  # bytes beside the tables
# Beside those of a net: functions of the smallest C, tables apart, the most that was measured over
# nets of one and two layers. Two widths of weights, and categories, take more.
NET_CODE_INTEGERS, NET_CODE_FLOATS = 390, 460
TWO_WIDTHS, CATEGORIES = 70, 150
FITS = 3  # for one recipe at one budget; more only until one is within it
MOST_FITS = 6
FULL = 0.94  # of the budget: no further fit
FAMILIES = {
    "tree": (SoftTreeClassifier, "max_leaf_nodes", 4000),
    "linear": (SoftLinearClassifier, None, 0),
    "boosted": (SoftBoostingClassifier, "n_estimators", 250),
    "net": (SoftNetClassifier, "max_bytes", 0),
}
SMALL, LARGE = (512, 1024, 2048), (4096, 8192, 16384)


@dataclass(frozen=True)
class Recipe:
    """One kind of student.

    `labels` are "hard", "soft" (out of fold, mixed with the hard ones by `alpha`) or "munge"
    (MUNGE rows beside them); `settings` are the student's parameters; `classes` says where
    it is tried: where there are "two", "several" (more than two) or "any".
    """

    name: str
    family: str = "boosted"
    labels: str = "munge"
    alpha: float = 0.5
    temperature: float | str = 1.0
    settings: dict[str, Any] = field(default_factory=dict)
    budgets: tuple[int, ...] = (512, 1024, 2048, 4096, 8192, 16384)
    classes: str = "any"
    large: float = 0.0  # grown to so many budgets, then pruned; 0 is grown as it is
    refit: bool = True

    def given(self, **changes: Any) -> Recipe:
        """With some fields, or some of the student's parameters, changed."""
        own = {each.name for each in fields(self)}
        settings = {key: value for key, value in changes.items() if key not in own}
        rest = {key: value for key, value in changes.items() if key in own}
        return replace(self, settings=self.settings | settings, **rest)

    def suits(self, n_classes: int) -> bool:
        return self.classes in ("any", "two" if n_classes == 2 else "several")

    def unknown(self) -> set[str]:
        """Settings that the student has no parameter for."""
        student, _, _ = FAMILIES[self.family]
        return set(self.settings) - set(student().get_params())


FEW = {"max_leaf_nodes": 8, "linear_bits": 4}
BASE = (
    Recipe("base", "boosted", "soft", settings=FEW | {"value_bits": 4}, classes="two"),
    Recipe("base", "boosted", "soft", settings=FEW | {"value_bits": "ternary"}, classes="several"),
)


_NETS = {"family": "net", "labels": "soft", "budgets": (1024, 2048, 4096)}
_ONE = {"n_hidden_layers": 1}
_TWO = {"n_hidden_layers": 2, "weight_bits": 6, "output_bits": 6}  # one width: less code
_SMALL = _NETS | {"budgets": (1024,), "alpha": 0.2, "temperature": "auto"}
NETS = (
    Recipe("net", **_NETS, settings=_ONE),
    Recipe("net, calibrated", **_NETS, alpha=0.2, temperature="auto", settings=_ONE),
    Recipe("net of two layers", **_NETS, alpha=0.2, temperature="auto", settings=_TWO),
    Recipe("net of two layers, 4 bits", **_NETS, settings={"n_hidden_layers": 2}),
    Recipe("net, MUNGE", **_NETS | {"labels": "munge"}),
    Recipe("net, long", **_SMALL, settings=_ONE | {"max_iter": 1000}),
    Recipe("net of two layers, long", **_SMALL, settings=_TWO | {"max_iter": 1000}),
    Recipe("net of two layers, 8 KB", **_SMALL | {"budgets": (8192,)}, settings=_TWO),
)


def _recipes() -> Iterator[Recipe]:
    yield Recipe("tree", "tree")
    yield Recipe("linear 8", "linear", "soft", settings={"weight_bits": 8})
    yield Recipe("linear 4", "linear", "soft", settings={"weight_bits": 4})
    two, several = BASE
    for base in BASE:
        yield base.given(name="8 leaves")
        yield base.given(name="8 leaves, hard", labels="hard")
    yield two.given(name="8 leaves, quantiles", binning="quantile", threshold_bits=6)
    yield two.given(
        name="16 leaves", max_leaf_nodes=16, refit_l2_regularization=3e-3, budgets=LARGE
    )
    yield two.given(name="8 leaves, MUNGE", labels="munge", budgets=LARGE)
    linear = several.given(init="linear")
    yield linear.given(name="linear + 4 leaves", max_leaf_nodes=4, budgets=SMALL)
    yield linear.given(name="linear + 8 leaves")
    yield linear.given(name="linear + 8 leaves, hard", labels="hard", budgets=SMALL)
    light = {"refit_l2_regularization": 1e-4}
    yield linear.given(name="linear + 8 leaves, light", **light)
    yield several.given(name="16 leaves, light", max_leaf_nodes=16, budgets=LARGE, **light)
    large = {"large": 2.0, "budgets": (*SMALL, 4096)}
    yield two.given(name="8 leaves, pruned", **large)
    yield several.given(name="8 leaves, pruned", **large)
    yield linear.given(name="linear + 8 leaves, pruned", **large)
    yield linear.given(name="linear + 8 leaves, light, pruned", **large, **light)


RECIPES = (*_recipes(), *NETS)
# One ingredient of BASE changed. What the student has no parameter for is left out, and said.
VARIANTS: dict[str, dict[str, Any]] = {
    "no refit": {"refit": False},
    "values of 8 bits": {"value_bits": 8},
    "values of 4 bits": {"value_bits": 4},
    "ternary values": {"value_bits": "ternary"},
    "linear start of 8 bits": {"init": "linear", "linear_bits": 8},
    "linear start of 4 bits": {"init": "linear"},
    "hard labels (alpha 0)": {"labels": "hard"},
    "MUNGE": {"labels": "munge"},
    "alpha 1": {"alpha": 1.0},
    "temperature 2": {"temperature": 2.0},
    "temperature auto": {"temperature": "auto"},
    "thresholds of 6 bits": {"threshold_bits": 6},
    "4 leaves": {"max_leaf_nodes": 4},
    "16 leaves": {"max_leaf_nodes": 16},
    "thresholds at quantiles": {"binning": "quantile"},
    "thresholds at quantiles, reuse penalty": {
        "binning": "quantile",
        "reuse_penalty": 1e-5,
    },
    "reuse penalty": {"reuse_penalty": 1e-4},
    "refit_l2_regularization of 1e-5": {"refit_l2_regularization": 1e-5},
    "refit_l2_regularization of 1e-4": {"refit_l2_regularization": 1e-4},
    "refit_l2_regularization of 1e-2": {"refit_l2_regularization": 1e-2},
    "learning rate of .1": {"learning_rate": 0.1},
    "half of the rows a round": {"subsample": 0.5},
    "pruned from twice the size": {"large": 2.0},
    "pruned from four times the size": {"large": 4.0},
}


def targets(recipe: Recipe, given: Draw, taught: TeacherLabels) -> tuple[np.ndarray, SoftTargets]:
    """Rows to learn from and what is taught on them."""
    hard = given.y_fit.astype(np.intp)
    if recipe.labels == "hard":
        return given.X_fit, SoftTargets(np.zeros((len(hard), given.n_classes)), hard, 0.0)
    rows, P = given.X_fit, taught.fit.astype(float)
    if recipe.labels == "munge":
        rows, P = np.concatenate([rows, taught.rows]), np.concatenate([P, taught.munge])
    P /= P.sum(axis=1, keepdims=True)
    temperature = recipe.temperature
    if temperature == "auto":
        P, temperature = temper(P, calibrate_temperature(P[: len(hard)], hard)), 1.0
    hard = np.concatenate([hard, np.full(len(rows) - len(hard), -1)])
    return rows, SoftTargets(P, hard, recipe.alpha, float(temperature))


def students(
    recipe: Recipe, given: Draw, taught: TeacherLabels, budgets: tuple[int, ...]
) -> Iterator[dict[str, Any]]:
    """A candidate for each budget that the recipe is tried at, where one fits."""
    rows, soft_targets = targets(recipe, given, taught)
    budgets = tuple(budget for budget in budgets if budget in recipe.budgets)
    if FAMILIES[recipe.family][1] is None:  # there is only one size
        model, seconds = _fit(recipe, 0, rows, soft_targets, given.seed)
        for budget in [each for each in budgets if model.compact_.nbytes + CODE <= each][:1]:
            yield _record(recipe, budget, given, model, 0, seconds)
        return
    if recipe.family == "net":
        settings = {"categorical_features": given.nominal or None} | recipe.settings
        for budget in budgets:
            room = budget - code_of_net(settings, given)
            started = time.perf_counter()
            model = SoftNetClassifier(max_bytes=room, random_state=given.seed, **settings)
            if fit_within_bytes(model, rows, soft_targets):
                seconds = time.perf_counter() - started
                yield _record(recipe, budget, given, model, 0, seconds, budget - room)
        return
    sizes: dict[int, int] = {}
    for budget in budgets:
        if recipe.large > 0:
            found = _pruned(recipe, budget, rows, soft_targets, given.seed)
        else:
            found = fit_to_budget(recipe, budget, rows, soft_targets, given.seed, sizes)
        if found is not None:
            yield _record(recipe, budget, given, *found)


def code_of_net(settings: dict[str, Any], given: Draw) -> int:
    """Bytes of code that a net takes beside its tables."""
    X = given.X_fit
    whole = bool((np.rint(X) == X).all()) and np.abs(X).max() < 2**15
    defaults = SoftNetClassifier().get_params()
    widths = {(defaults | settings)[name] for name in ("weight_bits", "output_bits")}
    code = NET_CODE_INTEGERS if whole else NET_CODE_FLOATS
    return code + TWO_WIDTHS * (len(widths) > 1) + CATEGORIES * bool(given.nominal)


def fit_within_bytes(net: SoftNetClassifier, rows: np.ndarray, targets: Any) -> bool:
    """Fit a net; False where not even one unit a layer is within its `max_bytes`."""
    try:
        net.fit(rows, targets)
    except ValueError as error:
        if f"max_bytes={net.max_bytes} is too small" not in str(error):
            raise
        return False
    return True


def fit_to_budget(
    recipe: Recipe,
    budget: int,
    rows: np.ndarray,
    soft_targets: SoftTargets,
    seed: int,
    sizes: dict[int, int],
) -> tuple[Any, int, float] | None:
    """The largest student found within a budget, its number of trees or leaves, its seconds.

    `sizes` are the bytes of what was fitted before, by that number; it is added to.
    """
    room, best = budget - CODE, None
    for done in range(MOST_FITS):
        if done >= FITS and best is not None:
            break
        count = _next_count(recipe, room, rows.shape[1], soft_targets.n_classes, sizes)
        if count is None:
            break
        model, seconds = _fit(recipe, count, rows, soft_targets, seed)
        nbytes = model.compact_.nbytes
        sizes[count] = nbytes
        if nbytes <= room and (best is None or count > best[1]):
            best = model, count, seconds
        if FULL * room <= nbytes <= room:
            break
    return best


def _pruned(
    recipe: Recipe, budget: int, rows: np.ndarray, soft_targets: SoftTargets, seed: int
) -> tuple[Any, int, float] | None:
    """A student grown too large and pruned to a budget, trees at first, and its seconds."""
    room = budget - CODE
    fixed, each = _estimate(recipe, rows.shape[1], soft_targets.n_classes)
    if room < fixed + each:
        return None
    count = min(int(recipe.large * (room - fixed) / each), FAMILIES["boosted"][2])
    started = time.perf_counter()
    grown = SoftBoostingClassifier(count, random_state=seed, **recipe.settings)
    kept = {
        name: getattr(grown, name)
        for name in ("refit_l2_regularization", "value_bits", "random_state")
    }
    model = PrunedEnsembleClassifier(grown, room, **kept).fit(rows, soft_targets)
    return model, count, time.perf_counter() - started


def _fit(
    recipe: Recipe, count: int, rows: np.ndarray, soft_targets: SoftTargets, seed: int
) -> tuple[Any, float]:
    """A student of so many trees or leaves, and how long it took."""
    student, counted, _ = FAMILIES[recipe.family]
    model = student(**recipe.settings)
    if counted is not None:
        model.set_params(**{counted: count})
    if "random_state" in model.get_params():
        model.set_params(random_state=seed)
    started = time.perf_counter()
    with nullcontext() if recipe.refit else _no_refit():
        model.fit(rows, soft_targets)
    return model, time.perf_counter() - started


@contextmanager
def _no_refit() -> Iterator[None]:
    """Leaf values as growing found them, rounded at once."""
    at_once = partial(leaf_refit.round_values, n_parts=1)

    def start_only(model: Any, *args: Any, **settings: Any) -> Any:
        return leaf_refit.refit(model, *args, **settings) if model.leaves.shape[1] == 0 else model

    with (
        patch.object(gradient_boosting, "refit", start_only),
        patch.object(gradient_boosting, "round_values", at_once),
    ):
        yield


def _next_count(
    recipe: Recipe, room: int, columns: int, n_classes: int, sizes: dict[int, int]
) -> int | None:
    """How many trees or leaves to try; None where nothing new would fit."""
    most = FAMILIES[recipe.family][2]
    least = 2 if recipe.family == "tree" else 1
    fixed, each = _estimate(recipe, columns, n_classes)
    fits = sorted(count for count, nbytes in sizes.items() if nbytes <= room)
    over = sorted(count for count, nbytes in sizes.items() if nbytes > room)
    # Two sizes give the price of one tree more; across the budget, above it or below it.
    near = [fits[-1], over[0]] if fits and over else fits[-2:] or over[:2]
    if len(near) == 2:
        low, high = near
        if sizes[high] <= sizes[low]:
            return None  # more leaves are allowed than there is use for
        count = low + (high - low) * (room - sizes[low]) / (sizes[high] - sizes[low])
        count = min(count, over[0] - 1) if over else count
    elif near:
        each = max(1.0, sizes[near[0]] - fixed) / near[0]
        count = (room - fixed) / each * (0.9 if over else 1)
    else:
        count = (room - fixed) / each
    count = int(min(max(count, least), most))
    return None if count in sizes or (fits and count < fits[-1]) else count


def _estimate(recipe: Recipe, columns: int, n_classes: int) -> tuple[float, float]:
    """Bytes of the linear part, and about how many a tree, or a leaf of a single one, takes."""
    if recipe.family == "tree":
        return 0.0, 2.5
    settings = SoftBoostingClassifier().get_params() | recipe.settings
    scores, bits = n_classes if n_classes > 2 else 1, settings["value_bits"]
    values = settings["max_leaf_nodes"] * scores * (1.6 if bits == "ternary" else bits) / 8
    each = 1.8 * (settings["max_leaf_nodes"] - 1) + values
    if settings["init"] is None:
        return 3.0 * columns, each
    return columns * (3 + scores * settings["linear_bits"] / 8) + scores, each


def _record(
    recipe: Recipe,
    budget: int,
    given: Draw,
    model: Any,
    count: int,
    seconds: float,
    code: int = CODE,
) -> dict[str, Any]:
    record: dict[str, Any] = {
        "model": recipe.name,
        "recipe": f"{count}" if count else "",
        "budget": budget,
        "bytes": model.compact_.nbytes + code,
    }
    for part, X, y in (("pick", given.X_pick, given.y_pick), ("test", given.X_test, given.y_test)):
        figures = measures(model.predict_proba(X), y, model.predict(X))
        record[part], record[f"{part}_log_loss"] = figures
    return record | {"seconds": seconds}
