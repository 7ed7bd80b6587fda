"""For budget.py: small integer nets on hard labels, trained quantization-aware.

Jacob et al. 2018, "Quantization and training of neural networks for efficient
integer-arithmetic-only inference". Such nets are made by the student of this package, without a
teacher: nobody else trains tabular ones of so few bytes, and it does so as well as we can. They
take their tables and 200 B of code.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from _draws import Draw
from _peers_candidate import CODE, Candidate, all_classes
from _recipes import fit_within_bytes

from skdistill import SoftNetClassifier
from skdistill.targets import SoftTargets

BUDGETS = (512, 1024, 2048, 4096)
# Hard labels are learnt by heart more easily than soft ones: some nets learn smoothed labels
# (Szegedy et al. 2016) or are trained for fewer epochs, which did more than early stopping. As for
# our own, the smallest ones are also trained longer.
WAYS: dict[str, tuple[dict[str, Any], float, tuple[int, ...]]] = {
    "": ({}, 0.0, BUDGETS),
    ", 30 epochs": ({"max_iter": 30}, 0.0, BUDGETS),
    ", smoothed": ({}, 0.1, BUDGETS),
    ", 1000 epochs": ({"max_iter": 1000}, 0.0, (1024,)),
    ", 8 KB": ({}, 0.0, (8192,)),
}
# Layers and bits, and how they are trained. Of more bits there are fewer units, and worse nets.
KINDS: dict[tuple[int, int], tuple[str, ...]] = {
    (1, 4): ("", ", 30 epochs", ", smoothed", ", 1000 epochs"),
    (2, 4): ("", ", 30 epochs", ", smoothed", ", 1000 epochs", ", 8 KB"),
    (1, 8): ("", ", 30 epochs"),
    (2, 8): ("", ", 30 epochs", ", 8 KB"),
}


def candidates(given: Draw) -> Iterator[Candidate]:
    hard = given.y_fit.astype(np.intp)
    uniform = np.full((len(hard), given.n_classes), 1 / given.n_classes)
    for (layers, bits), ways in KINDS.items():
        for way in ways:
            settings, smoothing, budgets = WAYS[way]
            for budget in budgets:
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
                if not fit_within_bytes(model, given.X_fit, SoftTargets(uniform, hard, smoothing)):
                    continue
                seconds = time.perf_counter() - started
                recipe = f"{layers}x{bits} bits{way}, {budget}"
                size = model.compact_.nbytes + CODE
                yield Candidate("net", recipe, size, all_classes(model, given.n_classes), seconds)
