"""ONNX Runtime answers as Python does: labels and scores bit for bit, probabilities closely."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill import CompactModel
from skdistill.compact import InputGrid, LinearTable, TreeTable
from skdistill.export.onnx import to_onnx
from tests.strategies import INPUT_DTYPES, adversarial_rows, compact_models, seeds


def session_of(proto):
    return ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])


def assert_parity(model, X, session):
    label, proba, scores = session.run(None, {"X": X})
    assert scores.dtype == np.int32
    assert scores.shape == (len(X), model.n_scores)
    assert np.array_equal(scores, model.scores(X))
    assert label.tolist() == model.predict(X).tolist()
    if isinstance(proba, list):
        labels = model.classes.tolist()
        assert all(list(row) == sorted(labels) for row in proba) or len(proba) == 0
        proba = np.array([[row[name] for name in labels] for row in proba]).reshape(
            len(X), len(labels)
        )
    assert proba.shape == (len(X), len(model.classes))
    assert np.allclose(proba, model.predict_proba(X), rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", INPUT_DTYPES)
@given(model=compact_models(), seed=seeds, zipmap=st.booleans())
def test_every_model_answers_in_the_runtime_as_in_python(dtype, model, seed, zipmap):
    session = session_of(to_onnx(model, input_dtype=dtype, zipmap=zipmap))
    X = adversarial_rows(model, seed, n=150, dtype=dtype)
    assert_parity(model, X, session)
    assert_parity(model, X[:1], session)
    assert_parity(model, X[:0], session)


@given(compact_models(), seeds)
def test_the_answer_does_not_depend_on_the_type_in_which_a_number_arrives(model, seed):
    X = adversarial_rows(model, seed, n=50, dtype="int32")
    X = np.clip(X, -(2**24), 2**24)
    answers = [
        session_of(to_onnx(model, input_dtype=dtype)).run(["scores"], {"X": X.astype(dtype)})[0]
        for dtype in INPUT_DTYPES
    ]
    for answer in answers:
        assert np.array_equal(answer, model.scores(X))


def many_trees(n_trees, values, bits=16, dtype="float32", bias=0):
    """Stumps that share their nodes; S columns as `values` has."""
    values = np.array(values)
    S = values.shape[1]
    grid = InputGrid([0], [0, 1], np.zeros(1, dtype))
    trees = TreeTable(grid, [0] * n_trees, [0], [0], [-1], [-2], [True], values, bits)
    classes = np.arange(2 if S == 1 else S)
    link = "sigmoid" if S == 1 else "softmax"
    return CompactModel(1, [bias] * S, 1e-7, link, classes, [trees])


@pytest.mark.parametrize("dtype", ["float32", "int32"])
@pytest.mark.parametrize("n_trees", [256, 257, 1000])
@pytest.mark.parametrize("values", [[[65535], [1]], [[65535, 0, 3], [65534, 65535, 1]]])
def test_sums_beyond_what_float32_holds_are_exact(dtype, n_trees, values):
    model = many_trees(n_trees, values, dtype=dtype)
    assert (int(model.score_bound.max()) > 2**24) == (n_trees > 256)
    proto = to_onnx(model)
    X = np.array([[-1], [1], [np.nan]] * 60, np.float32)
    assert_parity(model, X, session_of(proto))
    assert model.scores(X[1:2])[0, 0] == values[1][0] * n_trees


def test_trees_are_parted_only_where_their_sums_may_pass_2_to_the_24():
    def ensembles(model):
        return sum(node.op_type == "TreeEnsembleRegressor" for node in to_onnx(model).graph.node)

    assert [ensembles(many_trees(n, [[32767], [-32768]])) for n in (1, 512, 513, 1024, 1025)] == [
        1,
        1,
        2,
        2,
        3,
    ]


@pytest.mark.parametrize("bias", [2**31 - 1, -(2**31) + 1])
def test_scores_at_the_end_of_int32_do_not_wrap(bias):
    model = many_trees(1, [[0], [0]], bias=bias)
    assert_parity(model, np.zeros((3, 1), np.float32), session_of(to_onnx(model)))


@pytest.mark.parametrize("n_rows", [1, 2, 127, 128, 129, 1000])
@pytest.mark.parametrize("S", [1, 3])
def test_many_trees_and_any_number_of_rows(n_rows, S):
    rng = np.random.default_rng(S)
    N, L, T = 40, 30, 120
    grid = InputGrid(
        [0, 1], [0, 50, 100], np.tile(np.sort(rng.normal(size=50)), 2).astype(np.float32)
    )
    nodes = np.arange(N)
    children = [
        np.where(nodes % 4 == side, np.minimum(nodes + 1 + side, N - 1), -rng.integers(1, L, N))
        for side in (0, 1)
    ]
    children = [np.where(child > nodes, child, np.minimum(child, -1)) for child in children]
    trees = TreeTable(
        grid,
        rng.integers(0, N, T),
        nodes % 2,
        rng.integers(0, 50, N),
        *children,
        nodes % 3 == 0,
        rng.integers(-9, 9, (L, S)),
        8,
    )
    link, classes = ("sigmoid", 2) if S == 1 else ("softmax", S)
    model = CompactModel(2, [0] * S, 0.01, link, np.arange(classes), [trees])
    X = adversarial_rows(model, n_rows, n=n_rows, dtype="float32")
    assert_parity(model, X, session_of(to_onnx(model)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_linear_table_rounds_in_the_runtime_as_in_python_at_every_half_way_point(dtype):
    rng = np.random.default_rng(0)
    offset, inv_step = (
        rng.normal(size=4).astype(np.float32),
        rng.uniform(0.1, 9, 4).astype(np.float32),
    )
    linear = LinearTable(np.arange(4), offset, inv_step, 8, rng.integers(-128, 128, (4, 3)), 8)
    model = CompactModel(4, [1, 2, 3], 1e-4, "softmax", [0, 1, 2], [linear])
    X = adversarial_rows(model, 0, n=20_000, dtype=dtype)
    assert_parity(model, X, session_of(to_onnx(model, input_dtype=dtype)))


def constant(K, link=None, classes=None):
    S = 1 if K <= 2 else K
    link = link or ("sigmoid" if S == 1 else "softmax")
    return CompactModel(
        2, np.arange(S) + 1, 0.25, link, np.arange(K) if classes is None else classes
    )


@pytest.mark.parametrize("zipmap", [False, True])
def test_outputs_have_the_stated_names_types_and_shapes(zipmap):
    session = session_of(
        to_onnx(constant(3, classes=["a", "b", "c"]), input_dtype="float64", zipmap=zipmap)
    )
    assert [(x.name, x.type, x.shape[1]) for x in session.get_inputs()] == [
        ("X", "tensor(double)", 2)
    ]
    label, proba, scores = session.get_outputs()
    names = ["output_label", "output_probability"] if zipmap else ["label", "probabilities"]
    assert [label.name, proba.name, scores.name] == [*names, "scores"]
    assert label.type == "tensor(string)"
    assert scores.type == "tensor(int32)"
    assert scores.shape[1] == 3
    if zipmap:
        assert proba.type == "seq(map(string,tensor(float)))"
    else:
        assert (proba.type, proba.shape[1]) == ("tensor(float)", 3)


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (np.array([False, True]), [0, 1]),
        (np.array([1.0, 2.0]), [1, 2]),
        (np.array([-(2**63), 2**63 - 1]), [-(2**63), 2**63 - 1]),
        (np.array([3, 7], np.uint8), [3, 7]),
        (np.array([3, 7], object), [3, 7]),
        (np.array(["ja", "größer", "日本"]), ["ja", "größer", "日本"]),
        (np.array(["", "x"], object), ["", "x"]),
        (np.array(["only"]), ["only"]),
    ],
)
@pytest.mark.parametrize("zipmap", [False, True])
def test_labels_leave_as_integers_or_strings(classes, expected, zipmap):
    model = constant(len(classes), classes=classes)
    label, proba, _ = session_of(to_onnx(model, zipmap=zipmap)).run(
        None, {"X": np.zeros((1, 2), np.float32)}
    )
    assert label.tolist() == [expected[len(classes) - 1]]
    assert label.dtype == (object if isinstance(expected[0], str) else np.int64)
    if zipmap:
        assert sorted(proba[0]) == sorted(expected)


@pytest.mark.parametrize(
    "classes",
    [
        [0.5, 1.0],
        [np.inf, 1.0],
        [np.nan, 1.0],
        [1e300, 1.0],
        [0, 2**64 - 1],
        np.array(["a", 1], object),
    ],
    ids=repr,
)
def test_labels_that_onnx_has_no_type_for_are_refused(classes):
    with pytest.raises(ValueError, match="integers or strings"):
        to_onnx(constant(2, classes=np.array(classes)))


@pytest.mark.parametrize("dtype", ["float16", "uint8", "double", "", None, np.float32])
def test_other_input_types_are_refused(dtype):
    with pytest.raises(ValueError, match="input_dtype must be one of"):
        to_onnx(constant(2), input_dtype=dtype)


@pytest.mark.parametrize("dtype", INPUT_DTYPES)
@given(model=compact_models(regression=True), seed=seeds)
def test_every_regression_answers_in_the_runtime_as_in_python(dtype, model, seed):
    proto = to_onnx(model, input_dtype=dtype)
    assert [output.name for output in proto.graph.output] == ["value", "scores"]
    session = session_of(proto)
    X = adversarial_rows(model, seed, n=150, dtype=dtype)
    for rows in (X, X[:1], X[:0]):
        value, scores = session.run(None, {"X": rows})
        assert scores.dtype == np.int32
        assert np.array_equal(scores, model.scores(rows))
        assert value.dtype == np.float32
        assert np.array_equal(value, scores.astype(np.float32) * np.float32(model.scale))
        assert np.allclose(value, model.predict(rows).reshape(value.shape), rtol=2e-7, atol=0)


def test_values_have_no_dictionaries():
    with pytest.raises(ValueError, match="zipmap=True needs classes"):
        to_onnx(CompactModel(1, [0], 1.0, "identity", None), zipmap=True)


def test_the_file_is_the_model_and_is_written_whole(tmp_path):
    path = tmp_path / "model.onnx"
    proto = to_onnx(constant(3), path)
    assert onnx.load(path) == proto
    assert to_onnx(constant(3)) == proto  # the same again
    assert os.listdir(tmp_path) == ["model.onnx"]
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        to_onnx(constant(3), tmp_path / "folder")
    assert sorted(os.listdir(tmp_path)) == ["folder", "model.onnx"]


def test_a_refused_model_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="integers or strings"):
        to_onnx(constant(2, classes=[0.5, 1]), path)
    assert path.read_bytes() == b"old"


def test_without_onnx_the_error_names_the_extra():
    code = "import sys; sys.modules['onnx'] = None; import skdistill\n"
    code += "from skdistill.export.onnx import to_onnx\n"
    code += "model = skdistill.CompactModel(1, [0], 1.0, 'sigmoid', [0, 1])\n"
    code += "try: to_onnx(model)\nexcept ImportError as error: print(error)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'skdistill[onnx]'" in done.stdout


@pytest.mark.parametrize("name", ["label", "probabilities", "scores", ""])
def test_columns_that_are_called_like_outputs_are_refused(name):
    model = CompactModel(2, [0], 1.0, "sigmoid", [0, 1], feature_names=("size", name))
    with pytest.raises(ValueError, match=f"makes column '{name}' an input.*rename the column"):
        to_onnx(model, per_column_inputs=True)
    assert [each.name for each in to_onnx(model).graph.input] == ["X"]


def test_columns_of_one_name_are_refused():
    model = CompactModel(2, [0], 1.0, "identity", None, feature_names=("size", "size"))
    with pytest.raises(ValueError, match="columns of different names"):
        to_onnx(model, per_column_inputs=True)


@pytest.mark.parametrize("n_nodes", [18, 21, 60, 3000])
def test_trees_that_share_beyond_all_bounds_are_refused(n_nodes):
    node = np.arange(n_nodes)
    left, right = np.append(node[1:], ~0), np.append(node[1:], ~1)
    grid, zero = InputGrid([0], [0, 1], np.float32([0.5])), 0 * node
    trees = TreeTable(grid, [0], zero, zero, left, right, zero > 0, [[-1], [1]], 8)
    model = CompactModel(1, [0], 1.0, "sigmoid", ["no", "yes"], [trees])
    if n_nodes < 20:
        assert_parity(model, np.float32([[0], [1]]), session_of(to_onnx(model)))
        return
    with pytest.raises(ValueError, match="more than 1,048,576 nodes"):
        to_onnx(model)
