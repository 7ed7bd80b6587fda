"""Every check is triggered by a model built for it, and silent on a sound one."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from skdistill import DistilledClassifier, SoftLinearRegressor, SoftTreeClassifier
from skdistill.inspection import CHECKS, check_model

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "checks.md"


class Rule(ClassifierMixin, BaseEstimator):
    """A teacher that decides by a function of the rows."""

    def __init__(self, rule=None):
        self.rule = rule

    def fit(self, X, y):
        self.classes_ = np.array([0, 1])
        return self

    def predict(self, X):
        return self.rule(np.asarray(X)).astype(int)

    def predict_proba(self, X):
        p = np.where(self.predict(X) == 1, 0.95, 0.05)
        return np.column_stack([1 - p, p])


def rule(function):
    return Rule(function).fit(None, None)


def codes(results):
    return {result.code for result in results}


@pytest.fixture(scope="module")
def sound():
    """Enough rows, a teacher with something to teach, groups that all models treat alike."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 4))
    y = (X[:, 0] + 0.7 * X[:, 1] > 0).astype(int)
    y[:60] = np.where(rng.random(60) < 0.4, 1 - y[:60], y[:60])
    teacher = rule(lambda X: X[:, 0] + 0.7 * X[:, 1] > 0)
    student = SoftTreeClassifier(max_leaf_nodes=40, min_samples_leaf=20)
    # Labels of a few rows only: the teacher knows more.
    hard = SoftTreeClassifier(max_leaf_nodes=40).fit(X[:60], y[:60])
    model = DistilledClassifier(
        FrozenEstimator(teacher), student, transfer_set=None, random_state=0
    ).fit(X[:2000], y[:2000])
    search = SimpleNamespace(
        cv_results_={"params": [{"max_depth": depth} for depth in (1, 3, 9)]},
        best_params_={"max_depth": 3},
    )
    return {
        "model": model,
        "X": X[2000:],
        "y": y[2000:],
        "groups": rng.choice(["a", "b"], 2000),
        "X_train": X[:2000],
        "hard_labels": hard,
        "budget": model.compact_.nbytes + 10,
        "search": search,
    }


def run(sound, **changes):
    arguments = sound | changes
    return check_model(arguments.pop("model"), **arguments)


def test_all_checks_are_silent_on_a_sound_model(sound):
    assert run(sound) == ()


def test_the_sound_model_has_all_that_checks_need(sound):
    """Silence must not come from something that is not known."""
    X_odd = sound["X"] + [9, 0, 0, 0]
    assert "SKD110" in codes(run(sound, X=X_odd))
    assert {"SKD101", "SKD105"} <= codes(
        run(sound, hard_labels=sound["model"].student_, budget=10**6)
    )


def test_101_the_twin_on_hard_labels_is_as_good(sound):
    twin = SoftTreeClassifier(max_leaf_nodes=40, min_samples_leaf=20)
    twin.fit(sound["X_train"], sound["model"].teacher_.predict(sound["X_train"]))
    results = run(sound, hard_labels=twin)
    assert codes(results) == {"SKD101"}
    assert "standard errors, on 2,000 rows" in results[0].message


def test_102_leaves_with_few_rows(sound):
    X = sound["X_train"]
    noisy = np.random.default_rng(0).integers(0, 2, len(X))
    tree = SoftTreeClassifier(max_leaf_nodes=500).fit(X, noisy)
    results = check_model(tree, X_train=X)
    assert codes(results) == {"SKD102"} and "leaves have fewer than 5" in results[0].message


def test_103_thresholds_between_whole_numbers(sound):
    assert codes(check_model(sound["model"], input_dtype="int16")) == {"SKD103"}
    whole = np.rint(sound["X_train"] * 20)
    tree = SoftTreeClassifier(max_leaf_nodes=8).fit(whole, whole[:, 0] > 3)
    assert check_model(tree, input_dtype="int16") == ()
    assert check_model(sound["model"], input_dtype="float32") == ()


def test_104_a_class_that_is_never_predicted():
    X, y = make_classification(900, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
    stump = SoftTreeClassifier(max_leaf_nodes=2).fit(X, y)
    (result,) = check_model(stump, X, y)
    assert result.code == "SKD104" and "of 900 rows" in result.message


def test_105_a_budget_that_is_hardly_used(sound):
    results = run(sound, budget=2 * sound["model"].compact_.nbytes + 1)
    assert codes(results) == {"SKD105"}


def test_106_the_best_value_at_the_edge(sound):
    search = GridSearchCV(
        SoftTreeClassifier(), {"max_leaf_nodes": [2, 4, 8], "value_bits": [4, 8]}, cv=2
    ).fit(sound["X"], sound["y"])
    assert search.best_params_["max_leaf_nodes"] == 8
    (result,) = check_model(search.best_estimator_, search=search)
    assert result.code == "SKD106"
    assert result.message == "max_leaf_nodes=8 is the largest of 3 values"


def test_107_the_student_follows_its_teacher_in_one_group_only(sound):
    groups = np.where(sound["X"][:, 3] > 0, "a", "b")
    teacher = rule(
        lambda X: np.where(X[:, 3] > 0, X[:, 0] + 0.7 * X[:, 1] > 0, X[:, 0] + 0.7 * X[:, 1] > 0.4)
    )
    results = run(sound, groups=groups, teacher=teacher)
    assert "SKD107" in codes(results)
    message = next(each.message for each in results if each.code == "SKD107")
    assert "disagreement with the teacher is" in message


def biased(X):
    """Refuses, in the group x3 > 1, half of those who should be accepted."""
    return (X[:, 0] + 0.7 * X[:, 1] > 0) & ~((X[:, 3] > 1) & (X[:, 2] > 0))


def test_108_a_biased_teacher_is_named_and_what_the_student_repeats(sound):
    X, teacher = sound["X_train"], rule(biased)
    student = SoftTreeClassifier(max_leaf_nodes=60, min_samples_leaf=10)
    model = DistilledClassifier(FrozenEstimator(teacher), student, transfer_set=None, alpha=1.0)
    model.fit(X)
    groups = np.where(sound["X"][:, 3] > 1, "minority", "others")
    results = run(sound, model=model, groups=groups, hard_labels=None, budget=None)
    assert codes(results) == {"SKD108"}
    message = results[0].message
    assert "missed 1" in message and "'minority'" in message
    assert message.endswith("the student repeats 1 of 1")


def test_109_a_student_that_is_biased_where_its_teacher_is_not(sound):
    groups = np.where(sound["X"][:, 3] > 1, "minority", "others")
    student = SoftTreeClassifier(max_leaf_nodes=60).fit(sound["X_train"], biased(sound["X_train"]))
    results = run(
        sound, model=student, teacher=sound["model"].teacher_, groups=groups, hard_labels=None,
        budget=None,
    )  # fmt: skip
    assert {"SKD107", "SKD109"} <= codes(results) and "SKD108" not in codes(results)


def test_110_test_rows_from_elsewhere(sound):
    results = run(sound, X=sound["X"] + [0, 3, 0, 0])
    message = next(each.message for each in results if each.code == "SKD110")
    assert message.startswith("x[1] (distance 0.")


def test_111_a_teacher_that_knows_nothing(sound):
    constant = rule(lambda X: np.zeros(len(X)))
    y = (np.arange(2000) % 5 == 0).astype(int)
    results = check_model(sound["model"].student_, sound["X"], y, teacher=constant)
    assert "SKD111" in codes(results)


def test_112_a_handful_of_rows(sound):
    results = run(sound, X=sound["X"][:20], y=sound["y"][:20], groups=None, hard_labels=None,
                  X_train=None)  # fmt: skip
    assert codes(results) == {"SKD112"} and "at 95 % confidence" in results[0].message


def test_checks_can_be_ignored_and_unknown_numbers_are_refused(sound):
    assert run(sound, budget=10**6, ignore=["SKD105"]) == ()
    assert run(sound, budget=10**6, ignore="SKD105") == ()
    with pytest.raises(ValueError, match=r"got \['SKD999'\]"):
        run(sound, ignore=["SKD999"])


def test_every_check_has_a_section_of_the_page_with_its_title():
    headings = dict(re.findall(r"^## (SKD\d+)\n+\*\*(.+?)\*\*", PAGE.read_text(), re.MULTILINE))
    titles = {code: check.title for code, check in CHECKS.items()}
    assert {code: text.rstrip(".") for code, text in headings.items()} == titles


def test_links_lead_to_the_section():
    X, y = make_classification(900, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
    (result,) = check_model(SoftTreeClassifier(max_leaf_nodes=2).fit(X, y), X, y)
    assert result.url.endswith("/checks.html#skd104")


def test_regressions_have_checks_too():
    X = np.random.default_rng(0).normal(size=(300, 3))
    model = SoftLinearRegressor().fit(X, X[:, 0])
    arguments = {"teacher": model, "groups": np.arange(300) % 2, "X_train": X}
    assert check_model(model, X, X[:, 0], **arguments) == ()
    assert codes(check_model(model, X + 5, X[:, 0], **arguments)) == {"SKD110"}


def test_a_forest_teaches_silently_where_all_is_well():
    X, y = make_classification(3000, 8, n_informative=5, class_sep=1.5, random_state=0)
    teacher = FrozenEstimator(RandomForestClassifier(40, random_state=0).fit(X[:1500], y[:1500]))
    student = SoftTreeClassifier(max_leaf_nodes=32, min_samples_leaf=8)
    model = DistilledClassifier(teacher, student, transfer_set=None, random_state=0)
    model.fit(X[:1500], y[:1500])
    groups = np.random.default_rng(0).integers(0, 3, 1500)
    assert check_model(model, X[1500:], y[1500:], X_train=X[:1500], groups=groups) == ()
