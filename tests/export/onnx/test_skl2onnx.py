"""skl2onnx converts students untold: the same graph wherever they stand, first and ever after."""

from __future__ import annotations

import multiprocessing
import os
import warnings

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
import skl2onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import SoftLinearRegressor, SoftTreeClassifier, SoftTreeRegressor
from skdistill.compact import TreeTable
from tests.strategies import adversarial_rows


class Subclass(SoftTreeClassifier):
    """Someone's own student."""


def data(labels=(0, 1, 2), dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(300, 4))
    X[rng.random(X.shape) < 0.05] = np.nan
    number = (np.nan_to_num(X[:, 0]) * 2 + X[:, 1] > 0).astype(int) + (X[:, 2] > 0.5) * (
        len(labels) - 2
    )
    return X.astype(dtype), np.array(labels)[number]


def fitted(kind=SoftTreeClassifier, **how):
    X, y = data(**how)
    return kind(max_leaf_nodes=12).fit(X, y)


PLACES = {
    "alone": lambda: (student := fitted(), student),
    "pipeline": lambda: (student := fitted(), Pipeline([("student", student)])),
    "nested pipelines": lambda: (student := fitted(), make_pipeline(make_pipeline(student))),
    "frozen": lambda: (student := fitted(), FrozenEstimator(student)),
    "pipeline of frozen": lambda: (
        student := fitted(),
        Pipeline([("student", FrozenEstimator(student))]),
    ),
    "subclass": lambda: (student := fitted(Subclass), student),
    "frozen subclass": lambda: (student := fitted(Subclass), FrozenEstimator(student)),
    "frozen twice": lambda: (student := fitted(), FrozenEstimator(FrozenEstimator(student))),
}


def convert(model, X, **options):
    return skl2onnx.to_onnx(model, X[:1], options=options or None)


def graph_of(proto):
    """Everything that says what a graph computes, in an order of its own."""
    graph = proto.graph
    return {
        "inputs": [value.SerializeToString() for value in graph.input],
        "outputs": [value.SerializeToString() for value in graph.output],
        "nodes": {
            node.output[0]: node.SerializeToString(deterministic=True) for node in graph.node
        },
        "n_nodes": len(graph.node),
        "initializers": {tensor.name: tensor.SerializeToString() for tensor in graph.initializer},
    }


def run(proto, X):
    session = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    feed = {"X": X} if isinstance(X, np.ndarray) else X
    return dict(zip(names, session.run(None, feed), strict=True))


@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("place", PLACES)
def test_the_graph_is_the_native_one_wherever_the_student_stands(place, zipmap):
    student, model = PLACES[place]()
    X, _ = data()
    converted = convert(model, X, zipmap=zipmap)
    assert graph_of(converted) == graph_of(student.to_onnx(zipmap=zipmap))
    answer = run(converted, X)
    assert answer["output_label" if zipmap else "label"].tolist() == student.predict(X).tolist()


@pytest.mark.parametrize("labels", [("a", "ü", "c"), ("no", "yes"), (0, 1), (-5, 7, 2**40)])
@pytest.mark.parametrize("zipmap", [True, False])
def test_labels_of_every_kind_give_the_native_graph(labels, zipmap):
    student, (X, _) = fitted(labels=labels), data()
    converted = convert(student, X, zipmap=zipmap)
    assert graph_of(converted) == graph_of(student.to_onnx(zipmap=zipmap))
    assert (
        run(converted, X)["output_label" if zipmap else "label"].tolist()
        == student.predict(X).tolist()
    )


def test_without_options_probabilities_leave_as_dictionaries():
    student, (X, _) = fitted(), data()
    assert graph_of(convert(student, X)) == graph_of(student.to_onnx(zipmap=True))


@pytest.mark.parametrize("how", ["by id", "by type", "by name"])
@pytest.mark.parametrize("place", ["alone", "frozen", "frozen twice"])
def test_options_reach_the_student_however_they_name_it(how, place):
    student, model = PLACES[place]()
    X, _ = data()
    key = {"by id": id(model), "by type": type(model), "by name": "zipmap"}[how]
    options = {key: False if how == "by name" else {"zipmap": False}}
    converted = skl2onnx.to_onnx(model, X[:1], options=options)
    assert graph_of(converted) == graph_of(student.to_onnx())


@pytest.mark.parametrize("place", ["alone", "pipeline", "frozen", "pipeline of frozen"])
@pytest.mark.parametrize("labels", [(0, 1, 2), ("a", "b", "c"), ("no", "yes")])
def test_zipmap_columns_gives_a_column_a_class(place, labels):
    student = fitted(labels=labels)
    model = {"alone": student, "pipeline": make_pipeline(student)}.get(
        place, FrozenEstimator(student)
    )
    if place == "pipeline of frozen":
        model = make_pipeline(model)
    X, _ = data()
    answer = run(convert(model, X, zipmap="columns"), X)
    assert list(answer) == ["output_label", *map(str, labels), "scores"]
    assert answer["output_label"].tolist() == student.predict(X).tolist()
    columns = np.column_stack([answer[str(label)] for label in labels])
    assert np.allclose(columns, student.predict_proba(X), rtol=0, atol=1e-6)
    assert np.array_equal(answer["scores"], student.compact_.scores(X))


@pytest.mark.parametrize("zipmap", [True, False, "columns"])
@pytest.mark.parametrize("labels", [(3, 5, 7), ("a", "b", "c"), ("no", "yes")])
def test_class_labels_are_an_output_where_asked_for(labels, zipmap):
    student, (X, _) = fitted(labels=labels), data()
    proto = convert(student, X, zipmap=zipmap, output_class_labels=True)
    answer = run(proto, X)
    plain = run(convert(student, X, zipmap=zipmap), X)
    assert list(answer) == [*plain, "class_labels"]
    assert answer.pop("class_labels").tolist() == list(labels)
    for name, value in plain.items():
        assert np.array_equal(answer[name], value)


@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("labels", [(3, 5, 7), ("a", "b", "c"), ("no", "yes")])
def test_nocl_gives_numbers_instead_of_labels(labels, zipmap):
    student, (X, _) = fitted(labels=labels), data()
    answer = run(convert(student, X, zipmap=zipmap, nocl=True), X)
    expected = np.searchsorted(student.classes_, student.predict(X))
    assert answer["output_label" if zipmap else "label"].tolist() == expected.tolist()
    if zipmap:
        assert list(answer["output_probability"][0]) == list(range(len(labels)))


@pytest.mark.parametrize("labels", [(3, 5, 7), ("no", "yes")])
@pytest.mark.parametrize("zipmap", [True, False])
def test_raw_scores_are_the_decision_function_in_place_of_probabilities(labels, zipmap):
    student, (X, _) = fitted(labels=labels), data()
    answer = run(convert(student, X, zipmap=zipmap, raw_scores=True), X)
    z = student.decision_function(X)
    z = np.column_stack([-z, z]) if z.ndim == 1 else z
    got = answer["output_probability" if zipmap else "probabilities"]
    got = np.array([list(row.values()) for row in got]) if zipmap else got
    assert np.allclose(got, z, rtol=1e-6, atol=1e-6)
    assert answer["output_label" if zipmap else "label"].tolist() == student.predict(X).tolist()


@pytest.mark.parametrize("options", [{"decision_path": True}, {"zipmap": "rows"}])
@pytest.mark.parametrize("place", ["alone", "frozen"])
def test_other_options_are_refused(options, place):
    _, model = PLACES[place]()
    X, _ = data()
    with pytest.raises((NameError, ValueError), match="|".join(options)):
        convert(model, X, **options)


def hard_rows(student, scaler, seed):
    """Rows that the scaler sends to thresholds, or right beside them."""
    rng = np.random.default_rng(seed)
    grid, d = student.compact_.table(TreeTable).grid, student.n_features_in_
    scaled = rng.normal(size=(3000, d))
    for f, column in enumerate(grid.features):
        edges = grid.edges[grid.offsets[f] : grid.offsets[f + 1]]
        scaled[:, column] = rng.choice(edges[np.isfinite(edges)], len(scaled))
    X = scaler.inverse_transform(scaled)
    for _ in range(4):
        X = np.where(
            rng.random(X.shape) < 0.5, np.nextafter(X, rng.choice([-np.inf, np.inf], X.shape)), X
        )
    X[rng.random(X.shape) < 0.05] = np.nan
    X[rng.random(X.shape) < 0.02] = 1e300
    X[rng.random(X.shape) < 0.02] = -1e-300
    return X


@pytest.mark.parametrize("labels", [("a", "b", "c"), (0, 1)])
def test_a_scaler_on_float64_and_a_student_answer_as_in_python(labels):
    X, y = data(labels, np.float64)
    X *= [1, 100, 0.01, 3]
    model = make_pipeline(StandardScaler(), SoftTreeClassifier(max_leaf_nodes=40)).fit(X, y)
    student = model[-1]
    rows = hard_rows(student, model[0], 0)
    with np.errstate(over="ignore"):
        scaled = model[0].transform(rows)
    answer = run(convert(model, X, zipmap=False), rows)
    assert answer["label"].tolist() == model.predict(rows).tolist()
    assert np.array_equal(answer["scores"], student.compact_.scores(scaled))
    assert np.allclose(answer["probabilities"], model.predict_proba(rows), rtol=0, atol=1e-6)
    # The rows are hard: rounded to float32 before the scaler, some would be answered differently.
    with np.errstate(over="ignore"):
        early = model[0].transform(rows.astype(np.float32).astype(np.float64).clip(-1e30, 1e30))
    assert not np.array_equal(student.compact_.scores(early), answer["scores"])


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.float32, np.float64])
def test_integer_columns_with_thresholds_at_half_are_answered_exactly(dtype):
    rng = np.random.default_rng(0)
    X = rng.integers(-4, 5, (400, 3))
    y = (X[:, 0] > 1).astype(int) + (X[:, 1] * X[:, 2] > 2)
    learnt = np.where(X == 4, 4.5, X)  # one value that is not whole: edges lie between values
    student = SoftTreeClassifier(max_leaf_nodes=20).fit(learnt, y)
    assert (student.compact_.table(TreeTable).grid.edges % 1 == 0.5).any()
    rows = rng.integers(-6, 7, (500, 3)).astype(dtype)
    answer = run(convert(student, rows, zipmap=False), rows)
    assert np.array_equal(answer["scores"], student.compact_.scores(rows))
    assert answer["label"].tolist() == student.predict(rows).tolist()


def test_int32_columns_are_compared_without_rounding():
    X = 2**30 + np.arange(200, dtype=np.int32)[:, None]
    student = SoftTreeClassifier().fit(X, X[:, 0] % 7 > 3)
    answer = run(convert(student, X, zipmap=False), X)
    assert np.array_equal(answer["scores"], student.compact_.scores(X))
    assert answer["label"].tolist() == (X[:, 0] % 7 > 3).tolist()


def test_columns_that_arrive_one_by_one_are_joined_in_order():
    X, y = data()
    whole = np.random.default_rng(0).integers(-3, 4, len(X))
    frame = pd.DataFrame({"a": X[:, 0], "whole": whole, "c": X[:, 2]})
    student = SoftTreeClassifier(max_leaf_nodes=30).fit(frame, (y > 0) ^ (whole > 0))
    types = [
        ("a", FloatTensorType([None, 1])),
        ("whole", Int64TensorType([None, 1])),
        ("c", FloatTensorType([None, 1])),
    ]
    proto = skl2onnx.to_onnx(student, initial_types=types, options={"zipmap": False})
    answer = run(proto, {name: frame[[name]].to_numpy() for name in frame})
    assert np.array_equal(answer["scores"], student.compact_.scores(frame))
    assert student.compact_.table(TreeTable).grid.features.tolist() == [0, 1, 2]


REGRESSORS = [
    SoftTreeRegressor(max_leaf_nodes=12),
    SoftTreeRegressor(max_leaf_nodes=12, value_bits="ternary"),
    SoftLinearRegressor(),
]


@pytest.mark.parametrize("place", [Pipeline, FrozenEstimator, None])
@pytest.mark.parametrize("S", [1, 3])
@pytest.mark.parametrize("student", REGRESSORS, ids=str)
def test_regressors_give_the_native_graph_too(student, S, place):
    X, _ = data()
    X = np.nan_to_num(X) if isinstance(student, SoftLinearRegressor) else X
    y = (np.nan_to_num(X) @ np.eye(4, S)) * [1e-9, 1, 1e9][:S] + [5e-9, 0, 1e12][:S]
    student = clone(student).fit(X, y)
    wrapped = {None: student, FrozenEstimator: FrozenEstimator(student)}
    model = wrapped[place] if place in wrapped else Pipeline([("student", student)])
    first, second = (convert(model, X) for _ in range(2))
    assert graph_of(first) == graph_of(second) == graph_of(student.to_onnx())
    rows = adversarial_rows(student.compact_, 0, n=500, dtype="float32")
    answer = run(first, rows)
    assert np.array_equal(answer["scores"], student.compact_.scores(rows))
    expected = student.compact_.predict(rows).reshape(answer["value"].shape)
    assert np.allclose(answer["value"], expected, rtol=2e-7, atol=0)


def check_first_conversion_of_a_regressor(frozen):
    X, _ = data()
    student = SoftTreeRegressor(max_leaf_nodes=12).fit(X, np.nan_to_num(X))
    model = FrozenEstimator(student) if frozen else make_pipeline(student)
    first, second = (convert(model, X) for _ in range(2))
    assert graph_of(first) == graph_of(second) == graph_of(student.to_onnx())


@pytest.mark.parametrize("frozen", [True, False])
def test_the_first_conversion_of_a_regressor_equals_the_second(frozen):
    in_fresh_process(check_first_conversion_of_a_regressor, frozen)


def test_a_scaler_and_a_regressor_answer_as_in_python():
    X, _ = data(dtype=np.float64)
    y = np.nan_to_num(X) @ np.ones((4, 2)) * [1, 1000]
    model = make_pipeline(StandardScaler(), SoftTreeRegressor()).fit(X, y)
    answer = run(convert(model, X), hard_rows(model[1], model[0], 0))
    with np.errstate(over="ignore"):
        scaled = model[0].transform(hard_rows(model[1], model[0], 0))
    assert np.array_equal(answer["scores"], model[1].compact_.scores(scaled))


# Processes that have imported this module, which takes seconds, and have converted nothing.
FRESH = multiprocessing.get_context("forkserver" if hasattr(os, "fork") else "spawn")
if hasattr(os, "fork"):
    FRESH.set_forkserver_preload([__name__])


def in_fresh_process(check, *arguments):
    process = FRESH.Process(target=strictly, args=(check, *arguments))
    process.start()
    process.join(120)
    assert process.exitcode == 0  # what it raised is on stderr


def strictly(check, *arguments):
    warnings.simplefilter("error")
    check(*arguments)


def check_first_conversion(place):
    student, model = PLACES[place]()
    X, _ = data()
    first, second = (convert(model, X, zipmap=False) for _ in range(2))
    assert graph_of(first) == graph_of(second) == graph_of(student.to_onnx())
    assert graph_of(convert(model, X)) == graph_of(student.to_onnx(zipmap=True))


def registered_of_scikit_learn():
    from skl2onnx._parse import sklearn_parsers_map
    from skl2onnx._supported_operators import sklearn_operator_name_map

    return [
        {kind for kind in known if kind.__module__.startswith("sklearn.")}
        for known in (sklearn_parsers_map, sklearn_operator_name_map)
    ]


def check_nothing_of_scikit_learn_is_registered():
    before = registered_of_scikit_learn()
    student, (X, _) = fitted(), data()
    for model in (student, FrozenEstimator(student), FrozenEstimator(FrozenEstimator(student))):
        assert graph_of(convert(model, X, zipmap=False)) == graph_of(student.to_onnx())
    assert registered_of_scikit_learn() == before
    assert not any(FrozenEstimator in known for known in before)


def test_exporting_a_frozen_student_registers_nothing_of_scikit_learn():
    in_fresh_process(check_nothing_of_scikit_learn_is_registered)


@pytest.mark.parametrize(
    "place", ["alone", "pipeline", "frozen", "pipeline of frozen", "subclass", "frozen subclass"]
)
def test_the_first_conversion_of_an_interpreter_equals_the_second(place):
    in_fresh_process(check_first_conversion, place)


def test_columns_of_strings_are_inputs_of_their_own():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"size": rng.normal(size=200), "city": rng.choice(["a", "b", "c"], 200)})
    student = SoftTreeClassifier().fit(X, (X["city"] == "b") ^ (X["size"] > 0))
    proto = skl2onnx.to_onnx(make_pipeline(student), X[:1], options={"zipmap": False})
    X.loc[:5, "city"] = ["", "q", "A", "a", "b", "c"]
    feed = {"size": X[["size"]].to_numpy(), "city": X[["city"]].to_numpy(object)}
    label, _, scores = ort.InferenceSession(proto.SerializeToString()).run(None, feed)
    assert label.astype(bool).tolist() == student.predict(X).tolist()
    np.testing.assert_array_equal(scores, student.compact_.scores(X.to_numpy(object)))
