"""The forms in which the weights of a net are stored.

"single": a device takes weight after weight. All layers are one loop, whatever their widths.

"looped" and "unrolled": a device takes two products out of one multiplication of 32 bits. Weights
become words of two lanes of 16 bits, w0 and w1, and the inputs wait in pairs, x0 in the upper lane
and x1 in the lower. Of ``(w0 + (w1 << 16)) * ((x0 << 16) + x1)`` the upper lane holds
``w0 x0 + w1 x1``, and the lower lane ``w0 x1``, which is thrown away. "unrolled" takes two rows of
weights at a time: each pair of inputs is loaded once for both, and two units make the next pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.packing import net_costs as costs
from skdistill.compact.packing.net_weights import (
    field_bits,
    in_pairs,
    pair_words,
    pairs_that_fit,
    sequence,
    width_in_bits,
)
from skdistill.compact.tables.net_table import CODE_MAX, HiddenLayer, NetTable

PAIRS_AT_ONCE = 32  # code for more is a loop
_PADDING = 0.05  # of the tables that rows of whole words may take more


class PairedLayer(NamedTuple):
    """A layer whose weights are multiplied two at a time.

    Attributes
    ----------
    rows : int
        Sums that it makes.
    bits : int
        Width of the weights. Those that are stored exceed them by ``2**(bits - 1)``, and those
        behind the last input are 0.
    words : int
        Words of 32 bits of a row, a multiple of `unroll`.
    unroll : int
        Words of a row in a turn of the loop.
    sums : int
        Pairs of inputs whose sum stays within 16 bits, whatever the inputs; 0 if a pair may not.
    together : int
        Rows at a time, 1 or 2. A row of weights of 0 follows an odd one that would be alone.
    """

    rows: int
    bits: int
    words: int
    unroll: int
    sums: int
    together: int

    @property
    def field(self) -> int:
        """Bits that a weight takes: 2, 4 or 8."""
        return field_bits(self.bits)

    @property
    def zero(self) -> int:
        """What stored weights exceed the weights by."""
        return 1 << (self.bits - 1)

    @property
    def pairs(self) -> int:
        """Pairs of inputs of a row."""
        return self.words * 16 // self.field

    @property
    def turns(self) -> int:
        """Turns of the loop over a row."""
        return self.words // self.unroll


class NetForm(NamedTuple):
    """Weights in one of the forms.

    Attributes
    ----------
    name : {"single", "looped", "unrolled"}
        The form.
    tables : dict of str to array
        "net_weights", "layer_sizes" and "layer_bits", as far as they are needed.
    layers : tuple of PairedLayer
        One for each layer; empty for "single".
    code : int
        Bytes of code on a Cortex-M0, beside that of the inputs.
    work : float
        Instructions of a row there.
    """

    name: str
    tables: dict[str, NDArray[Any]]
    layers: tuple[PairedLayer, ...]
    code: int
    work: float

    @property
    def table_bytes(self) -> int:
        """Bytes of the tables."""
        return sum(table.nbytes for table in self.tables.values())

    @property
    def flash(self) -> int:
        """Bytes of code and tables."""
        return self.code + self.table_bytes


def choose_form(net: NetTable, optimize: str | None = None) -> NetForm:
    """Choose the form of a net.

    Parameters
    ----------
    net : NetTable
        The table of the model.
    optimize : {"size", "balanced", "speed"}, default=None
        As in `Request`. None takes weights in pairs where their tables are at most 5 % larger for
        it, and fewer instructions are needed whatever the weights are: so the bytes follow from
        the sizes and widths of the layers alone, and are known before a net is trained.

    Returns
    -------
    form : NetForm
    """
    single, looped = single_form(net), looped_form(net)
    if optimize == "size":
        return min(single, looped, key=lambda form: form.flash)
    if optimize is None:
        padded = looped.table_bytes > (1 + _PADDING) * single.table_bytes
        slowest = [each._replace(sums=0) if each.field == 8 else each for each in looped.layers]
        return single if padded or single.work < _work(slowest) else looped
    forms = single, looped, unrolled_form(net)
    if optimize == "speed":
        return min(forms, key=lambda form: (form.work, form.flash))
    return min(forms, key=lambda form: form.flash * form.work)


def _layers(net: NetTable) -> list[HiddenLayer | NetTable]:
    return [*net.hidden, net]


def _layer_sizes(net: NetTable) -> NDArray[Any]:
    """Inputs of each layer, and the number of scores."""
    numbers = [*(layer.weights.shape[1] for layer in _layers(net)), net.n_scores]
    return np.array(numbers, np.uint8 if max(numbers) < 256 else np.uint16)


def single_form(net: NetTable) -> NetForm:
    """Weights one after the other, of any widths.

    Parameters
    ----------
    net : NetTable
        The table of the model.

    Returns
    -------
    form : NetForm
    """
    layers = _layers(net)
    tables = {"layer_sizes": _layer_sizes(net)} | sequence(layers)
    widths = [layer.value_bits for layer in layers]
    kind = widths[0] if widths[0] in costs.SINGLE else "bits"
    code, each = costs.SINGLE[kind if len(set(widths)) == 1 else "mixed"]
    work = each * net.n_values + costs.ROW * sum(len(layer.weights) for layer in layers)
    return NetForm("single", tables, (), code, work)


def looped_form(net: NetTable) -> NetForm:
    """All layers with the widest weights of any, a word of a row a turn.

    Parameters
    ----------
    net : NetTable
        The table of the model.

    Returns
    -------
    form : NetForm
    """
    bits = max(width_in_bits(layer.value_bits) for layer in _layers(net))
    form = _paired(net, "looped", [bits] * (1 + len(net.hidden)))
    tables = {"layer_sizes": _layer_sizes(net)} | form.tables
    # One loop for all layers: sums of as many pairs as fit everywhere, of a word at most. Of fields
    # of 2 and 4 bits all pairs of a word fit, and of 8 bits a word has two: shorter sums than a
    # layer was tried with begin where its own do.
    sums = min(16 // form.layers[0].field, *(layer.sums for layer in form.layers))
    layers = tuple(layer._replace(sums=sums) for layer in form.layers)
    return NetForm("looped", tables, layers, costs.LOOPED[layers[0].field], _work(layers))


def unrolled_form(net: NetTable) -> NetForm:
    """Each layer with code and a width of its own, two rows at a time.

    Parameters
    ----------
    net : NetTable
        The table of the model.

    Returns
    -------
    form : NetForm
    """
    return _paired(net, "unrolled", [width_in_bits(layer.value_bits) for layer in _layers(net)])


def _paired(net: NetTable, name: str, widths: list[int]) -> NetForm:
    layers, words = list[PairedLayer](), list[NDArray[np.uint32]]()
    bounds = [np.full(net.n_codes, CODE_MAX, np.int64), *net.unit_bounds]
    for layer, bits, most in zip(_layers(net), widths, bounds, strict=True):
        field = field_bits(bits)
        per_word = 32 // field
        n_words, unroll, together = -(-layer.weights.shape[1] // per_word), 1, 1
        if name == "unrolled":
            turns = -(-n_words * per_word // (2 * PAIRS_AT_ONCE))
            unroll = -(-n_words // turns)
            n_words, together = turns * unroll, 2
        rows, length = layer.weights.shape
        stored = np.zeros((-(-rows // together) * together, n_words * per_word), np.int64)
        stored[:, :length] = 1 << (bits - 1)
        stored[:rows, :length] += layer.weights
        most = np.append(most, np.zeros(stored.shape[1] - length, np.int64))
        pairs, inputs = (in_pairs(each, field, together) for each in (stored, most[None]))
        sums = pairs_that_fit(pairs, inputs, unroll)
        layers.append(PairedLayer(rows, bits, n_words, unroll, sums, together))
        words.append(pair_words(pairs, field, together))
    tables: dict[str, NDArray[Any]] = {"net_weights": np.concatenate(words)}
    code = costs.LAYER * len(layers)
    code += sum(layer.unroll * _word_cost(layer).code for layer in layers)
    return NetForm(name, tables, tuple(layers), code, _work(layers))


def _word_cost(layer: PairedLayer) -> costs.WordCost:
    kind = layer.field if layer.sums else "wide"
    return (costs.WORDS if layer.together == 1 else costs.WORDS_OF_TWO)[kind]


def _work(layers: Sequence[PairedLayer]) -> float:
    """Instructions of all layers."""
    work = 0.0
    for layer in layers:
        row = layer.words * _word_cost(layer).work + layer.turns * costs.TURN
        work += -(-layer.rows // layer.together) * row + layer.rows * costs.ROW
    return work
