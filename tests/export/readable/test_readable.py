"""Text, frames and drawings say what the model does, for every kind of table."""

from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge

from skdistill import (
    CompactModel,
    SoftBoostingClassifier,
    SoftLinearClassifier,
    SoftLinearRegressor,
    SoftNetClassifier,
    SoftTreeClassifier,
    SoftTreeRegressor,
)
from skdistill.compact import InputGrid, TreeTable, evaluate
from skdistill.export.readable.walk import tree_depth
from tests.strategies import adversarial_rows, compact_models

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True, as_frame=True)


def follow(frame, row, names):
    """Leaf of a row by the frame of one tree."""
    nodes = frame.set_index("node")
    at = frame["node"].iloc[0]
    while pd.notna(nodes.loc[at, "left"]):
        node = nodes.loc[at]
        with np.errstate(over="ignore"):
            x = np.float32(row[names.index(node["column"])])
        left = node["missing"] == "left" if np.isnan(x) else float(x) <= node["threshold"]
        at = node["left"] if left else node["right"]
    return at


@settings(max_examples=25, deadline=None)
@given(compact_models())
def test_the_frame_is_enough_to_find_the_leaf_of_every_row(model):
    if not model.tables_of(TreeTable) or not len(model.table(TreeTable).feature):
        return
    X = adversarial_rows(model, 0, 12)
    if model.input_dtype == "int32":
        X = np.clip(np.rint(np.nan_to_num(X)), -(2**23), 2**23)
    leaves, frame = model.apply(X), model.to_frame()
    names = list(model.feature_names or (f"x[{j}]" for j in range(model.n_features)))
    for tree in range(leaves.shape[1]):
        part = frame[(frame["table"] == "trees") & (frame["tree"] == tree)]
        assert part["node"].is_unique
        if "left" not in part:
            continue
        assert [follow(part, x, names) for x in X] == leaves[:, tree].tolist()


@settings(max_examples=25, deadline=None)
@given(compact_models())
def test_paths_end_in_the_leaves_and_are_ways_of_the_tree(model):
    if not model.tables_of(TreeTable):
        return
    X = adversarial_rows(model, 1, 15)
    indicator, ptr = model.decision_path(X)
    trees = model.table(TreeTable)
    width = len(trees.feature) + len(trees.values)
    np.testing.assert_array_equal(ptr, np.arange(len(trees.roots) + 1) * width)
    assert (indicator.data == 1).all()
    np.testing.assert_array_equal(model.apply(X), evaluate.leaves(model, X) + len(trees.feature))
    for t in range(len(trees.roots)):
        part = indicator[:, ptr[t] : ptr[t + 1]].toarray()
        ends = part[:, len(trees.feature) :]
        np.testing.assert_array_equal(ends.sum(axis=1), 1)
        np.testing.assert_array_equal(
            ends.argmax(axis=1) + len(trees.feature), model.apply(X)[:, t]
        )
        assert part.sum(axis=1).max() <= 1 + tree_depth(trees, t)


def test_paths_of_no_rows_are_an_empty_matrix(iris):
    tree = SoftTreeClassifier(max_leaf_nodes=3).fit(*iris)
    indicator, _ = tree.decision_path(iris[0][:0])
    assert indicator.shape == (0, 5)


def test_text_of_a_forest_names_columns_and_adds_integers(iris):
    X, y = iris
    model = SoftBoostingClassifier(n_estimators=2, max_leaf_nodes=3).fit(X, y).compact_
    text = model.export_text()
    assert "tree 0" in text and "tree 1" in text and "adds" in text
    assert "petal length (cm) <= " in text and "petal width (cm) > " in text
    assert text.count(" or missing") == 4  # one of the two sides of each split
    trees = model.table(TreeTable)
    assert text.count("adds") == len(trees.values)
    assert model.export_text(tree=1) in text.replace("tree 1\n", "")
    assert model.export_text(tree=-1) == model.export_text(tree=1)
    assert "… 2 leaves" in model.export_text(tree=0, max_depth=1)


@pytest.mark.parametrize("draw", ["export_text", "to_svg", "to_dot"])
def test_a_tree_that_is_not_there_is_refused(draw, iris):
    tree = SoftTreeClassifier(max_leaf_nodes=3).fit(*iris)
    with pytest.raises(ValueError, match="tree=1 is not there: the model has the trees 0 to 0"):
        getattr(tree, draw)(tree=1)


def test_categories_have_their_names_and_missing_ones_their_side():
    rng = np.random.default_rng(0)
    colours = rng.choice(["blue", "green", "red"], 300)
    X = pd.DataFrame({"colour": pd.Categorical(colours), "size": rng.normal(size=300)})
    X.loc[::7, "colour"] = np.nan
    y = (X["colour"].isin(["blue", "red"])).astype(int)
    tree = SoftTreeClassifier(max_leaf_nodes=2).fit(X, y)
    text = tree.export_text(tree=0)
    sides = {line.split(" in ")[1] for line in text.splitlines() if "colour in" in line}
    assert len(sides) == 2
    assert any("blue, red" in side and "missing" not in side for side in sides)
    assert any("green" in side and "missing" in side for side in sides)
    assert {"blue", "red"} <= {
        each.strip()
        for row in tree.to_frame()["categories_left"].dropna()
        for each in row.split(",")
    } or "green" in text


def test_a_threshold_that_parts_numbers_from_missing_values_is_said_in_words():
    grid = InputGrid([0], [0, 1], np.array([np.inf], np.float32))
    for nan_left, texts in (
        (False, ("is a number", "is missing")),
        (True, ("is missing", "never")),
    ):
        trees = TreeTable(grid, [0], [0], [0], [-1], [-2], [nan_left], [[-3], [2]], value_bits=4)
        text = CompactModel(1, [0], 0.5, "sigmoid", ["no", "yes"], [trees]).export_text()
        assert all(each in text for each in texts)


def test_one_score_a_leaf_says_the_label_only_where_the_leaf_decides():
    grid = InputGrid([0], [0, 1], np.array([7.5], np.float32))
    trees = TreeTable(grid, [0], [0], [0], [-1], [-2], [False], [[-3], [2]], value_bits=4)
    model = CompactModel(1, [0], 0.5, "sigmoid", ["no", "yes"], [trees], threshold=2)
    text = model.export_text(tree=0)  # both leaves lie at or below the threshold
    assert text.count("no, p = ") == 2
    two = TreeTable(grid, [0, 0], [0], [0], [-1], [-2], [False], [[-3], [2]], value_bits=4)
    assert "adds -3" in CompactModel(1, [0], 0.5, "sigmoid", [0, 1], [two]).export_text(tree=0)


def test_drawings_have_a_box_for_each_node_and_are_well_formed(iris):
    X, y = iris
    tree = SoftTreeClassifier(max_leaf_nodes=9).fit(X.rename(columns={X.columns[2]: "<&>"}), y)
    root = ElementTree.fromstring(tree.to_svg(max_depth=None))
    boxes = root.findall(f"{SVG}g")
    assert len(boxes) == 17 and root.get("role") == "img"
    assert len({box.get("data-node") for box in boxes}) == 17
    labels = {text.text for box in boxes for text in box.findall(f"{SVG}text")}
    assert {"<&>", "<= 2.5"} <= labels
    x = [float(box.find(f"{SVG}rect").get("x")) for box in boxes]
    width = float(root.get("width"))
    assert min(x) >= 0 and max(x) + float(boxes[0].find(f"{SVG}rect").get("width")) <= width
    cut = ElementTree.fromstring(tree.to_svg(max_depth=1))
    assert len(cut.findall(f"{SVG}g")) == 3
    assert any("leaves" in text.text for text in cut.iter(f"{SVG}text"))
    dashed = [path for path in root.findall(f"{SVG}path") if path.get("stroke-dasharray")]
    assert len(dashed) == 8  # one of the two branches of each inner node


def test_leaves_of_several_scores_name_the_largest_and_count_the_others(iris):
    model = SoftBoostingClassifier(n_estimators=2, max_leaf_nodes=3).fit(*iris).compact_
    (leaf,) = model.to_frame().query("tree == 0 and left.isna()").iloc[[0]].to_dict("records")
    scores = {name: leaf[f"score {name}"] for name in (0, 1, 2)}
    largest = max(scores, key=lambda name: abs(scores[name]))
    root = ElementTree.fromstring(model.to_svg())
    (box,) = [box for box in root.iter(f"{SVG}g") if box.get("data-node") == str(leaf["node"])]
    lines = [text.text for text in box.findall(f"{SVG}text")]
    assert lines == [f"adds {largest}: {scores[largest]:+d}", "2 more"]


def test_boxes_of_one_level_do_not_overlap(iris):
    tree = SoftTreeClassifier(max_leaf_nodes=20).fit(*iris)
    root = ElementTree.fromstring(tree.to_svg(max_depth=None))
    levels = {}
    for box in root.iter(f"{SVG}rect"):
        levels.setdefault(box.get("y"), []).append((float(box.get("x")), float(box.get("width"))))
    for boxes in levels.values():
        boxes.sort()
        for (x, width), (following, _) in pairwise(boxes):
            assert x + width < following


def test_dot_has_each_node_once_and_two_edges_a_question(iris):
    tree = SoftTreeClassifier(max_leaf_nodes=9).fit(*iris)
    dot = tree.to_dot()
    assert dot.startswith("digraph tree_0 {") and dot.count("->") == 16
    assert dot.count("[label=") == 17 + 16
    assert dot.count("dashed") == 8


@pytest.mark.parametrize("classes", [2, 3])
def test_coefficients_are_those_of_the_line_that_the_scores_follow(classes, iris):
    X, y = iris
    X, y = X[y < classes], y[y < classes]
    student = SoftLinearClassifier(input_bits=12, weight_bits=12).fit(X, y)
    reference = LogisticRegression(max_iter=1000).fit(X, y)
    assert student.coef_.shape == reference.coef_.shape
    assert student.intercept_.shape == reference.intercept_.shape
    z = X.to_numpy() @ student.coef_.T + student.intercept_
    expected = student.decision_function(X).reshape(z.shape)
    assert np.abs(z - expected).max() < 0.02 * np.abs(expected).max()


@pytest.mark.parametrize("targets", [1, 2])
def test_coefficients_of_a_regressor(targets, iris):
    X = iris[0].to_numpy()
    y = X[:, 2:] if targets == 2 else X[:, 2]
    student = SoftLinearRegressor(input_bits=12, weight_bits=12).fit(X[:, :2], y)
    reference = Ridge(1e-4 * len(X)).fit(X[:, :2], y)
    assert student.coef_.shape == reference.coef_.shape
    assert np.shape(student.intercept_) == np.shape(reference.intercept_)
    np.testing.assert_allclose(student.coef_, reference.coef_, atol=0.05)
    np.testing.assert_allclose(student.intercept_, reference.intercept_, atol=0.3)


def test_an_unfitted_linear_student_has_no_coefficients():
    assert not hasattr(SoftLinearClassifier(), "coef_")
    assert not hasattr(SoftLinearRegressor(), "intercept_")


def test_linear_models_and_nets_have_text_and_frame(iris):
    X, y = iris
    linear = SoftLinearClassifier().fit(X, y)
    assert "petal width (cm)" in linear.export_text() and "offset" in linear.export_text()
    frame = linear.to_frame()
    assert frame["column"].tolist() == list(X.columns) and (frame["table"] == "linear").all()
    net = SoftNetClassifier(hidden_layer_sizes=(5,), max_iter=5, random_state=0).fit(X, y)
    assert "layer 0: 5 units" in net.export_text() and "output: 3 scores" in net.export_text()
    frame = net.to_frame()
    assert len(frame) == 5 + 3 and frame["weights"].map(len).tolist() == [4] * 5 + [5] * 3
    with pytest.raises(ValueError, match="no trees table"):
        net.to_svg()


def test_leaves_of_a_regression_hold_its_value(iris):
    X, y = iris
    tree = SoftTreeRegressor(max_leaf_nodes=2).fit(X, y.astype(float))
    values = sorted(set(tree.predict(X).tolist()))
    text = tree.export_text(tree=0)
    shown = [float(line.split("--- ")[1]) for line in text.splitlines() if "cm" not in line]
    np.testing.assert_allclose(sorted(shown), values, rtol=1e-6)


def test_only_models_with_trees_have_leaves_and_paths(iris):
    tree, linear = SoftTreeClassifier(max_leaf_nodes=3), SoftLinearClassifier()
    assert not hasattr(tree, "apply") and not hasattr(linear.fit(*iris), "decision_path")
    assert hasattr(tree.fit(*iris), "apply") and not hasattr(linear.compact_, "apply")
    assert hasattr(tree.compact_, "decision_path")
