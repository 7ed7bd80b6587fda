"""Exact cycles and stack on an AVR: avr-gcc compiles, simavr runs. A system's packages, not pip's.

An AVR takes a fixed number of cycles for each instruction, and simavr counts them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.device.emulate import EmulationError
from skdistill.device.host import Function, c_type
from skdistill.device.toolchain import BuildError, run_compiler

# The core of the ATmega328P, cycle for cycle, with room for many rows in its flash.
MCU = "atmega1284p"
FLAGS = ("-std=c99", "-Os", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections")
BATCH_BYTES = 20_000  # rows in flash, which must lie below 64 KB beside the model
SECONDS = 600
FILL = 0xA5  # what lies on the stack before a call
HARNESS = """
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/sleep.h>
#include <stdint.h>
#include <string.h>

{prototype}
typedef {kind} (*function)({arguments});

static const uint8_t rows[] PROGMEM = {{{rows}}};
static {element} x[{width}];
static {result} out[{entries}];
static uint8_t high, over;
static volatile uint16_t turns;
extern uint8_t _end; /* the heap would begin here, the stack grows down to it */

static {kind} nothing({arguments}) {{ __asm__ volatile(""); {give} }}
static volatile function functions[] = {{nothing, {name}}};

/* Bytes that a call takes below the stack pointer, its return address included. */
static uint16_t depth(void) {{
  uint8_t *const top = (uint8_t *)SP;
  volatile uint8_t *p; /* no call of memset, whose return address it would write over */
  for (p = &_end; p <= top; p++) *p = {fill};
  {call_directly};
  for (p = &_end; p <= top && *p == {fill}; p++) {{ }}
  return (uint16_t)((uint16_t)top + 1 - (uint16_t)p);
}}

/* Timer 1 counts cycles, timer 0 their thousands. */
static uint16_t timed(uint8_t which) {{
  function f = functions[which];
  TCNT0 = 0;
  TIFR0 = 1;
  uint16_t start = TCNT1;
  {call};
  uint16_t stop = TCNT1;
  high = TCNT0;
  over = TIFR0 & 1;
  return stop - start;
}}

ISR(TIMER1_OVF_vect) {{ turns++; }}

/* How often timer 1 turns in a call, by interrupts; these take a thousandth of the cycles. */
static uint16_t counted(void) {{
  turns = 0;
  TCNT1 = 0;
  TIFR1 = 1 << TOV1;
  TIMSK1 = 1 << TOIE1;
  sei();
  {call_directly};
  cli();
  TIMSK1 = 0;
  return turns;
}}

static void put(uint8_t byte) {{
  while (!(UCSR0A & (1 << UDRE0))) {{ }}
  UDR0 = byte;
}}

static void put_hex(uint8_t byte) {{
  put("0123456789abcdef"[byte >> 4]);
  put("0123456789abcdef"[byte & 15]);
}}

int main(void) {{
  UCSR0A = 1 << U2X0;
  UCSR0B = 1 << TXEN0;
  TCCR1B = 1;
  TCCR0B = 5;
  uint16_t empty = timed(0);
  for (uint16_t i = 0; i < {n}; i++) {{
    memcpy_P(x, rows + i * sizeof x, sizeof x);
    memset(out, 0, sizeof out);
    uint16_t cycles = timed(1) - empty + 4; /* nothing() is one ret, of 4 cycles */
    for (uint16_t j = 0; j < sizeof out; j++) {{
      if (j % 32 == 0) put('=');
      put_hex(((uint8_t *)out)[j]);
      if (j % 32 == 31 || j + 1 == sizeof out) put('\\n');
    }}
    uint16_t many = over ? counted() : 0;
    put('@');
    put_hex(many >> 8);
    put_hex(many);
    put_hex(high);
    put_hex(cycles >> 8);
    put_hex(cycles);
    put('\\n');
    memset(out, 0, sizeof out);
    uint16_t used = depth();
    put('#');
    put_hex(used >> 8);
    put_hex(used);
    put('\\n');
  }}
  cli();
  sleep_enable();
  sleep_cpu();
  return 0;
}}
"""


class ToolMissingError(RuntimeError):
    """A program that is not on this machine, and the package that brings it."""


@dataclass(frozen=True, eq=False)
class AvrRun:
    """What the calls gave and took.

    Parameters
    ----------
    results : array of shape (n_rows,) or (n_rows, n_entries)
        What each call returned or wrote.
    cycles : int64 array of shape (n_rows,)
        Of the function's body, the return included and the call not.
    stack : int64 array of shape (n_rows,)
        Bytes of stack, the return address included.
    """

    results: NDArray[Any]
    cycles: NDArray[np.int64]
    stack: NDArray[np.int64]


def missing_tools() -> list[str]:
    """Programs that `run_avr` needs and that are not here.

    Returns
    -------
    programs : list of str
    """
    return [program for program in ("avr-gcc", "simavr") if shutil.which(program) is None]


def run_avr(
    sources: Mapping[str, str],
    function: Function,
    rows: NDArray[Any],
    *,
    compiler: Sequence[str] = (),
    flags: Sequence[str] = (),
) -> AvrRun:
    """Call `function` once a row on a simulated AVR, compiled by avr-gcc.

    Parameters
    ----------
    sources : mapping of str to str
        File names and texts; names that do not end in ``.c`` are headers.
    function : Function
        Which function, and how it is called.
    rows : array of shape (n_rows, width)
        In the element type of the function.
    compiler : sequence of str, default=()
        A command that understands the options of avr-gcc; by default that.
    flags : sequence of str, default=()
        Further options, after ours.

    Returns
    -------
    run : AvrRun

    Raises
    ------
    BuildError
        If the sources do not compile or a row is too long.
    EmulationError
        If a call does not return, or takes too long for the timers.
    ToolMissingError
        If avr-gcc or simavr is not installed.
    """
    absent = missing_tools()
    if absent:
        raise ToolMissingError(
            f"counting cycles on an AVR needs {' and '.join(absent)}; Debian's packages are "
            "gcc-avr, avr-libc and simavr"
        )
    rows = np.ascontiguousarray(rows)
    size = rows.dtype.itemsize * rows.shape[1]
    if size > BATCH_BYTES:
        raise BuildError(f"a row of {size} bytes is too long for the simulated AVR")
    step = BATCH_BYTES // size
    command = [*(compiler or ["avr-gcc"]), f"-mmcu={MCU}", *FLAGS, *flags]
    parts = [
        _run(sources, function, rows[i : i + step], command) for i in range(0, len(rows), step)
    ]
    return AvrRun(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _run(
    sources: Mapping[str, str], function: Function, rows: NDArray[Any], command: Sequence[str]
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """Results, cycles and stack of as many rows as fit into flash."""
    returns = not function.entries
    element, result = c_type(function.element), c_type(function.result)
    main = HARNESS.format(
        prototype=function.prototype,
        kind="int" if returns else "void",
        arguments=f"const {element} *x" + ("" if returns else f", {result} *y"),
        give="return 0;" if returns else "",
        call="out[0] = f(x)" if returns else "f(x, out)",
        call_directly=f"out[0] = {function.name}(x)" if returns else f"{function.name}(x, out)",
        fill=FILL,
        name=function.name,
        element=element,
        result=result,
        width=function.width,
        entries=function.entries or 1,
        n=len(rows),
        rows=",".join(map(str, rows.tobytes())),
    )
    with tempfile.TemporaryDirectory(prefix="skdistill-") as scratch:
        folder = Path(scratch)
        for name, text in {**sources, "main.c": main}.items():
            (folder / name).write_text(text, encoding="utf-8")
        units = [name for name in sources if name.endswith(".c")]
        run_compiler([*command, *units, "main.c", "-o", "main.elf"], folder)
        try:
            done = subprocess.run(
                ["simavr", "-m", MCU, "-f", "16000000", "main.elf"],
                cwd=folder,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise EmulationError(f"{function.name}() on avr: no return") from error
    said = done.stdout + done.stderr
    outputs = bytes.fromhex("".join(re.findall(r"=([0-9a-f]+)", said)))
    times = re.findall(r"@([0-9a-f]{10})", said)
    depths = re.findall(r"#([0-9a-f]{4})", said)
    if len(depths) != len(rows):
        raise EmulationError(
            f"{function.name}() on avr: {len(depths)} of {len(rows)} rows returned"
        )
    return (
        function.read(np.frombuffer(outputs, np.uint8).reshape(len(rows), -1)),
        np.array([_cycles(time) for time in times], np.int64),
        np.array([int(depth, 16) for depth in depths], np.int64),
    )


def _cycles(time: str) -> int:
    """Join what both timers and the interrupts say; without these no timer has turned twice."""
    turns, thousands, low = int(time[:4], 16), int(time[4:6], 16), int(time[6:], 16)
    cycles = low + round((1024 * thousands - low) / 65536) * 65536
    if turns:
        cycles += round((turns * 65536 + low - cycles) / 2**18) * 2**18
    return cycles
