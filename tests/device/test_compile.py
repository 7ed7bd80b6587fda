import os
import subprocess
import sys

import pytest

from skdistill.device.compile import build
from skdistill.device.cores import TARGETS, find_target
from skdistill.device.toolchain import BuildError, cache_folder, import_extra

TABLE = """
#include <stdint.h>
static const uint8_t squares[100] = {1, 4, 9};
static const uint8_t unused[500] = {1};
int look(const uint8_t *x) { return squares[x[0]]; }
int other(const uint8_t *x) { return unused[x[0]]; }
"""
DIVIDE = "float divide(const float *x) { return x[0] / x[1]; }"


@pytest.mark.parametrize("name", TARGETS)
def test_flash_is_split_and_unused_parts_are_dropped(name):
    image = build({"look.c": TABLE}, find_target(name), ["look"])
    assert image.sizes.model == 100
    assert 4 <= image.sizes.code <= 30
    assert image.sizes.library == 0
    assert image.sizes.flash == 100 + image.sizes.code
    assert image.sizes.ram == (100 if name == "avr" else 0)  # an AVR copies plain constants
    assert list(image.functions) == ["look"]
    assert image.functions["look"][1] == image.sizes.code


def test_both_entries_are_kept():
    image = build({"look.c": TABLE}, find_target("cortex-m0"), ["look", "other"])
    assert image.sizes.model == 600
    assert set(image.functions) == {"look", "other"}


def test_support_library_is_counted_apart():
    soft = build({"divide.c": DIVIDE}, find_target("cortex-m0"), ["divide"])
    hard = build({"divide.c": DIVIDE}, find_target("cortex-m4f"), ["divide"])
    assert soft.sizes.library > 200
    assert "__aeabi_fdiv" in soft.functions
    assert hard.sizes.library == 0
    assert soft.sizes.model == hard.sizes.model == 0
    assert soft.sizes.code < 30


def test_library_that_cannot_be_linked_is_named():
    image = build({"divide.c": DIVIDE}, find_target("avr"), ["divide"])
    assert image.missing_routines == ("__divsf3",)
    assert image.sizes.library is None
    assert image.sizes.flash == image.sizes.code


def test_four_bytes_are_copied_without_the_library():
    source = """
    #include <stdint.h>
    #include <string.h>
    int sign(const float *x) { uint32_t u; memcpy(&u, x, 4); return u >> 31; }
    """
    for name in TARGETS:
        assert build({"sign.c": source}, find_target(name), ["sign"]).sizes.library == 0


def test_variables_are_ram():
    source = "static int a[5]; static int b = 3; int f(int x) { a[x] = b++; return a[x + 1]; }"
    sizes = build({"f.c": source}, find_target("cortex-m0"), ["f"]).sizes
    assert sizes.ram == 24
    assert sizes.model == 4  # what b starts with


def test_constants_in_flash_of_an_avr_take_no_ram():
    source = """
    static const __attribute__((address_space(1))) char table[50] = {1};
    int look(const unsigned char *x) { return table[x[0]]; }
    """
    sizes = build({"look.c": source}, find_target("avr"), ["look"]).sizes
    assert (sizes.model, sizes.ram) == (50, 0)


def test_several_files_and_headers():
    sources = {
        "a.h": "int a(int x);",
        "a.c": '#include "a.h"\nint a(int x) { return x + 1; }',
        "b.c": '#include "a.h"\nint b(int x) { return a(x) - 2; }',
    }
    image = build(sources, find_target("rv32imc"), ["b"])
    assert set(image.functions) == {"a", "b"}


def test_flags_reach_the_compiler():
    with pytest.raises(BuildError, match=r"unused (variable|parameter)"):
        build(
            {"f.c": "int f(int x) { return 1; }"},
            find_target("avr"),
            ["f"],
            flags=["-Wextra", "-Werror"],
        )


def test_errors_are_the_compilers_own():
    with pytest.raises(BuildError, match=r"(?s)f\.c:1:17: error: .*undeclared.*oops"):
        build({"f.c": "int f(){ return oops; }"}, find_target("cortex-m0"), ["f"])
    with pytest.raises(BuildError, match="the sources define no function g"):
        build({"f.c": "int f(int x) { return x; }"}, find_target("cortex-m0"), ["f", "g"])
    with pytest.raises(BuildError, match="undefined symbol: elsewhere"):
        source = "int elsewhere(int x); int f(int x) { return elsewhere(x); }"
        build({"f.c": source}, find_target("cortex-m0"), ["f"])


def test_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("ZIG_GLOBAL_CACHE_DIR", str(tmp_path / "file" / "zig"))
    assert str(tmp_path) not in cache_folder()
    assert os.access(cache_folder(), os.W_OK)
    monkeypatch.setenv("ZIG_GLOBAL_CACHE_DIR", str(tmp_path / "zig"))
    assert cache_folder() == str(tmp_path / "zig")
    monkeypatch.delenv("ZIG_GLOBAL_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == str(tmp_path / "skdistill" / "zig")


@pytest.mark.parametrize("module", ["ziglang", "unicorn", "elftools.elf.elffile"])
def test_absent_packages_name_the_extra(module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    package = "pyelftools" if "elf" in module else module
    with pytest.raises(ImportError, match=rf"need {package}: pip install 'skdistill\[device\]'"):
        import_extra(module)


def test_importing_the_package_needs_no_extra():
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('ziglang', 'unicorn', 'elftools')));"
        "import skdistill.device.profile; print(sys.modules['skdistill.device.profile'].__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "skdistill.device.profile"), done.stderr
