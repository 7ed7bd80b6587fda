"""What forms of nets take in compiled C: bytes of code, instructions of a word and of a product.

The figures stand in skdistill/compact/packing/net_costs.py, where they choose the form of a model.
Random nets are printed in every form, compiled by zig for a Cortex-M0, and run on an emulated one.
Two lengths of rows and two numbers of rows tell words, rows and the rest apart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from _common import options, save

SEED, ROWS, INPUTS = 0, 10, 16
WIDTHS = {"single": ("ternary", 4, 8), "looped": (2, 4, 5, 8), "unrolled": (2, 4, 5, 8)}


def net_model(hidden: list[int], n_scores: int, widths: list[int | str]) -> Any:
    """Random weights of uint8 inputs."""
    from skdistill import CompactModel
    from skdistill.compact import HiddenLayer, NetTable

    rng = np.random.default_rng(SEED)

    def weights(rows: int, length: int, bits: int | str) -> np.ndarray:
        most = 1 if bits == "ternary" else (1 << int(bits) - 1) - 1
        return rng.integers(-most, most + 1, (rows, length))

    layers, length = [], INPUTS
    for n, bits in zip(hidden, widths, strict=False):
        bias, shift = rng.integers(-99, 99, n), rng.integers(1, 6, n)
        layers.append(HiddenLayer(weights(n, length, bits), bias, shift, bits))
        length = n
    ones = np.ones(INPUTS, int)
    offset = rng.integers(1, 15, INPUTS)
    output = weights(n_scores, length, widths[-1])
    net = NetTable(np.arange(INPUTS), offset, 4 * ones, 0 * ones, layers, output, widths[-1])
    bias, classes = rng.integers(-99, 99, n_scores), np.arange(n_scores)
    return CompactModel(INPUTS, bias, 1e-3, "softmax", classes, [net])


def measure(form: str, hidden: list[int], n_scores: int, widths: list[int | str]) -> Any:
    """Bytes of code, instructions of a row, and the layers as they are stored."""
    from skdistill.compact.packing import net_forms
    from skdistill.compact.packing.layout import Request
    from skdistill.compact.packing.net import pack_form
    from skdistill.device.compile import build
    from skdistill.device.cores import find_target
    from skdistill.device.emulate import run
    from skdistill.export.c import prepare_source
    from skdistill.export.c.translation_unit import source_text

    model = net_model(hidden, n_scores, widths)
    source, _ = prepare_source(model, input_dtype="uint8")
    (net,) = model.tables
    stored = getattr(net_forms, f"{form}_form")(net)
    part = pack_form(net, Request(model, "uint8", False, False, True), stored)
    tables = part.tables | {"bias": source.layout.tables["bias"]}
    source = replace(source, layout=replace(source.layout, parts=(part,), tables=tables))
    image = build({"m.c": source_text(source, "label")}, find_target("cortex-m0"), ["model_label"])
    X = np.random.default_rng(1).integers(0, 16, (ROWS, INPUTS)).astype(np.uint8)
    return image.sizes.code, run(image, "model_label", X).instructions.mean(), stored.layers


def main() -> None:
    args = options(__doc__.splitlines()[0]).parse_args()
    results: dict[str, Any] = {}
    for form, every in WIDTHS.items():
        for bits in every:
            n_words, slopes, codes = [], [], []
            for hidden in (16, 48):
                (code, few, _), (_, many, layers) = (
                    measure(form, [hidden], K, [bits, bits]) for K in (10, 30)
                )
                words = layers[-1].words if layers else hidden
                n_words.append(words)
                slopes.append((many - few) / 20)
                codes.append(code)
            per = (slopes[1] - slopes[0]) / (n_words[1] - n_words[0])
            together = 2 if form == "unrolled" else 1
            grows = (codes[1] - codes[0]) / (n_words[1] - n_words[0])
            results[f"{form} {bits}"] = {
                "code": codes[0], "code of a word": grows,
                "work of a word": per * together, "work of a row": slopes[0] - per * n_words[0],
            }  # fmt: skip
            print(f"{form:9s} {bits!s:8s} {results[f'{form} {bits}']}", flush=True)
    one, two = (measure("unrolled", h, 10, [4] * (len(h) + 1))[0] for h in ([16], [16, 16]))
    mixed, _, _ = measure("single", [16], 10, ["ternary", 4])
    results |= {"unrolled, one more layer": two - one, "single mixed": mixed}
    print(f"one more layer {two - one} B, single of two widths {mixed} B")
    save(args.output, results)


if __name__ == "__main__":
    main()
