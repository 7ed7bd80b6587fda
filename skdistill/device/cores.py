"""The cores that models are compiled for and, where they can be, run on."""

from __future__ import annotations

import platform
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """What the compiler and the emulator have to know about a core.

    Parameters
    ----------
    name : str
        Name of the target.
    triple : str
        For ``zig cc -target``.
    cpu : str
        For ``zig cc -mcpu``.
    core : str
        Name of the core in unicorn's constants; empty if unicorn has none.
    fpu : bool
        Whether the core computes with float32 itself.
    pointer : int
        Bytes of a pointer.
    const_in_ram : bool
        Whether plain constants are copied to RAM, as on a core that cannot load from flash.
    machine : tuple of str
        Options by which gcc, and clang for the same family, compile for the core.
    cycles_per_instruction : float or None
        Cycles of emitted code for an instruction, memory without wait states; None where nothing
        is known, and for an AVR, whose cycles are counted.
    cycles_source : str
        Where that number is from.
    """

    name: str
    triple: str
    cpu: str
    core: str = ""
    fpu: bool = False
    pointer: int = 4
    const_in_ram: bool = False
    machine: tuple[str, ...] = ()
    cycles_per_instruction: float | None = None
    cycles_source: str = ""

    @property
    def family(self) -> str:
        """Family of the core, ``"thumb"``, ``"riscv32"``, ``"avr"`` or the host's."""
        return self.triple.split("-")[0]


def _host() -> Target:
    machine = platform.machine().lower()
    family = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    return Target("host", f"{family}-freestanding-none", "baseline", fpu=True, pointer=8)


# Loads take 2 cycles on a Cortex-M0 and taken branches 3, most others 1. Counted so, a tree, two
# boosters, a linear model and a net, by gcc and by clang, took 1.34 to 1.77 cycles an instruction.
# Nothing was counted for the other cores: they have the number of the Cortex-M0.
_M0_CYCLES = (
    "counted: the timing of each instruction in Arm's Cortex-M0 Technical Reference Manual, 3.3, "
    "over emitted code"
)
_M3_CYCLES = (
    "assumed, that of a Cortex-M0: Arm's Cortex-M3 and M4 Technical Reference Manuals, 3.3, have "
    "loads of 2 cycles too, and taken branches of 2 to 4 in place of 3"
)
_LIKE_M4 = "assumed, that of a Cortex-M4: no timing was found"
_E31_CYCLES = (
    "assumed, that of a Cortex-M0: in SiFive's E31 manual, 3.2 and 3.3, words are loaded in 2 "
    "cycles, bytes in 3, and a mispredicted branch costs 3 more, so that it may be more"
)
_HARD_FLOAT = ("-mthumb", "-mfloat-abi=hard")
# An M7 may have either FPU: code for single precision runs on both. An M33 may have none; most do.
TARGETS = {
    target.name: target
    for target in (
        Target(
            "cortex-m0",
            "thumb-freestanding-eabi",
            "cortex_m0",
            "UC_CPU_ARM_CORTEX_M0",
            machine=("-mthumb", "-mcpu=cortex-m0"),
            cycles_per_instruction=1.8,
            cycles_source=_M0_CYCLES,
        ),
        Target(
            "cortex-m3",
            "thumb-freestanding-eabi",
            "cortex_m3",
            "UC_CPU_ARM_CORTEX_M3",
            machine=("-mthumb", "-mcpu=cortex-m3"),
            cycles_per_instruction=1.8,
            cycles_source=_M3_CYCLES,
        ),
        Target(
            "cortex-m4f",
            "thumb-freestanding-eabihf",
            "cortex_m4+vfp4d16sp",
            "UC_CPU_ARM_CORTEX_M4",
            fpu=True,
            machine=(*_HARD_FLOAT, "-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16"),
            cycles_per_instruction=1.8,
            cycles_source=_M3_CYCLES,
        ),
        Target(
            "cortex-m7",
            "thumb-freestanding-eabihf",
            "cortex_m7+fp_armv8d16sp",
            "UC_CPU_ARM_CORTEX_M7",
            fpu=True,
            machine=(*_HARD_FLOAT, "-mcpu=cortex-m7", "-mfpu=fpv5-sp-d16"),
            cycles_per_instruction=1.8,
            cycles_source=_LIKE_M4,
        ),
        Target(
            "cortex-m33",
            "thumb-freestanding-eabihf",
            "cortex_m33+fp_armv8d16sp",
            "UC_CPU_ARM_CORTEX_M33",
            fpu=True,
            machine=(*_HARD_FLOAT, "-mcpu=cortex-m33", "-mfpu=fpv5-sp-d16"),
            cycles_per_instruction=1.8,
            cycles_source=_LIKE_M4,
        ),
        Target(
            "rv32imc",
            "riscv32-freestanding-none",
            "generic_rv32+m+c",
            "UC_CPU_RISCV32_SIFIVE_E31",
            machine=("-march=rv32imc", "-mabi=ilp32"),
            cycles_per_instruction=1.8,
            cycles_source=_E31_CYCLES,
        ),
        Target(
            "avr",
            "avr-freestanding-none",
            "atmega328p",
            pointer=2,
            const_in_ram=True,
            machine=("-mmcu=atmega328p",),
            cycles_source="counted by simavr, as the AVR Instruction Set Manual has them",
        ),
        _host(),
    )
}


def find_target(name: str) -> Target:
    """Look a target up.

    Parameters
    ----------
    name : str
        One of `TARGETS`.

    Returns
    -------
    target : Target

    Raises
    ------
    ValueError
        If there is none of this name.

    Examples
    --------
    >>> from skdistill.device.cores import find_target
    >>> find_target("cortex-m0").fpu
    False
    """
    if not isinstance(name, str) or name not in TARGETS:
        raise ValueError(f"target must be one of {sorted(TARGETS)}, got {str(name)[:40]!r}")
    return TARGETS[name]
