"""A net as constants: its weights in one of three forms, and what makes the input codes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.packing.bits import narrowest, pack_bits
from skdistill.compact.packing.layout import Request
from skdistill.compact.packing.net_forms import NetForm, PairedLayer, choose_form
from skdistill.compact.packing.rounding import Rounding, pack_rounding
from skdistill.compact.tables.net_table import CODE_MAX, NetTable


class PackedNet(NamedTuple):
    """The weights of a net, and how its codes are made.

    Attributes
    ----------
    table : NetTable
        What was packed.
    form : {"single", "looped", "unrolled"}
        Whether the device takes weights one by one, or multiplies two at a time: in one loop over
        all layers, or with code for each layer.
    rounding : Rounding or None
        How inputs are rounded; None where the device reads codes.
    missing_code : int or None
        The code of NaN, the same for all inputs; None where they have a table.
    layers : tuple of PairedLayer
        One for each hidden layer, then that of the output; empty for "single".
    shift : int or None
        Of all hidden units; None where they have a table of nibbles.
    tables : dict of str to array
        "net_columns", "net_offsets", "net_shifts", "net_missing", "unit_bias", "unit_shifts",
        "layer_sizes" and "layer_bits", as far as they are needed, and the weights.
    """

    table: NetTable
    form: str
    rounding: Rounding | None
    missing_code: int | None
    layers: tuple[PairedLayer, ...]
    shift: int | None
    tables: dict[str, NDArray[Any]]

    @property
    def lengths(self) -> list[int]:
        """Inputs of each layer."""
        return [layer.weights.shape[1] for layer in (*self.table.hidden, self.table)]

    @property
    def start(self) -> int:
        """0: it adds to the bias what its inputs say."""
        return 0

    @property
    def unit(self) -> int:
        """1: it adds score units."""
        return 1

    @property
    def narrow_sums(self) -> bool:
        """False: scores are not scaled behind it."""
        return False

    @property
    def compares_rounded(self) -> bool:
        """False: trees do not compare its codes."""
        return False


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
    return pack_form(net, request, choose_form(net, request.optimize))


def pack_form(net: NetTable, request: Request, form: NetForm) -> PackedNet:
    """Pack a net in a form.

    Parameters
    ----------
    net : NetTable
        The table of the model.
    request : Request
        Whose input type decides on the arithmetic.
    form : NetForm
        Of the net.

    Returns
    -------
    part : PackedNet
    """
    tables: dict[str, NDArray[Any]] = {}
    rounding, missing_code = None, None
    if request.input_dtype != "codes":
        rounding = _pack_inputs(net, request, tables)
        missing_code = _pack_missing(net, request, tables)
    tables |= form.tables
    biases: list[NDArray[Any]] = [layer.bias for layer in net.hidden]
    powers: list[NDArray[Any]] = [layer.shift for layer in net.hidden]
    if form.name == "unrolled":
        # Units are made two at a time; one without weights, which is 0, follows an odd one.
        biases = [np.append(each, 0 * each[: len(each) % 2]) for each in biases]
        powers = [np.append(each, each[: len(each) % 2]) for each in powers]
    tables["unit_bias"] = np.concatenate(biases)
    shifts = np.concatenate(powers)
    shift = int(shifts[0]) if (shifts == shifts[0]).all() else None
    if shift is None:
        tables["unit_shifts"] = pack_bits(shifts, 4)
    return PackedNet(net, form.name, rounding, missing_code, form.layers, shift, tables)


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
