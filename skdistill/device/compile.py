"""C sources → an image for a core, and what it takes of flash and RAM.

The compiler is zig's, which pip alone brings for every target, or one that the user names; for
this machine the system's will do. Linked is the compiler's support library (soft float, division,
memcpy) where the C needs one, and nothing else: no start-up code. The linker is always zig's.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from skdistill.device.cores import Target
from skdistill.device.toolchain import (
    BuildError,
    import_extra,
    run_compiler,
    run_zig,
)

# Hosted, so that the compiler knows memcpy and puts four bytes into a register itself.
FLAGS = ("-std=c99", "-Os", "-fhosted", "-ffunction-sections", "-fdata-sections")
# Without a C library gcc has <stdint.h> for freestanding programs only.
FREESTANDING = ("-std=c99", "-Os", "-ffreestanding", "-ffunction-sections", "-fdata-sections")
BASE = 0x10000  # where images start
# Freestanding targets have <stdint.h>, but no <string.h>.
STRING_H = """#pragma once
#include <stddef.h>
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
"""
# avr-gcc asks for no alignment, and lld would put functions behind a table of odd length.
AVR_SCRIPT = f"""SECTIONS {{
  .text {BASE:#x} : {{ *(.text .text.*) }}
  .progmem : {{ *(.progmem .progmem.*) }}
  .rodata : {{ *(.rodata .rodata.*) }}
  .data : {{ *(.data .data.*) }}
  .bss : {{ *(.bss .bss.* COMMON) }}
}}
"""
# C does not unwind: what zig links for that is not counted.
UNWINDING = (".ARM.ex", ".eh_frame", "__aeabi_unwind_cpp")
_SHF_WRITE, _SHF_ALLOC, _SHF_EXECINSTR = 1, 2, 4


@dataclass(frozen=True)
class Sizes:
    """Bytes of an image, by what they are for.

    Parameters
    ----------
    model : int
        Constants of the compiled sources.
    code : int
        Functions of the compiled sources.
    library : int or None
        What the support library adds to both; None if it could not be linked.
    ram : int
        Variables, and constants where they are copied to RAM. Not the stack.
    """

    model: int
    code: int
    library: int | None
    ram: int

    @property
    def flash(self) -> int:
        """Sum of `model`, `code` and, where it is known, `library`."""
        return self.model + self.code + (self.library or 0)


@dataclass(frozen=True)
class Image:
    """A linked program for `target`.

    Parameters
    ----------
    target : Target
        What it was built for.
    elf : bytes
        The file.
    sizes : Sizes
        What its parts take.
    missing_routines : tuple of str
        Routines that the code calls and that no library has: on AVR those of zig's support
        library, and memcpy where a compiler that brings no C library calls it.
    """

    target: Target
    elf: bytes
    sizes: Sizes
    missing_routines: tuple[str, ...] = ()

    @cached_property
    def segments(self) -> list[tuple[int, int, bool, bool]]:
        """Memory of the program: address, bytes, whether writable, whether code."""
        return [
            (s["p_vaddr"], s["p_memsz"], bool(s["p_flags"] & 2), bool(s["p_flags"] & 1))
            for s in _read(self.elf).iter_segments("PT_LOAD")
        ]

    @cached_property
    def sections(self) -> list[tuple[int, bytes]]:
        """What the program puts into its memory: address, content."""
        loaded = [s for s in _read(self.elf).iter_sections() if _is_part(s)]
        return [(s["sh_addr"], s.data()) for s in loaded]  # zeros where the file has none

    @cached_property
    def functions(self) -> dict[str, tuple[int, int]]:
        """Address (without the Thumb bit) and bytes of each function, by name."""
        thumb = self.target.family == "thumb"
        return {
            s.name: (s["st_value"] & ~1 if thumb else s["st_value"], s["st_size"])
            for s in _symbols(self.elf)
            if s["st_info"]["type"] == "STT_FUNC" and s["st_shndx"] != "SHN_UNDEF"
        }


def build(
    sources: Mapping[str, str],
    target: Target,
    entries: Sequence[str],
    *,
    compiler: Sequence[str] = (),
    flags: Sequence[str] = (),
) -> Image:
    """Compile and link `sources`, and measure the result.

    Parameters
    ----------
    sources : mapping of str to str
        File names and texts; names that do not end in ``.c`` are headers.
    target : Target
        What is built for.
    entries : sequence of str
        Functions that are linked, with all that they use.
    compiler : sequence of str, default=()
        A command that understands gcc's options, such as ``["arm-none-eabi-gcc"]``; by default
        that of ziglang.
    flags : sequence of str, default=()
        Further options for the compiler, after ours.

    Returns
    -------
    image : Image

    Raises
    ------
    BuildError
        If the sources do not compile or an entry is not there.
    ImportError
        Without the extra "device".

    Examples
    --------
    >>> from skdistill.device.compile import build
    >>> from skdistill.device.cores import find_target
    >>> image = build({"f.c": "int twice(int x) { return 2 * x; }"}, find_target("avr"), ["twice"])
    >>> image.sizes
    Sizes(model=0, code=6, library=0, ram=0)
    """
    with tempfile.TemporaryDirectory(prefix="skdistill-") as scratch:
        folder = Path(scratch)
        objects = _compile(folder, sources, target, compiler, flags)
        keep = [part for entry in entries for part in ("-u", entry)]
        page = ["-z", "max-page-size=4096", f"--image-base={BASE:#x}", f"--entry={entries[0]}"]
        link = ["--gc-sections", *page, *keep]
        if compiler and target.family == "avr":
            (folder / "avr.ld").write_text(AVR_SCRIPT)
            link += ["-T", "avr.ld"]
        # Our part alone, whatever of the support library it calls. This tells ours from the rest.
        run_zig(
            ["ld.lld", *link, "--unresolved-symbols=ignore-all", *objects, "-o", "own.elf"], folder
        )
        own = (folder / "own.elf").read_bytes()
        model, code, ram = _measure(own, target)
        image = Image(target, own, Sizes(model, code, 0, ram))
        absent = [entry for entry in entries if entry not in image.functions]
        if absent:
            raise BuildError(f"the sources define no function {', '.join(absent)}")
        undefined = _undefined(own)
        if not undefined:
            return image
        if compiler:
            libraries = _libraries(folder, target, compiler, flags)
            if not libraries:
                return Image(target, own, Sizes(model, code, None, ram), undefined)
            ignored = "--unresolved-symbols=ignore-all"
            group = ["--start-group", *libraries, "--end-group"]
            run_zig(["ld.lld", *link, ignored, *objects, *group, "-o", "all.elf"], folder)
        elif target.family == "avr":  # zig's support library does not compile for it
            return Image(target, own, Sizes(model, code, None, ram), undefined)
        else:
            options = [f"-Wl,{','.join(link)}", "-g", "-fno-sanitize=all"]  # -g keeps the symbols
            command = ["cc", "-target", target.triple, f"-mcpu={target.cpu}", *options]
            run_zig([*command, *objects, "-o", "all.elf"], folder)
        elf = (folder / "all.elf").read_bytes()
        missing = _undefined(elf)
        all_model, all_code, all_ram = _measure(elf, target)
        added = None if missing else all_model + all_code - model - code
        return Image(target, elf, Sizes(model, code, added, all_ram), missing)


def object_sizes(
    sources: Mapping[str, str], target: Target, compiler: Sequence[str], flags: Sequence[str] = ()
) -> Sizes | None:
    """Compile `sources` for this machine, link nothing, and measure the object files.

    Parameters
    ----------
    sources : mapping of str to str
        File names and texts; names that do not end in ``.c`` are headers.
    target : Target
        That of this machine.
    compiler : sequence of str
        A command that understands gcc's options.
    flags : sequence of str, default=()
        Further options, after ours.

    Returns
    -------
    sizes : Sizes or None
        None without pyelftools, or where objects are no ELF files. `library` is None.

    Raises
    ------
    BuildError
        If the sources do not compile.
    """
    with tempfile.TemporaryDirectory(prefix="skdistill-") as scratch:
        folder, contents = Path(scratch), []
        for name, text in sources.items():
            (folder / name).write_text(text, encoding="utf-8")
        for name in sources:
            if name.endswith(".c"):
                options = ["-std=c99", "-Os", *flags]
                run_compiler([*compiler, *options, "-c", name, "-o", "one.o"], folder)
                contents.append((folder / "one.o").read_bytes())
    is_elf = all(content.startswith(b"\x7fELF") for content in contents)
    if not is_elf or find_spec("elftools") is None:
        return None
    constants, code, ram = (
        sum(part) for part in zip(*(_measure(each, target) for each in contents), strict=True)
    )
    return Sizes(constants, code, None, ram)


def _compile(
    folder: Path,
    sources: Mapping[str, str],
    target: Target,
    compiler: Sequence[str],
    flags: Sequence[str],
) -> list[str]:
    """Write the sources and compile them one by one; names of the object files."""
    (folder / "include").mkdir()
    (folder / "include" / "string.h").write_text(STRING_H)
    for name, text in sources.items():
        (folder / name).write_text(text, encoding="utf-8")
    if compiler:
        command = [*compiler, *target.machine, *FREESTANDING, "-Iinclude"]
    else:
        command = ["cc", "-target", target.triple, f"-mcpu={target.cpu}", *FLAGS, "-Iinclude"]
        if target.family == "avr":
            command.append("-Wno-avr-rtlib-linking-quirks")  # nothing is linked for a board here
    objects = []
    for name in sources:
        if name.endswith(".c"):
            objects.append(f"{name[:-2]}.o")
            arguments = [*command, *flags, "-c", name, "-o", objects[-1]]
            run_compiler(arguments, folder) if compiler else run_zig(arguments, folder)
    return objects


def _libraries(
    folder: Path, target: Target, compiler: Sequence[str], flags: Sequence[str]
) -> list[str]:
    """The support library of a compiler, and its C library if it has one."""
    command = [*compiler, *target.machine, *flags]
    asked = ("-print-libgcc-file-name", "-print-file-name=libm.a", "-print-file-name=libc.a")
    paths = [run_compiler([*command, option], folder).strip() for option in asked]
    return [path for path in paths if os.path.isfile(path)]  # a bare name for one that is not there


def _read(elf: bytes) -> Any:
    return import_extra("elftools.elf.elffile").ELFFile(BytesIO(elf))


@lru_cache(maxsize=1)  # several questions in turn about one file, which is slow to read
def _symbols(elf: bytes) -> list[Any]:
    table = _read(elf).get_section_by_name(".symtab")
    return [] if table is None else list(table.iter_symbols())


def _undefined(elf: bytes) -> tuple[str, ...]:
    """Names that are used and not defined. ``__do_…`` ask for start-up code, which is not here."""
    names = (s.name for s in _symbols(elf) if s["st_shndx"] == "SHN_UNDEF" and s.name)
    return tuple(sorted(name for name in names if not name.startswith(("__do_", *UNWINDING))))


def _is_part(section: Any) -> bool:
    notes = (*UNWINDING, ".note")
    return bool(section["sh_flags"] & _SHF_ALLOC) and not section.name.startswith(notes)


def _measure(elf: bytes, target: Target) -> tuple[int, int, int]:
    """Bytes of constants, code and RAM."""
    constants = ram = 0
    unwinding = {s["st_value"]: s["st_size"] for s in _symbols(elf) if s.name.startswith(UNWINDING)}
    code = -sum(unwinding.values())
    for section in _read(elf).iter_sections():
        flags, size = section["sh_flags"], section["sh_size"]
        if not _is_part(section):
            continue
        in_flash = section["sh_type"] != "SHT_NOBITS"
        if flags & _SHF_EXECINSTR:
            code += size
        elif in_flash:
            constants += size
        if flags & _SHF_WRITE or (target.const_in_ram and section.name.startswith(".rodata")):
            ram += size
    return constants, code, ram
