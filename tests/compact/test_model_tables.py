"""What `CompactModel.validate` proves, and that nothing changes it afterwards."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill import CompactModel
from skdistill.compact import CategoryTable, InputGrid, LinearTable, TreeTable
from skdistill.compact.tables.limits import INT32_MAX, value_limits
from skdistill.compact.tables.tree_table import MAX_LEAF_SCORE
from tests.strategies import VALUE_BITS, adversarial_rows, compact_models, seeds


def grid(count=2):
    return InputGrid([0], [0, count], np.arange(count, dtype=np.float32))


def far_grid():
    return InputGrid([3], [0, 2], np.float32([1, 2]))


def leaf():
    """A tree that reads nothing."""
    none = {key: [] for key in ("feature", "threshold", "left", "right", "nan_left")}
    return {"roots": [-1], **none}


def stump(**changes):
    tables = {
        "grid": grid(),
        "roots": [0],
        "feature": [0],
        "threshold": [0],
        "left": [-1],
        "right": [-2],
        "nan_left": [False],
        "values": [[-1], [1]],
        "value_bits": 4,
    }
    return TreeTable(**{**tables, **changes})


def linear(**changes):
    tables = {
        "features": [0],
        "offset": [0.0],
        "inv_step": [1.0],
        "input_bits": 8,
        "weights": [[1]],
        "value_bits": 4,
    }
    return LinearTable(**{**tables, **changes})


def model(**changes):
    parts = {"n_features": 1, "bias": [0], "scale": 1.0, "link": "sigmoid", "classes": [0, 1]}
    return CompactModel(**{**parts, **changes})


@pytest.mark.parametrize("bits", VALUE_BITS)
@pytest.mark.parametrize("signed", [True, False])
def test_value_limits_are_the_whole_range_of_the_bits(bits, signed):
    low, high = value_limits(bits, signed=signed)
    assert high - low + 1 == (3 if bits == "ternary" else 2**bits)
    assert (low < 0) == (signed or bits == "ternary")
    within = stump(values=[[low], [high]], value_bits=bits)
    assert within.values.tolist() == [[low], [high]]
    with pytest.raises(ValueError, match="must lie in"):
        stump(values=[[low], [high + 1]], value_bits=bits)
    if low < 0:
        with pytest.raises(ValueError, match="must lie in"):
            stump(values=[[low - 1], [high]], value_bits=bits)


@pytest.mark.parametrize("bits", [0, 1, 17, -8, 8.0, True, None, "8", "binary", [8]])
def test_other_value_bits_are_refused(bits):
    with pytest.raises(ValueError, match="value_bits"):
        stump(value_bits=bits)
    with pytest.raises(ValueError, match="value_bits"):
        linear(value_bits=bits)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"left": [0]}, "cycle"),
        ({"right": [0]}, "cycle"),
        ({"left": [1]}, "outside"),
        ({"left": [-3]}, "outside"),
        ({"roots": [1]}, "outside"),
        ({"roots": [-3]}, "outside"),
        ({"right": [-1, -2]}, "right has 2 entries"),
        ({"nan_left": []}, "nan_left has 0 entries"),
        ({"nan_left": [2]}, "bool cannot hold"),
        ({"values": [-1, 1]}, "dimension"),
        ({"values": [[0.5], [1]]}, "int32 cannot hold"),
        ({"left": [2**40]}, "int32 cannot hold"),
        ({"threshold": [2]}, "threshold points outside"),
        ({"threshold": [-1]}, "threshold points outside"),
        ({"feature": [1]}, "feature points outside"),
        ({"feature": [-1]}, "feature points outside"),
        ({"grid": None}, "grid must be an InputGrid, got NoneType"),
    ],
)
def test_trees_that_cannot_be_walked_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        stump(**changes)


@pytest.mark.parametrize("unit", [0, -1, 1.0, True, None, "1", [1], 2**24 + 1, 2**40])
def test_other_units_are_refused(unit):
    with pytest.raises(ValueError, match="unit must be an int in"):
        stump(unit=unit)


def test_a_leaf_is_worth_its_value_in_units_up_to_what_float32_counts():
    unit = MAX_LEAF_SCORE // 8
    trees = stump(values=[[-8], [7]], unit=np.int64(unit))
    assert type(trees.unit) is int
    assert trees.scaled_values.dtype == np.int32
    assert trees.scaled_values.tolist() == [[-MAX_LEAF_SCORE], [7 * unit]]
    built = model(tables=[trees])
    assert built.scores([[0], [1]]).tolist() == trees.scaled_values.tolist()
    assert trees.tree_bounds.tolist() == [[MAX_LEAF_SCORE]]
    assert stump().scaled_values.tolist() == stump().values.tolist()
    with pytest.raises(
        ValueError, match=f"adds up to {MAX_LEAF_SCORE + 8}, beyond {MAX_LEAF_SCORE}"
    ):
        stump(values=[[-8], [7]], unit=unit + 1)


def test_a_cycle_of_several_nodes_is_refused():
    with pytest.raises(ValueError, match="cycle"):
        TreeTable(grid(), [0], [0, 0, 0], [0, 0, 0], [1, 2, 1], [-1, -1, -1], [False] * 3, [[1]], 4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"features": [1, 0], "offset": [0, 0], "inv_step": [1, 1], "weights": [[1], [1]]},
            "ascending",
        ),
        ({"features": [-1]}, "ascending"),
        (  # a difference that wraps around in int32 looks as if the numbers rose
            {
                "features": [0, 1, 3, -2147483646],
                "offset": [0] * 4,
                "inv_step": [1] * 4,
                "weights": [[1]] * 4,
            },
            "ascending",
        ),
        (
            {"features": [], "offset": [], "inv_step": [], "weights": np.zeros((0, 1))},
            "at least one",
        ),
        ({"offset": [0.0, 1.0]}, "offset has 2"),
        ({"weights": [[1], [2]]}, "weights has 2"),
        ({"offset": [np.inf]}, "finite"),
        ({"inv_step": [0.0]}, "positive"),
        ({"inv_step": [-1.0]}, "positive"),
        ({"inv_step": [np.inf]}, "positive"),
        ({"input_bits": 1}, "input_bits"),
        ({"input_bits": 17}, "input_bits"),
        ({"input_bits": 8.0}, "input_bits"),
        ({"input_bits": "8"}, "input_bits"),
    ],
)
def test_linear_tables_that_cannot_be_read_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        linear(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_features": 0}, "n_features"),
        ({"n_features": 1.5}, "n_features"),
        ({"link": "softplus"}, "link"),
        ({"scale": 0.0}, "scale"),
        ({"scale": -1.0}, "scale"),
        ({"scale": np.nan}, "scale"),
        ({"scale": 1e300}, "scale"),
        ({"scale": 1e-60}, "scale"),
        ({"feature_names": ["a", "b"]}, "feature_names"),
        ({"classes": None}, "needs classes"),
        ({"link": "identity"}, "no classes"),
        ({"bias": [], "link": "identity", "classes": None}, "score"),
        ({"bias": [0.5]}, "int32 cannot hold"),
        ({"bias": [2**31]}, "int32 cannot hold"),
        ({"bias": [[0]]}, "dimension"),
        ({"classes": []}, "non-empty"),
        ({"classes": [[0, 1]]}, "1-D"),
        ({"classes": [1, 1]}, "unique"),
        ({"classes": [0, 1, 2]}, "3 score column"),
        ({"classes": [1j, 2j]}, "not supported"),
        ({"link": "softmax"}, "three classes"),
        ({"link": "sigmoid", "classes": [0, 1, 2], "bias": [0, 0, 0]}, "two classes"),
        ({"tables": [stump(values=[[1, 0], [0, 1]])]}, "2 score columns, the model has 1"),
        ({"tables": [stump(grid=far_grid())]}, "beyond n_features"),
        ({"tables": [stump(grid=far_grid(), **leaf())]}, "beyond n_features"),
        ({"tables": [linear(features=[1])]}, "beyond n_features"),
        ({"tables": [linear(weights=[[1, 1]])]}, "2 score columns, the model has 1"),
        ({"tables": [stump(), stump()]}, "different kinds"),
        ({"tables": [grid()]}, "must hold tables, got InputGrid"),
        ({"categories": None}, "must be a CategoryTable, got NoneType"),
        ({"categories": CategoryTable([1], [["a"]], [0, 0, 0])}, "beyond n_features"),
    ],
)
def test_models_that_contradict_themselves_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        model(**changes)


@pytest.mark.parametrize(
    "parts",
    [
        {"bias": [INT32_MAX]},
        {"bias": [-INT32_MAX]},
        {"bias": [INT32_MAX - 7], "tables": [stump(values=[[-7], [1]])]},
        {"bias": [7 * 1000 - INT32_MAX], "tables": [stump(values=[[-7], [1]], unit=1000)]},
        {"bias": [INT32_MAX - 3 * 127], "tables": [linear(weights=[[-3]])]},
        {
            "bias": [INT32_MAX - 2 * 7 - 3 * 127],
            "tables": [stump(roots=[0, 0], values=[[7], [1]]), linear(weights=[[3]])],
        },
    ],
)
def test_one_unit_beyond_int32_is_refused(parts):
    parts = {**parts, "link": "identity", "classes": None}
    assert model(**parts).score_bound.tolist() == [INT32_MAX]
    further = [b + (1 if b > 0 else -1) for b in parts["bias"]]
    with pytest.raises(ValueError, match=r"overflows int32|int32 cannot hold"):
        model(**{**parts, "bias": further})


@given(compact_models(), seeds)
def test_score_bound_holds_for_every_partial_sum_of_adversarial_rows(model, seed):
    for value in model.scores(adversarial_rows(model, seed)).astype(np.int64):
        assert (np.abs(value) <= model.score_bound).all()
    assert (model.score_bound <= INT32_MAX).all()


@given(compact_models())
def test_tree_bounds_are_the_largest_values_that_a_walk_can_reach(model):
    def reach(trees, node):
        if node < 0:
            return np.abs(trees.values[~node]) * trees.unit
        return np.maximum(reach(trees, trees.left[node]), reach(trees, trees.right[node]))

    for trees in model.tables_of(TreeTable):
        assert trees.tree_bounds.tolist() == [reach(trees, root).tolist() for root in trees.roots]


def test_leaves_that_no_walk_reaches_do_not_count_towards_the_bound():
    table = stump(values=[[1], [2], [32767]], value_bits=16)
    assert model(tables=[table]).score_bound.tolist() == [2]


@given(compact_models(), st.sampled_from([copy.copy, copy.deepcopy, "pickle"]), seeds)
def test_copies_and_pickles_are_equal_and_answer_equally(model, how, seed):
    other = pickle.loads(pickle.dumps(model)) if how == "pickle" else how(model)
    assert other is not model
    assert other.equals(model)
    assert model.equals(other)
    X = adversarial_rows(model, seed)
    assert np.array_equal(model.scores(X), other.scores(X))
    assert np.array_equal(model.predict(X), other.predict(X))


def arrays_of(table):
    for name, part in vars(table).items():
        if isinstance(part, np.ndarray):
            yield name, part
        elif hasattr(part, "__dict__"):
            yield from arrays_of(part)


@given(compact_models())
def test_every_table_is_read_only(model):
    tables = dict(arrays_of(model))
    assert {"bias", "classes"} <= tables.keys()
    assert not any(table.flags.writeable for table in tables.values())
    with pytest.raises(AttributeError):
        model.bias = tables["bias"]


def test_the_tables_are_copies_of_what_was_given():
    bias, classes = np.array([1], np.int32), np.array(["a", "b"])
    built = model(bias=bias, classes=classes)
    bias[0], classes[0] = 5, "z"
    assert built.bias.tolist() == [1]
    assert built.classes.tolist() == ["a", "b"]


DIFFERENT = {
    "n_features": {"n_features": 2},
    "bias": {"bias": [1]},
    "scale": {"scale": 0.5},
    "link": {"link": "normalize"},
    "classes": {"classes": ["0", "1"]},
    "feature_names": {"feature_names": ["a"]},
    "linear": {"tables": [linear()]},
    "trees": {"tables": [stump()]},
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_models_that_differ_in_one_table_are_not_equal(name):
    changed = model(**DIFFERENT[name])
    assert changed.equals(model(**DIFFERENT[name]))
    assert not changed.equals(model())
    assert not model().equals(changed)


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": [1]},
        {"nan_left": [True]},
        {"values": [[-1], [2]]},
        {"value_bits": 5},
        {"unit": 2},
    ],
)
def test_models_whose_trees_differ_in_one_number_are_not_equal(changes):
    assert not model(tables=[stump(**changes)]).equals(model(tables=[stump()]))


@pytest.mark.parametrize("integer", [np.int8, np.uint8, np.int64])
def test_numpy_integers_are_as_good_as_python_ones(integer):
    table = linear(input_bits=integer(16), value_bits=integer(16), weights=[[-32768]])
    trees = stump(value_bits=integer(16), values=[[-32768], [32767]])
    built = model(n_features=integer(1), tables=[trees, table])
    plain = model(
        tables=[
            stump(value_bits=16, values=[[-32768], [32767]]),
            linear(input_bits=16, value_bits=16, weights=[[-32768]]),
        ]
    )
    assert built.equals(plain)
    assert built.table(LinearTable).q_max == 32767


def values(scale, S=2, link="identity"):
    return CompactModel(1, [2, 3, 4][:S], scale, link, None if link == "identity" else [0, 1, 2])


def test_every_score_of_a_regression_may_have_its_own_scale():
    built = values([0.5, 0.1])
    assert built.scale.dtype == np.float32
    assert not built.scale.flags.writeable
    assert built.predict([[0]]).tolist() == [[1, 3 * float(np.float32(0.1))]]
    assert built.equals(values(np.array([0.5, 0.1], np.float32)))
    assert not built.equals(values([0.5, 0.2]))
    assert not built.equals(values(0.5))
    assert built.equals(pickle.loads(pickle.dumps(built)))
    assert built.nbytes == 2 + 8


def test_a_scale_of_one_score_is_a_number():
    assert values([0.5], 1).scale == values(np.array(0.5), 1).scale == 0.5
    assert type(values([0.5], 1).scale) is float
    assert values([0.5], 1).equals(values(0.5, 1))


@pytest.mark.parametrize(
    ("scale", "link", "message"),
    [
        ([1.0, 0.0], "identity", "must be positive"),
        ([1.0, -1.0], "identity", "must be positive"),
        ([1.0, np.nan], "identity", "must be positive"),
        ([1.0, 1e300], "identity", "must be positive"),
        ([1.0, 1e-60], "identity", "must be positive"),
        ([1.0, 2.0, 3.0], "identity", "3,.* for 2 scores"),
        ([[1.0, 2.0]], "identity", "for 2 scores"),
        ([], "identity", "for 2 scores"),
        ([1.0, 2.0, 3.0], "softmax", "one scale for all scores"),
    ],
)
def test_other_scales_are_refused(scale, link, message):
    with pytest.raises(ValueError, match=message):
        values(scale, 2 if link == "identity" else 3, link)


def test_repr_says_what_the_model_is_made_of():
    built = model(tables=[stump(), linear()])
    assert repr(built).startswith(
        "CompactModel(1 tree with 1 splits; weights of 1 columns; sigmoid, 1 scores"
    )
    assert repr(model()) == "CompactModel(a constant; sigmoid, 1 scores, 0 B)"
