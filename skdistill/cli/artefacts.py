"""The files of a model: .skd, ONNX, C and its header."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skdistill.cli.errors import bad_input

NAME = "model"


def write_model(holder: Any, folder: Path, **options: Any) -> dict[str, int]:
    """Write a model, each file whole or not at all.

    Parameters
    ----------
    holder : CompactModel or fitted search
        The model.
    folder : Path
        Existing folder.
    **options : dict
        Of the C file, as `to_c` takes them.

    Returns
    -------
    files : dict of str to int
        Names and sizes.

    Raises
    ------
    ImportError
        Without the extra "onnx".
    InputError
        If an option of the C file does not suit the model.
    """
    with bad_input():  # first: it may refuse its options
        holder.to_c(folder / f"{NAME}.c", **options)
    holder.to_onnx(folder / f"{NAME}.onnx")
    holder.save(folder / f"{NAME}.skd")
    return sizes_of(folder, [f"{NAME}.skd", f"{NAME}.onnx", f"{NAME}.c", f"{NAME}.h"])


def sizes_of(folder: Path, names: list[str]) -> dict[str, int]:
    """Sizes of files.

    Parameters
    ----------
    folder : Path
        Where they are.
    names : list of str
        Their names.

    Returns
    -------
    sizes : dict of str to int
    """
    return {name: (folder / name).stat().st_size for name in names}
