"""Exports of whatever holds a compact model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from skdistill.compact.file_format import to_bytes
from skdistill.compact.model_tables import ModelTables
from skdistill.utils.files import write_whole

if TYPE_CHECKING:
    from onnx import ModelProto

    from skdistill.device import Profile


class ExportMixin:
    """Exports of whatever holds a `CompactModel`: the model itself, students, distillers.

    A class has ``_compact_model()``, which returns the model to export.
    """

    _compact_model: Callable[[], ModelTables]

    def to_c(
        self,
        path: str | PathLike[str] | None = None,
        *,
        input_dtype: str | None = None,
        output: str | None = None,
        optimize: str | None = None,
        layout: str | None = None,
        name: str | None = None,
        missing_value: str | None = None,
        values_in_ram: bool = False,
    ) -> str:
        """Export to C99: labels and scores equal those of `predict`, bit for bit.

        Parameters
        ----------
        path : str or path-like, default=None
            The .c file to write, with a header of the same name beside it, if any.
        input_dtype : {"float32", "int8", "uint8", "int16", "uint16", "int32", "codes"}, \
                default=None
            Type of the inputs; None is the one that the model declares.
        output : {"label", "scores", "proba_float", "proba_q15", "value", "value_q0" to \
                "value_q30"}, default=None
            What the file can answer; None is "label", or "scores" for a regression.
        optimize : {"size", "balanced", "speed"}, default=None
            Which form is written: the fewest bytes, the smallest product of bytes and
            instructions, or the fewest instructions. None is "size", with a faster loop for nets.
        layout : {"table", "code"}, default=None
            "table" is smallest, "code" is fastest. None is "code" for ``optimize="speed"`` and else
            "table".
        name : str, default=None
            Prefix of all that the file defines; None is the name of the file, or "model".
        missing_value : {"max", "never", None}, default=None
            "max" says that the largest number of an integer type stands for a missing one, "never"
            that no float32 input is NaN, so that no code for it is needed.
        values_in_ram : bool, default=False
            Whether leaf values are a variable that the program may overwrite.

        Returns
        -------
        text : str
            The C file.

        Raises
        ------
        ValueError
            If an option is unknown or does not suit the model.
        OSError
            If the files cannot be written; then neither is.

        See Also
        --------
        skdistill.export.c.to_c : All about the options.
        """
        from skdistill.export.c import to_c

        return to_c(
            self._compact_model(),
            path,
            input_dtype=input_dtype,
            output=output,
            optimize=optimize,
            layout=layout,
            name=name,
            missing_value=missing_value,
            values_in_ram=values_in_ram,
        )

    def to_onnx(
        self,
        path: str | PathLike[str] | None = None,
        *,
        input_dtype: str = "float32",
        per_column_inputs: bool = False,
        zipmap: bool = False,
        missing_value: str | None = None,
    ) -> ModelProto:
        """Export to ONNX: label, probabilities and int32 scores; value and scores of a regression.

        Parameters
        ----------
        path : str or path-like, default=None
            Where to write the file, if anywhere.
        input_dtype : {"float32", "float64", "int32", "int64"}, default="float32"
            Type of the numbers that go in.
        per_column_inputs : bool, default=False
            Whether each column is an input of its own, of strings where its labels are.
        zipmap : bool, default=False
            Whether probabilities leave as a list of dictionaries.
        missing_value : {"max", None}, default=None
            "max" says that the largest number of an integer type stands for a missing one.

        Returns
        -------
        onnx_model : onnx.ModelProto

        Raises
        ------
        ImportError
            Without the extra "onnx".
        ValueError
            If an option is unknown or does not suit the model.

        See Also
        --------
        skdistill.export.onnx.to_onnx : All about the options.
        """
        from skdistill.export.onnx import to_onnx

        return to_onnx(
            self._compact_model(),
            path,
            input_dtype=input_dtype,
            per_column_inputs=per_column_inputs,
            zipmap=zipmap,
            missing_value=missing_value,
        )

    def profile(
        self,
        X: ArrayLike,
        *,
        target: str = "cortex-m0",
        input_dtype: str | None = None,
        output: str | None = None,
        optimize: str | None = None,
        layout: str | None = None,
        missing_value: str | None = None,
        compiler: str | Sequence[str] | None = None,
        flags: str | Sequence[str] = (),
    ) -> Profile:
        """Compile for a device, run every row of `X` there, count bytes and instructions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            At least one row.
        target : str, default="cortex-m0"
            Device, one of `skdistill.device.cores.TARGETS`.
        input_dtype, output, optimize, layout, missing_value : str
            As in `to_c`.
        compiler : str or sequence of str, default=None
            A command that understands gcc's options, as ``"arm-none-eabi-gcc"``; None is that of
            ziglang.
        flags : str or sequence of str, default=()
            Options of the compiler behind ours; with any there are no bounds.

        Returns
        -------
        profile : Profile

        Raises
        ------
        ImportError
            Without the extra "device".
        ValueError
            If an option is unknown or `X` does not fit the input type.

        See Also
        --------
        skdistill.profile : All about the options.
        """
        from skdistill.device import profile

        return profile(
            self._compact_model(),
            X,
            target=target,
            input_dtype=input_dtype,
            output=output,
            optimize=optimize,
            layout=layout,
            missing_value=missing_value,
            compiler=compiler,
            flags=flags,
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Write a file that `skdistill.load` reads, whole or not at all.

        Parameters
        ----------
        path : str or path-like
            The file.

        Raises
        ------
        ValueError
            If a class label is neither a string nor a number.
        OSError
            If the file cannot be written.
        """
        write_whole(path, to_bytes(self._compact_model()))
