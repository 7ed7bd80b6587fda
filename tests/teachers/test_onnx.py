"""ONNX files as teachers: which output, which inputs, of which type."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.special import softmax
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from skdistill import OnnxTeacher, SoftTreeClassifier

onnx = pytest.importorskip("onnx")
skl2onnx = pytest.importorskip("skl2onnx")
pytest.importorskip("onnxruntime")

X, Y = load_iris(return_X_y=True)
ROWS = X.astype(np.float32)
NAMES = np.array(["setosa", "versicolor", "virginica"])


@pytest.fixture
def write(tmp_path):
    """Write a model, or the one that a converter makes of an estimator; the path."""

    def to_file(model, name="big.onnx", **options):
        if not isinstance(model, onnx.ModelProto):
            options = {id(model): options} if options else None
            model = skl2onnx.to_onnx(model, ROWS[:1], options=options)
        path = tmp_path / name
        path.write_bytes(model.SerializeToString())
        return path

    return to_file


def graph(nodes, inputs, outputs):
    """A graph of nodes (operator, inputs, outputs, attributes) and values (name, type, shape)."""
    kinds = {"f": 1, "i": 7, "h": 10, "d": 11}
    value = lambda v: onnx.helper.make_tensor_value_info(v[0], kinds[v[1]], v[2])  # noqa: E731
    made = onnx.helper.make_graph(
        [onnx.helper.make_node(op, i, o, **options) for op, i, o, options in nodes],
        "graph",
        [value(v) for v in inputs],
        [value(v) for v in outputs],
    )
    return onnx.helper.make_model(
        made, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9
    )


def softmax_of(inputs):
    """Softmax of all inputs side by side."""
    names = [name for name, _, _ in inputs]
    cast = [("Cast", [name], [f"{name}_f"], {"to": 1}) for name in names]
    join = ("Concat", [f"{name}_f" for name in names], ["z"], {"axis": 1})
    nodes = [*cast, join, ("Flatten", ["z"], ["flat"], {})]
    nodes.append(("Softmax", ["flat"], ["P"], {"axis": 1}))
    return graph(nodes, inputs, [("P", "f", [None, None])])


class TestOutputs:
    @pytest.mark.parametrize("zipmap", [True, False, "columns"])
    @pytest.mark.parametrize("names", [NAMES, np.array([-4, 7, 1000])])
    def test_of_skl2onnx(self, zipmap, names, write):
        model = LogisticRegression(max_iter=500).fit(ROWS, names[Y])
        path = write(model, zipmap=zipmap)
        if zipmap == "columns":  # an output for each class
            with pytest.raises(ValueError, match="several outputs that may hold the response"):
                OnnxTeacher(path).fit(X, names[Y])
            return
        teacher = OnnxTeacher(path).fit(X, names[Y])
        assert teacher.classes_.tolist() == names.tolist()
        assert_allclose(teacher.predict_proba(X), model.predict_proba(X), atol=1e-6)
        assert teacher.predict(X).tolist() == model.predict(X).tolist()
        without = OnnxTeacher(path).fit(X)
        assert without.classes_.tolist() == (names.tolist() if zipmap else [0, 1, 2])

    def test_keys_of_a_zipmap_are_renamed_by_classes(self, write):
        path = write(LogisticRegression(max_iter=500).fit(ROWS, Y))
        teacher = OnnxTeacher(path, classes=NAMES).fit()
        assert teacher.predict(X[::50]).tolist() == NAMES.tolist()

    def test_bool_labels_of_y_name_the_keys_0_and_1(self, write):
        path = write(LogisticRegression().fit(ROWS, Y == 0))
        assert OnnxTeacher(path).fit(X, Y == 0).classes_.dtype == bool
        assert OnnxTeacher(path).fit(X).classes_.tolist() == [0, 1]

    @pytest.mark.parametrize("y", [Y, Y == 0])
    def test_margins(self, y, write):
        model = LinearSVC().fit(ROWS, y)
        path = write(model)
        teacher = OnnxTeacher(path, response_method="decision_function").fit(X, y)
        z = model.decision_function(ROWS)
        expected = softmax(z if z.ndim == 2 else np.column_stack([0 * z, z]), axis=1)
        assert_allclose(teacher.predict_proba(X), expected, atol=1e-5)
        with pytest.raises(ValueError, match="need response_method='decision_function'"):
            OnnxTeacher(path).fit(X, y)

    def test_of_a_compact_model(self, write):
        student = SoftTreeClassifier().fit(X, Y)
        teacher = OnnxTeacher(write(student.to_onnx())).fit(X)
        assert_allclose(teacher.predict_proba(X), student.predict_proba(X), atol=1e-6)

    def test_named(self, write):
        inputs, nodes = [("x", "f", [None, 4])], [("Neg", ["x"], ["away"], {})]
        nodes += [("Softmax", [z], [P], {"axis": 1}) for z, P in (("x", "P"), ("away", "Q"))]
        path = write(graph(nodes, inputs, [(n, "f", [None, 4]) for n in "PQ"]))
        with pytest.raises(ValueError, match=r"name one as output: P tensor\(float\)"):
            OnnxTeacher(path).fit(X)
        for name, sign in (("P", 1), ("Q", -1)):
            teacher = OnnxTeacher(path, output=name).fit(X)
            assert_allclose(teacher.predict_proba(X), softmax(sign * ROWS, axis=1), atol=1e-6)
        with pytest.raises(ValueError, match=r"output='R' is none of .*big\.onnx: P"):
            OnnxTeacher(path, output="R").fit(X)

    def test_one_sigmoid(self, write):
        nodes = [("Sigmoid", ["x"], ["p"], {})]
        path = write(graph(nodes, [("x", "f", [None, 1])], [("p", "f", [None, 1])]))
        teacher = OnnxTeacher(path, ["no", "yes"]).fit()
        assert teacher.predict([[-1.0], [2.0]]).tolist() == ["no", "yes"]
        assert_allclose(teacher.predict_proba([[0.0]]), [[0.5, 0.5]])

    def test_none_that_fits(self, write):
        nodes = [("Cast", ["x"], ["n"], {"to": 7})]
        path = write(graph(nodes, [("x", "f", [None, 4])], [("n", "i", [None, 4])]))
        with pytest.raises(ValueError, match="has no outputs that may hold the response"):
            OnnxTeacher(path).fit(X)

    def test_sums_in_float32_of_a_big_forest(self, write):
        forest = RandomForestClassifier(500, random_state=0).fit(ROWS, Y)
        teacher = OnnxTeacher(write(forest, zipmap=False)).fit(X)
        assert np.abs(teacher._raw_response(ROWS).astype(float).sum(axis=1) - 1).max() > 1e-6
        assert np.abs(teacher.predict_proba(X).sum(axis=1) - 1).max() < 1e-15

    def test_values(self, write):
        forest = RandomForestRegressor(3, random_state=0).fit(ROWS, X[:, 0])
        teacher = OnnxTeacher(write(forest)).fit(X, regression=True)
        assert_allclose(np.ravel(teacher.predict(X)), forest.predict(ROWS), rtol=1e-6)
        with pytest.raises(ValueError, match="fitted as a regressor"):
            teacher.predict_proba(X)


class TestInputs:
    frame = pd.DataFrame(np.rint(X), columns=list("pqrs"))

    @pytest.mark.parametrize("kind", list("fdhi"))
    @pytest.mark.parametrize("width", [4, None])
    def test_types(self, kind, width, write):
        path = write(softmax_of([("x", kind, [None, width])]))
        teacher = OnnxTeacher(path).fit(self.frame)
        expected = softmax(self.frame.to_numpy(), axis=1)
        assert_allclose(teacher.predict_proba(self.frame), expected, atol=1e-6)

    def test_columns_by_name_in_any_order(self, write):
        path = write(softmax_of([(name, "f", [None, 1]) for name in "srp"]))
        teacher = OnnxTeacher(path).fit(self.frame)
        expected = softmax(self.frame[list("srp")].to_numpy(), axis=1)
        assert_allclose(teacher.predict_proba(self.frame), expected, atol=1e-6)

    @pytest.mark.parametrize("rows", [X, frame.set_axis(list("abcd"), axis=1)])
    def test_columns_by_width(self, rows, write):
        path = write(softmax_of([("one", "d", [None, 1]), ("three", "f", [None, 3])]))
        expected = softmax(np.asarray(rows), axis=1)
        assert_allclose(OnnxTeacher(path).fit(rows).predict_proba(rows), expected, atol=1e-6)

    @pytest.mark.parametrize(
        ("inputs", "message"),
        [
            ([("x", "f", [None, 3])], r"takes x tensor\(float\) .*3\]; X has 4 columns"),
            ([("x", "f", [None, 3]), ("y", "f", [None, 3])], "X has 4 columns"),
            ([("x", "f", [None, None]), ("y", "f", [None, 1])], "X has 4 columns"),
            ([("x", "f", [None, 2, 2])], "input that takes no table: x"),
            ([("x", "f", [5, 4])], "takes 5 rows a call: export it with a dynamic"),
        ],
    )
    def test_that_do_not_fit(self, inputs, message, write):
        with pytest.raises(ValueError, match=message):
            OnnxTeacher(write(softmax_of(inputs))).fit(X, Y)

    @pytest.mark.parametrize("value", [0.5, np.nan, 1e30, np.inf])
    def test_only_whole_numbers_become_integers(self, value, write):
        teacher = OnnxTeacher(write(softmax_of([("x", "i", [None, 4])]))).fit(self.frame)
        rows = self.frame.to_numpy(copy=True)
        rows[3, 2] = value
        with pytest.raises(ValueError, match=r"input x of .* takes tensor\(int64\), X holds"):
            teacher.predict_proba(rows)

    def test_strings_are_no_numbers(self, write):
        teacher = OnnxTeacher(write(softmax_of([("x", "f", [None, 4])]))).fit(X)
        with pytest.raises(ValueError, match=r"input x of the teacher big\.onnx takes tensor"):
            teacher.predict_proba(np.full((2, 4), "a"))


def test_copies_and_pickles_need_no_file(write):
    path = write(LogisticRegression(max_iter=500).fit(ROWS, Y))
    teacher = OnnxTeacher(path).fit(X)
    assert not hasattr(clone(teacher), "classes_")
    path.unlink()
    copy = pickle.loads(pickle.dumps(teacher))
    assert copy.predict_proba(X).tolist() == teacher.predict_proba(X).tolist()
    assert clone(teacher).get_params() == teacher.get_params()


def test_not_before_fit(write):
    path = write(LogisticRegression(max_iter=500).fit(ROWS, Y))
    with pytest.raises(NotFittedError):
        OnnxTeacher(path).predict_proba(X)
    with pytest.raises(ValueError, match="OnnxTeacher needs classes, or rows X"):
        OnnxTeacher(path).fit()


def test_what_is_no_onnx_file(tmp_path):
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ValueError, match=r"text\.onnx' holds no model that ONNX Runtime can run"):
        OnnxTeacher(tmp_path / "text.onnx").fit(X)
    with pytest.raises(FileNotFoundError):
        OnnxTeacher(tmp_path / "gone.onnx").fit(X)
