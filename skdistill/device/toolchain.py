"""Compilers: where they are, and how they are run."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

TIME_LIMIT = 600  # seconds; a first link for a target builds its support library


class BuildError(RuntimeError):
    """The compiler or the linker refused; the message is its own."""


def split_command(command: str | Sequence[str] | None) -> list[str]:
    """A command or options as a list.

    Parameters
    ----------
    command : str, sequence of str or None
        A string is split as a shell does.

    Returns
    -------
    parts : list of str
        Empty for None.
    """
    if command is None:
        return []
    return shlex.split(command) if isinstance(command, str) else list(command)


def has_zig() -> bool:
    """Whether ziglang, which the extra "device" brings, is installed."""
    return find_spec("ziglang") is not None


def system_compiler() -> list[str]:
    """The C compiler of this machine: ``$CC``, else cc, gcc or clang.

    Returns
    -------
    command : list of str

    Raises
    ------
    ImportError
        If there is none.
    """
    chosen = shlex.split(os.environ.get("CC", ""))
    if chosen:
        return chosen
    for name in ("cc", "gcc", "clang"):
        if shutil.which(name):
            return [name]
    raise ImportError(
        "target='host' needs a C compiler: pip install 'skdistill[device]' brings one, or install "
        "gcc or clang, or name another one in the environment variable CC"
    )


def run_zig(arguments: Sequence[str], folder: Path) -> None:
    """Run zig in `folder`.

    Parameters
    ----------
    arguments : sequence of str
        Of zig.
    folder : Path
        Also holds what zig would cache of this one compilation.

    Raises
    ------
    BuildError
        With zig's message, if it fails.
    ImportError
        Without the extra "device".
    """
    # Next to its module: `python -m ziglang` would start Python first, which takes as long as zig.
    program = str(Path(import_extra("ziglang").__file__).with_name("zig"))
    environment = {
        **os.environ,
        "ZIG_GLOBAL_CACHE_DIR": cache_folder(),
        "ZIG_LOCAL_CACHE_DIR": str(folder / "zig-cache"),
    }
    run_compiler([program, *arguments], folder, environment)


def run_compiler(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> str:
    """Run a compiler.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    folder : Path
        Where it runs.
    environment : mapping of str to str, default=None
        Its variables; None is those of this process.

    Returns
    -------
    text : str
        What it prints.

    Raises
    ------
    BuildError
        With the compiler's message, if it fails.
    """
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIME_LIMIT,
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{' '.join(command)} did not end within {TIME_LIMIT} seconds") from error
    except OSError as error:
        raise BuildError(f"{command[0]} cannot be run: {error}") from error
    if done.returncode:
        raise BuildError(f"{' '.join(command)}\n{done.stderr or done.stdout}".rstrip())
    return done.stdout


@lru_cache(maxsize=1)
def _folder_of_this_process() -> Any:
    return tempfile.TemporaryDirectory(prefix="skdistill-zig-")


def cache_folder() -> str:
    """Folder for zig's support libraries, each of which takes seconds to build.

    ``ZIG_GLOBAL_CACHE_DIR`` if set, else a folder in the user's cache. A folder for this process
    alone where neither can be written to: zig would wait for its lock forever.

    Returns
    -------
    folder : str
    """
    root = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    path = os.environ.get("ZIG_GLOBAL_CACHE_DIR") or Path(root) / "skdistill" / "zig"
    try:
        os.makedirs(path, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return os.path.abspath(path)
    except OSError:
        return str(_folder_of_this_process().name)


def import_extra(name: str) -> Any:
    """Import a package of the extra "device", or say which extra brings it.

    Parameters
    ----------
    name : str
        Name of the module.

    Returns
    -------
    module : module

    Raises
    ------
    ImportError
        Without the extra "device".
    """
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        package = {"elftools": "pyelftools"}.get(name.split(".")[0], name.split(".")[0])
        raise ImportError(
            f"device targets need {package}: pip install 'skdistill[device]'"
        ) from error
