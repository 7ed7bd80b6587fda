"""Models as files: a checked container of plain arrays, no pickle.

Layout, little-endian: magic (8 bytes), version (uint32), header length (uint32), header
(JSON, UTF-8), the arrays in header order, CRC-32 of all that comes before. No file can ask for
more memory than its own length.

The header describes each table by its kind and its fields: numbers and strings as they are,
arrays by shape and dtype, tables within tables in the same way, also lists of them. Each table
checks its fields itself, so that a new kind needs an entry in `KINDS` and nothing else.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from dataclasses import fields
from math import prod
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from skdistill.compact._frozen import Frozen, require
from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.categories import CategoryTable
from skdistill.compact.tables.grid import InputGrid
from skdistill.compact.tables.linear_table import LinearTable
from skdistill.compact.tables.net_table import HiddenLayer, NetTable
from skdistill.compact.tables.tree_table import TreeTable

AnyModel = TypeVar("AnyModel", bound=ModelTables)

MAGIC = b"skdistil"
VERSION = 1
MAX_BYTES = 1 << 28  # far beyond any compact model; refuses a wrong file before it is read
KINDS: dict[str, type[Frozen]] = {
    "grid": InputGrid,
    "categories": CategoryTable,
    "trees": TreeTable,
    "linear": LinearTable,
    "hidden_layer": HiddenLayer,
    "net": NetTable,
}
_DTYPES = ("<i4", "<f4", "|i1", "|u1", "|b1")
_PREFIX = struct.Struct("<8sII")


def to_bytes(model: ModelTables) -> bytes:
    """The file of a model as bytes.

    Parameters
    ----------
    model : ModelTables
        With kinds of tables that are in `KINDS`.

    Returns
    -------
    content : bytes

    Raises
    ------
    ValueError
        If a class label is neither a string nor a number.
    """
    arrays: list[bytes] = []
    header: dict[str, Any] = {
        "n_features": int(model.n_features),
        "bias": model.bias.tolist(),
        "scale": model.scale if isinstance(model.scale, float) else model.scale.tolist(),
        "link": model.link,
        "classes": None if model.classes is None else _classes_to_json(model.classes),
        "tables": [_describe(table, arrays) for table in model.tables],
        "feature_names": None if model.feature_names is None else list(model.feature_names),
        "categories": _describe(model.categories, arrays),
        "threshold": model.threshold,
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    content = _PREFIX.pack(MAGIC, VERSION, len(text)) + text + b"".join(arrays)
    return content + struct.pack("<I", zlib.crc32(content))


def from_bytes(content: bytes, model_type: type[AnyModel]) -> AnyModel:
    """Inverse of `to_bytes`.

    Parameters
    ----------
    content : bytes
        Of a whole file.
    model_type : type
        `ModelTables` or a subclass, which is built from the fields.

    Returns
    -------
    model : model_type

    Raises
    ------
    ValueError
        If the content is not such a file, is damaged, or describes tables that no model can
        have; the message says which.
    """
    require(len(content) >= _PREFIX.size + 4 and content[:8] == MAGIC, "not a skdistill model file")
    _, version, length = _PREFIX.unpack_from(content)
    require(version == VERSION, f"format version {version}; this skdistill reads version {VERSION}")
    (checksum,) = struct.unpack("<I", content[-4:])
    require(
        zlib.crc32(content[:-4]) == checksum, "checksum mismatch: the file is truncated or damaged"
    )
    body = memoryview(content)[_PREFIX.size : -4]
    require(length <= len(body), "header is longer than the file")
    try:
        header = json.loads(bytes(body[:length]))
        rest = _Rest(body[length:])
        require(isinstance(header["tables"], list), "tables must be a list")
        tables = tuple(_read(entry, rest) for entry in header["tables"])
        categories = _read(header["categories"], rest)
        require(len(rest.bytes) == 0, f"{len(rest.bytes)} bytes behind the last table")
        scale, names = header["scale"], header["feature_names"]
        one = type(scale) in (int, float)
        require(one or _all_of(scale, int, float), f"scale: {scale!r} is not a number")
        require(names is None or _all_of(names, str), "feature_names must be a list of strings")
        return model_type(
            n_features=_whole(header["n_features"], "n_features"),
            bias=np.array([_whole(number, "bias") for number in header["bias"]]),
            scale=scale,
            link=header["link"],
            classes=None if header["classes"] is None else _classes_from_json(header["classes"]),
            tables=tables,
            feature_names=names,
            categories=categories,
            threshold=_whole(header["threshold"], "threshold"),
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


def _describe(table: Frozen, arrays: list[bytes]) -> dict[str, Any]:
    """The header's entry of a table; its arrays are appended to `arrays`."""
    entry: dict[str, Any] = {"kind": next(n for n, kind in KINDS.items() if kind is type(table))}
    for each in fields(table):  # type: ignore[arg-type]
        value = getattr(table, each.name)
        if isinstance(value, Frozen):
            value = _describe(value, arrays)
        elif isinstance(value, np.ndarray):
            dtype = value.dtype.newbyteorder("<")
            arrays.append(value.astype(dtype).tobytes())
            value = {"dtype": dtype.str, "shape": list(value.shape)}
        elif isinstance(value, tuple):  # tables, or labels of categories
            value = [
                _describe(part, arrays) if isinstance(part, Frozen) else part.tolist()
                for part in value
            ]
        entry[each.name] = value
    return entry


class _Rest:
    """Bytes of arrays that have not been read yet."""

    def __init__(self, content: memoryview) -> None:
        self.bytes = content

    def take(self, name: str, entry: dict[str, Any]) -> NDArray[Any]:
        """The next array."""
        dtype, dims = entry["dtype"], [_whole(size, name) for size in entry["shape"]]
        require(dtype in _DTYPES, f"{name} must have a dtype of {_DTYPES}, got {dtype!r}")
        require(all(size >= 0 for size in dims), f"{name} has the negative shape {dims}")
        needed = prod(dims) * np.dtype(dtype).itemsize
        require(
            needed <= len(self.bytes), f"{name} needs {needed} bytes, {len(self.bytes)} are left"
        )
        flat = np.frombuffer(self.bytes[:needed], np.uint8 if dtype == "|b1" else dtype)
        self.bytes = self.bytes[needed:]
        if dtype == "|b1":
            require(bool((flat <= 1).all()), f"{name} must hold 0 and 1")
            flat = flat.astype(bool)
        return flat.reshape(dims)


def _read(entry: Any, rest: _Rest) -> Any:
    """The table of an entry, which must have each field of its kind and no other."""
    require(
        isinstance(entry, dict) and entry.get("kind") in KINDS,
        f"tables must have a kind of {tuple(KINDS)}",
    )
    kind, values = KINDS[entry["kind"]], {}
    names = [each.name for each in fields(kind)]  # type: ignore[arg-type]
    require(
        set(entry) == {"kind", *names},
        f"a table of kind {entry['kind']!r} must have the fields {names}",
    )
    for name in names:
        value = entry[name]
        if isinstance(value, dict):
            where = f"{entry['kind']}.{name}"
            values[name] = _read(value, rest) if "kind" in value else rest.take(where, value)
        else:
            values[name] = _parts(value, rest) if isinstance(value, list) else value
    table = kind(**values)
    for name, value in values.items():
        stored = getattr(table, name)
        same = type(stored) is type(value) and getattr(stored, "dtype", "") == getattr(
            value, "dtype", ""
        )
        require(same, f"{entry['kind']}.{name} has another type than it must have")
    return table


def _parts(parts: list[Any], rest: _Rest) -> tuple[Any, ...]:
    """Tables, or labels of the columns of categories: strings or whole numbers."""
    if parts and all(isinstance(each, dict) for each in parts):
        return tuple(_read(each, rest) for each in parts)
    for each in parts:
        known = _all_of(each, str) or _all_of(each, int)
        require(known, "categories.labels must be lists of strings or of whole numbers")
    return tuple(np.array(each) for each in parts)


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
    # No long double: its numbers are no JSON.
    require(dtype.itemsize <= 8, f"classes cannot have dtype {text!r}")
    kinds = {"b": (bool,), "i": (int,), "u": (int,), "f": (float,), "U": (str,)}.get(
        dtype.kind, (str, int, float, bool)
    )
    require(_all_of(labels, *kinds), f"classes.labels must be a list of what dtype {text} holds")
    with np.errstate(over="ignore"):
        return np.array(labels, dtype=dtype)
