"""Model files taken apart, and put together with a right length and checksum."""

from __future__ import annotations

import json
import struct
import zlib

PREFIX = struct.Struct("<8sII")


def header_of(content):
    (length,) = struct.unpack_from("<I", content, 12)
    return json.loads(content[16 : 16 + length]), content[16 + length : -4]


def sealed(header, arrays=b"", version=1, magic=b"skdistil"):
    """A file with a right checksum, whatever it says."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    content = PREFIX.pack(magic, version, len(text)) + text + arrays
    return content + struct.pack("<I", zlib.crc32(content))


def paths_of(entry, way=()):
    children = (
        entry.items()
        if isinstance(entry, dict)
        else enumerate(entry)
        if isinstance(entry, list)
        else ()
    )
    for key, value in children:
        yield (*way, key)
        yield from paths_of(value, (*way, key))
