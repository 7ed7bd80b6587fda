"""Models as files: a checked container of plain arrays, no pickle.

Layout, little-endian: magic (8 bytes), version (uint32), header length (uint32), header
(JSON, UTF-8), the arrays in header order, CRC-32 of all that comes before. The header
names shapes only; dtypes belong to the format, and no file can ask for more memory than
its own length.

Version 2 may have a scale for each score, version 3 columns of categories and a threshold. A model
is written as the lowest version that can tell it, which older readers know.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from math import prod
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from skdistill.compact._frozen import require
from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.categories import CategoryTable
from skdistill.compact.tables.grid import InputGrid
from skdistill.compact.tables.linear_table import LinearTable
from skdistill.compact.tables.tree_table import TreeTable

AnyModel = TypeVar("AnyModel", bound=ModelTables)

MAGIC = b"skdistil"
VERSIONS = (1, 2, 3)
MAX_BYTES = 1 << 28  # far beyond any compact model; refuses a wrong file before it is read
_PREFIX = struct.Struct("<8sII")
_TABLES: dict[str, tuple[type, dict[str, str]]] = {
    "grid": (InputGrid, {"features": "<i4", "offsets": "<i4", "edges": "<f4"}),
    "trees": (
        TreeTable,
        {
            **dict.fromkeys(("roots", "feature", "threshold", "left", "right"), "<i4"),
            "nan_left": "|b1",
            "values": "<i4",
        },
    ),
    "linear": (
        LinearTable,
        {"features": "<i4", "offset": "<f4", "inv_step": "<f4", "weights": "<i4"},
    ),
    "categories": (CategoryTable, {"columns": "<i4", "ranks": "|u1"}),
}
_SCALARS = {
    "grid": {"dtype"},
    "trees": {"value_bits", "unit"},
    "linear": {"value_bits", "input_bits"},
    "categories": {"labels"},
}


def to_bytes(model: ModelTables) -> bytes:
    """The file of `model` as bytes."""
    header: dict[str, Any] = {
        "n_features": int(model.n_features),
        "bias": model.bias.tolist(),
        "scale": model.scale if isinstance(model.scale, float) else model.scale.tolist(),
        "link": model.link,
        "classes": None if model.classes is None else _classes_to_json(model.classes),
        "feature_names": None if model.feature_names is None else list(model.feature_names),
    }
    if model.threshold:
        header["threshold"] = model.threshold
    arrays = []
    for name, (_, dtypes) in _TABLES.items():
        table = getattr(model, name)
        if table is None:
            continue
        entry: dict[str, Any] = {key: getattr(table, key) for key in sorted(_SCALARS[name])}
        if name == "categories":
            entry["labels"] = [labels.tolist() for labels in table.labels]
        entry["shapes"] = {key: list(getattr(table, key).shape) for key in dtypes}
        header[name] = entry
        for key, dtype in _dtypes(name, entry).items():
            arrays.append(getattr(table, key).astype(dtype).tobytes())
    text = json.dumps(header, separators=(",", ":")).encode()
    new = "categories" in header or "threshold" in header
    version = 3 if new else 2 if isinstance(header["scale"], list) else 1
    content = _PREFIX.pack(MAGIC, version, len(text)) + text + b"".join(arrays)
    return content + struct.pack("<I", zlib.crc32(content))


def from_bytes(content: bytes, kind: type[AnyModel]) -> AnyModel:
    """Inverse of `to_bytes`.

    Raises
    ------
    ValueError
        As `load`.
    """
    require(len(content) >= _PREFIX.size + 4 and content[:8] == MAGIC, "not a skdistill model file")
    _, version, length = _PREFIX.unpack_from(content)
    require(
        version in VERSIONS, f"format version {version}; this skdistill reads versions {VERSIONS}"
    )
    (checksum,) = struct.unpack("<I", content[-4:])
    require(
        zlib.crc32(content[:-4]) == checksum, "checksum mismatch: the file is truncated or damaged"
    )
    body = memoryview(content)[_PREFIX.size : -4]
    require(length <= len(body), "header is longer than the file")
    try:
        header = json.loads(bytes(body[:length]))
        tables, rest = _read_tables(header, body[length:])
        require(len(rest) == 0, f"{len(rest)} bytes behind the last table")
        require(version > 2 or "categories" not in header, "categories need format version 3")
        scale, names = header["scale"], header["feature_names"]
        one = type(scale) in (int, float)
        require(
            one or (version > 1 and _all_of(scale, int, float)),
            f"scale: {scale!r} is not a number",
        )
        require(version > 2 or "threshold" not in header, f"version {version} has no threshold")
        require(names is None or _all_of(names, str), "feature_names must be a list of strings")
        return kind(
            n_features=_whole(header["n_features"], "n_features"),
            bias=np.array([_whole(number, "bias") for number in header["bias"]]),
            scale=scale,
            link=header["link"],
            classes=None if header["classes"] is None else _classes_from_json(header["classes"]),
            feature_names=names,
            threshold=_whole(header.get("threshold", 0), "threshold"),
            **tables,
        )
    except (
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
        UnicodeDecodeError,
    ) as error:
        raise ValueError(f"malformed header: {type(error).__name__}: {error}") from error


def _read_tables(header: dict[str, Any], rest: memoryview) -> tuple[dict[str, Any], memoryview]:
    tables = {}
    for name, (kind, _) in _TABLES.items():
        if name not in header:
            continue
        entry = header[name]
        given: dict[str, Any] = {key: entry[key] for key in _SCALARS[name] if key != "dtype"}
        if name == "categories":
            given["labels"] = _labels(entry["labels"])
        for key, dtype in _dtypes(name, entry).items():
            given[key], rest = _take(rest, f"{name}.{key}", entry["shapes"][key], dtype)
        tables[name] = kind(**given)
    return tables, rest


def _labels(labels: Any) -> list[NDArray[Any]]:
    """Labels of the columns of categories: strings or whole numbers."""
    require(isinstance(labels, list), "categories.labels must be a list")
    for each in labels:
        known = _all_of(each, str) or _all_of(each, int)
        require(known, "categories.labels must be lists of strings or of whole numbers")
    return [np.array(each) for each in labels]


def _dtypes(name: str, entry: dict[str, Any]) -> dict[str, str]:
    """Dtypes of a table's arrays; only the grid's edges have a choice."""
    dtypes = dict(_TABLES[name][1])
    if name == "grid":
        require(
            entry["dtype"] in ("float32", "int32"),
            f"grid.dtype must be float32 or int32, got {entry['dtype']!r}",
        )
        dtypes["edges"] = "<f4" if entry["dtype"] == "float32" else "<i4"
    return dtypes


def _take(
    rest: memoryview, name: str, shape: list[int], dtype: str
) -> tuple[NDArray[Any], memoryview]:
    dims = [_whole(size, name) for size in shape]
    require(all(size >= 0 for size in dims), f"{name} has the negative shape {dims}")
    wanted = prod(dims) * np.dtype(dtype).itemsize
    require(wanted <= len(rest), f"{name} wants {wanted} bytes, {len(rest)} are left")
    flat = np.frombuffer(rest[:wanted], np.uint8 if dtype == "|b1" else dtype)
    if dtype == "|b1":
        require(bool((flat <= 1).all()), f"{name} must hold 0 and 1")
        flat = flat.astype(bool)
    return flat.reshape(dims), rest[wanted:]


def _whole(number: Any, name: str) -> int:
    require(
        isinstance(number, int) and not isinstance(number, bool),
        f"{name}: {number!r} is not a whole number",
    )
    return int(number)


def _all_of(labels: Any, *kinds: type) -> bool:
    return isinstance(labels, list) and all(type(label) in kinds for label in labels)


def _classes_to_json(classes: NDArray[Any]) -> dict[str, Any]:
    labels = classes.tolist()
    if not all(isinstance(label, str | int | float) for label in labels):
        raise ValueError("classes of other kinds than str, int, float and bool cannot be saved")
    return {"dtype": classes.dtype.str if classes.dtype.kind != "O" else "O", "labels": labels}


def _classes_from_json(entry: dict[str, Any]) -> NDArray[Any]:
    text, labels = entry["dtype"], entry["labels"]
    known = isinstance(text, str) and re.fullmatch(r"[<>|]?[biufUO]\d*", text)
    require(bool(known), f"classes cannot have dtype {text!r}")
    dtype = np.dtype(str if "U" in text else text)  # of a string as wide as is needed
    kinds = {"b": (bool,), "i": (int,), "u": (int,), "f": (float,), "U": (str,)}.get(
        dtype.kind, (str, int, float, bool)
    )
    require(_all_of(labels, *kinds), f"classes.labels must be a list of what dtype {text} holds")
    with np.errstate(over="ignore"):
        return np.array(labels, dtype=dtype)
