"""A new kind of table is a table, a packer, a C printer, a graph writer and their entries."""

from __future__ import annotations

import types
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from skdistill import CompactModel, SoftTreeClassifier, load
from skdistill.compact import file_format
from skdistill.compact._frozen import as_table
from skdistill.compact.packing.pack import PACKERS, Packer
from skdistill.compact.tables.table import Table
from skdistill.export.c.costs import Costs
from skdistill.export.c.printers import PRINTERS
from skdistill.export.onnx.graph import cast
from skdistill.export.onnx.parity import count_mismatches, open_session, probe_rows
from skdistill.export.onnx.scores import WRITERS
from skdistill.export.readable.text import TEXTS
from tests.export.c.harness import Case, assert_equal
from tests.export.c.harness import load as load_c


@dataclass(frozen=True, eq=False)
class SignTable(Table):
    """Adds a weight to each score where a column is negative."""

    features: Any
    weights: Any

    kind: ClassVar[str] = "signs"

    def __post_init__(self) -> None:
        as_table(self, "features", np.int32, 1)
        as_table(self, "weights", np.int32, 2)

    @property
    def n_scores(self):
        return self.weights.shape[1]

    @property
    def n_values(self):
        return self.weights.size

    @property
    def n_codes(self):
        return len(self.features)

    codes_dtype = "uint8"

    @property
    def code_columns(self):
        return self.features

    @property
    def columns(self):
        return self.features

    @property
    def score_bound(self):
        return np.abs(self.weights.astype(np.int64)).sum(axis=0)

    def add_scores(self, X, out):
        out += self.codes(X).astype(np.int32) @ self.weights

    def rounding_variance(self, X):
        return np.zeros(self.n_scores)

    def codes(self, X):
        with np.errstate(over="ignore", under="ignore"):
            return (X[:, self.features].astype(np.float32) < 0).astype(np.uint8)

    def turning_points(self, X, rng):
        n = len(self.features)
        return rng.integers(len(X), size=n), self.features, np.zeros(n)

    def describe(self):
        return f"signs of {len(self.features)} columns"

    def describe_codes(self):
        return "1 where a column is negative"


@dataclass(frozen=True)
class PackedSigns:
    table: SignTable
    narrow_sums = False
    compares_rounded = False
    start, unit = 0, 1

    @property
    def tables(self):
        return {"signs": self.table.weights.ravel()}


def add(source, part):
    S = source.layout.model.n_scores
    lines = []
    for i, column in enumerate(part.table.features):
        for k in range(S):
            value = source.get("signs", f"{i * S + k}")
            lines.append(f"if (x[{column}] < 0)\n    s[{k}] += (int32_t){value};")
    return "\n".join(lines) + "\n"


def nothing(source, part):
    return ""


printer = types.SimpleNamespace(
    packed_widths=lambda source, part: {},
    input_function=nothing,
    walk_function=nothing,
    value_function=nothing,
    label_function=nothing,
    prepare=nothing,
    declared=lambda source, part: [],
    add=add,
    costs=lambda source, part: Costs(instructions=40 * part.table.n_values),
)


def write_signs(to, table, read):
    used = to.node(
        "Gather",
        [read("float32", "x_signs"), to.constant("sign_columns", table.features.astype(np.int64))],
        "x_of_signs",
        axis=1,
    )
    zero = to.constant("sign_zero", np.zeros((), np.float32))
    negative = cast(to, to.node("Less", [used, zero], "negative"), "int32", "signs")
    return [to.node("MatMul", [negative, to.constant("sign_weights", table.weights)], "by_signs")]


def lines_of_signs(model, table, max_depth):
    yield f"signs of {len(table.features)} columns"


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setitem(TEXTS, SignTable, lines_of_signs)
    monkeypatch.setitem(file_format.KINDS, "signs", SignTable)
    monkeypatch.setitem(PACKERS, SignTable, Packer(lambda table, request: PackedSigns(table)))
    monkeypatch.setitem(PRINTERS, PackedSigns, printer)
    monkeypatch.setitem(WRITERS, SignTable, write_signs)


@pytest.mark.parametrize("beside", [False, True])
def test_a_new_kind_needs_nothing_else(registered, beside, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    y = np.array(["a", "b", "c"])[(X[:, 1] > 0) + (X[:, 2] > 1).astype(int)]
    tree = SoftTreeClassifier(max_leaf_nodes=6).fit(X, y).compact_
    signs = SignTable([0, 3], rng.integers(-90, 90, (2, 3)))
    tables = [*tree.tables, signs] if beside else [signs]
    model = CompactModel(4, [1, 2, 3], 0.05, "softmax", ["a", "b", "c"], tables)

    assert model.nbytes > signs.weights.nbytes
    assert "signs of 2 columns" in str(model.summary())
    assert "signs of 2 columns" in model.export_text()
    by_hand = sum(part.scores(X) for part in (replace(model, tables=[t]) for t in model.tables))
    assert (model.scores(X) == by_hand - (len(tables) - 1) * model.bias).all()

    model.save(tmp_path / "m.skd")
    assert load(tmp_path / "m.skd").equals(model)

    session = open_session(model.to_onnx().SerializeToString())
    assert count_mismatches(model, session, probe_rows(model, np.float32(X))) == 0

    cases = [Case(model, "float32", output) for output in ("label", "scores")]
    cases += [] if beside else [Case(model, "int8", "scores")]
    assert_equal(load_c(tmp_path, cases), cases)
