"""For exporters.py: compile a function `int f(const T *x)` for a Cortex-M, weigh it, run it.

Cores, flags and the emulator are those of `skdistill.device`. Its `build` is not: that knows no
C++, which micromlgen writes, and no gcc. Everything is compiled alike, a section for each function
and table. `bytes` are those that the function reaches within its own file: model, exporter's code
and conversion of the row; `library` is what the linker adds: soft float, memcpy and the like.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from elftools.elf.elffile import ELFFile

from skdistill.device.compile import BASE, Image, Sizes
from skdistill.device.compile import FLAGS as C_FLAGS
from skdistill.device.cores import find_target
from skdistill.device.emulate import run
from skdistill.device.toolchain import cache_folder

FLAGS = (
    *(flag for flag in C_FLAGS if not flag.startswith("-std=")),
    "-g",  # zig drops the symbols without it
    "-w",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
)
LANGUAGE = {".c": ("-std=c99",), ".cpp": ("-std=c++17", "-fno-exceptions", "-fno-rtti")}
GCC_CORES = {
    "cortex-m0": ("-mthumb", "-mcpu=cortex-m0"),
    "cortex-m4f": ("-mthumb", "-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"),
}


class Built(NamedTuple):
    image: Image
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
    target = find_target(core)
    if compiler == "zig":
        command = [sys.executable, "-m", "ziglang", "cc", "-target", target.triple]
        command.append(f"-mcpu={target.cpu}")
        place, library = [f"-Wl,--image-base={BASE:#x}"], []
    else:  # without a C library, which ours do not need
        command = ["arm-none-eabi-gcc", *GCC_CORES[core]]
        place, library = ["-nostdlib", f"-Wl,-Ttext={BASE:#x}"], ["-lgcc"]
    flags = (*FLAGS, *LANGUAGE[source.suffix], f"-I{include}")
    _compile(*command, *flags, "-c", source, "-o", object_file)
    place += ["-Wl,--gc-sections", f"-Wl,-e,{entry}"]
    _compile(*command, "-g", *place, object_file, *library, "-o", elf)
    own, loaded = _reached(object_file, entry), _loaded(elf)
    # What of the image is model and what is code does not matter here.
    sizes = Sizes(model=0, code=own, library=loaded - own, ram=0)
    return Built(Image(target, elf.read_bytes(), sizes), entry, own, loaded - own)


def _compile(*command: Any) -> None:
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache_folder()}
    done = subprocess.run(
        [str(part) for part in command], env=environment, capture_output=True, text=True
    )
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


def emulate(built: Built, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Answer and instructions of the function for each row."""
    ran = run(built.image, built.entry, rows)
    assert ran.instructions is not None
    return ran.outputs.view("<i4").ravel(), ran.instructions
