"""The command line ``skdistill``."""

from skdistill.cli.main import main

__all__ = ["main"]
