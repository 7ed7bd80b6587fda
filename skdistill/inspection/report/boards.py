"""Common boards: how much flash and memory they have, and whether a model fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from skdistill.device import Profile


class Board(NamedTuple):
    """A board or microcontroller.

    Attributes
    ----------
    name : str
        What it is called.
    target : str
        Its core, one of `skdistill.device.cores.TARGETS`.
    flash, ram : int
        Bytes, of the whole chip: other programs need some of them.
    source : str
        Where the figures are from.
    """

    name: str
    target: str
    flash: int
    ram: int
    source: str


_KB = 1024
BOARDS = (
    Board("Arduino Uno R3 (ATmega328P)", "avr", 32 * _KB, 2 * _KB,
          "Microchip, ATmega48A/PA/88A/PA/168A/PA/328/P data sheet DS40002061"),
    Board("STM32F030F4", "cortex-m0", 16 * _KB, 4 * _KB, "ST, STM32F030x4/x6/x8/xC DS9773"),
    Board("BBC micro:bit v1 (nRF51822)", "cortex-m0", 256 * _KB, 16 * _KB,
          "Nordic, nRF51822 Product Specification"),
    Board("Raspberry Pi Pico (RP2040)", "cortex-m0", 2048 * _KB, 264 * _KB,
          "Raspberry Pi, RP2040 and Pico datasheets; flash is a chip of its own"),
    Board("Blue Pill (STM32F103C8)", "cortex-m3", 64 * _KB, 20 * _KB, "ST, STM32F103x8 DS5319"),
    Board("Arduino Nano 33 BLE (nRF52840)", "cortex-m4f", 1024 * _KB, 256 * _KB,
          "Nordic, nRF52840 Product Specification"),
    Board("Thingy:91 (nRF9160)", "cortex-m33", 1024 * _KB, 256 * _KB,
          "Nordic, nRF9160 Product Specification"),
    Board("NUCLEO-H743ZI (STM32H743)", "cortex-m7", 2048 * _KB, 1024 * _KB,
          "ST, STM32H743xI DS12110"),
    Board("ESP32-C3-DevKitM-1", "rv32imc", 4096 * _KB, 400 * _KB,
          "Espressif, ESP32-C3 and ESP32-C3-MINI-1 datasheets; flash is inside the module"),
)  # fmt: skip
"""Boards of each kind of core that models are compiled for. Cores of the same instruction set as
the target count as that target: a Cortex-M0+ as a Cortex-M0."""


def board_fits(profiles: Mapping[str, Profile]) -> list[dict[str, Any]]:
    """Whether a model fits on each board.

    Parameters
    ----------
    profiles : mapping of str to Profile
        By target; boards of other targets are left out.

    Returns
    -------
    rows : list of dict
        `flash` and `ram` are what the model takes, in bytes; `ram` includes the stack, and is None
        where that is not known. Shares are of the chip.
    """
    rows = []
    for board in BOARDS:
        profile = profiles.get(board.target)
        if profile is None or profile.flash_bytes is None:
            continue
        stack = profile.stack_bound if profile.stack_bound is not None else profile.stack_bytes
        ram = None if stack is None or profile.ram_bytes is None else profile.ram_bytes + stack
        fits = profile.flash_bytes <= board.flash and (ram or 0) <= board.ram
        rows.append(
            {
                "board": board.name,
                "target": board.target,
                "flash": profile.flash_bytes,
                "flash_share": profile.flash_bytes / board.flash,
                "ram": ram,
                "ram_share": None if ram is None else ram / board.ram,
                "fits": fits,
                "source": board.source,
            }
        )
    return rows
