"""Hypothesis profiles: `ci` is quick and repeats itself, `thorough` looks for something new."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, settings

PACKAGE = Path(__file__).parent.parent / "skdistill"

settings.register_profile(
    "ci",
    max_examples=50,
    derandomize=True,
    print_blob=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "thorough", settings.get_profile("ci"), max_examples=1000, derandomize=False
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_configure(config):
    """Remove cached kernels that are older than a source file of their folder.

    numba compares the file of a cached kernel, not those of the kernels that it calls.
    """
    if hasattr(config, "workerinput"):
        return  # the controller of pytest-xdist has done it
    for folder in {index.parent for index in PACKAGE.rglob("__pycache__/*.nbi")}:
        edited = max(source.stat().st_mtime for source in folder.parent.glob("*.py"))
        for index in folder.glob("*.nbi"):
            if index.stat().st_mtime < edited:
                index.unlink()
