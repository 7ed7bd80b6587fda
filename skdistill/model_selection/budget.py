"""A budget: what a model may take on a device, and what it takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from skdistill.compact.model_tables import ModelTables
from skdistill.device import Profile, profile
from skdistill.device.cores import find_target
from skdistill.export.c.api import prepare_source
from skdistill.export.c.bounds import bounds
from skdistill.export.c.costs import CORES
from skdistill.export.c.options import INPUT_DTYPES, OUTPUTS
from skdistill.model_selection.code_estimate import code_estimate, table_kinds
from skdistill.utils.byte_sizes import parse_bytes

LIMITS = ("flash", "ram", "instructions", "time", "features")
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6}
_ANY_CORE = "cortex-m0"  # for bounds where no target was named


@dataclass(frozen=True)
class Budget:
    """Limits of a model on a device; None is no limit.

    Parameters
    ----------
    flash : int or None, default=None
        Bytes of tables and code.
    ram : int or None, default=None
        Bytes of variables and of the stack.
    instructions : float or None, default=None
        Instructions of a call that no input exceeds.
    seconds : float or None, default=None
        Time of a call that no input exceeds, at `clock`.
    clock : str, default=""
        Frequency of the core, such as "48MHz".
    features : int or None, default=None
        Columns that the model reads.
    """

    flash: int | None = None
    ram: int | None = None
    instructions: float | None = None
    seconds: float | None = None
    clock: str = ""
    features: int | None = None

    def __str__(self) -> str:
        time = None if self.seconds is None else f"{1e3 * self.seconds:g}ms@{self.clock}"
        return str(self.limits | ({} if time is None else {"time": time}))

    @property
    def limits(self) -> dict[str, float]:
        """Those that are set, by the names in `LIMITS`; time in seconds."""
        limits = {
            "flash": self.flash,
            "ram": self.ram,
            "instructions": self.instructions,
            "time": self.seconds,
            "features": self.features,
        }
        return {name: limit for name, limit in limits.items() if limit is not None}

    @property
    def needs_bounds(self) -> bool:
        """Whether bounds of the core are needed."""
        return not self.ram == self.instructions == self.seconds

    def takes(self, footprint: Footprint) -> dict[str, float]:
        """What a model takes of each limit.

        Parameters
        ----------
        footprint : Footprint
            What the model takes.

        Returns
        -------
        takes : dict of str to float
            By the names of `limits`, in their units.
        """
        taken: dict[str, float | None] = {
            "flash": footprint.flash,
            "ram": footprint.ram,
            "instructions": footprint.instructions,
            "features": footprint.features,
        }
        if self.seconds is not None:
            taken["time"] = footprint.profile.time(self.clock, of="bound")
        return {name: value for name in self.limits if (value := taken[name]) is not None}

    def used(self, footprint: Footprint) -> dict[str, float]:
        """Share of each limit that a model takes, above 1 where it exceeds it.

        Parameters
        ----------
        footprint : Footprint
            What the model takes.

        Returns
        -------
        used : dict of str to float
            By the names of `limits`.
        """
        return {name: taken / self.limits[name] for name, taken in self.takes(footprint).items()}

    def fits(self, footprint: Footprint) -> bool:
        """Whether a model exceeds no limit.

        Parameters
        ----------
        footprint : Footprint
            What the model takes.

        Returns
        -------
        fits : bool
        """
        return all(share <= 1 for share in self.used(footprint).values())


@dataclass(frozen=True)
class Device:
    """Where a model is to run, and in which form.

    Parameters
    ----------
    target : str or None
        One of `skdistill.device.cores.TARGETS`; None is no particular one.
    input_dtype, output : str or None
        As in `skdistill.export.c.to_c`.
    layout : {"auto", "table", "code"}
        As there; "auto" is "code" where only that is within the budget.
    """

    target: str | None
    input_dtype: str | None
    output: str | None
    layout: str

    @property
    def layouts(self) -> tuple[str, ...]:
        """Layouts to be tried, in this order."""
        if self.layout != "auto":
            return (self.layout,)
        return ("table",) if self.target is None else ("table", "code")


@dataclass(frozen=True)
class Footprint:
    """What a model takes on a device.

    Parameters
    ----------
    profile : Profile
        Of the compiler, or estimated where no target was named.
    features : int
        Columns that the model reads.
    """

    profile: Profile
    features: int

    @property
    def flash(self) -> int:
        """Bytes of tables and code."""
        return int(self.profile.flash_bytes or 0)

    @property
    def ram(self) -> int | None:
        """Bytes of variables and stack."""
        stack = self.profile.stack_bound
        return None if stack is None else stack + (self.profile.ram_bytes or 0)

    @property
    def instructions(self) -> int | None:
        """Bound of the instructions of a call."""
        return self.profile.instructions_bound


def parse_budget(budget: Any) -> Budget:
    """Read a budget.

    Parameters
    ----------
    budget : int, str or dict
        Bytes of flash, as "4KB"; or a dict with some of "flash", "ram" (both in bytes),
        "instructions", "time" (as "2ms@48MHz") and "features".

    Returns
    -------
    budget : Budget

    Raises
    ------
    ValueError
        If a limit is unknown, or none can be read.

    Examples
    --------
    >>> from skdistill.model_selection.budget import parse_budget
    >>> parse_budget("4KB").flash
    4096
    >>> budget = parse_budget({"flash": "2KB", "time": "2ms@48MHz"})
    >>> budget.seconds, budget.clock
    (0.002, '48MHz')
    """
    if not isinstance(budget, Mapping):
        return Budget(flash=parse_bytes(budget))
    unknown = sorted(str(name) for name in set(budget) - set(LIMITS))
    if unknown or not budget:
        raise ValueError(
            f"budget must be a size such as '4KB', or a dict with some of {list(LIMITS)}; got "
            f"{f'unknown limits {unknown}' if unknown else repr(budget)}"
        )
    limits: dict[str, Any] = {}
    for name in ("flash", "ram"):
        if name in budget:
            limits[name] = parse_bytes(budget[name], f"budget[{name!r}]")
    for name, kinds in (("instructions", (Integral, Real)), ("features", (Integral,))):
        if name in budget:
            limit = budget[name]
            if isinstance(limit, bool) or not isinstance(limit, kinds) or not float(limit) >= 1:
                kind = "number" if Real in kinds else "whole number"
                raise ValueError(f"budget[{name!r}] must be a {kind} of 1 or more, got {limit!r}")
            limits[name] = limit
    if "time" in budget:
        limits["seconds"], limits["clock"] = _parse_time(budget["time"])
    return Budget(**limits)


def _parse_time(time: Any) -> tuple[float, str]:
    """Seconds and clock of a text such as "2ms@48MHz"."""
    pattern = r"\s*(\d+(?:\.\d+)?)\s*(s|ms|us|µs)\s*@\s*(\d+(?:\.\d+)?\s*[kMG]?Hz)\s*"
    match = re.fullmatch(pattern, time) if isinstance(time, str) else None
    hertz = None if match is None else re.match(r"[\d.]+", match[3])
    if match is None or hertz is None or not min(float(match[1]), float(hertz[0])) > 0:
        raise ValueError(
            f"budget['time'] must be a time at a clock, such as '2ms@48MHz', got {time!r}"
        )
    return float(match[1]) * _SECONDS[match[2]], match[3]


def check_device(budget: Budget, device: Device, task: str) -> None:
    """Refuse limits that cannot be computed for a device.

    Parameters
    ----------
    budget : Budget
        The limits.
    device : Device
        Where the model runs.
    task : {"classification", "regression"}
        What it answers.

    Raises
    ------
    ValueError
        For an unknown target or option, an output of the other task, or a target without what
        the budget needs.
    """
    for name, option, options in (
        ("input_dtype", device.input_dtype, INPUT_DTYPES),
        ("output", device.output, OUTPUTS),
    ):
        if option is not None and option not in options:
            raise ValueError(f"{name} must be one of {list(options)}, got {option!r}")
    other = {"classification": "value", "regression": "proba"}[task]
    if device.output is not None and device.output.startswith(other):
        raise ValueError(
            f"output={device.output!r} is no answer of a {task}: choose 'label' or 'scores', "
            "probabilities of classes, or the value of a regression"
        )
    if device.target is None:
        if device.layout == "code":
            raise ValueError(
                "layout='code' needs a target, such as 'cortex-m0': only the compiler knows its "
                "bytes"
            )
        return
    core = find_target(device.target)
    if budget.needs_bounds and device.target not in CORES:
        raise ValueError(
            f"target={device.target!r} has no bounds of ram, instructions and time: choose one "
            f"of {list(CORES)}, or a budget of flash and features"
        )
    if budget.seconds is not None and device.target != "avr" and not core.cycles_per_instruction:
        raise ValueError(
            f"the cycles of target={device.target!r} are unknown, and with them the time"
        )


def measure(model: ModelTables, device: Device, budget: Budget) -> Footprint:
    """What a model takes, in the first layout that is within the budget.

    Parameters
    ----------
    model : ModelTables
        The model.
    device : Device
        With a target the C is compiled, which takes about 0.2 s; else its code is estimated.
    budget : Budget
        Decides between layouts.

    Returns
    -------
    footprint : Footprint
        In the layout that exceeds the budget least where none is within it.

    Raises
    ------
    ImportError
        With a target, without the extra "device".
    ValueError
        If the model does not suit the options of the device.
    """
    columns = len(columns_read(model))
    footprints = []
    for layout in device.layouts:
        footprint = Footprint(_profile(model, device, layout), columns)
        if budget.fits(footprint):
            return footprint
        footprints.append(footprint)
    return min(footprints, key=lambda each: max(budget.used(each).values()))


def columns_read(model: ModelTables) -> set[int]:
    """Columns that a model reads.

    Parameters
    ----------
    model : ModelTables
        The model.

    Returns
    -------
    columns : set of int
    """
    return {int(column) for table in model.tables for column in table.columns}


def _profile(model: ModelTables, device: Device, layout: str) -> Profile:
    """Of the compiler; estimated without a target."""
    options: dict[str, Any] = {
        "input_dtype": device.input_dtype,
        "output": device.output,
        "layout": layout,
    }
    if device.target is not None:
        row = np.zeros((1, model.n_features))
        measured = profile(model, row, target=device.target, **options)
        if measured.missing_routines:
            raise ValueError(
                f"the flash of target={device.target!r} is unknown: its code needs "
                f"{', '.join(measured.missing_routines)}, which the compiler's library lacks; take "
                "an integer input_dtype, and output='label' or 'scores'"
            )
        if measured.flash_bytes is None:
            raise ImportError(
                f"the flash of target={device.target!r} needs a compiler: pip install "
                "'skdistill[device]'"
            )
        return measured
    source, output = prepare_source(model, optimize="size", **options)
    input_dtype = device.input_dtype or model.input_dtype
    code = code_estimate(
        table_kinds(model),
        len(model.categories) > 0,
        output,
        input_dtype,
        has_steps="origins" in source.layout.tables,
        n_columns=len(columns_read(model)),
    )
    most = bounds(source, output, _ANY_CORE)
    return Profile(
        target=_ANY_CORE,
        input_dtype=input_dtype,
        output=output,
        layout=layout,
        optimize="size",
        rows=0,
        mismatches=None,
        model_bytes=sum(table.nbytes for table in source.layout.tables.values()),
        code_bytes=code,
        library_bytes=0,
        ram_bytes=0,
        stack_bound=most.stack,
        instructions_bound=most.instructions,
    )
