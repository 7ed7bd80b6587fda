import pytest

from skdistill.device.cores import TARGETS, find_target


def test_unknown_targets_are_refused_with_the_names_of_the_known():
    with pytest.raises(ValueError, match=r"target must be one of \['avr', 'cortex-m0'.*'z80'"):
        find_target("z80")


@pytest.mark.parametrize("name", TARGETS)
def test_what_the_names_say(name):
    target = find_target(name)
    assert target.name == name
    assert target.fpu == (name in ("cortex-m4f", "cortex-m7", "cortex-m33", "host"))
    assert bool(target.core) == (name not in ("avr", "host"))
