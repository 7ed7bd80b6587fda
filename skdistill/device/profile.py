"""What a model takes on a device, and whether it answers there as it does here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.compact import evaluate
from skdistill.compact.model_tables import ModelTables
from skdistill.device.compile import Sizes, build, object_sizes
from skdistill.device.cores import find_target
from skdistill.device.emulate import run
from skdistill.device.host import Function, load
from skdistill.device.simavr import missing_tools, run_avr
from skdistill.device.toolchain import has_zig, split_command, system_compiler
from skdistill.export.c import bounds, device_rows, largest_error, prepare_source, to_c
from skdistill.export.c.costs import CORES
from skdistill.export.c.options import default_layout, remedy
from skdistill.export.c.value import VALUES, fraction_bits

NAME = "model"
_UNITS = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
Q15_ONE = 32768  # probability 1 of proba_q15


@dataclass(frozen=True)
class Profile:
    """Results of `profile`. None stands for what cannot be measured on the target.

    Parameters
    ----------
    target, input_dtype, output, layout : str
        What was asked for.
    rows : int
        Rows that were run.
    mismatches : int or None
        Rows whose result differs from Python's.
    model_bytes : int or None
        Constant tables. This and the next ones are None for "host" where neither ziglang nor
        pyelftools is installed.
    code_bytes : int or None
        Functions of the emitted file.
    library_bytes : int or None
        What the compiler's support library adds; None if `missing_routines` could not be linked,
        and for "host" with the system's compiler.
    ram_bytes : int or None
        Variables, without the stack.
    stack_bytes : int or None
        Deepest use of the stack, by any of the rows; on an AVR with the return address.
    stack_bound : int or None
        What no input can exceed, at ``-Os``, added up from the tables.
    instructions_mean : float or None
        Instructions of a call, mean over the rows.
    instructions_max : int or None
        Instructions of the call that takes most.
    instructions_bound : int or None
        What no input can exceed, at ``-Os``, added up from the tables. For "avr" it is a bound of
        cycles, and so of instructions.
    cycles_mean : float or None
        Cycles of a call, mean over the rows; for "avr" where avr-gcc and simavr are installed.
    cycles_max : int or None
        Cycles of the call that takes most.
    missing_routines : tuple of str
        Routines of the support library that are not in the sizes.
    optimize : str, default=None
        What was asked for.
    """

    target: str
    input_dtype: str
    output: str
    layout: str
    rows: int
    mismatches: int | None
    model_bytes: int | None
    code_bytes: int | None
    library_bytes: int | None
    ram_bytes: int | None
    stack_bytes: int | None = None
    stack_bound: int | None = None
    instructions_mean: float | None = None
    instructions_max: int | None = None
    instructions_bound: int | None = None
    cycles_mean: float | None = None
    cycles_max: int | None = None
    missing_routines: tuple[str, ...] = ()
    optimize: str | None = None

    @property
    def flash_bytes(self) -> int | None:
        """Bytes of model, code and, where it is known, library."""
        if self.model_bytes is None or self.code_bytes is None:
            return None
        return self.model_bytes + self.code_bytes + (self.library_bytes or 0)

    def time(self, clock: str | float, of: str = "mean") -> float:
        """Estimate the seconds of a call on a device.

        Memory without wait states is assumed; flash behind a fast core has some. Cycles of an AVR
        are counted. Those of the other cores are instructions times
        `skdistill.device.cores.Target.cycles_per_instruction`, which was counted for a Cortex-M0
        and is assumed for the others. So this is no bound of time, not of "bound" either.

        Parameters
        ----------
        clock : str or float
            Frequency of the core: ``"48MHz"``, ``"32kHz"``, or a number in hertz.
        of : {"mean", "max", "bound"}, default="mean"
            The mean row, the row that takes longest, or the bound of instructions.

        Returns
        -------
        seconds : float

        Raises
        ------
        ValueError
            If the clock is no frequency, or the target has no count of instructions or cycles.

        Examples
        --------
        >>> from skdistill.device import Profile
        >>> counts = {"instructions_mean": 200.0, "instructions_max": 240}
        >>> result = Profile("cortex-m0", "uint8", "label", "table", 9, 0, 100, 90, 0, 0, **counts)
        >>> f"{result.time('48MHz') * 1e6:.1f} µs"
        '7.5 µs'
        """
        if of not in ("mean", "max", "bound"):
            raise ValueError(f"of must be 'mean', 'max' or 'bound', got {of!r}")
        factor = 1.0 if self.target == "avr" else find_target(self.target).cycles_per_instruction
        unit = "cycles" if self.target == "avr" and of != "bound" else "instructions"
        count = getattr(self, f"{unit}_{of}")
        if factor is None or count is None:
            raise ValueError(f"a profile of target={self.target!r} has no {of} of {unit}")
        return float(count * factor / _hertz(clock))

    def __str__(self) -> str:
        aim = "" if self.optimize is None else f" for {self.optimize}"
        options = f"{self.input_dtype} to {self.output}, layout {self.layout}{aim}"
        lines: list[tuple[str, object]] = [("target", f"{self.target}, {options}")]
        names = ["flash_bytes", "model_bytes", "code_bytes", "library_bytes", "ram_bytes"]
        names += [
            "stack_bytes",
            "stack_bound",
            "instructions_mean",
            "instructions_max",
            "instructions_bound",
        ]
        for name in [*names, "cycles_mean", "cycles_max"]:
            value = getattr(self, name)
            if value is not None:
                lines.append((name, f"{value:,.1f}" if name.endswith("mean") else f"{value:,}"))
        if self.missing_routines:
            lines.append(("missing_routines", ", ".join(self.missing_routines)))
        if self.mismatches is not None:
            lines.append(("mismatches", f"{self.mismatches:,} of {self.rows:,} rows"))
        width = max(len(name) for name, _ in lines)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in lines)


def _hertz(clock: str | float) -> float:
    """A frequency as a number."""
    match = re.fullmatch(r"([\d.]+) *([kMG]?)Hz", clock) if isinstance(clock, str) else None
    try:
        hertz = float(match[1]) * _UNITS[match[2]] if match else float(clock)
    except (TypeError, ValueError):
        hertz = 0.0
    if not 0 < hertz < float("inf"):
        raise ValueError(f"clock must be a frequency such as '48MHz', got {clock!r}")
    return hertz


def profile(
    model: Any,
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
    """Compile a model for a device, run it there on every row of `X`, and count.

    Sizes are those of the linked program without start-up code. On the emulated cores
    instructions are counted, not cycles. For "host" the rows run natively; with a `compiler`, and
    without ziglang, where it is ``$CC``, cc, gcc or clang, sizes are those of its object file. For
    "avr" there are sizes, and where avr-gcc and simavr are installed their cycles, stack and
    results.

    Parameters
    ----------
    model : CompactModel, student or distiller
        Students and distillers are fitted.
    X : data frame, array-like or sparse matrix of shape (n_samples, n_features)
        At least one row.
    target : str, default="cortex-m0"
        One of `skdistill.device.cores.TARGETS`.
    input_dtype, output : str, default=None
        As in `skdistill.export.c.to_c`.
    optimize : {"size", "balanced", "speed"}, default=None
        As in `skdistill.export.c.to_c`.
    layout : {"table", "code"}, default=None
        As in `skdistill.export.c.to_c`.
    missing_value : {"max", "never", None}, default=None
        What stands for a missing value, as in `to_c`.
    compiler : str or sequence of str, default=None
        A command that understands gcc's options, as ``"arm-none-eabi-gcc"``; None is that of
        ziglang. The options of the core are added, as ``-mthumb -mcpu=cortex-m0``, and the
        library is the compiler's.
    flags : str or sequence of str, default=()
        Options of the compiler behind ours, which are ``-std=c99 -Os`` and sections for each
        function, as ``"-O2"``. With any there are no bounds: those are for ``-Os``.

    Returns
    -------
    profile : Profile

    Raises
    ------
    BuildError, EmulationError
        If the emitted C does not compile, or does what it must not.
    ImportError
        Without the extra "device"; for "host" without any C compiler.
    ValueError
        If an option is unknown or `X` does not fit the input type.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftTreeClassifier
    >>> from skdistill.device.profile import profile
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = SoftTreeClassifier(max_leaf_nodes=4).fit(X, y)
    >>> profile(tree, X).mismatches
    0
    """
    core = find_target(target)
    model = compact_of(model)
    numbers = model.read_rows(X)
    input_dtype = input_dtype or model.input_dtype
    plan, output = prepare_source(
        model,
        input_dtype=input_dtype,
        output=output,
        optimize=optimize,
        layout=layout,
        name=NAME,
        missing_value=missing_value,
    )
    source = to_c(
        model,
        input_dtype=input_dtype,
        output=output,
        optimize=optimize,
        layout=layout,
        name=NAME,
        missing_value=missing_value,
    )
    rows = device_rows(model, numbers, input_dtype, missing_value=missing_value)
    if not len(rows):
        raise ValueError("X must have at least one row to be run")
    function = emitted_function(model, rows, output)
    sources = {f"{NAME}.c": source}
    command, options = split_command(compiler), split_command(flags)
    measured: dict[str, Any] = {}
    results = None
    sizes: Sizes | None
    missing_routines: tuple[str, ...] = ()
    if target == "host" and (command or not has_zig()):
        sizes = object_sizes(sources, core, command or system_compiler(), options)
    else:
        image = build(sources, core, [function.name], compiler=command, flags=options)
        sizes, missing_routines = image.sizes, image.missing_routines
    if target == "host":
        results = load(sources, function, compiler=command, flags=options)(rows)
    elif core.core and not missing_routines:
        ran = run(image, function.name, rows, output_bytes=function.output_bytes, watch=True)
        results = function.read(ran.outputs)
        measured["stack_bytes"] = int(ran.stack.max())
        measured |= _mean_and_max("instructions", ran.instructions)
    elif core.family == "avr" and not missing_tools():
        on_avr = run_avr(sources, function, rows, compiler=command, flags=options)
        results = on_avr.results
        measured["stack_bytes"] = int(on_avr.stack.max())
        measured |= _mean_and_max("cycles", on_avr.cycles)
    if target in CORES and not options:
        most = bounds(plan, output, target)
        measured |= {"instructions_bound": most.instructions, "stack_bound": most.stack}
    mismatches = None
    if results is not None:
        allowed = largest_error(model, output)
        mismatches = int(differs(model, numbers, output, results, allowed).sum())
    return Profile(
        target=target,
        input_dtype=input_dtype,
        output=output,
        optimize=optimize,
        layout=layout or default_layout(optimize),
        rows=len(rows),
        mismatches=mismatches,
        model_bytes=None if sizes is None else sizes.model,
        code_bytes=None if sizes is None else sizes.code,
        library_bytes=None if sizes is None else sizes.library,
        ram_bytes=None if sizes is None else sizes.ram,
        missing_routines=missing_routines,
        **measured,
    )


def _mean_and_max(name: str, counts: NDArray[np.int64] | None) -> dict[str, float | int]:
    """Two fields of a profile."""
    assert counts is not None
    return {f"{name}_mean": float(counts.mean()), f"{name}_max": int(counts.max())}


def compact_of(model: Any) -> ModelTables:
    """Find the compact model.

    Parameters
    ----------
    model : CompactModel, student or distiller
        Students and distillers are fitted.

    Returns
    -------
    compact : ModelTables

    Raises
    ------
    ValueError
        If there is none.
    """
    compact = model if isinstance(model, ModelTables) else getattr(model, "compact_", None)
    if not isinstance(compact, ModelTables):
        raise ValueError(
            f"model must be a CompactModel or a fitted student or distiller, "
            f"got {type(model).__name__} without compact_: {remedy(model)}"
        )
    return compact


def emitted_function(
    model: ModelTables, rows: NDArray[Any], output: str, name: str = NAME
) -> Function:
    """Describe a function of an exported model.

    Parameters
    ----------
    model : ModelTables
        The exported model.
    rows : array of shape (n_samples, width)
        As `device_input` returns them.
    output : {"label", "scores", "proba_float", "proba_q15", "value", …}
        What the function returns or fills.
    name : str, default="model"
        Prefix of its name.

    Returns
    -------
    function : Function
    """
    width, element = rows.shape[1], rows.dtype.name
    if output == "label":
        return Function(f"{name}_label", width, element)
    if output == "scores":
        return Function(f"{name}_scores", width, element, "int32", model.n_scores)
    if output in VALUES:
        result = "float32" if output == "value" else "int32"
        return Function(f"{name}_{output}", width, element, result, model.n_scores)
    n_classes = 0 if model.classes is None else len(model.classes)
    if output == "proba_float":
        return Function(f"{name}_proba", width, element, "float32", n_classes)
    return Function(f"{name}_proba_q15", width, element, "uint16", n_classes)


def differs(
    model: ModelTables, X: NDArray[Any], output: str, results: NDArray[Any], allowed: float = 0.0
) -> NDArray[np.bool_]:
    """Tell for which rows `results` are not Python's.

    Parameters
    ----------
    model : ModelTables
        The exported model.
    X : array of shape (n_samples, n_features)
        Rows as `CompactModel.read_rows` returns them.
    output : {"label", "scores", "proba_float", "proba_q15", "value", …}
        What the function returned or filled.
    results : array of shape (n_samples,) or (n, entries)
        What the emitted function gave.
    allowed : float, default=0.0
        Largest difference of a probability or value that is not counted.

    Returns
    -------
    differs : bool array of shape (n_samples,)
    """
    scores = evaluate.indexed_scores(model, X)
    if output == "label":
        wrong = results != (0 if model.n_classes == 1 else evaluate.labels(scores, model.threshold))
    elif output == "scores":
        wrong = np.any(results != scores, axis=1)
    elif output in VALUES:
        values = results * 2.0 ** -(fraction_bits(output) or 0)
        expected = scores * np.asarray(model.scale, np.float64)
        wrong = ~np.all(np.abs(values - expected) <= allowed, axis=1)
    else:
        P = results / Q15_ONE if output == "proba_q15" else results
        wrong = ~np.all(np.abs(P - evaluate.probabilities(model, scores)) <= allowed, axis=1)
    return np.asarray(wrong, bool)
