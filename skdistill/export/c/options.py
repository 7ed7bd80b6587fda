"""Options of the C export: what may be passed, and which of them suit a model."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from skdistill.compact.model_tables import ModelTables
from skdistill.export.c.value import VALUES, check_value

INPUT_DTYPES = ("float32", "int8", "uint8", "int16", "uint16", "int32", "codes")
OUTPUTS = ("label", "scores", "proba_float", "proba_q15", *VALUES)
OPTIMIZE = ("size", "balanced", "speed", None)
LAYOUTS = ("table", "code", None)
MISSING_VALUES = ("max", "never", None)


def default_layout(optimize: str | None) -> str:
    """The layout that None stands for.

    Parameters
    ----------
    optimize : {"size", "balanced", "speed"} or None
        As in `to_c`.

    Returns
    -------
    layout : {"table", "code"}
    """
    return "code" if optimize == "speed" else "table"


def check_model(model: object) -> None:
    """Refuse what has no tables.

    Parameters
    ----------
    model : object
        What was passed as a model.

    Raises
    ------
    TypeError
        With what to pass instead.
    """
    if not isinstance(model, ModelTables):
        kind = type(model).__name__
        raise TypeError(f"model must be a CompactModel, got {kind}: {remedy(model)}")


def remedy(model: Any) -> str:
    """What to pass in place of something that has no tables, as the end of a message.

    Parameters
    ----------
    model : object
        What was passed.

    Returns
    -------
    text : str
    """
    if isinstance(model, type) or model is None:
        return "pass a fitted model"
    if hasattr(model, "compact_"):
        return "pass its compact_"
    if hasattr(model, "steps"):
        return "skdistill.convert makes a CompactModel of it"
    if hasattr(model, "best_estimator_"):
        return "pass its best_estimator_"
    if type(model).__module__.startswith("skdistill"):
        return "it is not fitted yet, call its fit first"
    return "skdistill.convert reads fitted trees, forests, boosters and linear models"


def check_options(
    model: ModelTables,
    input_dtype: str,
    output: str,
    optimize: str | None,
    layout: str | None,
    missing_value: str | None,
) -> None:
    """Refuse options that are unknown or do not suit the model.

    Parameters
    ----------
    model : ModelTables
        What is exported.
    input_dtype, output, optimize, layout, missing_value
        As in `to_c`, with what None stands for in place of the first two.

    Raises
    ------
    ValueError
        With the option, its value and what to take instead.
    """
    for option, value, known in (
        ("input_dtype", input_dtype, INPUT_DTYPES),
        ("optimize", optimize, OPTIMIZE),
        ("layout", layout, LAYOUTS),
        ("missing_value", missing_value, MISSING_VALUES),
    ):
        if value not in known:
            raise ValueError(f"{option} must be one of {known}, got {value!r}")
    _check_output(model, output)
    if input_dtype == "float32" and model.input_dtype == "int32":
        raise ValueError(
            "input_dtype='float32' does not suit a model that declares int32 inputs: take 'int32' "
            "or a narrower integer type"
        )
    check_missing(model, input_dtype, missing_value)
    if input_dtype == "codes":
        check_codes(model)
    elif input_dtype not in ("float32", "int32"):
        limits = np.iinfo(input_dtype)
        for table in model.tables:
            table.check_range(
                input_dtype, int(limits.min), int(limits.max) - (missing_value == "max")
            )
    if input_dtype not in ("float32", "codes"):
        for table in model.tables:
            if text := table.check_whole_numbers(input_dtype):
                warnings.warn(text, UserWarning, stacklevel=4)  # the caller of `to_c`


def _check_output(model: ModelTables, output: str) -> None:
    if output not in OUTPUTS:
        names = [*OUTPUTS[: OUTPUTS.index("value") + 1], "value_q0 to value_q30"]
        raise ValueError(f"output must be one of {', '.join(names)}, got {output!r}")
    if output in VALUES:
        if model.classes is not None:
            raise ValueError(
                f"output={output!r} is for a regression; of classes take 'scores' or 'proba_float'"
            )
        check_value(model, output)
    elif model.classes is None and output != "scores":
        others = "'value' or 'scores'"
        if model.link == "exp":
            others = "'scores', whose values are exp of scores times their scale"
        raise ValueError(f"output={output!r} needs classes; of a regression take {others}")


def check_missing(model: ModelTables, input_dtype: str, missing_value: str | None) -> None:
    """Refuse a number for missing values that does not suit the type of the inputs.

    Parameters
    ----------
    model : ModelTables
        What is exported.
    input_dtype, missing_value
        As in `to_c`.

    Raises
    ------
    ValueError
        With the remedy.
    """
    if missing_value == "never":
        if input_dtype != "float32":
            raise ValueError(
                f"missing_value='never' is for float32 inputs, got input_dtype={input_dtype!r}: "
                "others have no missing values by default"
            )
        if len(model.categories):
            raise ValueError(
                "missing_value='never' is for models without columns of categories, which have an "
                "index for a missing value"
            )
        return
    if missing_value is not None and input_dtype in ("float32", "codes"):
        why = (
            "float32 has NaN" if input_dtype == "float32" else "codes have their own number for it"
        )
        raise ValueError(f"missing_value={missing_value!r} is for integer inputs: {why}")
    most = int(model.categories.ranks.max(initial=0))
    if missing_value is not None and most >= np.iinfo(input_dtype).max:
        raise ValueError(
            f"missing_value={missing_value!r} of input_dtype={input_dtype!r} is {most}, which is a "
            "rank of a category too: take a wider type"
        )


def check_codes(model: ModelTables) -> None:
    """Refuse inputs that are ready codes where there is not one table to read them.

    Parameters
    ----------
    model : ModelTables
        What is exported.

    Raises
    ------
    ValueError
        With the reason.
    """
    if len(model.tables) > 1:
        kinds = " and ".join(table.kind for table in model.tables)
        raise ValueError(
            f"input_dtype='codes' is for a single table, the model has {kinds}: they read "
            "different codes"
        )
    if not model.tables:
        raise ValueError(
            "input_dtype='codes' needs a model that reads inputs; this one is constant"
        )
