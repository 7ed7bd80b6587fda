"""Results of a search so far, in a folder from which the same call goes on."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from skdistill.utils.files import write_whole

Arrays = dict[str, NDArray[Any]]


class Storage:
    """Results by name, each in a file of its own that is written whole or not at all.

    Parameters
    ----------
    folder : str, path-like or None
        Made where it is missing. Several searches may share it. None stores nothing.
    call : dict
        Parameters and data of the search; only results of an equal call are used.

    Raises
    ------
    OSError
        If the folder cannot be made.
    ValueError
        If some part of the call cannot be hashed.
    """

    def __init__(self, folder: str | PathLike[str] | None, call: Mapping[str, Any]) -> None:
        self._folder: Path | None = None
        if folder is None:
            return
        try:
            key = joblib.hash(dict(call))
        except Exception as error:  # whatever pickling raises: some object has no hash
            raise ValueError(
                "storage needs parameters and data that can be pickled, to know the same call "
                f"again: {error}"
            ) from error
        self._folder = Path(folder) / str(key)[:16]
        self._folder.mkdir(parents=True, exist_ok=True)

    def read(self, name: str) -> dict[str, Any] | None:
        """Read a record.

        Parameters
        ----------
        name : str
            Of the record.

        Returns
        -------
        record : dict or None
            None where there is none.
        """
        path = self.path(f"{name}.json")
        if path is None or not path.exists():
            return None
        record: dict[str, Any] = json.loads(path.read_text())
        return record

    def write(self, name: str, record: Mapping[str, Any]) -> None:
        """Write a record.

        Parameters
        ----------
        name : str
            Of the record.
        record : dict
            Of what JSON knows.
        """
        path = self.path(f"{name}.json")
        if path is not None:
            write_whole(path, json.dumps(dict(record)).encode())

    def read_arrays(self, name: str) -> Arrays | None:
        """Read arrays.

        Parameters
        ----------
        name : str
            Of their file.

        Returns
        -------
        arrays : dict of str to array, or None
            None where there are none.
        """
        path = self.path(f"{name}.npz")
        if path is None or not path.exists():
            return None
        with np.load(path, allow_pickle=False) as file:
            return {each: file[each] for each in file.files}

    def write_arrays(self, name: str, arrays: Arrays) -> None:
        """Write arrays.

        Parameters
        ----------
        name : str
            Of their file.
        arrays : dict of str to array
            Of numbers.
        """
        path = self.path(f"{name}.npz")
        if path is not None:
            content = io.BytesIO()
            np.savez(content, allow_pickle=False, **arrays)
            write_whole(path, content.getvalue())

    def seconds(self, name: str, started: float) -> float:
        """Seconds that something took, also where it was done by an earlier call.

        Parameters
        ----------
        name : str
            Of what was done.
        started : float
            When it began in this call, by `time.perf_counter`.

        Returns
        -------
        seconds : float
        """
        stored = self.read(name)
        if stored is None:
            stored = {"seconds": time.perf_counter() - started}
            self.write(name, stored)
        return float(stored["seconds"])

    def path(self, name: str) -> Path | None:
        """Path of a file.

        Parameters
        ----------
        name : str
            Of the file.

        Returns
        -------
        path : Path or None
            None where nothing is stored.
        """
        return None if self._folder is None else self._folder / name
