"""The tables and verdicts of `real_tables.py`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from _common import markdown

# Factor, decimals, heading, and whether more of it is better.
MEASURES = {
    "accuracy": (100, 1, "accuracy, %", True),
    "balanced": (100, 1, "balanced, %", True),
    "auc": (1, 3, "ROC AUC", True),
    "precision": (1, 3, "average precision", True),
    "log_loss": (1, 3, "log loss", False),
}
WAYS = {
    "plain": "nothing",
    "class_weight": 'class_weight="balanced"',
    "class_proportions": 'Munge(class_proportions="balanced")',
    "threshold": "tuned threshold",
}
ENCODINGS = ("ranks", "alphabet", "one-hot")
Record = dict[str, Any]
MODELS = ("hard", "hard, picked", "distilled")
PLAIN = {"way": "plain"}
BASE: dict[str, Record] = {"hard": {"way": "encoding", "encoding": "ranks"}}


def report(results: dict[str, Any]) -> str:
    """All tables and the verdicts."""
    records = results["records"]
    parts = [_students(records), _ways(records), _encodings(records), _parity(results["parity"])]
    parts.append(_changes(records))
    return "\n\n".join([*filter(None, parts), "  \n".join(verdicts(results))])


def summary(results: dict[str, Any]) -> str:
    """What the page on tables shows."""
    records = results["records"]
    parts = [_students(records, ["accuracy", "auc", "log_loss"]), _changes(records)]
    parts.append(_flash(results["parity"]))
    return "\n\n".join([*parts, "  \n".join(verdicts(results))])


def chosen(records: list[Record], **asked: Any) -> list[Record]:
    return [each for each in records if all(each.get(key) == asked[key] for key in asked)]


def mean(records: list[Record], key: str, **asked: Any) -> float:
    """Over the tables, after the draws of each; NaN where there is nothing."""
    mine = [each for each in chosen(records, **asked) if key in each]
    tables = {each["table"] for each in mine}
    means = [np.mean([each[key] for each in mine if each["table"] == t]) for t in sorted(tables)]
    return float(np.mean(means)) if means else np.nan


def tell(key: str, value: float) -> str:
    factor, decimals, *_ = MEASURES[key]
    return "" if np.isnan(value) else f"{factor * value:.{decimals}f}"


def _kinds(records: list[Record], key: str) -> list[str]:
    return list(dict.fromkeys(each[key] for each in records if each.get(key)))


def _students(records: list[Record], keys: list[str] | None = None) -> str:
    """Teacher, hard-label and distilled students of each table."""
    keys = keys or list(MEASURES)
    rows = []
    for table in _kinds(records, "table"):
        which = [("teacher", "")]
        which += [(m, size) for size in _kinds(records, "size") for m in MODELS]
        for model, size in which:
            asked = {"table": table, "model": model, "size": size} | BASE.get(model, PLAIN)
            taken = mean(records, "bytes", **asked)
            cells = [tell(key, mean(records, key, **asked)) for key in keys]
            size_told = "" if np.isnan(taken) else f"{taken:,.0f}"
            rows.append((table, f"{size} {model}".strip(), size_told, *cells))
    return markdown(("table", "model", "bytes", *(MEASURES[key][2] for key in keys)), rows)


def _ways(records: list[Record]) -> str:
    """What is done for a rare class, mean of the sizes."""
    rows = []
    rare = [each for each in records if each["way"] == "class_weight"]
    for table in _kinds(rare, "table"):
        for model in ("hard, picked", "distilled"):
            for way, label in WAYS.items():
                asked = {"table": table, "model": model, "way": way}
                if chosen(records, **asked):
                    cells = [tell(key, mean(records, key, **asked)) for key in MEASURES]
                    rows.append((table, model, label, *cells))
    header = ("table", "labels", "for the rare class", *(each[2] for each in MEASURES.values()))
    return markdown(header, rows) if rows else ""


def _encodings(records: list[Record]) -> str:
    """Ranks, then what the others change."""
    rows, base = [], {"way": "encoding"}
    for table in _kinds(records, "table"):
        for size in _kinds(records, "size"):
            for model in ("hard", "distilled"):
                asked = base | {"table": table, "size": size, "model": model}
                cells = []
                for key in ("accuracy", "log_loss"):
                    factor, decimals, *_ = MEASURES[key]
                    first, *others = (
                        mean(records, key, encoding=encoding, **asked) for encoding in ENCODINGS
                    )
                    cells.append(tell(key, first))
                    cells += [f"{factor * (other - first):+.{decimals}f}" for other in others]
                taken = [mean(records, "bytes", encoding=each, **asked) for each in ENCODINGS]
                cells.append(" / ".join(f"{each:,.0f}" for each in taken))
                rows.append((table, f"{size} {model}", *cells))
    names = ("", "alphabet", "one-hot")
    header = [f"{m}, {name}" if name else m for m in ("accuracy, %", "log loss") for name in names]
    return markdown(("table", "model", *header, "bytes"), rows)


def _parity(runs: list[Record]) -> str:
    """Mismatches of all readings, then what each build takes."""
    if not runs:
        return ""
    builds = list(runs[0]["device"])
    rows = []
    for run in runs:
        wrong = sum(each["mismatches"] for each in run["device"].values())
        costs = [
            f"{each['instructions']:,.0f} / {each['flash']:,}" for each in run["device"].values()
        ]
        onnx = run["onnx"]["strings"], run["onnx"]["indexes"]
        rows.append((run["table"], run["size"], f"{run['rows']:,}", wrong, *onnx, *costs))
    header = ("table", "model", "rows", "wrong on the M0", "ONNX, strings", "ONNX, indexes")
    return markdown((*header, *(f"{build}: instr. / flash" for build in builds)), rows)


def _flash(runs: list[Record]) -> str:
    """Instructions and bytes of labels on the device, for the page."""
    rows = []
    for run in runs:
        if "frame" in run:
            table, code = run["device"]["label, table"], run["device"]["label, code"]
            cells = [f"{each['instructions']:,.0f} / {each['flash']:,}" for each in (table, code)]
            rows.append((run["table"], run["size"], run["bytes"], *cells))
    header = ("table", "distilled model", "bytes", "as tables: instr. / flash", "as code")
    return markdown(header, rows)


def _paired(
    records: list[Record], key: str, base: Record, other: Record, where: Record
) -> list[float]:
    """Differences of `other` from `base`, one for each draw and size."""
    index = lambda each: (each["table"], each["seed"], each["size"])  # noqa: E731
    first = {index(each): each[key] for each in chosen(records, **base, **where) if key in each}
    last = {index(each): each[key] for each in chosen(records, **other, **where) if key in each}
    return [last[at] - first[at] for at in last if at in first]


def _change(changes: list[float], key: str) -> str:
    """Mean, median, and in how many pairs it is a gain."""
    if not changes:
        return ""
    factor, decimals, _, more = MEASURES[key]
    better = sum((each > 0) == more and each != 0 for each in changes)
    mean, median = (
        f"{factor * each:+.{decimals}f}" for each in (np.mean(changes), np.median(changes))
    )
    return f"{mean} ({median}; {better} of {len(changes)})"


def _changes(records: list[Record]) -> str:
    """Paired differences between the ways to train, one pair for each draw and size."""
    keys = ("accuracy", "balanced", "auc", "log_loss")
    rows = []
    for table in _kinds(records, "table"):
        for model, label in (("hard", "of the same size"), ("hard, picked", "picked")):
            hard = {"model": model} | BASE.get(model, PLAIN)
            pair = hard, {"model": "distilled"} | PLAIN, {"table": table}
            cells = [
                "" if key == "balanced" else _change(_paired(records, key, *pair), key)
                for key in keys
            ]
            rows.append((f"{table}: distilled against hard labels {label}", *cells))
    for way in list(WAYS)[1:]:
        pair = {"way": "plain"}, {"way": way}, {"model": "distilled"}
        cells = [_change(_paired(records, key, *pair), key) for key in keys]
        if any(cells):
            rows.append((f"rare classes: {WAYS[way]} against nothing", *cells))
    for encoding in ENCODINGS[1:]:
        both = {"encoding": encoding}, {"encoding": "ranks"}
        cells = [
            _change(_paired_by_model(records, key, *both), key)
            if key in ("accuracy", "log_loss")
            else ""
            for key in keys
        ]
        rows.append((f"ranks against {encoding}", *cells))
    header = ("mean change (median; better in)", *(MEASURES[key][2] for key in keys))
    return markdown(header, rows)


def verdicts(results: dict[str, Any]) -> Iterator[str]:
    """Which draws these are, and whether all implementations agree."""
    records = results["records"]
    draws = {
        table: len({each["seed"] for each in chosen(records, table=table)})
        for table in _kinds(records, "table")
    }
    counts = ", ".join(f"{table} {n}" for table, n in draws.items())
    yield f"Draws: {counts}; at most {results['rows']:,} training rows."
    runs = results["parity"]
    rows = sum(run["rows"] * (len(run["device"]) + len(run["onnx"])) for run in runs)
    wrong = sum(each["mismatches"] for run in runs for each in run["device"].values())
    wrong += sum(sum(run["onnx"].values()) + run.get("frame", 0) for run in runs)
    wrong += sum(each.get("wrong", 0) for each in records)
    holds = "holds" if wrong == 0 else "does not hold"
    yield f"{holds}: {wrong} mismatches in {rows:,} answers to spoiled rows"


def _paired_by_model(records: list[Record], key: str, base: Record, other: Record) -> list[float]:
    found: list[float] = []
    for model in ("hard", "distilled"):
        found += _paired(records, key, base, other, {"way": "encoding", "model": model})
    return found
