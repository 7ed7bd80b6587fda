"""The estimate of code against what the compiler makes."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, make_classification
from sklearn.linear_model import LogisticRegression

from skdistill.model_selection import BudgetSearchCV
from skdistill.model_selection.budget import Budget, Device, measure
from skdistill.model_selection.code_estimate import code_estimate
from skdistill.model_selection.portfolio import Candidate, portfolio
from skdistill.students.size_search import MaxBytesError

DIGITS = load_digits(return_X_y=True)
CANCER = load_breast_cancer(return_X_y=True)
MADE = make_classification(1500, 16, n_informative=12, n_classes=5, random_state=0)


def with_categories(X, n_labels):
    """Columns of so many labels each; the others as they are."""
    X = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    for column, n in zip(X.columns, n_labels, strict=False):
        X[column] = pd.Categorical(pd.qcut(X[column], n, labels=False).map("label {}".format))
    return X


MISSING = np.where(np.random.default_rng(0).random(MADE[0].shape) < 0.1, np.nan, MADE[0])
TABLES = {
    "digits": DIGITS,
    "cancer": CANCER,
    "whole numbers": (np.rint(5 * CANCER[0]), CANCER[1]),
    "large whole numbers": (np.rint(300 * MADE[0]), MADE[1]),
    "missing values": (MISSING, MADE[1]),
    "missing values, two classes": (MISSING, MADE[1] > 2),
    "categories": (with_categories(np.rint(50 * MADE[0]), (2, 3, 5, 9, 12, 30)), MADE[1]),
    "categories alone": (with_categories(MADE[0], [3, 9] * 8), MADE[1]),
    "categories and missing values": (with_categories(MISSING, (2, 4, 12) * 3), MADE[1]),
}
OF_INT16 = ("digits", "whole numbers", "large whole numbers", "categories", "categories alone")


def student(candidate: Candidate, name: str, max_bytes: int):
    X, y = TABLES[name]
    made = candidate.student(n_classes=len(np.unique(y)), max_bytes=max_bytes, seed=0)
    if candidate.family == "net":
        made.set_params(max_iter=2)
    return made.fit(X if isinstance(X, pd.DataFrame) else X.astype(np.float32), y)


def hard(name: str) -> list[Candidate]:
    families = ("tree", "boosted", "linear", "net")
    n_classes = len(np.unique(TABLES[name][1]))
    found = portfolio(
        families, n_classes=n_classes, has_categories=False, n_teachers=1, n_samples=150, flash=None
    )
    return [each for each in found if each.is_hard]


CASES = [
    (name, i, max_bytes, input_dtype)
    for name in TABLES
    for i in range(len(hard(name)))
    for max_bytes in (1000, 3500)
    for input_dtype in ((None, "int16") if name in OF_INT16 else (None,))
]


def check_estimate(fitted, X, input_dtype=None, output=None):
    estimated = measure(fitted.compact_, Device(None, input_dtype, output, "auto"), Budget())
    options = {"target": "cortex-m0", "input_dtype": input_dtype, "output": output}
    compiled = fitted.profile(X[:2], optimize="size", **options)
    assert compiled.model_bytes + compiled.code_bytes <= estimated.flash


@pytest.mark.parametrize(("name", "i", "max_bytes", "input_dtype"), CASES)
def test_the_compiler_makes_no_more_code_than_the_estimate(name, i, max_bytes, input_dtype):
    fitted = student(hard(name)[i], name, max_bytes)
    check_estimate(fitted, TABLES[name][0], input_dtype)


def test_values_of_bits_for_several_classes_take_no_more():
    candidate = Candidate("boosted", "hard", {"max_leaf_nodes": 8, "value_bits": 4})
    check_estimate(student(candidate, "missing values", 1000), MISSING)


def small_case(seed):
    """A student of any kind on a small table: few columns, or none that tell anything."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(80, 400)), int(rng.integers(1, 14))
    n_classes = int(rng.choice([0, 2, 3, 4, 7]))  # 0 is a regression
    X = (
        rng.normal(size=(n, d)) * rng.choice([1, 1000, 0.01], size=d)
        + rng.choice([0, 7, 300], d) * 1.0
    )
    if rng.random() < 0.3:
        X[:, rng.integers(d)] = 1.0
    if rng.random() < 0.25:
        X = np.rint(X)
    y = ((X - X.mean(0)) / (X.std(0) + 1e-9)).sum(1) + 0.3 * rng.normal(size=n)
    if n_classes:
        y = np.searchsorted(np.quantile(y, np.arange(1, n_classes) / n_classes), y)
    is_whole = bool((np.rint(X) == X).all())
    if rng.random() < 0.4:
        X[rng.random(X.shape) < 0.15] = np.nan
        is_whole = False
    if has_categories := rng.random() < 0.3:
        X = pd.DataFrame(X, columns=[f"x{i}" for i in range(d)])
        for i in rng.choice(d, size=max(1, d // 2), replace=False):
            codes = pd.cut(X[f"x{i}"], int(rng.integers(2, 20)), labels=False)
            X[f"x{i}"] = pd.Categorical(codes.map("label {}".format, na_action="ignore"))
    found = portfolio(
        ("tree", "boosted", "linear", "net"),
        n_classes=n_classes or None,
        has_categories=has_categories,
        n_teachers=1,
        n_samples=150,
        flash=None,
    )
    found = [each for each in found if each.is_hard]
    candidate = found[int(rng.integers(len(found)))]
    max_bytes = int(np.exp(rng.uniform(np.log(60), np.log(1500))))
    made = candidate.student(n_classes=n_classes or None, max_bytes=max_bytes, seed=0)
    if candidate.family == "net":
        made.set_params(max_iter=2)
    try:
        fitted = made.fit(X, y)
    except MaxBytesError as error:
        fitted = made.set_params(max_bytes=error.nbytes).fit(X, y)
    return fitted, X, is_whole


# Those that took more than an earlier estimate, and a few beside.
@pytest.mark.filterwarnings("ignore:float32 leaves")
@pytest.mark.parametrize(
    "seed",
    [
        *(11, 12, 26, 59, 64, 79, 83, 96, 111, 171, 188, 217, 252, 261, 269, 295, 324, 373, 388),
        *(434, 436, 484, *range(1000, 1012)),
        *(5004, 5116, 5153, 5161, 5173, 5182, 5196, 5244, 5292, 9424, 9447, 9452),
    ],
)
def test_small_tables_take_no_more(seed):
    fitted, X, is_whole = small_case(seed)
    is_regression = fitted.compact_.classes is None
    for output in ("scores",) if is_regression else ("label", "scores"):
        for input_dtype in (None, "int32") if is_whole else (None,):
            check_estimate(fitted, X, input_dtype, output)


def test_a_search_without_a_target_exports_the_form_that_was_estimated():
    X, y = load_iris(return_X_y=True)
    search = BudgetSearchCV(LogisticRegression(), "300B", families=["tree"], cv=2, random_state=0)
    search.fit(X, y)
    assert search.footprint_.profile.optimize == "size"
    best = search.best_estimator_
    assert search.to_c() == best.to_c(optimize="size", layout="table")
    assert search.to_c(optimize="speed") == best.to_c(optimize="speed", layout="table")
    compiled = search.profile(X, target="cortex-m0")
    assert compiled.optimize == "size"
    assert compiled.flash_bytes - compiled.library_bytes <= search.footprint_.flash <= 300


def test_code_adds_up():
    net, both = code_estimate(["net"], False), code_estimate(["trees", "linear"], False)
    assert code_estimate(["net"], True) == net + 160
    assert code_estimate(["trees", "linear"], True) == both + 120
    assert code_estimate(["trees"], False, "proba") == code_estimate(["trees"], False) + 400
    assert code_estimate(["tree"], False, "scores") == code_estimate(["tree"], False) + 70
    assert code_estimate(["net"], False, n_columns=7) == net + 60
    assert code_estimate(["net"], False, n_columns=8) == net
    assert code_estimate([], True) == 60
    for kind in ("tree", "trees", "net"):
        alone = code_estimate([kind], False, input_dtype="int16")
        assert code_estimate([kind], False, input_dtype="int16", has_steps=True) == alone
        assert code_estimate([kind, "linear"], False) == code_estimate([kind], False) + 290
