"""Flash and instructions as scores."""

from __future__ import annotations

import pickle
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import SoftLinearRegressor, SoftNetClassifier, SoftTreeClassifier, profile
from skdistill.metrics import flash_scorer, instructions_scorer

X, Y = load_iris(return_X_y=True)
TREE = SoftTreeClassifier(max_leaf_nodes=6).fit(X, Y)


@pytest.mark.parametrize("target", ["cortex-m0", "rv32imc", "avr"])
def test_flash_is_that_of_profile(target):
    expected = profile(TREE, X, target=target).flash_bytes
    assert flash_scorer(target)(TREE, X, Y) == -expected
    assert flash_scorer(target)(FrozenEstimator(TREE)) == -expected
    assert flash_scorer(target)(TREE, X, Y, sample_weight=np.ones(150)) == -expected


def test_options_are_those_of_profile():
    options = {"input_dtype": "int16", "optimize": "speed", "missing_value": "max"}
    whole = np.rint(10 * X)
    tree = SoftTreeClassifier(max_leaf_nodes=6).fit(whole.astype(np.int32), Y)
    expected = profile(tree, whole, **options)
    assert flash_scorer(**options)(tree) == -expected.flash_bytes
    assert instructions_scorer(**options)(tree) == -expected.instructions_bound
    code = {"output": "scores", "layout": "code"}
    assert (
        flash_scorer(**code)(TREE) == -profile(TREE, X, **code).flash_bytes != -expected.flash_bytes
    )


def test_default_options_are_those_of_profile():
    """A net has other forms by default than for size."""
    wide = np.hstack([X, X])  # a row of 8 weights is a whole word
    net = SoftNetClassifier((8,), weight_bits=4, output_bits=4, max_iter=1, random_state=0)
    expected = profile(net.fit(wide, Y), wide)
    assert expected.flash_bytes != profile(net, wide, optimize="size").flash_bytes
    assert flash_scorer()(net) == -expected.flash_bytes
    assert instructions_scorer()(net) == -expected.instructions_bound


def test_instructions_are_those_of_profile():
    expected = profile(TREE, X)
    assert instructions_scorer()(TREE) == -expected.instructions_bound
    assert instructions_scorer(of="max")(TREE, X) == -expected.instructions_max
    scaler = StandardScaler().fit(X)
    scaled = make_pipeline(scaler, FrozenEstimator(TREE))
    rows = scaler.inverse_transform(X)
    expected = profile(TREE, scaler.transform(rows))
    assert instructions_scorer(of="mean")(scaled, rows) == -expected.instructions_mean


def test_categories_and_regression():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {"x": rng.normal(size=200), "c": [f"c{k}" for k in rng.integers(0, 9, 200)]}
    )
    linear = SoftLinearRegressor().fit(rows, rows["x"] + (rows["c"] == "c3"))
    assert flash_scorer()(linear, rows) == -profile(linear, rows).flash_bytes
    assert instructions_scorer(of="max")(linear, rows) == -profile(linear, rows).instructions_max


def test_in_cross_validation():
    student = SoftTreeClassifier(max_leaf_nodes=6)
    for scorer in (flash_scorer(), instructions_scorer(of="mean")):
        assert (cross_val_score(student, X, Y, cv=2, scoring=scorer) < -30).all()


def test_copies_and_names():
    scorer = instructions_scorer("cortex-m4f", of="mean")
    for copy in (pickle.loads(pickle.dumps(scorer)), deepcopy(scorer)):
        assert copy(TREE, X) == scorer(TREE, X)
    assert "instructions, greater_is_better=False, of='mean', target='cortex-m4f'" in repr(scorer)
    assert "flash" in repr(flash_scorer())


def test_unknown_targets_are_refused():
    for scorer in (flash_scorer, instructions_scorer):
        with pytest.raises(ValueError, match="target must be one of"):
            scorer("cortex-m99")
    with pytest.raises(ValueError, match="of must be 'bound', 'mean' or 'max', got 'least'"):
        instructions_scorer(of="least")
    with pytest.raises(ValueError, match="instructions of target='host' are not counted"):
        instructions_scorer("host")
    with pytest.raises(ValueError, match="instructions of target='avr' are not counted"):
        instructions_scorer("avr", of="mean")
    assert instructions_scorer("avr")(TREE) < -50
