"""`skdistill gate`: fails where a model is over budget or under quality, for CI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from skdistill.cli.console import EXIT_DONE, EXIT_FAILED, Console
from skdistill.cli.errors import InputError, bad_input
from skdistill.cli.extras import require_extras
from skdistill.cli.holdout import scores_of
from skdistill.cli.models import labelled_rows_of, load_model
from skdistill.cli.options import (
    FILE,
    Number,
    budget_options,
    device_option,
    output_options,
    read_limits,
)
from skdistill.model import CompactModel
from skdistill.model_selection.budget import Budget, Device, check_device, measure

_CLASSIFICATION = ("min_accuracy", "min_balanced_accuracy", "max_log_loss")
_REGRESSION = ("min_r2", "max_rmse")


@click.command()
@click.argument("model", type=FILE)
@budget_options(default=None)
@device_option(help_text="Core to compile for; without it, code is estimated.")
@click.option("--rows", type=FILE, metavar="TABLE", help="Rows to score.")
@click.option("--target", metavar="COLUMN", help="Column of their labels or values.")
@click.option("--min-accuracy", type=Number(0, 1), metavar="SHARE")
@click.option("--min-balanced-accuracy", type=Number(0, 1), metavar="SHARE")
@click.option("--max-log-loss", type=Number(0), metavar="LOSS")
@click.option("--min-r2", type=Number(max=1), metavar="R2", help="Of a regression.")
@click.option("--max-rmse", type=Number(0), metavar="ERROR", help="Of a regression.")
@output_options
def gate(
    console: Console,
    model: Path,
    budget: dict[str, Any],
    device: str | None,
    rows: Path | None,
    target: str | None,
    **limits: float | None,
) -> int:
    """Fail where a limit is broken.

    Checks MODEL, a .skd file, against a budget and limits of quality, for continuous integration.
    Exit code 1 where a limit is broken.
    """
    quality = {name: limit for name, limit in limits.items() if limit is not None}
    allowed = read_limits(budget)
    if not budget and not quality:
        raise InputError("nothing to check: pass --budget, or --rows with --min-accuracy")
    if bool(quality) != (rows is not None) or bool(quality) != (target is not None):
        raise InputError("limits of quality need --rows, --target and a limit as --min-accuracy")
    form = Device(device, None, None, "auto")
    compact = load_model(model)
    with bad_input():
        check_device(
            allowed, form, "classification" if compact.classes is not None else "regression"
        )
    names = _REGRESSION if compact.classes is None else _CLASSIFICATION
    foreign = [name for name in quality if name not in names]
    if foreign:
        kind = "numbers" if compact.classes is None else "classes"
        options = ", ".join(f"--{name.replace('_', '-')}" for name in foreign)
        raise InputError(f"the model predicts {kind}: {options} cannot be checked")
    if device is not None:
        require_extras("device")
    checks = _check_budget(console, compact, allowed, form) if budget else []
    if rows is not None and target is not None:
        X, y, _, notes = labelled_rows_of(compact, rows, target)
        for note in notes:
            console.note(note)
        scores = scores_of(compact, X, y, compact.classes)
        checks += [_check_quality(name, limit, scores) for name, limit in quality.items()]
    console.table(
        [model.name, "limit", "measured", "holds"],
        [(each["check"], each["limit"], each["measured"], each["holds"]) for each in checks],
    )
    holds = all(each["holds"] for each in checks)
    console.line("Passed" if holds else "FAILED", "bold green" if holds else "bold red")
    console.json({"passed": holds, "device": device, "checks": checks})
    return EXIT_DONE if holds else EXIT_FAILED


def _check_budget(
    console: Console, model: CompactModel, budget: Budget, form: Device
) -> list[dict[str, Any]]:
    with console.working(f"measuring for {form.target or 'a cortex-m0, by an estimate'}"):
        taken = budget.takes(measure(model, form, budget))
    titles = {
        "flash": "flash, bytes",
        "ram": "RAM, bytes",
        "instructions": "instructions a call",
        "time": f"seconds a call at {budget.clock}",
    }
    return [
        {
            "check": titles[name],
            "limit": limit,
            "measured": taken.get(name),
            "holds": name in taken and taken[name] <= limit,
        }
        for name, limit in budget.limits.items()
    ]


def _check_quality(name: str, limit: float, scores: dict[str, float]) -> dict[str, Any]:
    bound, _, score = name.partition("_")
    measured = scores.get(score)
    if measured is None:
        raise InputError(f"{score} is unknown: the rows have labels that the model does not know")
    holds = measured >= limit if bound == "min" else measured <= limit
    return {
        "check": f"{score.replace('_', ' ')}, {'at least' if bound == 'min' else 'at most'}",
        "limit": limit,
        "measured": measured,
        "holds": holds,
    }
