"""The C file of a model, and values that may be written into it."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.tree_table import TreeTable
from skdistill.export.c.options import check_model, check_options, default_layout
from skdistill.export.c.text import CSource
from skdistill.export.c.translation_unit import header_text, make_source, source_text
from skdistill.utils.files import write_whole


def to_c(
    model: ModelTables,
    path: str | PathLike[str] | None = None,
    *,
    input_dtype: str | None = None,
    output: str | None = None,
    optimize: str | None = None,
    layout: str | None = None,
    name: str | None = None,
    values_in_ram: bool = False,
    missing_value: str | None = None,
) -> str:
    """Export a model as C99: no heap, no recursion, no library, no float unless asked for.

    Labels and scores equal those of the model for every input, bit for bit.

    Parameters
    ----------
    model : ModelTables
        A `CompactModel`, usually that of a student.
    path : str or path-like, default=None
        The .c file to write, and a header of the same name beside it.
    input_dtype : {"float32", "int8", "uint8", "int16", "uint16", "int32", "codes"}, default=None
        Type of the inputs; None is the one that the model declares. Integers need no float
        anywhere, except in linear parts and nets whose steps are no powers of two, or whose
        offsets need more than 8 bits after the point. "codes" are the codes of the only table,
        `Table.codes`: one entry for each feature of the trees' grid, NaN is 255 or 65535; or
        the rounded inputs of a linear model or of a net. In a column of categories x is the index
        of a category, as `device_input` has it.
    output : {"label", "scores", "proba_float", "proba_q15", "value", "value_q0" to "value_q30"}, \
            default=None
        What the file can answer: ``int <name>_label(x)``, the number of the class; ``void
        <name>_scores(x, int32_t *s)`` beside it; ``void <name>_proba(x, float *p)`` or
        ``void <name>_proba_q15(x, uint16_t *p)``, where 32768 is 1, beside both. For a
        regression, whose values are scores times a scale, ``void <name>_value(x, float *y)`` or,
        as integers of which 2^16 is 1, ``void <name>_value_q16(x, int32_t *y)`` beside the
        scores. None is "label", or "scores" for a regression.
    optimize : {"size", "balanced", "speed"}, default=None
        Which of several forms of the same trees or nets is written: the one of the fewest bytes
        of flash, the smallest product of bytes and instructions, or the fewest instructions.
        Results are the same. None is "size", but for nets that have a form with a third of the
        instructions and tables that are at most 5 % larger: it takes about 100 bytes more of code.
        `nbytes` of a model counts the tables of None.
    layout : {"table", "code"}, default=None
        "table" stores splits in tables and is smallest. "code" writes every split as a branch
        and is fastest. None is "code" for ``optimize="speed"`` and else "table".
    name : str, default=None
        Prefix of all that the file defines, so that models can be linked together; None is the
        name of the file, or "model" without one. Macros have it in upper case, ``IRIS_N_SCORES``;
        for ``IRIS`` in lower case, and for ``myIris`` as it is, so that names may differ in case.
    values_in_ram : bool, default=False
        Leaf values become a variable, ``<name>_values``, that the program may overwrite with
        those of a model of the same structure (see `value_table`), so that a device adapts to its
        user without new code. The bound of scores in the file is that of the exported values.
    missing_value : {"max", "never", None}, default=None
        How integer inputs say that a value is missing: "max" by the largest number of
        their type (127, 255, 32767, 65535 or 2147483647), which goes where NaN goes. A
        float32 input has NaN, and "codes" their own number for it. "never" says that no
        float32 input is NaN: code for it is left out, branches compare the bits of floats as
        whole numbers, and a row with NaN may get another answer than in Python. Forests of
        scikit-learn have a side for NaN in every node, also where no column had a missing value.

    Returns
    -------
    text : str
        The C file.

    Raises
    ------
    ValueError
        If an option is unknown, does not suit the model, or `name` is no C identifier; and for
        integer inputs that leave each column one of its thresholds, as those of a model trained
        on numbers in [0, 1] do.
    OSError
        If the files cannot be written; then neither is.

    Warns
    -----
    UserWarning
        For integer inputs of a model that was trained on fractions: how many thresholds they
        move. A model on int32 inputs never warns.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftTreeClassifier
    >>> from skdistill.export.c import to_c
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SoftTreeClassifier(max_leaf_nodes=3).fit(10 * X, y).compact_  # in millimetres
    >>> text = to_c(model, name="iris", layout="code", input_dtype="uint8")
    >>> print(text[text.rindex("int iris_label") :].strip())
    int iris_label(const uint8_t *x)
    {
        if (x[2] <= 24) {
            return 0;
        }
        if (x[3] <= 17) {
            return 1;
        }
        return 2;
    }
    """
    if name is None:
        name = "model" if path is None else Path(path).stem
    source, output = prepare_source(
        model,
        input_dtype=input_dtype,
        output=output,
        optimize=optimize,
        layout=layout,
        name=name,
        values_in_ram=values_in_ram,
        missing_value=missing_value,
    )
    text = source_text(source, output)
    if path is not None:
        file = _c_file(path)
        write_whole(file.with_suffix(".h"), header_text(source, output).encode())
        write_whole(file, text.encode())
    return text


def prepare_source(
    model: ModelTables,
    *,
    input_dtype: str | None = None,
    output: str | None = None,
    optimize: str | None = None,
    layout: str | None = None,
    name: str = "model",
    values_in_ram: bool = False,
    missing_value: str | None = None,
) -> tuple[CSource, str]:
    """Check the options of `to_c`, and choose the tables.

    Parameters
    ----------
    model : ModelTables
        What is exported.
    input_dtype, output, optimize, layout, name, values_in_ram, missing_value
        As in `to_c`.

    Returns
    -------
    source : CSource
        What the file is printed from.
    output : str
        What None stood for.

    Raises
    ------
    TypeError
        If `model` has no tables.
    ValueError
        As `to_c`.
    """
    check_model(model)
    input_dtype = input_dtype or model.input_dtype
    output = output or ("scores" if model.classes is None else "label")
    check_options(model, input_dtype, output, optimize, layout, missing_value)
    layout = layout or default_layout(optimize)
    if values_in_ram and not model.tables_of(TreeTable):
        kinds = " and ".join(table.kind for table in model.tables)
        what = f"a model of {kinds} tables" if kinds else "a constant model"
        raise ValueError(f"values_in_ram=True needs trees, got {what}: leave the option out")
    if values_in_ram and model.table(TreeTable).value_bits not in (8, 16):
        raise ValueError(
            "values_in_ram=True needs trees whose value_bits is 8 or 16, got "
            f"{model.table(TreeTable).value_bits!r}: packed values cannot be changed one by one"
        )
    max_is_missing, never_missing = missing_value == "max", missing_value == "never"
    if never_missing:
        for trees in model.tables_of(TreeTable):
            no_side = np.zeros_like(trees.nan_left)
            model = model.with_table(replace(trees, nan_left=no_side))
    source = make_source(
        model,
        name,
        input_dtype,
        output,
        layout,
        values_in_ram,
        max_is_missing,
        optimize,
        never_missing,
    )
    return source, output


def value_table(exported: ModelTables, other: ModelTables, **options: Any) -> NDArray[Any]:
    """Leaf values of another model, to be written over those of an exported one in RAM.

    Parameters
    ----------
    exported : ModelTables
        Whose C file has its values in RAM.
    other : ModelTables
        The same but for its leaf values.
    **options
        `input_dtype`, `output`, `optimize` and `layout`, as passed to `to_c`.

    Returns
    -------
    values : int8, uint8, int16 or uint16 array
        Of the type that the C file declares.

    Raises
    ------
    ValueError
        If the models differ in more than leaf values, or these do not fit the declared type.
    """
    trees, other_trees = exported.table(TreeTable), other.table(TreeTable)
    values = other_trees.values
    if trees.values.shape != values.shape:
        raise ValueError("other must have the trees of the exported model")
    if not other.with_table(replace(other_trees, values=trees.values)).equals(exported):
        raise ValueError(
            "other differs from the exported model in more than its leaf values: "
            "adapt(…, bias=False) moves nothing else"
        )
    source, _ = prepare_source(exported, values_in_ram=True, **options)
    dtype = source.layout.tables["values"].dtype
    limits = np.iinfo(dtype)
    if values.min() < limits.min or values.max() > limits.max:
        raise ValueError(
            f"other has leaf values from {values.min()} to {values.max()}, and the C file "
            f"declares {dtype}: export a model that has both signs"
        )
    other_source, _ = prepare_source(other, values_in_ram=True, **options)
    table: NDArray[Any] = other_source.layout.tables["values"].astype(dtype)
    return table


def _c_file(path: str | PathLike[str]) -> Path:
    file = Path(path)
    if file.is_dir() or file.with_suffix(".c").is_dir():  # the header is written first
        raise IsADirectoryError(f"path={str(path)!r} is a folder")
    if file.suffix not in ("", ".c"):
        raise ValueError(f"path must end in .c, got {str(path)!r}: the header is written beside it")
    return file.with_suffix(".c")
