"""For budget.py: what others reach on hard labels at the bytes that they take.

Routing and arithmetic of all of them are taken as exact. Each kind of peer has a cache file a draw.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import _peers_bonsai
import _peers_nets
import _peers_protonn
import _peers_trees
import joblib
from _draws import Draw, measures
from _peers_candidate import Candidate

# The file of the first kind keeps the name that it had when there was no other.
KINDS: dict[str, tuple[str, Callable[[Draw], Iterator[Candidate]]]] = {
    "trees": ("peers", _peers_trees.candidates),
    "cegb": ("peers-cegb", _peers_trees.cegb),
    "nets": ("peers-nets", _peers_nets.candidates),
    "protonn": ("peers-protonn", _peers_protonn.candidates),
    "bonsai": ("peers-bonsai", _peers_bonsai.candidates),
}


def peers(kind: str, given: Draw, cache: Path) -> list[dict[str, Any]]:
    """All candidates of a kind on one draw, from the cache or fitted now and kept there."""
    name, candidates = KINDS[kind]
    path = cache / f"{name}-{given.name}-{given.seed}-{joblib.hash(tuple(given))[:12]}.json"
    if not path.exists():
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="X does not have valid feature names")
            found = [_record(given, candidate) for candidate in candidates(given)]
        cache.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(found, indent=0))
        partial.replace(path)
    return json.loads(path.read_text())


def best_by_size(found: list[dict[str, Any]], budgets: tuple[int, ...]) -> list[dict[str, Any]]:
    """Candidates of each peer that are picked at some size, by accuracy or by log loss."""
    found = [one for one in found if one["bytes"] <= max(budgets)]
    kept: dict[int, dict[str, Any]] = {}
    for model in dict.fromkeys(one["model"] for one in found):
        mine = [i for i, one in enumerate(found) if one["model"] == model]
        for size in {found[i]["bytes"] for i in mine}:
            fit = [i for i in mine if found[i]["bytes"] <= size]
            for best in (
                max(fit, key=lambda i: found[i]["pick"]),
                min(fit, key=lambda i: found[i]["pick_log_loss"]),
            ):
                budget = min(each for each in budgets if each >= found[best]["bytes"])
                kept[best] = found[best] | {"budget": budget, "kind": "peer"}
    return [kept[i] for i in sorted(kept)]


def _record(given: Draw, candidate: Candidate) -> dict[str, Any]:
    pick, pick_loss = measures(candidate.predict_proba(given.X_pick), given.y_pick)
    test, test_loss = measures(candidate.predict_proba(given.X_test), given.y_test)
    return {
        "model": candidate.model,
        "recipe": candidate.recipe,
        "bytes": int(candidate.nbytes),
        "pick": pick,
        "test": test,
        "pick_log_loss": pick_loss,
        "test_log_loss": test_loss,
        "seconds": candidate.seconds,
    }
