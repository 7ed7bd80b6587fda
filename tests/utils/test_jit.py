"""The package imports and runs where nothing can be written, as in a container."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest

import skdistill
from skdistill.utils.jit import compilation_message, njit

CODE = """
import numpy as np, skdistill
from skdistill.compact import InputGrid, TreeTable
grid = InputGrid([0], [0, 1], np.float32([9]))
trees = TreeTable(grid, [0], [0], [0], [-1], [-2], [False], [[-1], [1]], 8)
model = skdistill.CompactModel(1, [0], 1.0, "sigmoid", [False, True], [trees])
print(skdistill.__file__, model.predict([[3.0], [15.0]]).tolist())
"""
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
READ_ALL = [f"--{kind}-caps=+dac_read_search" for kind in ("inh", "ambient")]


def run(tmp_path, code=CODE, **environment):
    """Run code as somebody who can write neither to the package nor to a home."""
    package = Path(skdistill.__file__).parent
    if os.geteuid():
        package = Path(shutil.copytree(package, tmp_path / "skdistill"))
        shutil.rmtree(package / "utils" / "__pycache__", ignore_errors=True)
        for folder in (package, *package.rglob("*")):
            folder.chmod(folder.stat().st_mode & ~0o222)
        command = [sys.executable]
    elif shutil.which("setpriv"):  # root can write everywhere
        command = [*NOBODY, *READ_ALL, sys.executable]
    else:
        pytest.skip("setpriv is not installed, and root can write everywhere")
    variables = {
        **{"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"},
        **{"PYTHONPATH": str(package.parent), "OMP_NUM_THREADS": "1", **environment},
    }
    done = subprocess.run(
        [*command, "-c", code], env=variables, cwd="/", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.skipif(os.name != "posix", reason="folders of Windows have no write bits")
@pytest.mark.parametrize("folder", [None, "/proc/nothing"])
def test_it_runs_where_nothing_can_be_written_and_says_so_once(folder, tmp_path):
    done = run(tmp_path, **({} if folder is None else {"NUMBA_CACHE_DIR": folder}))
    assert done.stdout.split(maxsplit=1)[1].strip() == "[False, True]"
    assert done.stderr.count("Warning") == 1
    assert done.stderr.count("Set the environment variable NUMBA_CACHE_DIR") == 1


@pytest.mark.skipif(os.name != "posix", reason="folders of Windows have no write bits")
def test_the_remedy_works(tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir()
    for each in (folder, *folder.parents):
        if each.is_relative_to(tmp_path.parent.parent) and os.geteuid() == 0:
            each.chmod(0o777)
    done = run(tmp_path, "import skdistill", NUMBA_CACHE_DIR=str(folder))
    assert done.stderr == ""


def test_other_errors_are_numbas_own():
    with pytest.raises(TypeError):
        njit(3)


def test_options_are_passed_on():
    @njit(fastmath=True)
    def total(x):
        return x.sum()

    assert total.targetoptions["fastmath"] is True
    assert total.targetoptions["nogil"] is True


@pytest.mark.parametrize("verbose", [0, 1])
def test_compilation_is_said_once_and_only_where_something_is_compiled(capsys, verbose):
    def double(x):
        return 2 * x

    compiled = numba.njit(double)  # without a cache on disk
    with compilation_message(verbose):
        assert compiled(2) == 4 and compiled(2.5) == 5  # two compilations
    assert capsys.readouterr().err.count("compiling loops") == verbose
    with compilation_message(verbose):
        assert compiled(3) == 6
    assert capsys.readouterr().err == ""
