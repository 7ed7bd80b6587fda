"""Scorecards: the points of a row add up to its integer score."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_iris

from skdistill import (
    CompactModel,
    SoftBoostingClassifier,
    SoftBoostingRegressor,
    SoftLinearClassifier,
    SoftNetClassifier,
    SoftTreeClassifier,
)
from skdistill.compact import InputGrid, TreeTable
from skdistill.inspection import export_scorecard
from tests.strategies import adversarial_rows


@pytest.mark.parametrize("leaves", [2, 3])
@pytest.mark.parametrize("init", [None, "linear"])
def test_points_add_up_to_the_scores(leaves, init):
    X, y = load_breast_cancer(return_X_y=True)
    X = X[:, :6].copy()
    X[::9, 2] = np.nan
    model = SoftBoostingClassifier(
        n_estimators=12, max_leaf_nodes=leaves, threshold_bits=5, init=init
    ).fit(X, y)
    card = export_scorecard(model)
    rows = np.vstack([X, adversarial_rows(model.compact_, 0, 200)])
    np.testing.assert_array_equal(card.scores(rows), model.compact_.scores(rows))
    assert all(len(part.columns) <= leaves - 1 for part in card.parts)


def test_points_of_several_scores_and_integer_inputs():
    X, y = load_iris(return_X_y=True)
    X = np.rint(X * 10).astype(np.int32)
    model = SoftBoostingClassifier(n_estimators=8, max_depth=2).fit(X, y)
    card = export_scorecard(model)
    np.testing.assert_array_equal(card.scores(X), model.compact_.scores(X))
    assert "label: the largest sum" in str(card)
    text = card._repr_html_()
    assert text.count("<table>") == text.count("</table>") == 1 + len(card.parts)


def test_a_column_of_categories_names_them():
    rng = np.random.default_rng(0)
    colour = rng.choice(["blue", "green", "red"], 300)
    X = pd.DataFrame({"colour": pd.Categorical(colour), "size": rng.normal(size=300)})
    X.loc[::8, "colour"] = np.nan
    y = 3.0 * (colour == "red") + X["size"]
    model = SoftBoostingRegressor(n_estimators=10, max_leaf_nodes=3).fit(X, y)
    card = export_scorecard(model)
    np.testing.assert_array_equal(card.scores(X), model.compact_.scores(X))
    assert "red" in str(card) and "value: the sum times" in str(card)


def test_ways_of_three_columns_are_refused_with_their_names():
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    tree = SoftTreeClassifier(max_depth=5).fit(X, y)
    with pytest.raises(ValueError, match=r"reads \d \(.*\): fit with max_depth=2"):
        export_scorecard(tree)
    net = SoftNetClassifier(hidden_layer_sizes=(3,), max_iter=2, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="a net is no sum of tables"):
        export_scorecard(net)


def test_weights_are_a_table_of_their_own():
    X, y = load_iris(return_X_y=True)
    linear = SoftLinearClassifier().fit(X, y)
    card = export_scorecard(linear)
    np.testing.assert_array_equal(card.scores(X), linear.compact_.scores(X))
    assert "offset" in str(card) and not card.parts


def test_trees_without_splits_go_to_the_start_and_inf_parts_missing_values():
    grid = InputGrid([0], [0, 2], np.array([1.0, np.inf], np.float32))
    trees = TreeTable(
        grid, [-1, 0], [0, 0], [1, 0], [1, -2], [-3, -3], [False, True], [[7], [2], [-4]], 5
    )
    model = CompactModel(1, [10], 1.0, "sigmoid", ["no", "yes"], [trees], threshold=12)
    card = export_scorecard(model)
    X = np.array([[0.0], [1.0], [2.0], [np.inf], [-np.inf], [np.nan]])
    assert card.start.tolist() == [17]
    np.testing.assert_array_equal(card.scores(X), model.scores(X))
    assert str(card).endswith("label: yes where the sum is above 12, else no")


def test_cards_of_too_many_cells_are_refused():
    n = 110
    edges = np.arange(n, dtype=np.float32)
    grid = InputGrid([0, 1], [0, n, 2 * n], np.tile(edges, 2))
    node = np.arange(2 * n)  # tree t asks x0 at node 2t and, on its right, x1
    right = np.where(node % 2 == 0, node + 1, -3)
    left = np.where(node % 2 == 0, -1, -2)
    trees = TreeTable(
        grid, node[::2], node % 2, node // 2, left, right, node < 0, [[0], [1], [2]], 4
    )  # fmt: skip
    model = CompactModel(2, [0], 1.0, "identity", None, [trees])
    with pytest.raises(ValueError, match="cells, more than 10,000: fit fewer trees"):
        export_scorecard(model)
