"""The C is clean for every compiler and as C++, safe with random bytes, and as large as is said."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from skdistill import CompactModel
from skdistill.compact import InputGrid, LinearTable, TreeTable
from skdistill.compact.packing.pack import choose_layout
from skdistill.device.compile import build
from skdistill.device.cores import find_target
from skdistill.export.c import device_input, to_c
from tests.export.c.harness import (
    INPUTS,
    STRICT,
    Case,
    assert_equal,
    command,
    compile_c,
    library_text,
    load,
    suits,
)
from tests.nets import net_model
from tests.strategies import quantized_trees, tree_model

OUTPUTS = ("label", "scores", "proba_float", "proba_q15")
VALUES = ("scores", "value", "value_q4")


@pytest.fixture(scope="module")
def cases():
    """Models of all kinds, each output and input in turn."""
    found = []
    for seed in range(60):
        model = tree_model(np.random.default_rng(seed))
        input, output = INPUTS[seed % 7], OUTPUTS[seed % 4]
        if suits(model, input, output):
            found.append(Case(model, input, output, ["table", "code"][seed // 4 % 2]))
    for seed in range(24):
        input = INPUTS[seed % 7]
        model = net_model(seed, whole="int" in input or None, with_categories=seed % 3 == 0)
        output = "scores" if model.classes is None else OUTPUTS[seed % 4]
        if suits(model, input, output):
            found.append(Case(model, input, output))
    constant = CompactModel(2, [3], 1.0, "sigmoid", ["no", "yes"])
    one = CompactModel(2, [3], 1.0, "sigmoid", ["all"])
    regression = CompactModel(1, [1, 2], [0.5, 2.0], "identity", None)
    found += [Case(model, output=output) for model in (constant, one) for output in OUTPUTS]
    found += [Case(regression, output=output) for output in VALUES]
    assert len(found) > 30
    assert {case.output for case in found} == {*OUTPUTS, *VALUES}
    return found


@pytest.mark.parametrize(
    ("compiler", "level"), [("gcc", "-O0"), ("gcc", "-Os"), ("gcc", "-O3"), ("zig", "-Os")]
)
def test_c99_without_a_warning(cases, compiler, level, tmp_path):
    part = cases if level == "-Os" else cases[::3]
    made = compile_c(tmp_path, library_text(part), compiler, "-std=c99", *STRICT, level, "-c")
    assert made.stat().st_size > 0


@pytest.mark.parametrize("compiler", ["g++", "zig c++"])
def test_cpp_without_a_warning(cases, compiler, tmp_path):
    made = compile_c(tmp_path, library_text(cases), compiler, "-std=c++11", *STRICT, "-O1", "-c")
    assert made.stat().st_size > 0


def test_zig_gives_the_same_answers(cases, tmp_path):
    exact = [case for case in cases if case.output in ("label", "scores")]
    assert_equal(load(tmp_path, exact, "zig", "-std=c99", "-Os"), exact)


@pytest.mark.parametrize("compiler", ["gcc", "zig"])
def test_fast_math_is_refused(compiler, tmp_path):
    model = tree_model(np.random.default_rng(0))
    assert model.input_dtype == "float32"
    text = to_c(model, output="scores")
    with pytest.raises(RuntimeError, match="compile it without -ffast-math"):
        compile_c(tmp_path, text, compiler, "-ffast-math", "-c")
    compile_c(tmp_path, text, compiler, "-O2", "-c")


def test_two_files_link_and_the_headers_serve_c_and_cpp(tmp_path):
    """Every macro can be used, both headers at once and twice."""
    models = {}
    fitting = (tree_model(np.random.default_rng(seed)) for seed in range(99))
    fitting = (m for m in fitting if m.classes is not None and m.input_dtype == "float32")
    for name, output in (("first", "proba_q15"), ("second", "proba_float")):
        models[name] = replace(next(fitting), scale=1.0)
        to_c(models[name], tmp_path / f"{name}.c", name=name, output=output)
    headers = {name: (tmp_path / f"{name}.h").read_text() for name in models}
    macros = [m for text in headers.values() for m in re.findall(r"#define (\w+) \S", text)]
    numbers = [m for m in macros if not m.endswith("_HASH")]
    assert {m.partition("_")[2] for m in macros} == {
        *["N_FEATURES", "N_SCORES", "N_CLASSES", "TABLE_BYTES", "MAX_INSTRUCTIONS"],
        *["MAX_STACK", "SCALE", "PROBA_ERROR", "HASH"],
    }
    main = "\n".join(
        [
            *["#include <stdio.h>", '#include "first.h"', '#include "second.h"'],
            *['#include "first.h"', "int main(void)", "{"],
            "    static float x1[FIRST_N_FEATURES];",
            *["    static float x2[SECOND_N_FEATURES];", "    float p[SECOND_N_CLASSES];"],
            *["    uint16_t f[FIRST_N_CLASSES];", "    second_proba(x2, p);"],
            *["    first_proba_q15(x1, f);"],
            '    printf("%d %d\\n", first_label(x1), second_label(x2));',
            *[f'    printf("%g\\n", (double)({m}));' for m in numbers],
            *[f"    puts({m});" for m in macros if m.endswith("_HASH")],
            *["    return 0;", "}", ""],
        ]
    )
    for compiler, standard in (("gcc", "-std=c99"), ("g++", "-std=c++11")):
        units = [str(tmp_path / f"{name}.c") for name in models]
        program = compile_c(
            tmp_path, main, compiler, standard, *STRICT, "-I", ".", *units, output="main"
        )
        done = subprocess.run([program], capture_output=True, text=True, check=True)
        labels, *values = done.stdout.split("\n")
        zeros = [np.zeros((1, model.n_features)) for model in models.values()]
        expected = [model.predict(X)[0] for model, X in zip(models.values(), zeros, strict=True)]
        assert labels.split() == [str(k) for k in expected]
        assert float(values[0]) == models["first"].n_features
        for name, text in headers.items():
            mark = re.search(r'_HASH "(\w+)"', text)[1]
            assert mark in values
            assert mark in (tmp_path / f"{name}.c").read_text()


def test_tables_take_the_bytes_that_are_counted(tmp_path):
    """Symbols of an object file, but for what packed tables are longer for safe reads."""
    elf = pytest.importorskip("elftools.elf.elffile", reason="needs pyelftools")
    models = [tree_model(np.random.default_rng(seed)) for seed in range(80)]
    models += [net_model(seed, with_categories=seed % 3 == 0) for seed in range(20)]
    models = [
        replace(m, scale=[0.5 + s for s in range(m.n_scores)]) if m.classes is None else m
        for m in models
    ]
    cases = [Case(m, m.input_dtype, "label" if m.classes is not None else "scores") for m in models]
    path = compile_c(tmp_path, library_text(cases), "gcc", "-std=c99", "-O0", "-c", output="a.o")
    sizes = {}
    with open(path, "rb") as file:
        for symbol in elf.ELFFile(file).get_section_by_name(".symtab").iter_symbols():
            if symbol["st_info"]["type"] == "STT_OBJECT":
                sizes.setdefault(symbol.name.split("_")[0], []).append(symbol["st_size"])
    for i, case in enumerate(cases):
        tables = sizes.get(f"m{i}", [])
        assert sum(tables) - 3 * len(tables) <= case.model.nbytes <= sum(tables), case
        stated = re.search(r"Tables    (\d+) bytes", case.text("m"))[1]
        assert int(stated) == case.model.nbytes
    assert len(sizes) > 60


PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
int main(void)
{{
    uint32_t n, width, count;
    while (fread(&n, 4, 1, stdin) == 1 && fread(&width, 4, 1, stdin) == 1
           && fread(&count, 4, 1, stdin) == 1) {{
        static uint32_t number;
        const uint32_t i = number++;
        void *x = malloc(width ? width : 1), *out = malloc(count);
        for (; n != 0; n--) {{
            if (fread(x, 1, width, stdin) != width)
                return 2;
            switch (i) {{
            {calls}
            }}
            fwrite(out, 1, count, stdout);
        }}
        free(x);
        free(out);
    }}
    return 0;
}}
"""


def test_random_bytes_find_no_undefined_behaviour_and_no_wild_read(cases, tmp_path):
    """Rows of random bits, in memory of just their size, under both sanitizers."""
    flags = ["-std=c99", "-O1", "-g0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    command("gcc")
    try:
        compile_c(tmp_path, "int main(void) { return 0; }", "gcc", *flags, output="empty")
    except RuntimeError:
        pytest.skip("gcc has no sanitizers here")
    calls = "\n".join(
        f"case {i}: call{i}({_cast(case)}x, ({_c_type(case)} *)out, 1); break;"
        for i, case in enumerate(cases)
    )
    text = library_text(cases) + PROGRAM.format(calls=calls)
    program = compile_c(tmp_path, text, "gcc", *flags, output="main")
    rng = np.random.default_rng(0)
    given, expected = [], []
    for case in cases:
        kind, count = case.result
        empty = device_input(case.model, np.zeros((1, case.model.n_features)), case.input)
        width = empty.shape[1] * empty.itemsize
        raw = rng.integers(0, 256, (60, width), dtype=np.uint8)
        head = np.array([len(raw), width, count * np.dtype(kind).itemsize], np.uint32)
        given.append(head.tobytes() + raw.tobytes())
        answer = None
        if case.input != "codes" and case.output in ("label", "scores"):
            answer = case.expected(raw.view(empty.dtype))
        expected.append((len(raw), count, kind, answer))
    done = subprocess.run(
        [program], input=b"".join(given), capture_output=True, check=False,
        env={"ASAN_OPTIONS": "detect_leaks=0"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode(errors="replace")[:3000]
    at = 0
    for n, count, kind, answer in expected:
        found = np.frombuffer(done.stdout, kind, n * count, at).reshape(n, count)
        at += found.nbytes
        if answer is not None:
            assert np.array_equal(found, answer.reshape(n, count))
    assert at == len(done.stdout)


def _c_type(case):
    kind = case.result[0]
    return "float" if kind == "float32" else f"{kind}_t"


def _cast(case):
    """A C cast to the type of the inputs."""
    empty = device_input(case.model, np.zeros((1, case.model.n_features)), case.input)
    name = "float" if empty.dtype == np.float32 else f"{empty.dtype.name}_t"
    return f"(const {name} *)"


@pytest.mark.filterwarnings("ignore:input_dtype=.* has whole numbers only")
def test_no_number_is_narrowed_silently_where_an_int_has_16_bits():
    """Models of all kinds, among them those whose leaves are found in packed bits."""
    rng = np.random.default_rng(0)
    grid = InputGrid([0], [0, 99], np.arange(99, dtype=np.float32))
    chosen = [tree_model(np.random.default_rng(seed)) for seed in range(20)]
    for n_scores in (1, 2):
        rows = rng.integers(-2000, 2000, (3, n_scores))
        trees = quantized_trees(rng, grid, "random", [90, 70, 60], rows, 12, 1, 0.1)
        model = CompactModel(1, [0] * n_scores, 1.0, "identity", None, [trees])
        assert "rows" in choose_layout(model).tables  # equal rows of values, by an index of 2 bits
        chosen.append(model)
    chosen += [net_model(seed, with_categories=seed % 2 == 0) for seed in range(16)]
    texts, functions = [], []
    for model in chosen:
        for layout in ("table", "code"):
            name = f"m{len(texts)}"
            texts.append(to_c(model, output="scores", layout=layout, name=name))
            functions.append(f"{name}_{'scores' if model.classes is None else 'label'}")
    build({"m.c": "\n".join(texts)}, find_target("avr"), functions, flags=STRICT)


@pytest.mark.parametrize(
    ("target", "compiler"),
    [
        ("cortex-m0", ("arm-none-eabi-gcc",)),
        ("cortex-m33", ("arm-none-eabi-gcc",)),
        ("cortex-m4f", ("clang", "--target=arm-none-eabi")),
        ("rv32imc", ("riscv64-unknown-elf-gcc",)),
        ("avr", ("avr-gcc",)),
    ],
)
def test_compilers_of_devices_have_no_warning(cases, target, compiler):
    if shutil.which(compiler[0]) is None:
        pytest.skip(f"{compiler[0]} is not installed")
    names = {"proba_float": "proba"}
    functions = [f"m{i}_{names.get(case.output, case.output)}" for i, case in enumerate(cases)]
    text = "\n".join(case.text(f"m{i}") for i, case in enumerate(cases))
    target = find_target(target)
    image = build({"m.c": text}, target, functions, compiler=compiler, flags=STRICT)
    assert set(functions) <= set(image.functions)


def test_nodes_without_a_threshold_shift_by_less_than_the_bits_of_an_int():
    """One threshold a column has no bits; the shift by 16 was undefined where an int has 16."""
    rng = np.random.default_rng(0)
    grid = InputGrid(range(64), range(65), np.float32(rng.normal(size=64)))
    rows = rng.integers(-9, 9, (99, 1))
    trees = quantized_trees(rng, grid, "random", [200] * 4, rows, 8, 1, 0.3)
    model = CompactModel(64, [0], 1e-3, "sigmoid", [0, 1], [trees])
    text = to_c(model, optimize="balanced")
    assert "const unsigned w = MODEL_GET16(p);" in text  # nodes of 16 bits
    assert ">> 16" not in text[text.index("const unsigned w") :]
    build({"m.c": text}, find_target("avr"), ["model_label"], flags=STRICT)


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="gcc is not installed")
def test_ternary_values_in_a_single_byte_have_no_warning():
    """gcc saw a read behind the only byte where it had inlined everything."""
    linear = LinearTable([0], [0.0], [1.0], 8, [[1, -1, 0]], "ternary")
    model = CompactModel(1, [0, 0, 0], 1.0, "softmax", np.arange(3), [linear])
    for options in ({"flags": STRICT, "compiler": ["arm-none-eabi-gcc"]}, {"flags": STRICT}):
        text = to_c(model, output="scores")
        assert "model_weights[1]" in text
        build({"m.c": text}, find_target("cortex-m0"), ["model_scores"], **options)


def test_a_tree_that_adds_nothing_has_no_warning(tmp_path):
    """Its statements use no score."""
    grid = InputGrid([0], [0, 1], np.float32([0.5]))
    values = [[1, 0, 2], [0, 3, 1], [0, 0, 0], [0, 0, 0]]
    trees = TreeTable(grid, [0, 1], [0, 0], [0, 0], [-1, -3], [-2, -4], [False] * 2, values, 8)
    model = CompactModel(1, [0, 0, 0], 1.0, "softmax", np.arange(3), [trees])
    text = to_c(model, output="scores", layout="code")
    assert re.search(r"model_tree1\(.*, int32_t \*s\)\n{\n    \(void\)s;", text)
    compile_c(tmp_path, text, "gcc", "-std=c99", *STRICT, "-c")


def test_no_shift_is_as_wide_as_a_number_on_an_avr():
    """A node of 16 bits whose cut takes none: all codes are 0 or 1."""
    rng = np.random.default_rng(0)
    grid = InputGrid(range(300), range(301), np.zeros(300, np.float32))
    rows = rng.integers(-100, 100, (40, 2))
    trees = quantized_trees(rng, grid, "random", [25] * 8, rows, 8, 1, 0.0)
    model = CompactModel(300, [0, 0], 1.0, "identity", None, [trees])
    text = to_c(model, input_dtype="codes", optimize="speed", layout="table")
    assert "const unsigned w" in text
    build({"m.c": text}, find_target("avr"), ["model_scores"], flags=STRICT)


@pytest.mark.skipif(shutil.which("avr-gcc") is None, reason="avr-gcc is not installed")
def test_nodes_with_long_jumps_have_no_warning_of_avr_gcc():
    """A sum of two bytes is an int there."""
    rng = np.random.default_rng(0)
    edges = np.tile(np.arange(60, dtype=np.int32), 8)
    grid = InputGrid(range(8), 60 * np.arange(9), edges)
    rows = rng.integers(0, 9, (50, 1))
    trees = quantized_trees(rng, grid, "random", [150, 90, 40], rows, 8, 1, 0.0)
    model = CompactModel(8, [0], 1.0, "identity", None, [trees])
    text = to_c(model, input_dtype="uint8", optimize="size")
    assert "model_longs" in text
    build({"m.c": text}, find_target("avr"), ["model_scores"], compiler=["avr-gcc"], flags=STRICT)
