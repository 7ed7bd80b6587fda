"""Options, files and what is said about a model in its comments."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from skdistill import CompactModel, SoftLinearClassifier, SoftTreeClassifier, convert
from skdistill.compact import InputGrid, LinearTable, TreeTable
from skdistill.export.c import device_input, to_c
from skdistill.export.c.api import prepare_source
from skdistill.export.c.text import KEYWORDS, block, check_name, number
from skdistill.export.c.translation_unit import header_text, source_text
from tests.export.c.harness import C99, STRICT, compile_c


def stump(edge=7.5, classes=("no", "yes"), dtype="f4", beside=()):
    """A tree of one split."""
    grid = InputGrid([0], [0, 1], np.array([edge], dtype))
    trees = TreeTable(grid, [0], [0], [0], [-1], [-2], [False], [[-3], [2]], 4)
    link = "identity" if classes is None else "sigmoid"
    return CompactModel(1, [0], 0.5, link, classes, [trees, *beside])


LINEAR = LinearTable([0], [0.5], [2.0], 8, [[1]], 4)


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (stump(), {"input_dtype": "float64"}, "input_dtype must be one of .*got 'float64'"),
        (stump(), {"output": "proba"}, "output must be one of .*got 'proba'"),
        (stump(), {"layout": "tables"}, "layout must be one of .*got 'tables'"),
        (stump(classes=None), {"output": "label"}, "output='label' needs classes"),
        (
            stump(classes=None),
            {"output": "proba_float"},
            "of a regression take 'value' or 'scores'",
        ),
        (stump(3, dtype="i4"), {"input_dtype": "float32"}, "declares int32 inputs: take 'int32'"),
        (
            stump(300),
            {"input_dtype": "uint8"},
            "0 to 255, and column 0 is cut at 300: take a wider",
        ),
        (stump(-1), {"input_dtype": "uint8"}, "column 0 is cut at -1: take a wider type"),
        (stump(255), {"input_dtype": "uint8"}, "column 0 is cut at 255"),
        (
            stump(beside=[LINEAR]),
            {"input_dtype": "codes"},
            "for a single table, .* trees and linear",
        ),
        (CompactModel(1, [0], 1.0, "sigmoid", ["a", "b"]), {"input_dtype": "codes"}, "constant"),
        (stump(), {"name": "while"}, "name='while' is a keyword"),
        (stump(), {"name": "Class"}, "name='Class' is a keyword"),
        (stump(), {"name": "main"}, "name='main' is a keyword"),
        *[
            (stump(), {"name": name}, "name must be a C identifier")
            for name in ("", "1st", "a-b", "_x", "größe", "a" * 42, "a b", "a\n", 3)
        ],
        (stump(), {"path": "model.cpp"}, "path must end in .c, got 'model.cpp'"),
        (stump(), {"path": "model.h"}, "path must end in .c"),
    ],
)
def test_what_cannot_be_exported_is_refused_by_name(model, options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        to_c(model, **options)
    assert not list(tmp_path.iterdir())


def test_the_ends_of_a_type_are_still_inside():
    for edge, input in ((254, "uint8"), (0, "uint8"), (-128, "int8"), (126, "int8")):
        assert to_c(stump(edge), input_dtype=input)
    assert to_c(stump(3e9), input_dtype="int32")  # an edge that no number crosses


def test_a_name_of_41_letters_compiles(tmp_path):
    name = "a" * 41
    compile_c(tmp_path, to_c(stump(), name=name), "gcc", *C99, "-c")
    assert check_name(name) == name


def test_no_keyword_is_a_name():
    for keyword in KEYWORDS:
        with pytest.raises(ValueError, match="keyword"):
            check_name(keyword)


def test_models_whose_names_differ_in_case_share_a_program(tmp_path):
    names = ["iris", "Iris", "IRIS", "iRis"]
    models = [stump(), replace(stump(), n_features=7), stump(2), replace(stump(2), n_features=9)]
    lines = [f'#include "file{k}.h"' for k in range(4)] * 2
    lines += ["int main(void)", "{", "    const float x[9] = {0};"]
    for k, (name, model) in enumerate(zip(names, models, strict=True)):
        for text, suffix in zip((source_text, header_text), (".c", ".h"), strict=True):
            source, output = prepare_source(model, name=name)
            (tmp_path / f"file{k}{suffix}").write_text(text(source, output))
        lines.append(f"    if ({source.macro}_N_FEATURES != {model.n_features}) return 1;")
        label = int(model.predict(np.zeros((1, model.n_features)))[0] == "yes")
        lines.append(f"    if ({name}_label(x) != {label}) return 2;")
    units = [str(tmp_path / f"file{k}.c") for k in range(4)]
    main = "\n".join([*lines, "    return 0;", "}", ""])
    for compiler, flags in (("gcc", C99), ("g++", ("-std=c++11", *STRICT))):
        program = compile_c(tmp_path, main, compiler, *flags, "-I", ".", *units, output="program")
        assert subprocess.run([program], check=False).returncode == 0
    together = "\n".join((tmp_path / f"file{k}.c").read_text() for k in range(4))
    compile_c(tmp_path, together, "gcc", *C99, "-c")  # macros of the sources do not meet, either


@pytest.mark.parametrize("given", ["m.c", "m"])
def test_two_files_are_written(given, tmp_path):
    text = to_c(stump(), tmp_path / given)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.c", "m.h"]
    assert (tmp_path / "m.c").read_text() == text == to_c(stump(), name="m")


@pytest.mark.parametrize("blocked", [None, "m.c", "m.h"])
def test_where_nothing_can_be_written_nothing_is_left(blocked, tmp_path):
    folder = tmp_path / "absent"
    if blocked:
        (folder / blocked).mkdir(parents=True)
    with pytest.raises(OSError, match="absent"):
        to_c(stump(), folder / "m.c")
    assert [p.name for p in folder.glob("*")] == ([blocked] if blocked else [])


def test_the_default_output_suits_the_model():
    assert "int model_label(" in to_c(stump())
    assert "model_scores" in to_c(stump(classes=None))
    assert "model_label" not in to_c(stump(classes=None))


@pytest.mark.filterwarnings("ignore:input_dtype=.* whole numbers")
def test_integers_need_no_float_and_no_library():
    linear = CompactModel(1, [0], 0.5, "sigmoid", ["a", "b"], [LINEAR])
    for model in (stump(), linear):
        text = to_c(model, input_dtype="uint8", output="proba_q15")
        assert re.findall(r"#include .*", text.replace("#include <avr/pgmspace.h>", "")) == [
            "#include <stdint.h>"
        ]
        assert "float" not in re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


NASTY = [
    *["*/ int x; /*", "??/", "???/", "a\nb", "größe \U0001f600", "\\", "//", "/*", "end*", "/"],
    *["@name@", "%s", '"', "\x00", "??", "line\\"],
]


@pytest.mark.parametrize("compiler", ["gcc", "g++", "zig"])
def test_names_do_no_harm_in_comments(compiler, tmp_path):
    """Names of classes and columns, in a .c file and a header, of any characters."""
    K = len(NASTY)
    values = np.eye(K, dtype=int)[[0, 1]]
    grid = InputGrid([0], [0, 1], np.float32([0.5]))
    trees = TreeTable(grid, [0], [0], [0], [-1], [-2], [False], values, 4)
    classes = np.array(NASTY, dtype=object)
    names = [f"{name}{j}" for j, name in enumerate(NASTY)]
    model = CompactModel(K, [0] * K, 1.0, "softmax", classes, [trees], feature_names=names)
    text = to_c(model, tmp_path / "m.c")
    assert text.isascii()
    assert "gr\\xf6\\xdfe" in text
    header = (tmp_path / "m.h").read_text()
    assert header.isascii()
    standard = "-std=c++11" if compiler == "g++" else "-std=c99"
    compile_c(tmp_path, text + header, compiler, standard, *STRICT, "-trigraphs", "-c")


def test_the_header_counts_what_the_functions_take():
    model = stump()
    banner = to_c(model).partition("*/")[0]
    assert "2 classes of 1 inputs, 1 tree with 1 splits" in banner
    assert "0: no, 1: yes" in banner


@pytest.mark.parametrize("x", [0.0, 1.0, -3.0, 0.1, 1e-45, 3.4028235e38, 1 / 3, 1e10])
def test_numbers_are_read_back_as_they_were(x):
    shown = number(float(np.float32(x)))
    assert shown.endswith("f")
    assert np.float32(shown[:-1]) == np.float32(x)


def test_blocks_keep_the_indent_of_their_parts():
    text = block("""
        f()
        {
            @body@
            @none@
            return @x@;
        }
        """, body="a;\nb;", none="", x=3)  # fmt: skip
    assert text == "f()\n{\n    a;\n    b;\n    return 3;\n}\n"


@pytest.mark.parametrize("input", ["int8", "uint8", "int16", "uint16", "int32"])
def test_rows_outside_a_type_are_refused(input):
    limits = np.iinfo(input)
    model = stump(3)
    inside = np.array([[limits.min], [limits.max]])
    assert device_input(model, inside, input).tolist() == inside.tolist()
    assert device_input(model, inside, input).dtype == input
    for bad in (limits.min - 1, limits.max + 1, 0.5, np.nan, np.inf):
        with pytest.raises(ValueError, match=rf"X\[1, 0\] = .* is no {input}"):
            device_input(model, np.array([[1], [bad]]), input)


def test_codes_of_missing_values_are_all_ones():
    X = [[7.5], [8], [np.nan]]
    assert device_input(stump(), X, "codes").tolist() == [[0], [1], [255]]
    wide = InputGrid([0], [0, 300], np.arange(300, dtype="f4"))
    trees = TreeTable(wide, [0], [0], [299], [-1], [-2], [True], [[-3], [2]], 4)
    model = CompactModel(1, [0], 0.5, "sigmoid", ["a", "b"], [trees])
    assert device_input(model, [[299], [np.nan]], "codes").tolist() == [[299], [65535]]
    linear = CompactModel(1, [0], 0.5, "sigmoid", ["a", "b"], [LINEAR])
    assert device_input(linear, [[-1], [9e9], [np.nan]], "codes").tolist() == [[-3], [127], [0]]


def test_a_file_gives_its_name_to_what_it_defines(tmp_path):
    model = CompactModel(2, [0], 1.0, "sigmoid", ["no", "yes"])
    text = to_c(model, tmp_path / "never.c")
    assert "int never_label(const float *x)" in text
    assert "#ifndef SKDISTILL_never_H" in (tmp_path / "never.h").read_text()
    with pytest.raises(ValueError, match="C identifier"):
        to_c(model, tmp_path / "not-ever.c")
    with pytest.raises(FileNotFoundError, match=r"nowhere.never\.h"):
        to_c(model, tmp_path / "nowhere" / "never.c")


@pytest.mark.parametrize("input_dtype", ["int8", "int16", "int32"])
def test_whole_numbers_that_leave_one_threshold_are_refused(input_dtype):
    rng = np.random.default_rng(0)
    X = rng.random((600, 3))
    model = SoftTreeClassifier(max_leaf_nodes=32).fit(X, X.sum(axis=1) > 1.5).compact_
    with pytest.raises(ValueError, match=r"makes one threshold of the \d+ of column .*int32"):
        to_c(model, input_dtype=input_dtype)


def test_whole_numbers_that_move_thresholds_are_said():
    rng = np.random.default_rng(0)
    raw = rng.integers(-16384, 16384, (600, 3)).astype(np.int32)
    y = np.abs(raw).sum(axis=1) > 24000
    trees = SoftTreeClassifier(max_leaf_nodes=32)
    linear = SoftLinearClassifier()
    for student, words in ((trees, r"rounds \d+ of \d+ thresholds"), (linear, "in steps of")):
        model = clone(student).fit(raw / 4096, y).compact_
        with pytest.warns(UserWarning, match=words):
            to_c(model, input_dtype="int16")
        assert to_c(clone(student).fit(raw, y).compact_, input_dtype="int16")


def test_thresholds_between_whole_numbers_are_no_fractions():
    X, y = load_digits(return_X_y=True)
    forest = RandomForestClassifier(5, max_depth=6, random_state=0).fit(X, y)
    assert to_c(convert(forest), input_dtype="uint8")
    random = ExtraTreesClassifier(5, max_depth=6, random_state=0).fit(X, y)
    with pytest.warns(UserWarning, match="convert with X and dtype='int32'"):
        to_c(convert(random), input_dtype="uint8")  # columns of 0 and 1 keep one of several
    assert to_c(convert(random, X, dtype="int32"), input_dtype="uint8")


@pytest.mark.parametrize("missing_value", [None, "max"])
@pytest.mark.parametrize("dtype", ["float64", "int32"])
def test_splits_of_nan_fit_into_every_type(dtype, missing_value):
    X = np.arange(60.0)[:, None]
    X[::3] = np.nan
    tree = DecisionTreeClassifier().fit(X, np.isnan(X[:, 0]))
    model = convert(tree, dtype=dtype)
    for input_dtype in ("int8", "uint8", "int16", "uint16", "int32"):
        assert to_c(model, input_dtype=input_dtype, missing_value=missing_value)
