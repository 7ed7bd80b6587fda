"""Every kind of teacher, with its real library, from fit to ONNX Runtime's answers."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris, make_friedman1
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from sklearn.svm import LinearSVC

from skdistill import (
    BoosterTeacher,
    CallableTeacher,
    Munge,
    OnnxTeacher,
    SoftTreeClassifier,
    TeacherEnsemble,
)
from skdistill.export.onnx.parity import open_session
from skdistill.metrics import fidelity_scorer, kl_divergence_scorer
from skdistill.teachers import probabilities
from tests.distillers import tree_classifier, tree_regressor

onnxruntime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")
xgboost = pytest.importorskip("xgboost")
lightgbm = pytest.importorskip("lightgbm")
catboost = pytest.importorskip("catboost")

X, Y = load_iris(return_X_y=True)
ROWS = X.astype(np.float32)
LABELS = {
    "str": np.array(["setosa", "versicolor", "virginica"])[Y],
    "object": np.array(["a", "bb", "ccc"], object)[Y],
    "int": np.array([-4, 7, 1000])[Y],
    "bool": Y == 2,
}
CATBOOST = dict(iterations=20, depth=3, verbose=False, allow_writing_files=False, thread_count=1)


def xgb(**options):
    return xgboost.XGBClassifier(n_estimators=10, max_depth=3, n_jobs=1, **options)


def lgbm(**options):
    return lightgbm.LGBMClassifier(n_estimators=20, num_leaves=5, n_jobs=1, verbose=-1, **options)


def cat(**options):
    return catboost.CatBoostClassifier(**CATBOOST, **options)


def numbers(y):
    return np.unique(y, return_inverse=True)[1]


def objective(y, binary, many):
    K = len(np.unique(y))
    return {"objective": binary} if K == 2 else {"objective": many, "num_class": K}


def xgb_booster(y, folder):
    options = objective(y, "binary:logistic", "multi:softprob") | {"nthread": 1, "max_depth": 3}
    return xgboost.train(options, xgboost.DMatrix(ROWS, numbers(y)), 10)


def lgbm_booster(y, folder):
    options = objective(y, "binary", "multiclass") | {"num_threads": 1, "verbose": -1}
    return lightgbm.train(options, lightgbm.Dataset(X, numbers(y)), 20)


def cat_booster(y, folder):
    loss = "Logloss" if len(np.unique(y)) == 2 else "MultiClass"
    model = catboost.CatBoost({**CATBOOST, "loss_function": loss})
    return BoosterTeacher(model.fit(X, numbers(y)), classes=np.unique(y))


def onnx_file(y, folder):
    model = skl2onnx.to_onnx(GradientBoostingClassifier(n_estimators=10).fit(X, y), ROWS[:1])
    path = folder / "teacher.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def function(y, folder):
    return GaussianNB().fit(X, y).predict_proba


TEACHERS = {
    "scikit-learn": lambda y, folder: RandomForestClassifier(10),
    "Pipeline": lambda y, folder: make_pipeline(StandardScaler(), LogisticRegression()),
    "frozen": lambda y, folder: FrozenEstimator(GaussianNB().fit(X, y)),
    "XGBClassifier": lambda y, folder: xgb(),
    "LGBMClassifier": lambda y, folder: lgbm(),
    "CatBoostClassifier": lambda y, folder: cat(),
    "XGBoost": xgb_booster,
    "LightGBM": lgbm_booster,
    "CatBoost": cat_booster,
    "ONNX path": onnx_file,
    "ONNX": lambda y, folder: OnnxTeacher(onnx_file(y, folder)),
    "function": function,
    "callable": lambda y, folder: CallableTeacher(function(y, folder), np.unique(y)),
    "margins": lambda y, folder: LinearSVC(),
    "list": lambda y, folder: [GaussianNB(), xgb(), function(y, folder)],
    "ensemble": lambda y, folder: TeacherEnsemble(
        [lgbm(), onnx_file(y, folder), FrozenEstimator(cat().fit(X, y))], "greedy"
    ),
}
FITTED = ("frozen", "XGBoost", "LightGBM", "CatBoost", "ONNX path", "ONNX", "function", "callable")


def require_equal_in_onnx_runtime(distilled, rows):
    session = onnxruntime.InferenceSession(
        distilled.to_onnx().SerializeToString(), providers=["CPUExecutionProvider"]
    )
    answers = session.run(None, {session.get_inputs()[0].name: np.asarray(rows, np.float32)})
    assert answers[-1].tolist() == distilled.compact_.scores(np.asarray(rows)).tolist()
    if distilled.compact_.classes is not None:
        assert answers[0].tolist() == distilled.predict(rows).tolist()


@pytest.mark.parametrize("kind", TEACHERS)
@pytest.mark.parametrize("labels", LABELS)
def test_from_fit_to_onnx(kind, labels, tmp_path):
    y = LABELS[labels]
    distilled = tree_classifier(
        TEACHERS[kind](y, tmp_path), cv=3, transfer_set=Munge(2), random_state=0
    ).fit(X, y)
    assert distilled.classes_.tolist() == np.unique(y).tolist()
    assert distilled.score(X, y) > 0.9
    assert fidelity_scorer(distilled, X) > 0.9
    assert -0.7 < kl_divergence_scorer(distilled, X) < 0
    require_equal_in_onnx_runtime(distilled, X)


@pytest.mark.parametrize("kind", FITTED)
def test_without_labels(kind, tmp_path):
    y = LABELS["str"] if kind in ("frozen", "callable", "CatBoost") else Y
    teacher = TEACHERS[kind](LABELS["str"] if "ONNX" in kind else y, tmp_path)
    distilled = tree_classifier(teacher, transfer_set=Munge(2), random_state=0).fit(X)
    wanted = LABELS["str"] if "ONNX" in kind else y
    assert (distilled.predict(X) == wanted).mean() > 0.9
    require_equal_in_onnx_runtime(distilled, X)


@pytest.mark.parametrize("kind", TEACHERS)
def test_searched_cloned_and_pickled(kind, tmp_path):
    y = LABELS["str"]
    distilled = tree_classifier(
        TEACHERS[kind](y, tmp_path), cv=2, transfer_set=None, random_state=0
    )
    search = GridSearchCV(distilled, {"alpha": [0, 1]}, cv=2, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.8
    best = clone(distilled).fit(X, y)
    teacher = best._labelled_teacher  # of XGBoost's the one that knows the labels
    copy, classes = pickle.loads(pickle.dumps(teacher)), best.classes_
    P = probabilities(teacher, X, classes)
    assert_allclose(probabilities(copy, X, classes), P)
    for path in tmp_path.glob("*.onnx"):
        path.unlink()
    assert_allclose(probabilities(copy, X, classes), P)


@pytest.mark.parametrize("kind", TEACHERS)
def test_cached(kind, tmp_path):
    y = LABELS["int"]
    options = {"cv": 2, "transfer_set": None, "random_state": 0}
    plain = tree_classifier(TEACHERS[kind](y, tmp_path), **options).fit(X, y)
    for _ in range(2):
        cached = clone(plain).set_params(memory=str(tmp_path / "cache")).fit(X, y)
        assert cached.compact_.equals(plain.compact_)


class TestValues:
    rows, values = make_friedman1(200, n_features=5, random_state=0)
    single = rows.astype(np.float32)

    def file(self, folder):
        path = folder / "values.onnx"
        model = skl2onnx.to_onnx(
            GradientBoostingRegressor(max_depth=2).fit(self.rows, self.values), self.single[:1]
        )
        path.write_bytes(model.SerializeToString())
        return path

    def booster(self, library):
        rows, values = self.rows, self.values
        if library == "xgboost":
            return xgboost.train({"nthread": 1}, xgboost.DMatrix(rows, values), 30)
        if library == "lightgbm":
            options = {"objective": "regression", "verbose": -1, "num_threads": 1}
            return lightgbm.train(options, lightgbm.Dataset(rows, values), 50)
        model = catboost.CatBoost({**CATBOOST, "iterations": 80, "learning_rate": 0.3})
        return BoosterTeacher(model.fit(rows, values))

    @pytest.mark.parametrize(
        "kind",
        ["regressor", "xgboost", "lightgbm", "catboost", "onnx", "function", "list", "learnt"],
    )
    def test_from_fit_to_onnx(self, kind, tmp_path):
        if kind == "regressor":
            teacher = catboost.CatBoostRegressor(
                **{**CATBOOST, "iterations": 80}, learning_rate=0.3
            )
        elif kind == "onnx":
            teacher = OnnxTeacher(self.file(tmp_path))
        elif kind == "function":
            teacher = GradientBoostingRegressor().fit(self.rows, self.values).predict
        elif kind == "list":
            teacher = [Ridge(), self.booster("xgboost"), self.file(tmp_path)]
        elif kind == "learnt":
            teacher = TeacherEnsemble(
                [Ridge(), GradientBoostingRegressor(random_state=0)], "log_loss"
            )
        else:
            teacher = self.booster(kind)
        distilled = tree_regressor(teacher, transfer_set=Munge(2), random_state=0)
        distilled.fit(self.rows, self.values)
        assert distilled.score(self.rows, self.values) > 0.75
        assert fidelity_scorer(distilled, self.rows) > 0.75
        require_equal_in_onnx_runtime(distilled, self.rows)
        if kind not in ("regressor", "list", "learnt"):
            alone = clone(distilled).fit(self.rows)
            told = alone.teacher_.predict(self.single)
            assert np.corrcoef(np.ravel(told), alone.predict(self.rows))[0, 1] > 0.9

    def test_several_targets(self):
        both = np.column_stack([self.values, -self.values])
        model = Ridge().fit(self.rows, both)
        for teacher in (model.predict, [model.predict, Ridge()]):
            distilled = tree_regressor(teacher, transfer_set=None).fit(self.rows, both)
            assert distilled.predict(self.rows).shape == (200, 2)
            assert distilled.__sklearn_tags__().target_tags.multi_output
        with pytest.raises(ValueError, match="the teacher predicts 2 targets, y has 1"):
            tree_regressor(model.predict, transfer_set=None).fit(self.rows, self.values)

    def test_values_that_are_not_finite(self):
        with pytest.raises(ValueError, match=r"predict of .* contains NaN"):
            tree_regressor(lambda rows: np.full(len(rows), np.nan)).fit(self.rows)

    def test_classifiers_are_refused(self):
        with pytest.raises(TypeError, match="is a classifier: use DistilledClassifier"):
            tree_regressor([Ridge(), GaussianNB()]).fit(self.rows, self.values)


class TestStrings:
    """String columns of a data frame: the teacher's Pipeline encodes them, students rank them."""

    rng = np.random.default_rng(0)
    raw = pd.DataFrame(
        {"size": rng.normal(size=300), "colour": rng.choice(["red", "green", "blue"], 300)}
    )
    y = np.where((raw["colour"] == "red") ^ (raw["size"] > 0.3), "in", "out")
    encoder = OrdinalEncoder().fit(raw[["colour"]])

    def teacher(self):
        encode = make_column_transformer(
            (OneHotEncoder(), ["colour"]), remainder=StandardScaler(), sparse_threshold=0
        )
        return make_pipeline(encode, GradientBoostingClassifier(random_state=0))

    def encoded(self):
        return self.raw.assign(colour=self.encoder.transform(self.raw[["colour"]])[:, 0])

    def decode(self, rows):
        colour = self.encoder.inverse_transform(rows[["colour"]].to_numpy())
        return rows.assign(colour=colour[:, 0])

    @pytest.mark.parametrize("dtype", [object, "str", "category"])
    @pytest.mark.parametrize("transfer_set", [None, "munge"])
    def test_go_to_teacher_and_student(self, dtype, transfer_set):
        raw = self.raw.astype({"colour": dtype})
        distilled = tree_classifier(self.teacher(), transfer_set=transfer_set, random_state=0)
        distilled.fit(raw, self.y)
        assert distilled.score(raw, self.y) > 0.95
        assert distilled.compact_.categories.labels[0].tolist() == ["blue", "green", "red"]
        session = open_session(distilled.to_onnx(per_column_inputs=True).SerializeToString())
        unknown = raw.astype(object)
        unknown.loc[:9, "colour"] = ["pink", "", None, np.nan, "Red"] * 2
        for rows in (raw, unknown):
            feed = {"size": raw[["size"]].to_numpy(np.float32)}
            text = rows["colour"].astype(object).fillna("").to_numpy(object)
            feed["colour"] = text[:, None]
            (label,) = session.run(["label"], feed)
            assert label.tolist() == distilled.predict(rows).tolist()

    def test_are_refused_where_they_are_no_categories(self):
        student = SoftTreeClassifier(categorical_features=None)
        with pytest.raises(ValueError, match=r"could not convert string to float: .*'colour'"):
            tree_classifier(self.teacher(), student, transfer_set=None).fit(self.raw, self.y)

    def test_columns_of_objects_that_are_numbers_are_none(self):
        frame = pd.DataFrame(X).astype(object)
        assert tree_classifier(GaussianNB(), transfer_set=None).fit(frame, Y).score(frame, Y) > 0.9

    @pytest.mark.parametrize("fitted", [False, True])
    def test_a_teacher_that_decodes(self, fitted):
        inner = self.teacher()
        if fitted:
            inner = FrozenEstimator(inner.fit(self.raw, self.y))
        teacher = make_pipeline(FunctionTransformer(self.decode), inner)
        if fitted:
            teacher = FrozenEstimator(teacher)
        rows = self.encoded()
        distilled = tree_classifier(teacher, transfer_set=None, random_state=0)
        distilled.fit(rows, None if fitted else self.y)
        assert distilled.score(rows, self.y) > 0.95
        require_equal_in_onnx_runtime(distilled, rows)

    def test_labels_from_elsewhere(self):
        P = cross_val_predict(self.teacher(), self.raw, self.y, method="predict_proba")
        distilled = tree_classifier(None, transfer_set=None)
        distilled.fit(self.encoded(), self.y, teacher_proba=P)
        assert distilled.score(self.encoded(), self.y) > 0.95

    def test_an_onnx_teacher_with_a_string_input(self, tmp_path):
        types = skl2onnx.common.data_types
        model = skl2onnx.to_onnx(
            self.teacher().fit(self.raw, self.y),
            initial_types=[
                ("size", types.FloatTensorType([None, 1])),
                ("colour", types.StringTensorType([None, 1])),
            ],
        )
        (tmp_path / "raw.onnx").write_bytes(model.SerializeToString())
        teacher = OnnxTeacher(tmp_path / "raw.onnx").fit(self.raw)
        assert (teacher.predict(self.raw) == self.y).mean() > 0.95
        distilled = tree_classifier(teacher, random_state=0).fit(self.raw)
        assert distilled.score(self.raw, self.y) > 0.95


class TestBadInput:
    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (np.full((1, 3), 0.5), "row 0 sums to 1.5, not to 1: .* response_method='decision_fun"),
            ([[0.5, np.nan, 0.5]], "row 0 contains NaN"),
            ([[1.5, -0.5, 0.0]], "row 0 has the negative value -0.5"),
            ([[0.5, 0.5]], r"gives 2 columns, y has 3 classes \[0, 1, 2\]: name its columns"),
            ([[0.25] * 4], "gives 4 columns, y has 3 classes"),
            (np.ones((1, 1, 1)), r"must have shape \(n_samples, n_classes\), got \(1, 1, 1\)"),
        ],
        ids=["sum", "nan", "negative", "few", "many", "shape"],
    )
    def test_answers_that_are_no_probabilities(self, answer, message):
        def told(rows):
            return np.repeat(answer, len(rows), axis=0)

        with pytest.raises(ValueError, match=f"the teacher's function told.*{message}"):
            tree_classifier(told).fit(X, Y)

    def test_rows_that_are_not_answered(self):
        with pytest.raises(ValueError, match=r"has 1 rows for 150"):
            tree_classifier(lambda rows: [[0.5, 0.5, 0.0]], transfer_set=None).fit(X, Y)

    @pytest.mark.parametrize("wrap", [lambda f: f, CallableTeacher, lambda f: [GaussianNB(), f]])
    def test_an_error_of_a_function_is_shown_as_it_is(self, wrap):
        class OutOfPaper(Exception):
            pass

        error = OutOfPaper("tray 2")

        def told(rows):
            raise error

        with pytest.raises(OutOfPaper) as caught:
            tree_classifier(wrap(told)).fit(X, Y)
        assert caught.value is error

    @pytest.mark.parametrize(
        "teacher", ["forest", 3, GaussianNB, object(), {"a": GaussianNB()}, [GaussianNB(), 3]]
    )
    def test_what_cannot_teach(self, teacher):
        with pytest.raises(
            TypeError, match=r"teacher must be an estimator|estimator class instead"
        ):
            tree_classifier(teacher).fit(X, Y)

    def test_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"gone\.onnx"):
            tree_classifier(str(tmp_path / "gone.onnx")).fit(X, Y)
