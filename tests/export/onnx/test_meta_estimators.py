"""skl2onnx converts students inside other estimators, in any order of the imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import skl2onnx
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import (
    DistilledClassifier,
    SoftBoostingClassifier,
    SoftBoostingRegressor,
    SoftLinearClassifier,
    SoftLinearRegressor,
    SoftNetClassifier,
    SoftTreeClassifier,
    SoftTreeRegressor,
)

ROOT = Path(__file__).parents[3]


def data():
    X, y = load_iris(return_X_y=True)
    return X.astype(np.float32), y


def voting(student, **options):
    parts = [("student", student), ("bayes", GaussianNB())]
    return VotingClassifier(parts, flatten_transform=False, **options)


CLASSIFIERS = {
    "search": lambda s: GridSearchCV(s, {}, cv=2),
    "pipeline": lambda s: make_pipeline(StandardScaler(), s),
    "search of a pipeline": lambda s: GridSearchCV(make_pipeline(StandardScaler(), s), {}, cv=2),
    "calibrated": lambda s: CalibratedClassifierCV(s, cv=2),
    "calibrated, isotonic": lambda s: CalibratedClassifierCV(s, cv=2, method="isotonic"),
    "soft voting": lambda s: voting(s, voting="soft"),
    "hard voting": voting,
    "voting of a pipeline": lambda s: voting(make_pipeline(StandardScaler(), s), voting="soft"),
    "stacking": lambda s: StackingClassifier(
        [("student", s), ("bayes", GaussianNB())], LogisticRegression(), cv=2
    ),
    "one against the rest": OneVsRestClassifier,
    "one against one": OneVsOneClassifier,
    "bagging": lambda s: BaggingClassifier(s, 3, random_state=0),
    "bagging of columns": lambda s: BaggingClassifier(s, 3, max_features=0.5, random_state=0),
    "AdaBoost": lambda s: AdaBoostClassifier(s, n_estimators=2, random_state=0),
    # Its converter reads no threshold.
    "tuned threshold": lambda s: TunedThresholdClassifierCV(s, thresholds=[0.499, 0.501], cv=2),
    "several outputs": MultiOutputClassifier,
}
REGRESSORS = {
    "search": lambda s: GridSearchCV(s, {}, cv=2),
    "pipeline": lambda s: make_pipeline(StandardScaler(), s),
    "voting": lambda s: VotingRegressor([("student", s), ("ridge", Ridge())]),
    "stacking": lambda s: StackingRegressor([("student", s), ("ridge", Ridge())], Ridge(), cv=2),
    "bagging": lambda s: BaggingRegressor(s, 2, random_state=0),
    "AdaBoost": lambda s: AdaBoostRegressor(s, n_estimators=2, random_state=0),
    "several outputs": MultiOutputRegressor,
    "several outputs of a pipeline": lambda s: MultiOutputRegressor(
        make_pipeline(StandardScaler(), s)
    ),
}
STUDENTS = {
    "tree": (SoftTreeClassifier(max_leaf_nodes=6), SoftTreeRegressor(max_leaf_nodes=6)),
    "boosting": (
        SoftBoostingClassifier(3, max_leaf_nodes=4, random_state=0),
        SoftBoostingRegressor(3, max_leaf_nodes=4, random_state=0),
    ),
    "linear": (SoftLinearClassifier(), SoftLinearRegressor()),
}


def assert_equal(model, X, **options):
    """First outputs equal predictions, but for rows where float32 decides a tie otherwise."""
    proto = skl2onnx.to_onnx(model, X[:1], **options)
    session = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    expected = np.asarray(model.predict(X))
    got = np.asarray(session.run(None, {"X": X})[0]).reshape(expected.shape)
    if expected.dtype.kind == "f":
        assert np.allclose(got, expected, rtol=1e-4, atol=1e-4)
    else:
        assert np.mean(got == expected) > 0.98


@pytest.mark.filterwarnings("ignore:Option zipmap is ignored:UserWarning")
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("kind", STUDENTS)
@pytest.mark.parametrize("place", CLASSIFIERS)
def test_classifiers_inside_others(place, kind, n_classes):
    (X, y), (student, _) = data(), STUDENTS[kind]
    y = np.minimum(y, n_classes - 1)
    if "threshold" in place and n_classes > 2:
        y = np.minimum(y, 1)
    if "several" in place:
        y = np.column_stack([y, y[::-1]])
    model = CLASSIFIERS[place](student).fit(X, y)
    assert_equal(model, X)
    assert_equal(model, X)  # and again: the first conversion equals all others


@pytest.mark.parametrize("kind", STUDENTS)
@pytest.mark.parametrize("place", REGRESSORS)
def test_regressors_inside_others(place, kind):
    (X, _), (_, student) = data(), STUDENTS[kind]
    X, y = X[:, :3], X[:, 3].astype(float)
    if "several" in place:
        y = np.column_stack([y, -y])
    assert_equal(REGRESSORS[place](student).fit(X, y), X)


@pytest.mark.parametrize("labels", [("a", "b", "c"), ("no", "yes")])
@pytest.mark.parametrize("zipmap", [True, False, "columns"])
def test_a_search_gives_what_its_best_student_gives(labels, zipmap):
    X, y = data()
    y = np.array(labels)[np.minimum(y, len(labels) - 1)]
    search = GridSearchCV(SoftTreeClassifier(max_leaf_nodes=6), {}, cv=2).fit(X, y)
    runs = []
    for model in (search, search.best_estimator_):
        proto = skl2onnx.to_onnx(model, X[:1], options={"zipmap": zipmap})
        session = ort.InferenceSession(
            proto.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        names = [output.name for output in session.get_outputs()]
        runs.append(dict(zip(names, session.run(None, {"X": X}), strict=True)))
    assert list(runs[0]) == list(runs[1])
    for name, value in runs[0].items():
        assert np.asarray(value).tolist() == np.asarray(runs[1][name]).tolist()


def test_a_distiller_votes():
    X, y = data()
    student = SoftTreeClassifier(max_leaf_nodes=6)
    distiller = DistilledClassifier(GaussianNB(), student, transfer_set=None, cv=2)
    assert_equal(voting(distiller, voting="soft").fit(X, y), X)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("opset", [9, 10, 11, 12, 13, 15, 17, 18, 21])
def test_every_opset(opset, n_classes):
    (X, y), target = data(), {"": opset, "ai.onnx.ml": 3}
    y = np.minimum(y, n_classes - 1)
    for kind in ("tree", "boosting"):
        assert_equal(STUDENTS[kind][0].fit(X, y), X, target_opset=target)
        assert_equal(STUDENTS[kind][1].fit(X, X[:, 3]), X, target_opset=target)
    if opset < 11:
        with pytest.raises(ValueError, match=rf"target_opset={opset}: the rounding .* needs 11"):
            skl2onnx.to_onnx(SoftLinearClassifier().fit(X, y), X[:1], target_opset=target)
    else:
        assert_equal(SoftLinearClassifier().fit(X, y), X, target_opset=target)
    net = SoftNetClassifier((4,), max_iter=2).fit(X, y)
    if opset < 12:
        with pytest.raises(ValueError, match=rf"target_opset={opset}: .* network needs 12"):
            skl2onnx.to_onnx(net, X[:1], target_opset=target)
    else:
        assert_equal(net, X, target_opset=target)


CODE = """
{imports}
import numpy as np
from sklearn.ensemble import BaggingClassifier
from skdistill import SoftTreeClassifier
class Own(SoftTreeClassifier):
    pass
from skl2onnx import to_onnx
X = np.arange(40, dtype=np.float32)[:, None]
for kind in (SoftTreeClassifier, Own):
    model = BaggingClassifier(kind(max_leaf_nodes=2), 2).fit(X, X[:, 0] > 19)
    print(len(to_onnx(model, X[:1]).graph.output))
"""


@pytest.mark.parametrize(
    "imports",
    ["import skdistill", "import skl2onnx", "import importlib.util as u; u.find_spec('skl2onnx')"],
)
def test_any_order_of_imports(imports):
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(imports=imports)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["2", "2"]


def test_nothing_of_scikit_learn_is_registered():
    code = (
        "from skl2onnx._supported_operators import sklearn_operator_name_map as known;"
        "before = dict(known); import skdistill;"
        "new = [kind for kind in known if known[kind] != before.get(kind)];"
        "print(len(new) > 5, {kind.__module__.partition('.')[0] for kind in new})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "True {'skdistill'}", done.stderr
