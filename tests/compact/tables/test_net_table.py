"""Nets: the definition against plain loops, refusals, files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from skdistill import CompactModel, load
from skdistill.compact import HiddenLayer, NetTable
from skdistill.compact.file_format import from_bytes, to_bytes
from tests.nets import net_model


def loops(net, x):
    """Scores of one row in Python's own integers."""
    codes = []
    for column, offset, power, missing in zip(
        net.features, net.offset, net.power, net.missing_code, strict=True
    ):
        value = np.float32(x[column])
        if np.isnan(value):
            codes.append(int(missing))
            continue
        with np.errstate(over="ignore"):
            z = float(value - offset) * 2.0 ** int(power)  # exact in float64
        codes.append(round(min(max(z, -127.0), 127.0)))
    for layer in net.hidden:
        units = []
        for weights, bias, shift in zip(layer.weights, layer.bias, layer.shift, strict=True):
            r = int(shift)
            total = sum(int(w) * c for w, c in zip(weights, codes, strict=True))
            total += (int(bias) << (r + 1)) + ((1 << r) >> 1)
            units.append(min(max(total >> r, 0), 255))
        codes = units
    return [sum(int(w) * c for w, c in zip(weights, codes, strict=True)) for weights in net.weights]


def extreme_rows(rng, n, n_features):
    X = np.float32(rng.normal(size=(n, n_features)) * 10.0 ** rng.integers(-3, 6, n_features))
    rare = [np.nan, np.inf, -np.inf, 1e-45, -1e-45, 3.4e38, -3.4e38, 0.5, -0.5, 1.5, 2.5, -0.0]
    at = rng.random(X.shape) < 0.2
    X[at] = rng.choice(np.float32(rare), at.sum())
    return X


@pytest.mark.parametrize("seed", range(60))
def test_scores_are_those_of_plain_loops(seed):
    model = net_model(seed)
    X = extreme_rows(np.random.default_rng(seed), 40, model.n_features)
    expected = [loops(model.tables[0], x) + model.bias.astype(int) for x in X]
    assert model.scores(X).tolist() == np.array(expected).tolist()
    assert (np.abs(expected - model.bias) <= model.tables[0].score_bound).all()


@pytest.mark.parametrize("seed", range(20))
def test_files(seed, tmp_path):
    model = net_model(seed, with_categories=bool(seed % 2))
    model.save(tmp_path / "net.skd")
    back = load(tmp_path / "net.skd")
    assert back.equals(model)
    assert [type(layer) for layer in back.tables[0].hidden] == [HiddenLayer] * len(
        model.tables[0].hidden
    )


def test_a_file_with_a_wrong_layer_is_refused():
    content = to_bytes(net_model(0))
    for wrong in (b'"kind":"net"', b'"kind":"hidden_layer"'):
        assert wrong in content
    with pytest.raises(ValueError, match="checksum"):
        from_bytes(content.replace(b'"kind":"hidden_layer"', b'"kind":"linear"'), CompactModel)


def small(**changes):
    fields = {
        "features": [0, 1],
        "offset": [0, 0],
        "power": [0, 0],
        "missing_code": [0, 0],
        "hidden": [HiddenLayer([[1, 0], [1, 1]], [0, 1], [0, 2], "ternary")],
        "weights": [[1, -2]],
        "value_bits": 4,
    }
    return NetTable(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": [1, 0]}, "features must be ascending"),
        ({"features": [-1, 0]}, "features must be ascending"),
        ({"offset": [0]}, "offset has 1 entries for 2 features"),
        ({"offset": [0, np.inf]}, "offset must be finite"),
        ({"power": [0, 101]}, "power must lie within ±100"),
        ({"power": [0, 300]}, "power holds numbers that int8 cannot hold"),
        ({"missing_code": [0, -128]}, "missing_code must lie within ±127"),
        ({key: [] for key in ("features", "offset", "power", "missing_code")}, "one column"),
        ({"hidden": []}, "at least one layer"),
        ({"hidden": [np.ones((2, 3))]}, "hidden must hold HiddenLayer, got ndarray"),
        ({"hidden": [HiddenLayer([[1, 0, 1]], [0], [0], 2)]}, "3 inputs for 2"),
        ({"weights": [[1]]}, "1 columns for 2 hidden units"),
        ({"weights": [[8, 0]]}, r"weights must lie in \[-8, 7\] for value_bits=4"),
        ({"value_bits": 9}, "value_bits must be 'ternary' or an int in"),
        ({"value_bits": True}, "value_bits must be 'ternary' or an int in"),
        ({"weights": np.zeros((0, 2))}, "1 to 32767 rows and columns"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(ValueError, match=message):
        small(**changes)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (([[1]], [0, 0], [0], 2), "bias has 2 entries for 1 hidden units"),
        (([[1]], [0], [16], 2), "shift must be at most 15"),
        (([[1]], [200], [1], 2), "bias holds numbers that int8 cannot hold"),
        (([[2]], [0], [1], 2), r"weights must lie in \[-2, 1\]"),
        (([[-2]], [0], [1], "ternary"), r"weights must lie in \[-1, 1\]"),
    ],
)
def test_refusals_of_layers(fields, message):
    with pytest.raises(ValueError, match=message):
        HiddenLayer(*fields)


def test_no_net_is_wide_enough_to_overflow():
    """The most inputs, the largest weights and codes: sums are proven to stay within int32."""
    n = 2**15 - 1
    first = HiddenLayer(np.full((1, 2), -128), [0], [0], 8)
    wide = HiddenLayer(np.full((n, 1), 127), np.full(n, -128), np.full(n, 15), 8)
    last = HiddenLayer(np.full((1, n), -128), [-128], [15], 8)
    net = small(hidden=[first, wide, last], weights=[[-128]], value_bits=8)
    assert (net.score_bound <= 128 * 255).all()
    with pytest.raises(ValueError, match="1 to 32767"):
        HiddenLayer(np.ones((1, n + 1)), [0], [0], 8)


def test_a_model_whose_scores_could_overflow_is_refused():
    net = small()
    bound = int(net.score_bound[0])
    fits = CompactModel(2, [2**31 - 1 - bound], 1.0, "sigmoid", [0, 1], [net])
    with pytest.raises(ValueError, match="overflows int32"):
        replace(fits, bias=fits.bias + 1)


def test_the_bound_is_reached():
    layer = HiddenLayer([[1, -1]], [0], [0], "ternary")
    net = small(hidden=[layer], weights=[[-2]])
    assert net.score_bound.tolist() == [2 * 254]
    out = np.zeros((1, 1), np.int32)
    net.add_scores(np.array([[np.inf, -np.inf]]), out)
    assert out.tolist() == [[-2 * 254]]


def test_standardised_columns_are_no_whole_numbers():
    layer = HiddenLayer(np.ones((1, 3)), [0], [0], 2)
    rest = [np.zeros(3), [layer], [[1]], 2]
    columns = np.arange(3)
    standardised = NetTable(columns, [0, 0, 64], [5, 5, 1], *rest)
    assert "2 of 3 inputs of the net (the first is column 0)" in (
        standardised.check_whole_numbers("int16")
    )
    assert NetTable(columns, [0, 0, 64], [5, 6, 1], *rest).check_whole_numbers("int16") == ""
    assert "an offset such as 0.5" in (
        NetTable(columns, [0, 0.5, 0], [5, 5, 5], *rest).check_whole_numbers("int16")
    )
