"""Compiled loops give what the teacher gives, bit for bit, or the teacher itself is asked."""

from __future__ import annotations

import gc
import pickle
import weakref

import numba
import numpy as np
import pandas as pd
import pytest
from joblib import Parallel, delayed
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skdistill.teachers import BoosterTeacher, TeacherEnsemble, fast_response
from skdistill.teachers.fast_response import respond, way_of

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3000, 5)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(int) + (X[:, 3] > 0.5)
V = X[:, 0] * 3 + np.sin(X[:, 1]) + 10
TRAIN = slice(0, 300)

CLASSIFIERS = [
    RandomForestClassifier(9, random_state=0),
    RandomForestClassifier(9, min_samples_leaf=7, criterion="entropy", random_state=0),
    ExtraTreesClassifier(9, random_state=0, class_weight="balanced"),
    GradientBoostingClassifier(n_estimators=5, random_state=0),
    GradientBoostingClassifier(n_estimators=5, init="zero", learning_rate=0.3, random_state=0),
    HistGradientBoostingClassifier(max_iter=6),
]
REGRESSORS = [
    RandomForestRegressor(9, random_state=0),
    ExtraTreesRegressor(9, random_state=0, bootstrap=True),
    GradientBoostingRegressor(n_estimators=7, loss="huber", random_state=0),
    HistGradientBoostingRegressor(max_iter=6),
    HistGradientBoostingRegressor(max_iter=6, loss="poisson"),
]


def lightgbm_models():
    lightgbm = pytest.importorskip("lightgbm")
    options = {"n_estimators": 6, "verbose": -1, "n_jobs": 1, "min_child_samples": 5}
    return lightgbm.LGBMClassifier(**options), lightgbm.LGBMRegressor(**options)


def assert_same(model, method, rows, exact=True):
    response, own = respond(model, method, rows), getattr(model, method)(rows)
    assert response.shape == own.shape
    if exact:
        np.testing.assert_array_equal(response, own)
    else:  # softmax in other functions than the library's
        np.testing.assert_allclose(response, own, rtol=0, atol=1e-14 * np.abs(own).max())


def thresholds_of(model):
    """Rows on thresholds of the trees, and on the nearest numbers of float32 and float64."""
    parts = fast_response.tree_parts(model)
    cuts = []
    for part in parts:
        if hasattr(part, "children_left"):
            inner = part.children_left >= 0
            cuts += list(zip(part.feature[inner], part.threshold[inner], strict=True))
        elif hasattr(part, "nodes"):
            nodes = part.nodes[part.nodes["is_leaf"] == 0]
            cuts += list(zip(nodes["feature_idx"], nodes["num_threshold"], strict=True))
    rows = X.astype(np.float64)[np.arange(2 * len(X)) % len(X)]
    for i in range(len(rows)):
        feature, at = cuts[i % len(cuts)]
        near = np.float32(at)
        kinds = [
            at,
            np.nextafter(at, np.inf),
            np.nextafter(at, -np.inf),
            near,
            np.nextafter(near, np.float32(np.inf)),
            np.nextafter(near, np.float32(-np.inf)),
        ]
        rows[i, feature] = kinds[RNG.integers(len(kinds))]
    return rows


@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("y", [Y, Y > 0, np.array(list("abc"))[Y]], ids=["3", "2", "names"])
def test_classifiers(model, y):
    model.fit(X[TRAIN], y[TRAIN])
    exact = hasattr(model, "estimator")  # forests: nothing but sums and a quotient
    for rows in (thresholds_of(model), X, X[:1001]):
        assert_same(model, "predict_proba", rows, exact)
    assert way_of(model) == f"{type(model).__name__} in compiled loops"


@pytest.mark.parametrize("model", REGRESSORS, ids=lambda m: type(m).__name__)
def test_regressors(model):
    model.fit(X[TRAIN], V[TRAIN])
    for rows in (thresholds_of(model), X):
        assert_same(model, "predict", rows, getattr(model, "loss", "") != "poisson")
    assert way_of(model) == f"{type(model).__name__} in compiled loops"


def test_several_values_of_a_forest():
    model = RandomForestRegressor(5, random_state=0).fit(X[TRAIN], X[TRAIN, :2])
    assert_same(model, "predict", X)
    assert way_of(model) == "RandomForestRegressor in compiled loops"


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_lightgbm(kind):
    model = lightgbm_models()[kind // 2]
    y = [Y, Y > 0, V][kind]
    rows = X.copy()
    rows[::7, 0] = 0.0
    rows[::11, 1] = 1e-36  # LightGBM reads 0
    sparse_zeros = rows.copy()
    sparse_zeros[::2, 2] = 0.0
    model.fit(sparse_zeros[TRAIN], y[TRAIN])
    text = model.booster_.model_to_string()
    lines = [line for line in text.splitlines() if line.startswith(("split_fea", "threshold="))]
    for i, (features, cuts) in enumerate(zip(lines[::2], lines[1::2], strict=True)):
        for j, (f, t) in enumerate(zip(features[14:].split(), cuts[10:].split(), strict=True)):
            rows[(31 * i + j) % len(rows), int(f)] = float(t)
    for each in (rows, rows.astype(np.float64)):
        assert_same(model, "predict" if kind == 2 else "predict_proba", each, kind == 2)
    assert way_of(model).endswith("in compiled loops")


@pytest.mark.parametrize("y", [Y, Y > 0, V], ids=["3", "2", "values"])
def test_native_lightgbm(y):
    lightgbm = pytest.importorskip("lightgbm")
    objective = "multiclass" if y is Y else "regression" if y is V else "binary"
    options = {"objective": objective, "verbose": -1, "num_threads": 1}
    options |= {"num_class": 3} if y is Y else {}
    booster = lightgbm.train(options, lightgbm.Dataset(X[TRAIN], y[TRAIN]), 5)
    teacher = BoosterTeacher(booster).fit(X, None if y is V else y, regression=y is V)
    assert_same(teacher, "predict" if y is V else "predict_proba", X, y is V)
    assert way_of(teacher) == "BoosterTeacher in compiled loops"
    if y is Y:
        margins = BoosterTeacher(booster, response_method="decision_function").fit(X, y)
        assert_same(margins, "predict_proba", X)
        assert way_of(margins) == "BoosterTeacher by its own method"


def test_lightgbm_of_other_kinds_is_asked_itself():
    classifier, regressor = lightgbm_models()
    codes = X.copy()
    codes[:, 4] = RNG.integers(0, 9, len(X))
    y = np.where(np.isin(codes[:, 4], [1, 4, 7]), V, -V)
    models = [
        regressor.set_params(objective="poisson").fit(X[TRAIN], V[TRAIN]),
        type(regressor)(**regressor.get_params())
        .set_params(objective="regression")
        .fit(codes[:900], y[:900], categorical_feature=[4]),
        type(regressor)(n_estimators=3, verbose=-1, zero_as_missing=True).fit(X[TRAIN], V[TRAIN]),
        type(regressor)(n_estimators=3, verbose=-1, linear_tree=True).fit(X[TRAIN], V[TRAIN]),
        type(classifier)(
            n_estimators=3, verbose=-1, boosting_type="rf", subsample=0.5, subsample_freq=1
        ).fit(X[TRAIN], Y[TRAIN]),
    ]
    for model in models:
        assert_same(model, "predict_proba" if hasattr(model, "classes_") else "predict", codes)
        assert way_of(model).endswith("by its own method")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
def test_rows_without_a_number_are_the_teachers_own(value):
    rows = X.astype(np.float64)
    rows[::3, 1] = value
    boosting = HistGradientBoostingRegressor(max_iter=5).fit(rows[TRAIN], V[TRAIN])
    assert_same(boosting, "predict", rows)
    assert way_of(boosting).endswith("compiled loops")
    forest = RandomForestClassifier(3, random_state=0).fit(X[TRAIN], Y[TRAIN])
    if np.isnan(value):
        assert_same(forest, "predict_proba", rows)
        return
    with np.errstate(over="ignore"):
        with pytest.raises(ValueError) as own:
            forest.predict_proba(rows[::3])
        with pytest.raises(ValueError) as ours:
            respond(forest, "predict_proba", rows)
    assert str(ours.value) == str(own.value)


@pytest.mark.parametrize("kind", ["forest", "lightgbm", "histogram"])
def test_whole_numbers_and_frames_of_them_are_read_as_the_library_reads_them(kind):
    """Beyond 2^24 float32 has not all of them; LightGBM and forests read arrays of them as such."""
    rows = (X[:, :3] * 4).astype(np.int64) + 2**24
    models = {
        "forest": RandomForestRegressor(5, random_state=0),
        "lightgbm": lightgbm_models()[1].set_params(min_child_samples=1),
        "histogram": HistGradientBoostingRegressor(max_iter=6),
    }
    y = rows[:, 0] % 4 + rows[:, 1] % 2
    model = models[kind].fit(rows[:900].astype(np.float64), y[:900])
    assert_same(model, "predict", rows)
    assert_same(model, "predict", rows.astype(np.float64))
    assert way_of(model).endswith("compiled loops")
    frame = pd.DataFrame(rows, columns=[*"abc"])
    model.fit(frame[:900], y[:900])
    assert_same(model, "predict", frame)
    assert way_of(model).endswith("compiled loops")
    words = frame.assign(c=frame["c"].astype(str))  # read as numbers by some
    if kind != "lightgbm":
        assert_same(model, "predict", words)


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_frames_warn_as_often_as_the_teacher(kind):
    rows = pd.DataFrame(X, columns=list("abcde"))
    rows.loc[::7, "b"] = np.nan
    frame = {
        "pandas": lambda: rows,
        "polars": lambda: pytest.importorskip("polars").from_pandas(rows),
        "pyarrow": lambda: pytest.importorskip("pyarrow").Table.from_pandas(rows),
    }[kind]()
    forest = RandomForestClassifier(3, random_state=0).fit(rows.to_numpy()[TRAIN], Y[TRAIN])
    with pytest.warns(UserWarning, match="fitted without feature names") as own:
        expected = forest.predict_proba(frame)
    with pytest.warns(UserWarning, match="fitted without feature names") as ours:
        response = respond(forest, "predict_proba", frame)
    np.testing.assert_array_equal(response, expected)
    assert way_of(forest).endswith("compiled loops")
    assert len(ours) == len(own) == 1


def test_frames_with_a_name_twice_are_the_teachers_own():
    model = lightgbm_models()[0].fit(X[TRAIN], Y[TRAIN])
    assert_same(model, "predict_proba", pd.DataFrame(X, columns=list("abcda")))
    assert way_of(model).endswith("own method")


def test_too_large_numbers_raise_and_warn_as_the_teacher():
    rows = X.astype(np.float64)
    rows[::3, 1] = 1e39
    forest = RandomForestClassifier(3, random_state=0).fit(X[TRAIN], Y[TRAIN])
    for each in (rows, rows[:, :4]):
        caught = []
        for ask in (forest.predict_proba, lambda X: respond(forest, "predict_proba", X)):
            with (
                pytest.warns(RuntimeWarning, match="overflow") as warned,
                pytest.raises(ValueError) as error,
            ):
                ask(each)
            caught.append((len(warned), str(error.value)))
        assert caught[0] == caught[1]


def test_forests_that_know_missing_values():
    rows = X.copy()
    rows[::3, 1] = np.nan
    forest = RandomForestClassifier(5, random_state=0).fit(rows[TRAIN], Y[TRAIN])
    assert_same(forest, "predict_proba", rows)
    assert_same(forest, "predict_proba", np.full((2000, 5), np.nan))
    assert way_of(forest).endswith("compiled loops")


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_threads_and_chunks_change_nothing(n_threads, n_jobs):
    forest = RandomForestClassifier(9, random_state=0, n_jobs=n_jobs).fit(X[TRAIN], Y[TRAIN])
    expected = forest.set_params(n_jobs=1).predict_proba(X)
    forest.set_params(n_jobs=n_jobs)
    before = numba.get_num_threads()
    numba.set_num_threads(min(n_threads, before))
    try:
        for size in (999, 1000, 1001, 3000):
            parts = [
                respond(forest, "predict_proba", X[i : i + size]) for i in range(0, 3000, size)
            ]
            P = np.concatenate(parts)
            # A forest itself adds up in the order in which its threads are done.
            assert (
                np.array_equal(P, expected) if n_jobs == 1 else np.allclose(P, expected, 0, 1e-15)
            )
    finally:
        numba.set_num_threads(before)


def test_wrappers_are_looked_into():
    forest = RandomForestClassifier(5, random_state=0)
    rows = pd.DataFrame(X, columns=list("abcde")).assign(e=lambda t: t["e"].round().astype(int))
    piped = make_pipeline(StandardScaler(), "passthrough", forest).fit(rows[TRAIN], Y[TRAIN])
    searched = GridSearchCV(forest, {"max_depth": [2]}, cv=2).fit(rows[TRAIN], Y[TRAIN])
    for model in (piped, searched, FrozenEstimator(FrozenEstimator(piped))):
        assert_same(model, "predict_proba", rows)
        assert way_of(model) == "RandomForestClassifier in compiled loops"
    with pytest.raises(AttributeError):
        respond(piped, "decision_function", rows)
    with pytest.raises(ValueError, match="feature names should match"):
        respond(searched, "predict_proba", rows[list("edcba")])


def test_members_of_an_ensemble():
    members = [
        RandomForestRegressor(4, random_state=0),
        make_pipeline(StandardScaler(), REGRESSORS[3]),
    ]
    ensemble = TeacherEnsemble(members).fit(X[TRAIN], V[TRAIN])
    expected = np.mean([one.predict(X) for one in ensemble.estimators_], axis=0)
    np.testing.assert_allclose(ensemble.predict(X), expected, rtol=1e-14)
    assert way_of(ensemble) == (
        "RandomForestRegressor in compiled loops, HistGradientBoostingRegressor in compiled loops"
    )


def test_a_teacher_that_answers_otherwise_is_asked_itself():
    forest = RandomForestClassifier(4, random_state=0).fit(X[TRAIN], Y[TRAIN])
    respond(forest, "predict_proba", X)
    for tree in forest.estimators_:
        tree.tree_.value[:] = 1 / 3  # behind the back of the loops
    assert_same(forest, "predict_proba", X)
    assert way_of(forest) == (
        "RandomForestClassifier by its own method, for compiled loops answer 64 of 64 rows "
        "otherwise"
    )
    forest.fit(X[TRAIN], Y[TRAIN])
    assert_same(forest, "predict_proba", X)
    assert way_of(forest).endswith("compiled loops")
    forest.set_params(n_estimators=6, warm_start=True).fit(X[TRAIN], Y[TRAIN])
    assert_same(forest, "predict_proba", X)


def test_replaced_methods_and_members_are_the_teachers_own():
    class Sure(DecisionTreeClassifier):
        def predict_proba(self, X, check_input=True):
            return np.where(X[:, :1] > 3, 1 / 3, super().predict_proba(X, check_input))

    forest = RandomForestClassifier(4, random_state=0).fit(X[TRAIN], Y[TRAIN])
    respond(forest, "predict_proba", X)
    assert way_of(forest).endswith("compiled loops")
    forest.estimators_[0] = Sure().fit(X[TRAIN], Y[TRAIN])
    assert_same(forest, "predict_proba", X)  # few rows differ: the checked ones may not tell
    forest.estimators_[0] = LogisticRegression().fit(X[TRAIN], Y[TRAIN])
    assert way_of(forest) == "RandomForestClassifier by its own method"
    forest.fit(X[TRAIN], Y[TRAIN])
    own = forest.predict_proba
    forest.predict_proba = lambda X: np.where(X[:, :1] > 3, 1 / 3, own(X))
    assert_same(forest, "predict_proba", X)
    assert way_of(forest) == "RandomForestClassifier by its own method"


def test_what_is_not_read_is_asked_itself():
    class Own(RandomForestClassifier):
        def predict_proba(self, X):
            return np.full((len(X), 3), 1 / 3)

    two = np.column_stack([Y, Y > 0])
    models = [
        Own(3).fit(X[TRAIN], Y[TRAIN]),
        GradientBoostingClassifier(n_estimators=2, loss="exponential").fit(X[TRAIN], Y[TRAIN] > 0),
        GradientBoostingClassifier(n_estimators=2, init=CLASSIFIERS[0]).fit(X[TRAIN], Y[TRAIN]),
        HistGradientBoostingClassifier(max_iter=2, categorical_features=[0]).fit(
            np.abs(np.rint(X[TRAIN])), Y[TRAIN]
        ),
    ]
    for model in models:
        assert_same(model, "predict_proba", np.abs(np.rint(X)))
        assert way_of(model) == f"{type(model).__name__} by its own method"
    several = RandomForestClassifier(3, random_state=0).fit(X[TRAIN], two[TRAIN])
    assert len(respond(several, "predict_proba", X)) == 2
    with pytest.raises(NotFittedError):
        respond(RandomForestClassifier(), "predict_proba", X)
    with pytest.raises(NotFittedError, match="GridSearchCV"):
        respond(GridSearchCV(models[0], {}), "predict_proba", X)


def test_teachers_of_any_kind_have_a_way():
    class Unhashable(LogisticRegression):  # as CatBoost's estimators are
        __hash__ = None

    teacher = Unhashable().fit(X[TRAIN], Y[TRAIN])
    assert_same(teacher, "predict_proba", X)
    assert way_of(teacher) == "Unhashable by its own method"


def test_few_rows_of_large_trees_are_not_worth_the_layout():
    forest = RandomForestRegressor(2, random_state=0).fit(X, V)
    respond(forest, "predict", X)
    assert way_of(forest).endswith("own method")
    respond(forest, "predict", np.vstack([X] * 3))
    assert way_of(forest).endswith("compiled loops")


def test_workers_and_pickles():
    forest = RandomForestClassifier(5, random_state=0).fit(X[TRAIN], Y[TRAIN])
    before = len(pickle.dumps(forest))
    expected = respond(forest, "predict_proba", X)
    assert len(pickle.dumps(forest)) == before
    for backend in ("threading", "loky"):
        parts = Parallel(2, backend=backend)(
            delayed(respond)(forest, "predict_proba", X) for _ in range(2)
        )
        assert all(np.array_equal(part, expected) for part in parts)


def test_nothing_is_kept_of_a_teacher_that_is_gone():
    models = [
        RandomForestClassifier(3).fit(X[TRAIN], Y[TRAIN]),
        GradientBoostingClassifier(n_estimators=2).fit(X[TRAIN], Y[TRAIN]),
        HistGradientBoostingClassifier(max_iter=2).fit(X[TRAIN], Y[TRAIN]),
        lightgbm_models()[0].fit(X[TRAIN], Y[TRAIN]),
    ]
    for model in models:
        respond(model, "predict_proba", X)
        assert way_of(model).endswith("compiled loops")
    gone = [weakref.ref(model) for model in models]
    del model, models
    gc.collect()
    assert [each() for each in gone] == [None] * 4
