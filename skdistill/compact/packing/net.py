"""A net as constants: one stream of weights for each width, and what makes the input codes.

Weights are stored so that a device takes two products out of one multiplication of 32 bits. A
block of weights becomes words of two lanes of 16 bits, w0 and w1; the inputs wait as pairs, x0 in
the upper lane and x1 in the lower. Of ``(w0 + (w1 << 16)) * ((x0 << 16) + x1)`` the upper lane
holds ``w0 x0 + w1 x1``, and the lower lane ``w0 x1``, which is thrown away.

Rows of weights follow each other without gaps. Where one does not begin with a block, its first
block holds weights of the row before, which meet inputs of 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.packing.bits import narrowest, pack_bits
from skdistill.compact.packing.layout import Request
from skdistill.compact.packing.rounding import Rounding, pack_rounding
from skdistill.compact.tables.net_table import CODE_MAX, HiddenLayer, NetTable


class Width(NamedTuple):
    """How weights of a width are stored and multiplied.

    Attributes
    ----------
    block : int
        Weights that are read at a time; 1 where each is a byte.
    zero : int
        What stored weights exceed the weights by.
    centred : bool
        Whether the device subtracts `zero` from each weight, not once from the sum of a row.
    """

    block: int
    zero: int
    centred: bool = False

    @property
    def lane(self) -> int:
        """Distance of the two inputs of a pair; 0 where inputs are not paired."""
        return self.block // 2


# The sums of a block, moved by 2^15 where codes make them negative, stay within 16 bits: 255 times
# 8 weights of 15, 16 of 3, 10 of 2, 4 of 31. Of 6 bits two at a time: 2 * 63 * 255 < 2^15; of 7
# bits as well, once they are centred.
WIDTHS: dict[int | str, Width] = {
    "ternary": Width(10, 1),
    2: Width(16, 2),
    3: Width(8, 4),
    4: Width(8, 8),
    5: Width(4, 16),
    6: Width(4, 32),
    7: Width(4, 64, centred=True),
    8: Width(1, 0),
}


class Stream(NamedTuple):
    """Where the weights of a layer are.

    Attributes
    ----------
    bits : int or "ternary"
        Width, which names the table; see `weights_name`.
    start : int
        Number of the first weight in the table.
    rows, length : int
        Rows, and weights of each.
    fits_lane : bool
        Whether no sum of a row leaves 16 bits, whatever the inputs.
    """

    bits: int | str
    start: int
    rows: int
    length: int
    fits_lane: bool

    @property
    def width(self) -> Width:
        """How they are stored."""
        return WIDTHS[self.bits]

    @property
    def is_aligned(self) -> bool:
        """Whether every row begins and ends with a block."""
        block = self.width.block
        return self.start % block == 0 and self.length % block == 0


class Run(NamedTuple):
    """Layers of one width that follow each other: one loop on the device.

    Attributes
    ----------
    first : int
        Number of its first layer.
    streams : tuple of Stream
        Weights of its layers.
    """

    first: int
    streams: tuple[Stream, ...]

    @property
    def last(self) -> int:
        """Number of its last layer."""
        return self.first + len(self.streams) - 1

    @property
    def width(self) -> Width:
        """How all of its weights are stored."""
        return self.streams[0].width

    @property
    def is_aligned(self) -> bool:
        """Whether all rows begin and end with a block."""
        return all(stream.is_aligned for stream in self.streams)

    @property
    def front(self) -> int:
        """Entries before the inputs of a layer, that products read or pairs are put to."""
        return self.width.lane if self.is_aligned else self.width.block - 1

    @property
    def back(self) -> int:
        """Entries behind the inputs of a layer, that a pointer passes or products read."""
        return 0 if self.is_aligned else self.width.block - 1


class PackedNet(NamedTuple):
    """The weights of a net, and how its codes are made.

    Attributes
    ----------
    table : NetTable
        What was packed.
    rounding : Rounding or None
        How inputs are rounded; None where the device reads codes.
    missing_code : int or None
        The code of NaN, the same for all inputs; None where they have a table.
    streams : tuple of Stream
        One for each hidden layer, then that of the output.
    shift : int or None
        Of all hidden units; None where they have a table of nibbles.
    tables : dict of str to array
        "net_columns", "net_offsets", "net_shifts", "net_missing", "unit_bias", "unit_shifts"
        and "layer_sizes", as far as they are needed, and the weights.
    """

    table: NetTable
    rounding: Rounding | None
    missing_code: int | None
    streams: tuple[Stream, ...]
    shift: int | None
    tables: dict[str, NDArray[Any]]

    @property
    def runs(self) -> tuple[Run, ...]:
        """The layers, those of one width together where they follow each other."""
        return _runs(self.streams)

    @property
    def start(self) -> int:
        """0: it adds to the bias what its inputs say."""
        return 0

    @property
    def unit(self) -> int:
        """1: it adds score units."""
        return 1

    @property
    def compares_rounded(self) -> bool:
        """False: trees do not compare its codes."""
        return False


def weights_name(bits: int | str) -> str:
    """Name of the table of all weights of a width.

    Parameters
    ----------
    bits : int or "ternary"
        The width.

    Returns
    -------
    name : str
    """
    return f"weights_{bits}"


def pack_net(net: NetTable, request: Request) -> PackedNet:
    """Pack the weights, and choose the arithmetic that makes the codes.

    Parameters
    ----------
    net : NetTable
        The table of the model.
    request : Request
        Whose input type decides on the arithmetic.

    Returns
    -------
    part : PackedNet
    """
    tables: dict[str, NDArray[Any]] = {}
    rounding, missing_code = None, None
    if request.input_dtype != "codes":
        rounding = _pack_inputs(net, request, tables)
        missing_code = _pack_missing(net, request, tables)
    tables["unit_bias"] = np.concatenate([layer.bias for layer in net.hidden])
    shifts = np.concatenate([layer.shift for layer in net.hidden])
    shift = int(shifts[0]) if (shifts == shifts[0]).all() else None
    if shift is None:
        tables["unit_shifts"] = pack_bits(shifts, 4)
    streams = _pack_layers(net, tables)
    if len(_runs(streams)) < len(streams):  # a loop over layers
        sizes = np.array([*(stream.length for stream in streams), net.n_scores])
        tables["layer_sizes"] = sizes.astype(np.uint8 if sizes.max() < 256 else np.uint16)
    return PackedNet(net, rounding, missing_code, streams, shift, tables)


def _pack_inputs(net: NetTable, request: Request, tables: dict[str, NDArray[Any]]) -> Rounding:
    if not np.array_equal(net.features, np.arange(len(net.features))):
        tables["net_columns"] = narrowest(net.features)
    steps = np.ldexp(np.float32(1), net.power.astype(np.int32))
    return pack_rounding(net.offset, steps, CODE_MAX, request.input_dtype, tables, "net_")


def _pack_missing(net: NetTable, request: Request, tables: dict[str, NDArray[Any]]) -> int | None:
    if request.input_dtype != "float32" and not request.max_is_missing:
        return 0
    if (net.missing_code == net.missing_code[0]).all():
        return int(net.missing_code[0])
    tables["net_missing"] = net.missing_code
    return None


def _pack_layers(net: NetTable, tables: dict[str, NDArray[Any]]) -> tuple[Stream, ...]:
    """All weights of a width one after the other, in the order of the layers."""
    streams: list[Stream] = []
    flat: dict[int | str, list[NDArray[np.int8]]] = {}
    largest = np.full(net.n_codes, CODE_MAX, np.int64)
    layers: list[HiddenLayer | NetTable] = [*net.hidden, net]
    for layer, bounds in zip(layers, [largest, *net.unit_bounds], strict=True):
        parts = flat.setdefault(layer.value_bits, [])
        start = sum(part.size for part in parts)
        parts.append(layer.weights.ravel())
        stored = layer.weights.astype(np.int64) + WIDTHS[layer.value_bits].zero
        fits_lane = bool((np.abs(stored) @ bounds < 2**15).all())
        rows, length = layer.weights.shape
        streams.append(Stream(layer.value_bits, start, rows, length, fits_lane))
    for bits, parts in flat.items():
        tables[weights_name(bits)] = pack_weights(np.concatenate(parts), bits)
    return tuple(streams)


def _runs(streams: tuple[Stream, ...]) -> tuple[Run, ...]:
    runs: list[Run] = []
    for i, stream in enumerate(streams):
        if runs and runs[-1].streams[0].bits == stream.bits:
            runs[-1] = Run(runs[-1].first, (*runs[-1].streams, stream))
        else:
            runs.append(Run(i, (stream,)))
    return tuple(runs)


def pack_weights(weights: NDArray[np.int8], bits: int | str) -> NDArray[Any]:
    """Weights as a device reads them, block by block.

    Parameters
    ----------
    weights : int8 array of shape (n_weights,)
        Within the range of `bits`.
    bits : int in [2, 8] or "ternary"
        "ternary": five to a byte, as the fraction of 256 whose digits in base 3 they are, the
        first weight as the first digit; 8: as they are; else plain bits of ``weight + zero``,
        the first weight lowest. Words of 32 bits for 2 and 4 bits.

    Returns
    -------
    table : uint8, int8 or uint32 array

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compact.packing.net import pack_weights
    >>> [hex(word) for word in pack_weights(np.arange(-8, 1, dtype=np.int8), 4)]
    ['0x76543210', '0x8']
    """
    if bits == 8:
        return weights
    width = WIDTHS[bits]
    stored = weights.astype(np.int64) + width.zero
    if bits == "ternary":
        digits = np.concatenate([stored, np.zeros(-len(stored) % 10, np.int64)]).reshape(-1, 5)
        # Rounded up, three times the fraction never falls below the next digit: 243 < 256.
        return (-(digits @ 3 ** np.arange(4, -1, -1) * -256 // 243)).astype(np.uint8)
    packed = pack_bits(stored, int(bits))
    blocks = -(-len(stored) // width.block)
    if bits in (2, 4):
        return np.append(packed, np.zeros(4 * blocks - len(packed), np.uint8)).view("<u4")
    # A read looks at whole bytes: of blocks of half bytes at one byte more.
    window = -(-int(bits) * width.block // 8)
    size = (int(bits) * width.block * (blocks - 1) >> 3) + window
    return np.append(packed, np.zeros(size - len(packed), np.uint8))
