"""A model as a folder that a build system takes: an Arduino library, a CMake or Zephyr module."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from skdistill.compact.model_tables import ModelTables
from skdistill.export.c.api import prepare_source
from skdistill.export.c.text import CSource, block
from skdistill.export.c.translation_unit import header_text, source_text
from skdistill.utils.documentation import DOCUMENTATION_URL
from skdistill.utils.files import write_whole

KINDS = ("arduino", "cmake")


def to_c_library(
    model: ModelTables, folder: str | PathLike[str], *, kind: str = "arduino", **options: Any
) -> list[Path]:
    """Write a model as a library for a build system.

    Parameters
    ----------
    model : ModelTables
        Of any kind of tables.
    folder : str or path-like
        Made where it is missing.
    kind : {"arduino", "cmake"}, default="arduino"
        "arduino": library.properties, sources and an example sketch. "cmake": a static library
        for ``add_subdirectory``, which is a Zephyr module as well.
    **options
        `input_dtype`, `output`, `optimize`, `layout` and `name` as in `to_c`.

    Returns
    -------
    files : list of Path
        What was written.

    Raises
    ------
    ValueError
        If an option is unknown or does not suit the model.

    Examples
    --------
    >>> import tempfile
    >>> from skdistill import CompactModel
    >>> from skdistill.export.c import to_c_library
    >>> model = CompactModel(2, [0], 1.0, "sigmoid", ["no", "yes"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = to_c_library(model, folder, kind="cmake", name="never")
    >>> [file.name for file in files]
    ['CMakeLists.txt', 'module.yml', 'never.h', 'never.c']
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {KINDS}, got {kind!r}")
    source, output = prepare_source(model, **options)
    text = source_text(source, output)
    sources = {f"{source.name}.h": header_text(source, output), f"{source.name}.c": text}
    files = _arduino(source, output, sources) if kind == "arduino" else _cmake(source, sources)
    written = []
    for place, content in files.items():
        file = Path(folder, place)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, content.encode())
        written.append(file)
    return written


def _arduino(source: CSource, output: str, sources: dict[str, str]) -> dict[str, str]:
    name = source.name
    properties = block(
        """
        name=@name@
        version=1.0.0
        author=skdistill
        maintainer=skdistill
        sentence=A distilled model in C99, without heap and library.
        paragraph=Answers as the Python model does, bit for bit.
        category=Data Processing
        url=@url@
        architectures=*
        includes=@name@.h
        """,
        name=name,
        url=DOCUMENTATION_URL,
    )
    statements = [f"Serial.println({name}_label(x));"]
    if source.layout.model.classes is None:
        kind = "float" if output == "value" else "int32_t"
        statements = [f"{kind} y[{source.macro}_N_SCORES];", f"{name}_{output}(x, y);"]
        statements.append("Serial.println(y[0]);")
    sketch = block(
        """
        #include <@name@.h>

        void setup() {
          Serial.begin(9600);
        }

        void loop() {
          static const @T@ x[@n@] = {0};  // one row of inputs, in the order of the columns
          @statements@
          delay(1000);
        }
        """,
        name=name,
        T=source.x_type,
        n=source.n_inputs,
        statements="\n".join(statements),
    )
    return {
        "library.properties": properties,
        **{f"src/{file}": content for file, content in sources.items()},
        f"examples/{name}_example/{name}_example.ino": sketch,
    }


def _cmake(source: CSource, sources: dict[str, str]) -> dict[str, str]:
    name = source.name
    lists = block(
        """
        # In a CMake project: add_subdirectory(this folder), then link to @name@.
        # In Zephyr: name this folder in ZEPHYR_EXTRA_MODULES.
        cmake_minimum_required(VERSION 3.13)
        if(DEFINED ZEPHYR_BASE)
          zephyr_library_named(@name@)
          zephyr_library_sources(@name@.c)
          zephyr_include_directories(.)
        else()
          project(@name@ C)
          add_library(@name@ STATIC @name@.c)
          target_include_directories(@name@ PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
          set_target_properties(@name@ PROPERTIES C_STANDARD 99 C_EXTENSIONS OFF)
        endif()
        """,
        name=name,
    )
    module = f"name: {name}\nbuild:\n  cmake: .\n"
    return {"CMakeLists.txt": lists, "zephyr/module.yml": module, **sources}
