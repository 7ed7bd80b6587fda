"""Forged files, with the right length and checksum: refused by ValueError, or models like others.

`corpus` holds files that were accepted once and should not have been. The profile "thorough" of
`tests/conftest.py` looks for new ones.
"""

from __future__ import annotations

import copy
import warnings
from math import prod
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdistill import CompactModel
from skdistill.compact import InputGrid, TreeTable, evaluate
from skdistill.compact.file_format import from_bytes, to_bytes
from tests.compact.files import header_of, paths_of, sealed
from tests.compact.packing.walks import assert_tables_suffice
from tests.strategies import adversarial_rows, category_tables, compact_models, seeds, tree_models

CORPUS = Path(__file__).parent / "corpus"
EDGES = (0, 1, 2, 127, 128, 255, 2**15, 2**16, 2**24, 2**31 - 1, 2**31, 2**32, 2**63, 2**64)
NUMBERS = sorted({sign * n + step for n in EDGES for sign in (1, -1) for step in (-1, 0, 1)})
FLOATS = [0.0, -0.0, 1e-45, 1e-38, 1.0, 3.4e38, 1e300, np.inf, -np.inf, np.nan]
NUMPY = {"<i4": "<i4", "<f4": "<f4", "|u1": "u1", "|b1": "u1"}


@st.composite
def models(draw):
    """Models of all kinds of tables."""
    model = draw(tree_models() | compact_models() | compact_models(regression=True))
    if not draw(st.booleans()):
        return model
    table = category_tables(np.random.default_rng(draw(seeds)), model.n_features)
    return CompactModel(
        model.n_features,
        model.bias,
        model.scale,
        model.link,
        model.classes,
        model.tables,
        categories=table,
    )


def arrays_of(header):
    """The entries of all arrays, in their order in the file."""
    found = []
    for way in paths_of(header):
        entry = header
        for key in way:
            entry = entry[key]
        if isinstance(entry, dict) and "shape" in entry:
            found.append(entry)
    return found


def forge(draw, header, arrays):
    """One change that leaves a file of the right length."""
    kind = draw(st.sampled_from(["entry", "number", "number", "length", "flip", "swap"]))
    places = arrays_of(header)
    sizes = [prod(e["shape"]) * np.dtype(NUMPY[e["dtype"]]).itemsize for e in places]
    filled = [k for k, size in enumerate(sizes) if size]
    if kind == "entry" or not filled:
        *way, last = draw(st.sampled_from(list(paths_of(header))))
        entry = header
        for key in way:
            entry = entry[key]
        old = entry[last]
        near = [old - 1, old + 1, -old, 2 * old] if type(old) in (int, float) else [old]
        if isinstance(old, list):
            near = [old[:-1], old + old[-1:], old[::-1], old * 2]
        entry[last] = draw(st.sampled_from([*near, *NUMBERS, *FLOATS, None, True, "", "ternary"]))
        return header, arrays
    at = draw(st.sampled_from(filled))
    start, entry = sum(sizes[:at]), places[at]
    values = np.frombuffer(arrays[start : start + sizes[at]], NUMPY[entry["dtype"]]).copy()
    where = draw(st.integers(0, len(values) - 1))
    other = draw(st.integers(0, len(values) - 1))
    if kind == "number":
        one = values[where : where + 1]  # of an array: a number would warn where it wraps around
        near = [*(one + 1).tolist(), *(one - 1).tolist(), *values[[other]].tolist()]
        new = draw(st.sampled_from([*near, *NUMBERS, *FLOATS]))
        with np.errstate(all="ignore"):
            if values.dtype.kind == "f":
                values[where] = new
            elif np.isfinite(new):
                values[where] = np.array(int(new) % 2**32, np.uint32).astype(values.dtype)
    elif kind == "swap":
        values[[where, other]] = values[[other, where]]
    elif kind == "flip":
        bit = draw(st.integers(0, 8 * values.dtype.itemsize - 1))
        whole = values.view(f"u{values.dtype.itemsize}")
        whole[where] ^= np.array(1 << bit, whole.dtype)
    else:
        row = prod(entry["shape"][1:])
        longer = draw(st.booleans())
        values = np.append(values, values[-row:]) if longer else values[: len(values) - row]
        entry["shape"][0] += 1 if longer else -1
    return header, arrays[:start] + values.tobytes() + arrays[start + sizes[at] :]


def check(content):
    """A file is refused, or its model can be used in every way. Whether it was accepted."""
    try:
        model = from_bytes(content, CompactModel)
    except ValueError:
        return False
    assert from_bytes(to_bytes(model), CompactModel).equals(model)
    assert str(model.nbytes) in repr(model)
    for layout in ("table", "code"):
        with warnings.catch_warnings():  # of a linear part that reads fractions as whole numbers
            warnings.filterwarnings("ignore", "input_dtype='int32' has whole numbers only")
            assert "#include <stdint.h>" in model.to_c(layout=layout)
    if model.n_features > 1000:  # rows would take more memory than the file
        return True
    X = adversarial_rows(model, 0, 6, model.input_dtype)
    scores = model.scores(X)
    assert (np.abs(scores.astype(np.int64)) <= model.score_bound).all()
    assert len(model.predict(X)) == len(X)
    for trees in model.tables_of(TreeTable):
        leaves = evaluate.leaves(model, X)
        assert ((leaves >= 0) & (leaves < len(trees.values))).all()
        if not len(model.categories) and model.n_classes != 1:
            assert_tables_suffice(model, X, model.input_dtype)
    return True


@pytest.mark.filterwarnings("ignore:input_dtype=.* whole numbers")
@settings(max_examples=3 * settings.default.max_examples)  # a minute of the profile "thorough"
@given(st.data())
def test_forged_files_are_refused_or_hold_a_model_like_any_other(data):
    header, arrays = header_of(to_bytes(data.draw(models())))
    header = copy.deepcopy(header)
    for _ in range(data.draw(st.integers(1, 3))):
        try:
            header, arrays = forge(data.draw, header, arrays)
        except (KeyError, TypeError, ValueError):  # the header is none by now: no further change
            break
    check(sealed(header, arrays))


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.skd")), ids=lambda path: path.stem)
def test_files_that_were_accepted_once_are_refused(path):
    content = path.read_bytes()
    with pytest.raises(ValueError, match=r"must|cannot"):
        from_bytes(content, CompactModel)


def test_a_leaf_alone_beside_nodes_that_nothing_leads_to():
    """Its nodes were packed as a table of no bytes, which the C for the label read."""
    one = np.zeros(1, np.int32)
    grid = InputGrid(one, np.array([0, 1]), np.zeros(1, np.float32))
    values = np.array([[-1], [1], [-1]], np.int32)
    trees = TreeTable(grid, one - 3, one, one, one - 1, one - 2, one > 0, values, "ternary")
    model = CompactModel(1, one, 1.0, "sigmoid", ["a", "b"], [trees])
    assert model.predict([[0.0]]).tolist() == ["a"]
    assert model.nbytes == 0
    assert "nodes" not in model.to_c()
