import dataclasses

import numpy as np
import pytest
import unicorn

from skdistill.device import emulate
from skdistill.device.compile import build
from skdistill.device.cores import TARGETS, find_target
from skdistill.device.emulate import FILLS, EmulationError, run

CORES = [name for name, target in TARGETS.items() if target.core]
# Soft float, division, branches, a loop, a call and a table.
MIXED = """
#include <stdint.h>
static const int32_t table[] = {3, -10, 2, 1 << 20, 5, 7, -8, 9};
static int32_t look(int32_t i, int32_t d) { return table[i & 7] / d; }
int mixed(const float *x) {
  int32_t s = 0;
  for (int i = 0; i < 3; i++) {
    if (x[i] * 3.0f <= 1.5f) s += look(i, (int32_t)x[i + 1] + 200);
    else if (x[i] > x[i + 1]) s -= table[i] > s ? i : s;
  }
  return s;
}
void both(const float *x, int32_t *out) { out[0] = mixed(x); out[1] = -out[0]; }
"""
RECURSE = """
__attribute__((noinline)) int deep(const unsigned char *x) {
  volatile unsigned char here[64];
  unsigned char next = x[0] - 1;
  here[0] = x[0];
  return x[0] ? deep(&next) + here[0] : 0;
}
"""


def compiled(name, source, *functions):
    return build({"f.c": source}, find_target(name), functions)


def mixed_rows():
    return np.random.default_rng(0).normal(0, 2, (40, 4)).astype(np.float32)


def mixed_in_python(x):
    table, s = [3, -10, 2, 1 << 20, 5, 7, -8, 9], 0
    for i in range(3):
        if x[i] * np.float32(3) <= np.float32(1.5):
            s += int(table[i] / (int(x[i + 1]) + 200))
        elif x[i] > x[i + 1]:
            s -= i if table[i] > s else s
    return s


def count_one_by_one(image, row):
    """Instructions of one call, told by a hook on each of them and on each block.

    The hook on instructions is silent where the condition of an IT block fails. They do pass
    through the core, and are put back here.
    """
    machine = emulate._Machine(image, "mixed", row.nbytes, 0, False, 0)
    trace, blocks = [], []
    machine.uc.hook_add(unicorn.UC_HOOK_CODE, lambda _, at, size, __: trace.append(at))
    machine.uc.hook_add(unicorn.UC_HOOK_BLOCK, lambda _, at, size, __: blocks.append((at, size)))
    machine.run(row[None])
    trace, count = iter([*trace, None]), 0
    traced = next(trace)
    for at, size in blocks:
        end, conditional = at + size, 0
        while at < end:
            low = int.from_bytes(machine.uc.mem_read(at, 2), "little")
            if at == traced:
                traced = next(trace)
            else:
                assert conditional > 0
            conditional -= 1
            if image.target.family == "riscv32":
                at += 4 if low & 3 == 3 else 2
            else:
                if low >> 8 == 0xBF and low & 15:  # IT: the lowest set bit says for how many
                    conditional = 4 - (low & -low).bit_length() + 1
                at += 4 if low >> 11 in (0b11101, 0b11110, 0b11111) else 2
            count += 1
    assert traced is None
    return count


@pytest.mark.parametrize("name", CORES)
def test_results_are_right_and_every_instruction_is_counted(name):
    rows = mixed_rows()
    want = [mixed_in_python(x) for x in rows]
    image = compiled(name, MIXED, "mixed", "both")
    counted = [count_one_by_one(image, row) for row in rows]
    assert len(set(counted)) > 5
    result = run(image, "mixed", rows, watch=True)
    assert result.outputs.view(np.int32).ravel().tolist() == want
    assert result.instructions.tolist() == counted
    result = run(image, "both", rows, output_bytes=8, count=False)
    assert result.outputs.view(np.int32).tolist() == [[s, -s] for s in want]
    assert result.instructions is None


@pytest.mark.parametrize("name", CORES)
def test_stack_is_that_of_each_call(name):
    rows = np.array([[0], [30], [3], [100], [1], [0]], np.uint8)
    result = run(compiled(name, RECURSE, "deep"), "deep", rows)
    assert result.outputs.view(np.int32).ravel().tolist() == [sum(range(n + 1)) for n in rows[:, 0]]
    shallow, *_, last = result.stack
    frame = (result.stack[3] - shallow) / 100
    assert 8 <= frame < 120
    assert last == shallow
    assert result.stack.tolist() == (shallow + frame * rows[:, 0]).tolist()


@pytest.mark.parametrize("fill", FILLS)
def test_stack_that_ends_in_what_it_was_painted_with(fill):
    source = f"int f(const int *x) {{ volatile unsigned a = {fill}; return a & 1; }}"
    result = run(compiled("cortex-m0", source, "f"), "f", np.ones((1, 1), np.int32), watch=True)
    assert result.stack.tolist() == [4]


@pytest.mark.parametrize(
    ("made_for", "runs_on", "source"),
    [
        ("cortex-m3", "cortex-m0", "int f(const int *x) { return x[0] / x[1]; }"),
        ("cortex-m4f", "cortex-m3", "int f(const float *x) { return x[0] < x[1]; }"),
    ],
)
def test_code_for_a_larger_core_is_refused(made_for, runs_on, source):
    image = compiled(made_for, source, "f")
    rows = np.ones((1, 2), np.int32)
    assert run(image, "f", rows).stack[0] == 0
    image = dataclasses.replace(image, target=find_target(runs_on))
    with pytest.raises(EmulationError, match=rf"f\(\) on {runs_on}, row 0: .*in f\)"):
        run(image, "f", rows)


# What a call does, and whether the pages of memory are enough to notice.
STRAY = {
    "beyond the row": ("return x[4];", True),
    "before the row": ("return x[-1] & 1;", False),
    "to the row": ("((int *)x)[0] = 1; return 1;", True),
    "beyond the output": ("out[2] = 1;", True),
    "before the output": ("out[-1] = x[0];", False),
    "to a constant": ("*(volatile int *)&table[x[0] & 1] = 3;", True),
    "before the constants": ("out[0] = table[-(x[0] & 1)] + table[-1 - (x[0] & 1)];", False),
    "beyond the constants": ("out[0] = table[(x[0] & 1) + 3];", False),
    "null": ("out[0] = *(volatile int *)(long)(x[0] & 4);", True),
    "uninitialised": ("volatile int a[3]; a[0] = 1; out[0] = a[x[0] & 2];", False),
    "jumps": ("((void (*)(void))((long)x[0] * 64))();", True),
}


@pytest.mark.parametrize("name", CORES)
@pytest.mark.parametrize("what", STRAY)
def test_stray_accesses_are_noticed(name, what):
    body, by_pages = STRAY[what]
    source = f"""
    static const int table[] = {{1, 2}};
    void f(const int *x, int *out) {{ {body.replace("return", "out[0] =")} }}
    """
    image = compiled(name, source, "f")
    rows = np.full((1, 4), 3, np.int32)
    with pytest.raises(EmulationError, match=r"f\(\)"):
        run(image, "f", rows, output_bytes=8, watch=True)
    if by_pages:
        with pytest.raises(EmulationError, match=rf"f\(\) on {name}, row 0: "):
            run(image, "f", rows, output_bytes=8)


def test_words_at_odd_places_are_noticed_on_m0():
    source = "int f(const unsigned char *x) { return *(const int *)(x + x[0]); }"
    rows = np.array([[4] * 8, [1] * 8], np.uint8)
    with pytest.raises(EmulationError, match=r"row 1: .*exception"):
        run(compiled("cortex-m0", source, "f"), "f", rows)
    assert run(compiled("cortex-m3", source, "f"), "f", rows).outputs.tolist() == [[4] * 4, [1] * 4]


@pytest.mark.parametrize("count", [True, False])
def test_endless_loops_end(count):
    source = "int f(const volatile int *x) { while (x[0]) { } return 0; }"
    image = compiled("cortex-m3", source, "f")
    rows = np.array([[0], [1]], np.int32)
    with pytest.raises(EmulationError, match="row 1: no return within 4,000,000 instructions"):
        run(image, "f", rows, count=count)


def test_what_cannot_be_run_is_refused():
    source = "int f(const int *x) { return x[0]; }"
    rows = np.ones((1, 1), np.int32)
    with pytest.raises(ValueError, match="no emulated core for target 'avr'"):
        run(compiled("avr", source, "f"), "f", rows)
    with pytest.raises(ValueError, match=r"no function 'g', only \['f'\]"):
        run(compiled("cortex-m0", source, "f"), "g", rows)
