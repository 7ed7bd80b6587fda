"""For compression.py: what share of a teacher's lead students keep, in tables and words."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Any

import numpy as np
from _common import markdown
from _problems import PROBLEMS

UNDEFINED = 0.005  # a smaller lead of the teacher gives no share
AIMS = {"letter.p1": 0.97, "letter.p2": 0.97, "covtype": 0.8, "adult": 0.9}


def summary(draws: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Means over the draws of each problem, and the kept share of all of them together."""
    found = {}
    for name in dict.fromkeys(each["problem"] for each in draws):
        mine = [each for each in draws if each["problem"] == name]
        column = {
            who: np.array([each[who]["rmse"] for each in mine])
            for who in ("single", "teacher", "student", "hard")
        }
        lead = column["single"] - column["teacher"]
        kept = {
            who: kept_share(column["single"] - column[who], lead) for who in ("student", "hard")
        }
        found[name] = {
            "draws": len(mine),
            **{who: float(figures.mean()) for who, figures in column.items()},
            "lead": float(lead.mean()),
            "kept": kept["student"],
            "kept_hard": kept["hard"],
            "student_bytes": max(each["student"]["bytes"] for each in mine),
            "smaller": median(each["teacher"]["bytes"] / each["student"]["bytes"] for each in mine),
            "rates": {key: median(each["rates"][key] for each in mine) for key in mine[0]["rates"]},
            "faster": median(
                each["rates"]["student_code"] / each["rates"]["teacher_batch"] for each in mine
            ),
            "faster_one": median(
                each["rates"]["student_code"] / each["rates"]["teacher_one"] for each in mine
            ),
        }
    return found


def kept_share(gained: np.ndarray, lead: np.ndarray) -> list[float] | None:
    """Sum of gains over sum of leads, and the 95 % interval of draws drawn again."""
    if lead.mean() < UNDEFINED:
        return None
    again = np.random.default_rng(0).integers(len(lead), size=(10_000, len(lead)))
    shares = gained[again].sum(axis=1) / lead[again].sum(axis=1)
    return [float(gained.sum() / lead.sum()), *np.percentile(shares, [2.5, 97.5]).tolist()]


def report(results: dict[str, Any]) -> str:
    found = results["summary"]
    return "\n\n".join(
        [
            markdown(
                (
                    "RMSE, mean of the draws",
                    "draws",
                    "best single model",
                    "teacher",
                    "student",
                    "kept",
                    "hard labels, as many bytes",
                    "kept by it",
                ),
                [
                    (
                        name,
                        one["draws"],
                        *(f"{one[who]:.4f}" for who in ("single", "teacher", "student")),
                        _share(one["kept"]),
                        f"{one['hard']:.4f}",
                        _share(one["kept_hard"]),
                    )
                    for name, one in found.items()
                ],
            ),
            markdown(
                (
                    "published 2006",
                    "best net",
                    "ensemble",
                    "compressed net",
                    "kept",
                ),
                list(_published(found)),
            ),
            markdown(
                (
                    "student of 8 KB, for adult of 4",
                    "bytes at most",
                    "times smaller",
                    "rows/s in C, size",
                    "speed",
                    "teacher, 1,000 rows at a time",
                    "one at a time",
                    "speed against 1,000",
                    "against one",
                ),
                [
                    (
                        name,
                        f"{one['student_bytes']:,}",
                        f"{one['smaller']:,.0f}",
                        *(
                            f"{one['rates'][key]:,.0f}"
                            for key in ("student_c", "student_code", "teacher_batch", "teacher_one")
                        ),
                        f"{one['faster']:,.0f}",
                        f"{one['faster_one']:,.0f}",
                    )
                    for name, one in found.items()
                ],
            ),
            "  \n".join(verdicts(found)),
        ]
    )


def _share(kept: list[float] | None) -> str:
    return "undefined" if kept is None else "{:.2f} ({:.2f} to {:.2f})".format(*kept)


def _published(found: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name in found:
        if name in PROBLEMS:
            single, ensemble, compressed = PROBLEMS[name].published
            kept = (single - compressed) / (single - ensemble)
            figures = (f"{figure:.3f}" for figure in (single, ensemble, compressed))
            yield name, *figures, f"{kept:.2f}"


def verdicts(found: dict[str, Any]) -> Iterator[str]:
    for name, aim in AIMS.items():
        if name not in found:
            continue
        one = found[name]
        if one["kept"] is None:
            yield (
                f"undefined: on {name} the teacher leads the best single model by "
                f"{one['lead']:.4f}, less than {UNDEFINED}; the student by "
                f"{one['single'] - one['student']:+.4f}"
            )
        else:
            holds = "holds" if one["kept"][0] >= aim else "does not hold"
            yield f"{holds}: {name} keeps {one['kept'][0]:.2f} (aim: {aim})"
    # One row at a time is how a device asks.
    for key, told in (("smaller", "smaller than the teacher's pickle"), ("faster_one", "as fast")):
        worst = min(found, key=lambda name: found[name][key])
        holds = "holds" if found[worst][key] >= 1000 else "does not hold"
        yield f"{holds}: at least {found[worst][key]:,.0f} times {told} ({worst}; aim: 1,000)"
