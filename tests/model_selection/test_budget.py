"""Budgets: how they are written, and what a model takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sklearn.datasets import load_iris

from skdistill import SoftBoostingClassifier, SoftLinearClassifier, SoftTreeClassifier
from skdistill.model_selection.budget import (
    Budget,
    Device,
    check_device,
    columns_read,
    measure,
    parse_budget,
)

X, Y = load_iris(return_X_y=True)
ANY = Device(None, "float32", None, "auto")
M0 = Device("cortex-m0", "float32", None, "auto")


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("4KB", Budget(flash=4096)),
        (300, Budget(flash=300)),
        (
            {"flash": "1KB", "ram": "512B", "instructions": 3000, "features": 8},
            Budget(flash=1024, ram=512, instructions=3000, features=8),
        ),
        ({"time": "2ms@48MHz"}, Budget(seconds=0.002, clock="48MHz")),
        ({"time": "250 us @ 8 MHz"}, Budget(seconds=0.00025, clock="8 MHz")),
    ],
)
def test_parse(text, budget):
    assert parse_budget(text) == budget


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4", "budget must be a number of bytes"),
        ({}, "budget must be a size such as '4KB', or a dict"),
        ({"rom": 3}, r"unknown limits \['rom'\]"),
        ({"time": "2ms"}, "such as '2ms@48MHz', got '2ms'"),
        ({"features": 0}, r"budget\['features'\] must be a whole number of 1 or more"),
        ({"features": 1.5}, r"budget\['features'\]"),
        ({"instructions": True}, r"budget\['instructions'\]"),
        ({"instructions": float("nan")}, r"budget\['instructions'\] must be .* got nan"),
        ({"time": "2ms@0MHz"}, r"budget\['time'\] must be .* got '2ms@0MHz'"),
        ({"ram": 0}, r"budget\['ram'\] must be a number of bytes"),
    ],
)
def test_what_is_no_budget(text, message):
    with pytest.raises(ValueError, match=message):
        parse_budget(text)


def test_devices_that_know_no_bounds():
    with pytest.raises(ValueError, match="target='host' has no bounds"):
        check_device(Budget(ram=100), Device("host", "float32", None, "auto"), "classification")
    with pytest.raises(ValueError, match="layout='code' needs a target"):
        check_device(Budget(flash=100), Device(None, "float32", None, "code"), "classification")
    with pytest.raises(ValueError, match="target"):
        check_device(Budget(flash=100), Device("z80", "float32", None, "auto"), "classification")
    check_device(Budget(flash=100), Device("host", "float32", None, "auto"), "classification")


@pytest.mark.parametrize(
    "student",
    [
        SoftTreeClassifier(max_leaf_nodes=8),
        SoftBoostingClassifier(4, random_state=0),
        SoftBoostingClassifier(4, init="linear", random_state=0),
        SoftLinearClassifier(),
    ],
)
def test_the_estimate_of_code_is_above_what_a_compiler_makes(student):
    model = student.fit(X, Y).compact_
    estimated = measure(model, ANY, Budget(flash=4096)).profile
    compiled = measure(model, M0, Budget(flash=4096)).profile
    assert estimated.model_bytes == model.nbytes
    assert compiled.code_bytes <= estimated.code_bytes
    assert estimated.instructions_bound == compiled.instructions_bound
    assert estimated.stack_bound == compiled.stack_bound


def test_shares_of_the_limits():
    model = SoftTreeClassifier(max_leaf_nodes=8).fit(X, Y).compact_
    found = measure(model, ANY, Budget())
    assert columns_read(model) == {0, 2, 3}
    exactly = Budget(found.flash, found.ram, found.instructions, features=3)
    assert exactly.fits(found)
    assert set(exactly.used(found).values()) == {1.0}
    for limits in (
        {"flash": found.flash - 1},
        {"ram": found.ram - 1},
        {"instructions": found.instructions - 1},
        {"features": 2},
        {"seconds": found.profile.time("1MHz", of="bound") * 0.99, "clock": "1MHz"},
    ):
        assert not Budget(**limits).fits(found)


def test_code_where_only_that_is_fast_enough():
    model = SoftTreeClassifier(max_leaf_nodes=8).fit(X, Y).compact_
    table = measure(model, M0, Budget(flash=4096))
    assert table.profile.layout == "table"
    fast = Budget(instructions=table.instructions - 1)
    branches = measure(model, M0, fast)
    assert branches.profile.layout == "code"
    assert fast.fits(branches)


@pytest.mark.parametrize("name", ["input_dtype", "output"])
def test_options_that_no_model_has(name):
    with pytest.raises(ValueError, match=f"{name} must be one of .*got 'int7'"):
        check_device(Budget(flash=100), replace(ANY, **{name: "int7"}), "classification")
