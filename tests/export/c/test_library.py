"""Folders for build systems: what is in them, and that it builds."""

import shutil
import subprocess

import pytest
from sklearn.datasets import load_diabetes, load_iris

from skdistill import SoftBoostingRegressor, SoftTreeClassifier
from skdistill.export.c import to_c, to_c_library
from skdistill.utils.documentation import DOCUMENTATION_URL
from tests.export.c.harness import C99, compile_c


@pytest.fixture(scope="module")
def tree():
    return SoftTreeClassifier(max_leaf_nodes=5).fit(*load_iris(return_X_y=True)).compact_


def test_an_arduino_library_has_sources_properties_and_a_sketch(tree, tmp_path):
    files = to_c_library(tree, tmp_path / "iris", kind="arduino", name="iris")
    places = {file.relative_to(tmp_path / "iris").as_posix(): file.read_text() for file in files}
    assert set(places) == {
        "library.properties",
        "src/iris.h",
        "src/iris.c",
        "examples/iris_example/iris_example.ino",
    }
    assert places["src/iris.c"] == to_c(tree, name="iris")
    properties = dict(line.split("=") for line in places["library.properties"].splitlines() if line)
    assert properties["includes"] == "iris.h"
    assert properties["url"] == DOCUMENTATION_URL
    assert all(properties.values())
    sketch = places["examples/iris_example/iris_example.ino"]
    assert "static const float x[4]" in sketch
    assert "iris_label(x)" in sketch


@pytest.mark.parametrize(
    ("output", "kind"), [("scores", "int32_t"), ("value", "float"), ("value_q8", "int32_t")]
)
def test_the_sketch_of_a_regression_prints_what_was_asked_for(output, kind, tmp_path):
    model = SoftBoostingRegressor(2).fit(*load_diabetes(return_X_y=True)).compact_
    *_, sketch = to_c_library(model, tmp_path, name="sugar", output=output)
    text = sketch.read_text()
    assert f"{kind} y[SUGAR_N_SCORES];" in text
    assert f"sugar_{output}(x, y);" in text
    assert f"void sugar_{output}(const float *x, {kind} *" in (tmp_path / "src/sugar.h").read_text()


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_a_cmake_folder_builds(tree, tmp_path):
    to_c_library(tree, tmp_path / "iris", kind="cmake", name="iris")
    build = tmp_path / "build"
    for command in (["-S", tmp_path / "iris", "-B", build], ["--build", build]):
        subprocess.run(["cmake", *map(str, command)], check=True, capture_output=True)
    assert (build / "libiris.a").stat().st_size > 0


def test_the_header_serves_the_sources(tree, tmp_path):
    for file in to_c_library(tree, tmp_path, kind="cmake", name="iris", output="proba_q15"):
        if file.suffix == ".h":
            header = file.read_text()
    main = (
        header + "\nint main(void)\n{\n    const float x[IRIS_N_FEATURES] = {0};\n"
        "    uint16_t p[IRIS_N_CLASSES];\n    iris_proba_q15(x, p);\n"
        "    return iris_label(x);\n}\n" + (tmp_path / "iris.c").read_text()
    )
    program = compile_c(tmp_path, main, "gcc", *C99, output="program")
    assert subprocess.run([program], check=False).returncode == 0


def test_an_unknown_kind_is_refused(tree, tmp_path):
    with pytest.raises(ValueError, match="kind must be one of"):
        to_c_library(tree, tmp_path, kind="bazel")
    assert not any(tmp_path.iterdir())
