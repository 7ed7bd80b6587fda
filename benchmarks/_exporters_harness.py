"""For exporters.py: compile a function `int f(const T *x)` for a Cortex-M, weigh it, run it.

Everything is compiled alike, a section for each function and table. `bytes` are those that it
reaches within its own file, model, exporter's code and conversion of the row; `library` is what the
linker adds to that: soft float, memcpy and the like.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from elftools.elf.elffile import ELFFile
from unicorn import UC_ARCH_ARM, UC_HOOK_BLOCK, UC_MODE_MCLASS, UC_MODE_THUMB, Uc
from unicorn import arm_const as arm

FLAGS = (
    "-Os",
    "-g",  # zig drops the symbols without it
    "-w",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
)
CPP = ("-fno-exceptions", "-fno-rtti")
RAM, SPACE = 0x2000_0000, 0x20_0000
TRAP = (
    0x1F_0000  # where the function returns to: in code space, elsewhere the core takes an exception
)


class Core(NamedTuple):
    zig: tuple[str, ...]
    gcc: tuple[str, ...]
    unicorn: int


CORES = {
    "cortex-m0": Core(
        ("-target", "thumb-freestanding-eabi", "-mcpu=cortex_m0"),
        ("-mthumb", "-mcpu=cortex-m0"),
        arm.UC_CPU_ARM_CORTEX_M0,
    ),
    # zig's cortex_m4 has no FPU of itself.
    "cortex-m4f": Core(
        ("-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4+vfp4d16sp"),
        ("-mthumb", "-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"),
        arm.UC_CPU_ARM_CORTEX_M4,
    ),
}


class Built(NamedTuple):
    elf: Path
    entry: str
    bytes: int
    library: int


def compilers() -> dict[str, str]:
    """Names and versions of those that are installed."""
    found = {"zig": _output(sys.executable, "-m", "ziglang", "version")}
    gcc = shutil.which("arm-none-eabi-gcc")
    if gcc:
        found["gcc"] = _output(gcc, "-dumpfullversion")
    return found


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def build(source: Path, entry: str, include: Path, compiler: str, core: str, folder: Path) -> Built:
    folder.mkdir(parents=True, exist_ok=True)
    object_file, elf = folder / f"{source.stem}.o", folder / f"{source.stem}.elf"
    if compiler == "zig":
        command = [sys.executable, "-m", "ziglang", "cc", *CORES[core].zig]
        place = ["-Wl,--image-base=0x10000"]
    else:
        command = ["arm-none-eabi-gcc", *CORES[core].gcc]
        place = ["-nostartfiles", "-specs=nosys.specs", "-Wl,-Ttext=0x10000"]
    language = CPP if source.suffix == ".cpp" else ()
    _compile(*command, *FLAGS, *language, f"-I{include}", "-c", source, "-o", object_file)
    _compile(*command, "-g", *place, "-Wl,--gc-sections", f"-Wl,-e,{entry}", object_file, "-o", elf)
    own = _reached(object_file, entry)
    return Built(elf, entry, own, _loaded(elf) - own)


def _compile(*command: Any) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stderr[-2000:]}")


def _counts(section: Any) -> bool:
    """Whether flash holds it; the index for unwinding is nothing that C needs."""
    allocated = section["sh_flags"] & 2 and section["sh_type"] != "SHT_NOBITS"
    return bool(allocated) and not section.name.startswith(".ARM.exidx")


def _loaded(path: Path) -> int:
    with path.open("rb") as file:
        return sum(s["sh_size"] for s in ELFFile(file).iter_sections() if _counts(s))


def _reached(path: Path, entry: str) -> int:
    """Bytes of the sections that `entry` needs, followed through the relocations."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        symbols = elf.get_section_by_name(".symtab")
        needs: dict[int, set[int]] = {}
        for section in elf.iter_sections():
            if section["sh_type"] in ("SHT_REL", "SHT_RELA"):
                for one in section.iter_relocations():
                    home = symbols.get_symbol(one["r_info_sym"])["st_shndx"]
                    if isinstance(home, int):
                        needs.setdefault(section["sh_info"], set()).add(home)
        waiting, found = [symbols.get_symbol_by_name(entry)[0]["st_shndx"]], set()
        while waiting:
            index = waiting.pop()
            if index not in found:
                found.add(index)
                waiting += needs.get(index, ())
        sections = [elf.get_section(index) for index in found]
        return sum(section["sh_size"] for section in sections if _counts(section))


def emulate(built: Built, core: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Answer and instructions of the function for each row."""
    uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
    uc.ctl_set_cpu_model(CORES[core].unicorn)
    uc.mem_map(0, SPACE)
    uc.mem_map(RAM, SPACE)
    with built.elf.open("rb") as file:
        program = ELFFile(file)
        for segment in program.iter_segments("PT_LOAD"):
            uc.mem_write(segment["p_vaddr"], segment.data())
        symbols = program.get_section_by_name(".symtab")
        entry = symbols.get_symbol_by_name(built.entry)[0]["st_value"] | 1
    count = [0]
    uc.hook_add(UC_HOOK_BLOCK, _counter(uc, count))
    answers, instructions = [], []
    for row in rows:
        count[0] = 0
        uc.mem_write(RAM, row.tobytes())
        uc.reg_write(arm.UC_ARM_REG_R0, RAM)
        uc.reg_write(arm.UC_ARM_REG_SP, RAM + SPACE - 0x1000)
        uc.reg_write(arm.UC_ARM_REG_LR, TRAP | 1)
        uc.emu_start(entry, TRAP)
        answers.append(uc.reg_read(arm.UC_ARM_REG_R0))
        instructions.append(count[0])
    return np.array(answers, np.uint32).astype(np.int32), np.array(instructions)


def _counter(uc: Uc, count: list[int]) -> Callable[..., None]:
    @cache
    def instructions(address: int, size: int) -> int:
        """Thumb instructions in a block: their first halfword tells which take four bytes."""
        code = np.frombuffer(bytes(uc.mem_read(address, size)), np.uint16)
        at = n = 0
        while at < len(code):
            at += 2 if code[at] >= 0xE800 else 1
            n += 1
        return n

    def hook(uc: Uc, address: int, size: int, data: Any) -> None:
        count[0] += instructions(address, size)

    return hook
