"""Whether Python, ONNX Runtime and compiled C answer alike."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.cli.errors import InputError, bad_input
from skdistill.device.host import load
from skdistill.device.profile import differs, emitted_function
from skdistill.device.toolchain import BuildError, has_zig, system_compiler
from skdistill.export.c import device_rows, to_c
from skdistill.export.onnx import to_onnx
from skdistill.export.onnx.parity import differing_rows, open_session
from skdistill.model import CompactModel

_DECLARED = re.compile(
    r"^(?:int|void) (\w+)_(label|scores)\(const (float|u?int(?:8|16|32)_t) \*x[^)]*\);",
    re.MULTILINE,
)


class Agreement(NamedTuple):
    """How a runtime answers, compared with Python.

    Attributes
    ----------
    runtime : str
        "ONNX Runtime" or "C".
    compared : str
        What was compared.
    rows : int
        Rows that were run.
    differing : int array
        Numbers of the rows that differ, from 0.
    """

    runtime: str
    compared: str
    rows: int
    differing: NDArray[np.intp]


def check_agreement(
    model: CompactModel, X: Any, *, onnx: Path | None = None, c: Path | None = None
) -> tuple[list[Agreement], list[str]]:
    """Run rows in ONNX Runtime and in C compiled for this machine.

    Parameters
    ----------
    model : CompactModel
        What Python answers.
    X : data frame or array of shape (n_samples, n_features)
        Rows.
    onnx, c : Path or None, default=None
        Files to run; None are what the model exports.

    Returns
    -------
    agreements : list of Agreement
        One for each runtime that is installed.
    missing : list of str
        Runtimes that are not, and how to install them.

    Raises
    ------
    ImportError
        If a file is named and its runtime is not installed.
    InputError
        If a file cannot be run.
    """
    rows = np.asarray(X.to_numpy(object) if len(model.categories) else model.read_rows(X))
    agreements, missing = [], []
    if onnx is not None or (find_spec("onnx") and find_spec("onnxruntime")):
        agreements.append(_run_onnx(model, rows, onnx))
    else:
        missing.append("ONNX Runtime was not run: pip install 'skdistill[onnx]'")
    if c is not None or has_compiler():
        agreements += _run_c(model, model.read_rows(X), c)
    else:
        missing.append("C was not run: pip install 'skdistill[device]'")
    return agreements, missing


def _run_onnx(model: CompactModel, rows: NDArray[Any], path: Path | None) -> Agreement:
    if path is None:
        session = open_session(to_onnx(model).SerializeToString())
        return Agreement(
            "ONNX Runtime",
            _compared(model),
            len(rows),
            np.flatnonzero(differing_rows(model, session, rows)),
        )
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    with bad_input(f"{path} cannot be run", *_onnx_errors()):
        session = open_session(path)
        differ = differing_rows(model, session, rows)
    return Agreement("ONNX Runtime", _compared(model), len(rows), np.flatnonzero(differ))


def _run_c(model: CompactModel, numbers: NDArray[Any], path: Path | None) -> list[Agreement]:
    if path is None:
        outputs = ["scores"] if model.classes is None else ["label", "scores"]
        texts = {output: to_c(model, output=output) for output in outputs}
    else:
        if not path.is_file():
            raise InputError(f"there is no file {path}")
        text = path.read_text(encoding="utf-8", errors="replace")
        texts = {output: text for _, output, _ in _DECLARED.findall(text)}
        if not texts:
            raise InputError(
                f"{path} declares neither a label nor scores, as skdistill writes them"
            )
    agreements = []
    for output, text in texts.items():
        name, type_of_input = next(
            (name, dtype) for name, kind, dtype in _DECLARED.findall(text) if kind == output
        )
        input_dtype = "float32" if type_of_input == "float" else type_of_input.removesuffix("_t")
        with bad_input(f"{path or 'C'} cannot be run", BuildError):
            rows = device_rows(model, numbers, input_dtype)
            call = load({"model.c": text}, emitted_function(model, rows, output, name))
            results = call(rows)
        differ = differs(model, numbers, output, results)
        agreements.append(Agreement("C", output, len(rows), np.flatnonzero(differ)))
    return agreements


def _compared(model: CompactModel) -> str:
    return "scores" if model.classes is None else "label and scores"


def has_compiler() -> bool:
    """Whether C can be compiled for this machine."""
    if has_zig():
        return True
    try:
        system_compiler()
    except ImportError:
        return False
    return True


def _onnx_errors() -> list[type[Exception]]:
    """What ONNX Runtime raises for a file that is no model, or another one."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NoSuchFile")
    return [getattr(state, name) for name in (*names, "NotImplemented", "RuntimeException")]
