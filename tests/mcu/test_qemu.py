"""The emitted C on Cortex-M boards: compiled by arm-none-eabi-gcc, run by QEMU."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

from skdistill.device.host import c_type
from skdistill.device.profile import NAME, differs, emitted_function
from skdistill.device.toolchain import run_compiler
from skdistill.export.c import device_input, to_c
from skdistill.export.onnx.parity import probe_rows
from tests.mcu.models import STUDENTS

ABSENT = [tool for tool in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(tool) is None]
pytestmark = [
    pytest.mark.mcu,
    pytest.mark.skipif(bool(ABSENT), reason=f"not installed: {ABSENT}"),
]
BOARDS = {
    "microbit": ["-mcpu=cortex-m0"],
    "mps2-an385": ["-mcpu=cortex-m3"],
    "mps2-an386": ["-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"],
}
FLAGS = ["-mthumb", "-std=c99", "-Os", "-ffunction-sections", "-fdata-sections"]
FLAGS += ["-nostartfiles", "-Wl,--gc-sections", "-Wl,-T,board.ld"]
LINKER = """
MEMORY {
  flash (rx) : ORIGIN = 0, LENGTH = 256K
  ram (rw) : ORIGIN = 0x20000000, LENGTH = 16K
}
ENTRY(start)
SECTIONS {
  .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) } > flash
  .ARM.exidx : { *(.ARM.exidx*) } > flash
  .data : { *(.data*) } > ram AT > flash
  .bss : { *(.bss*) *(COMMON) } > ram
}
"""
# Constants and zeroed variables only: there is nothing to set up but the FPU.
BOARD = """
#include <stdint.h>
#include <string.h>
{prototype}
static const uint8_t rows[] = {{{rows}}};
static {element} x[{width}];
static {result} out[{entries}];

static void ask_host(int what, const void *with) {{
  register int r0 __asm__("r0") = what;
  register const void *r1 __asm__("r1") = with;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}}

static void leave(uint32_t code) {{
  const uint32_t how[] = {{0x20026, code}};
  for (;;) ask_host(0x20, how);
}}

static void fault(void) {{ leave(9); }}

void start(void) {{
#if defined(__ARM_FP)
  *(volatile uint32_t *)0xE000ED88 |= 0xF << 20;
  __asm__ volatile("dsb\\n isb");
#endif
  for (uint32_t i = 0; i < {n}; i++) {{
    memcpy(x, rows + i * sizeof x, sizeof x);
    memset(out, 0, sizeof out);
    {call};
    for (uint32_t j = 0; j < sizeof out; j++) {{
      const uint8_t byte = ((const uint8_t *)out)[j];
      const char text[] = {{"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15], 0}};
      ask_host(4, text);
    }}
  }}
  leave(0);
}}

__attribute__((section(".vectors"), used)) static const void *const vectors[] = {{
  (void *)0x20004000, start, fault, fault, fault, fault, fault,
}};
"""


def run_on(board, source, function, rows, folder):
    """Results of `function` for all rows, on a board of QEMU's."""
    (folder / "board.ld").write_text(LINKER)
    (folder / "model.c").write_text(source)
    text = BOARD.format(
        prototype=function.prototype,
        element=c_type(function.element),
        result=c_type(function.result),
        width=function.width,
        entries=function.entries or 1,
        call=f"{function.name}(x, out)" if function.entries else f"out[0] = {function.name}(x)",
        n=len(rows),
        rows=",".join(map(str, rows.tobytes())),
    )
    (folder / "board.c").write_text(text)
    command = ["arm-none-eabi-gcc", *BOARDS[board], *FLAGS, "board.c", "model.c", "-o", "board.elf"]
    run_compiler(command, folder)
    emulator = ["qemu-system-arm", "-M", board, "-nographic", "-monitor", "none", "-serial", "none"]
    how = ["-semihosting-config", "enable=on,target=native", "-kernel", str(folder / "board.elf")]
    done = subprocess.run([*emulator, *how], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    said = bytes.fromhex((done.stdout + done.stderr).strip())
    return function.read(np.frombuffer(said, np.uint8).reshape(len(rows), -1))


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("output", ["label", "scores"])
@pytest.mark.parametrize("kind", STUDENTS)
def test_no_mismatch(kind, output, board, tmp_path):
    student, X = STUDENTS[kind]()
    model = student.compact_
    probes = probe_rows(model, X)
    probes = probes[np.random.default_rng(0).choice(len(probes), 300)]
    X = np.concatenate([X[:300].astype(probes.dtype), probes])
    rows = device_input(model, X, "float32")
    source = to_c(model, input_dtype="float32", output=output, name=NAME)
    got = run_on(board, source, emitted_function(model, rows, output), rows, tmp_path)
    assert not differs(model, model.read_rows(X), output, got).any()
