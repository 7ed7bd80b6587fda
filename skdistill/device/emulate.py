"""A function of an image, called once a row on an emulated core.

What is counted are instructions, never cycles: the emulator knows no pipeline. The core refuses
what the real one does not have, so that code for a larger core is noticed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.device.compile import Image
from skdistill.device.cores import Target
from skdistill.device.toolchain import import_extra

PAGE = 0x1000
# The return address must lie in code space: a Cortex-M cannot run code elsewhere.
TRAP = 0xF000
ROW, OUTPUT, STACK = 0x20000000, 0x21000000, 0x22000000
STACK_BYTES = 0x8000
WORD = 4  # bytes; the stack grows by such
FILLS = b"\xa5\x5a"  # what lies in memory that is not the call's own
MOST_INSTRUCTIONS = 4_000_000  # of one call; a model needs some thousands


class EmulationError(RuntimeError):
    """The call did something that a correct model does not do, or did not return."""


@dataclass(frozen=True, eq=False)
class Run:
    """What the calls gave and took.

    Parameters
    ----------
    outputs : uint8 array of shape (n_rows, n_bytes)
        Bytes that each call wrote, or its returned 32 bits.
    instructions : int64 array of shape (n_rows,) or None
        None where they were not asked for. An instruction whose condition fails is counted: it
        passes through the core as well.
    stack : int64 array of shape (n_rows,)
        Bytes from the stack pointer at the call down to the lowest word written.
    """

    outputs: NDArray[np.uint8]
    instructions: NDArray[np.int64] | None
    stack: NDArray[np.int64]


def run(
    image: Image,
    function: str,
    rows: NDArray[Any],
    *,
    output_bytes: int = 0,
    count: bool = True,
    watch: bool = False,
) -> Run:
    """Call ``function(row)``, or ``function(row, output)``, for each row.

    The row and the output end where their pages of memory do: reading or writing beyond them
    fails, as do writes to the row and to constants. A Cortex-M0 refuses words at odd places.

    Parameters
    ----------
    image : Image
        Built for a target with a core.
    function : str
        Name of the function, one of the image's entries.
    rows : array of shape (n_rows, width)
        In the element type of the function's first argument.
    output_bytes : int, default=0
        Size of the second argument; 0 for a function that returns an int instead.
    count : bool, default=True
        Whether to count instructions; without, it takes a fraction of the time.
    watch : bool, default=False
        Whether to call twice, with other bytes in all memory that is not the call's own: before
        the row and the output, around the constants and on the fresh stack. Nothing may change
        then. An access that leaves one table and ends in another is not noticed; sanitizers on
        the host are for those.

    Returns
    -------
    run : Run

    Raises
    ------
    EmulationError
        If a call reads, writes or executes what is not its own, or does not return.
    ImportError
        Without the extra "device".
    ValueError
        If the target cannot be emulated or the image has no such function.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.device.compile import build
    >>> from skdistill.device.emulate import run
    >>> from skdistill.device.cores import find_target
    >>> source = "int twice(const signed char *x) { return 2 * x[0]; }"
    >>> image = build({"twice.c": source}, find_target("cortex-m0"), ["twice"])
    >>> result = run(image, "twice", np.array([[3], [-4]], np.int8))
    >>> result.outputs.view(np.int32).ravel().tolist(), result.instructions.tolist()
    ([6, -8], [4, 4])
    """
    if not image.target.core:
        raise ValueError(f"there is no emulated core for target {image.target.name!r}")
    if function not in image.functions:
        raise ValueError(f"the image has no function {function!r}, only {sorted(image.functions)}")
    rows = np.ascontiguousarray(rows)
    row_bytes = rows.strides[0]
    result = _Machine(image, function, row_bytes, output_bytes, count, FILLS[0]).run(rows)
    if watch:
        other = _Machine(image, function, row_bytes, output_bytes, False, FILLS[1]).run(rows)
        same = (result.outputs == other.outputs).all(axis=1)
        if not same.all():
            raise EmulationError(
                f"{function}() on {image.target.name}, row {np.argmin(same)}: what it does "
                "depends on memory that is not its own"
            )
        deeper = np.maximum(result.stack, other.stack)  # a byte may equal one of the fills
        return Run(result.outputs, result.instructions, deeper)
    return result


class _Machine:
    """One emulated core with the image, a row, an output and a stack."""

    def __init__(
        self,
        image: Image,
        function: str,
        row_bytes: int,
        output_bytes: int,
        count: bool,
        fill: int,
    ) -> None:
        self.unicorn = import_extra("unicorn")
        self.image, self.function = image, function
        self.output_bytes = output_bytes
        self.fill = bytes([fill])
        self.uc, self.registers = _core(self.unicorn, image.target)
        for address, size, writable, code in image.segments:
            self._map(address, size, 1 + 2 * writable + 4 * code)
        for address, content in image.sections:
            self.uc.mem_write(address, content)
        self._map(TRAP, PAGE, 1 + 4)
        self.row = self._map(ROW, row_bytes, 1) - row_bytes
        self.output = self._map(OUTPUT, output_bytes, 1 + 2) - output_bytes
        self._map(STACK, STACK_BYTES, 1 + 2)
        self.painted = self.fill * STACK_BYTES
        self.window = 0  # as deep as any call so far went
        self.executed = 0
        self.counting = count
        if count:  # before any code is translated
            self.uc.hook_add(self.unicorn.UC_HOOK_BLOCK, self._block_counter())
        # No hook on reads: with one, unicorn 2.1 loses some of what is read.

    def _map(self, address: int, size: int, allowed: int) -> int:
        """Make the pages of `size` bytes and fill them; returns where they end."""
        first = address // PAGE * PAGE
        end = -(-(address + max(size, 1)) // PAGE) * PAGE
        self.uc.mem_map(first, end - first, allowed)
        self.uc.mem_write(first, self.fill * (end - first))
        return end

    def _block_counter(self) -> Callable[..., None]:
        """Add a block's instructions each time it runs; a block is decoded once."""
        lengths: dict[tuple[int, int], int] = {}
        size_of = _INSTRUCTION_BYTES[self.image.target.family]

        def on_block(uc: Any, address: int, size: int, _: object) -> None:
            known = lengths.get((address, size))
            if known is None:
                halfwords = np.frombuffer(bytes(uc.mem_read(address, size)), "<u2")
                at = known = 0
                while at < len(halfwords):
                    at += size_of(int(halfwords[at])) // 2
                    known += 1
                lengths[address, size] = known
            self.executed += known
            if self.executed > MOST_INSTRUCTIONS:
                uc.emu_stop()

        return on_block

    def run(self, rows: NDArray[Any]) -> Run:
        n, top = len(rows), STACK + STACK_BYTES
        uc, (a0, a1, sp, ra, pc) = self.uc, self.registers
        odd = int(self.image.target.family == "thumb")  # the mode bit of a Thumb address
        entry = self.image.functions[self.function][0] | odd
        # Without a counter of ours the emulator's own keeps an endless loop from staying.
        limit = {} if self.counting else {"count": MOST_INSTRUCTIONS}
        outputs = np.zeros((n, self.output_bytes or 4), np.uint8)
        instructions = np.zeros(n, np.int64)
        stack = np.zeros(n, np.int64)
        blank = bytes(self.output_bytes)
        for i in range(n):
            uc.mem_write(self.row, rows[i].tobytes())
            uc.mem_write(self.output, blank)
            uc.reg_write_batch(((a0, self.row), (a1, self.output), (sp, top), (ra, TRAP | odd)))
            self.executed = 0
            try:
                uc.emu_start(entry, TRAP, **limit)
            except self.unicorn.UcError as error:
                raise EmulationError(self._where(i, str(error))) from error
            if uc.reg_read(pc) & ~odd != TRAP:
                what = f"no return within {MOST_INSTRUCTIONS:,} instructions"
                raise EmulationError(self._where(i, what))
            if self.output_bytes:
                outputs[i] = np.frombuffer(uc.mem_read(self.output, self.output_bytes), np.uint8)
            else:
                outputs[i : i + 1].view("<u4")[0, 0] = uc.reg_read(a0)
            instructions[i] = self.executed
            stack[i] = self._stack_use()
        slack = bytes(uc.mem_read(OUTPUT, self.output - OUTPUT))
        if slack.strip(self.fill):
            raise EmulationError(f"{self.function}() writes to memory before its output")
        return Run(outputs, instructions if self.counting else None, stack)

    def _stack_use(self) -> int:
        """Bytes of stack that the last call used, in words; paints them anew."""
        top, untouched = STACK + STACK_BYTES, STACK_BYTES - self.window
        if self.uc.mem_read(STACK, untouched) != self.painted[:untouched]:
            self.window = len(bytes(self.uc.mem_read(STACK, STACK_BYTES)).lstrip(self.fill))
        used = len(bytes(self.uc.mem_read(top - self.window, self.window)).lstrip(self.fill))
        self.uc.mem_write(top - used, self.painted[:used])
        return -(-used // WORD) * WORD

    def _where(self, row: int, what: str) -> str:
        """Say which row failed, at which address, in which function."""
        pc = self.uc.reg_read(self.registers[-1])
        inside = [n for n, (at, size) in self.image.functions.items() if at <= pc < at + size]
        place = f" in {inside[0]}" if inside else ""
        name, target = self.function, self.image.target.name
        return f"{name}() on {target}, row {row}: {what} (pc {pc:#x}{place})"


def _core(unicorn: Any, target: Target) -> tuple[Any, list[int]]:
    """A new core, and the numbers of its `_REGISTERS`."""
    if target.family == "thumb":
        constants = import_extra("unicorn.arm_const")
        # Not with UC_MODE_MCLASS, which makes every core a Cortex-M33.
        uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
    else:
        constants = import_extra("unicorn.riscv_const")
        uc = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
    uc.ctl_set_cpu_model(getattr(constants, target.core))
    return uc, [getattr(constants, name) for name in _REGISTERS[target.family]]


# Two arguments (the first also returns), stack pointer, return address, program counter.
_REGISTERS = {
    "thumb": [f"UC_ARM_REG_{name}" for name in ("R0", "R1", "SP", "LR", "PC")],
    "riscv32": [f"UC_RISCV_REG_{name}" for name in ("A0", "A1", "SP", "RA", "PC")],
}
# The first halfword of an instruction says how long it is.
_INSTRUCTION_BYTES: dict[str, Callable[[int], int]] = {
    "thumb": lambda halfword: 4 if halfword >> 11 >= 0b11101 else 2,
    "riscv32": lambda halfword: 4 if halfword & 3 == 3 else 2,
}
