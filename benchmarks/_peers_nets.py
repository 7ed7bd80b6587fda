"""For budget.py: small integer nets on hard labels, trained quantization-aware.

Jacob et al. 2018, "Quantization and training of neural networks for efficient
integer-arithmetic-only inference". Such nets are made by the student of this package, without a
teacher: nobody else trains tabular ones of so few bytes, and it does so as well as we can. They
take their tables and 200 B of code.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import product
from typing import Any

from _draws import Draw
from _peers_candidate import CODE, Candidate, all_classes
from _recipes import fit_within_bytes

from skdistill import SoftNetClassifier

BUDGETS = (512, 1024, 2048, 4096)
LAYERS, BITS = (1, 2), (4, 8)
# Hard labels are learnt by heart more easily than soft ones: half of the nets stop early. As for
# our own, the smallest ones are also trained longer.
STOPPING: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "": ({}, BUDGETS),
    ", stopped early": ({"n_iter_no_change": 10}, BUDGETS),
    ", long": ({"max_iter": 1000}, (1024,)),
    ", 8 KB": ({}, (8192,)),
}


def candidates(given: Draw) -> Iterator[Candidate]:
    for layers, bits, (name, (settings, budgets)) in product(LAYERS, BITS, STOPPING.items()):
        for budget in () if (layers, name) == (1, ", 8 KB") else budgets:
            model = SoftNetClassifier(
                n_hidden_layers=layers,
                max_bytes=budget - CODE,
                weight_bits=bits,
                output_bits=bits,
                categorical_features=given.nominal or None,
                random_state=given.seed,
                **settings,
            )
            started = time.perf_counter()
            if not fit_within_bytes(model, given.X_fit, given.y_fit):
                continue
            seconds = time.perf_counter() - started
            size = model.compact_.nbytes + CODE
            answer = all_classes(model, given.n_classes)
            recipe = f"{layers}x{bits} bits{name}, {budget}"
            yield Candidate("net", recipe, size, answer, seconds)
