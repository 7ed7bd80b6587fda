"""Further candidates, proposed by Optuna from what was scored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skdistill.model_selection.portfolio import Candidate
from skdistill.model_selection.racing import Entry

_BITS = (3, 4, 6, 8)
_TREES = {
    "max_leaf_nodes": (4, 8, 16, 32),
    "value_bits": ("ternary", *_BITS),
    "threshold_bits": (4, 6, 8),
    "binning": ("uniform", "quantile"),
    "learning_rate": (0.05, 0.1, 0.2, 0.3, 0.5),
    "refit_l2_regularization": (1e-5, 1e-4, 1e-3, 1e-2),
    "init": (None, "linear"),
    "linear_bits": _BITS,
}
# Values that are tried, by family and parameter of the student.
SPACES: dict[str, dict[str, tuple[Any, ...]]] = {
    "tree": {
        "min_samples_leaf": (1, 2, 5, 10, 20),
        "threshold_bits": (4, 6, 8),
        "value_bits": ("ternary", *_BITS),
    },
    "boosted": _TREES,
    "linear": {"l2_regularization": (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)},
    "net": {
        "n_hidden_layers": (1, 2),
        "weight_bits": ("ternary", *_BITS),
        "output_bits": _BITS,
        "learning_rate_init": (0.003, 0.01, 0.03),
        "l2_regularization": ("auto", 0.0, 1e-4, 1e-3),
    },
    "pruned": _TREES,
}
_TAUGHT: dict[str, tuple[Any, ...]] = {
    "labels": ("hard", "soft", "munge"),
    "alpha": (0.2, 0.5, 0.8, 1.0),
    "calibrated": (False, True),
}


@dataclass(frozen=True)
class SearchSpace:
    """What an optimiser may propose.

    Parameters
    ----------
    families : tuple of str
        Families of students.
    n_teachers : int
        Teachers that they learn from.
    is_classification : bool
        Whether there are probabilities to be calibrated.
    """

    families: tuple[str, ...]
    n_teachers: int
    is_classification: bool

    @property
    def choices(self) -> dict[str, tuple[Any, ...]]:
        """Values of what all families share."""
        taught = {
            name: values
            for name, values in _TAUGHT.items()
            if self.is_classification or name != "calibrated"
        }
        return {"family": self.families, "teacher": tuple(range(self.n_teachers)), **taught}


class Optimizer:
    """Proposes candidates by a tree-structured Parzen estimator.

    A proposal depends on the seed and on the scores before, so that the same scores lead to the
    same proposals.

    Parameters
    ----------
    space : SearchSpace
        What it may propose.
    seed : int
        Of its random numbers.
    journal : Path or None, default=None
        Where Optuna writes its journal, anew. None writes none.

    Raises
    ------
    ImportError
        Without Optuna.

    References
    ----------
    Bergstra, Bardenet, Bengio & Kégl 2011, "Algorithms for hyper-parameter optimization", NeurIPS
    24, section 4.
    """

    def __init__(self, space: SearchSpace, seed: int, journal: Path | None = None) -> None:
        optuna = import_optuna()
        self._optuna, self._space = optuna, space
        storage = None
        if journal is not None:
            journal.unlink(missing_ok=True)  # an interrupted search asks and tells everything again
            lock = optuna.storages.journal.JournalFileOpenLock(str(journal))
            Path(f"{journal}.lock").unlink(missing_ok=True)
            backend = optuna.storages.journal.JournalFileBackend(str(journal), lock_obj=lock)
            storage = optuna.storages.JournalStorage(backend)
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            self._study = optuna.create_study(
                storage=storage,
                sampler=optuna.samplers.TPESampler(seed=seed % 2**32),
                direction="maximize",
                study_name="budget-search",
            )
        finally:
            optuna.logging.set_verbosity(verbosity)
        self._asked: dict[int, Any] = {}

    def add(self, entries: Iterable[Entry]) -> None:
        """Learn from candidates that it did not propose.

        Parameters
        ----------
        entries : iterable of Entry
            Scored.
        """
        for entry in entries:
            if not entry.fits:
                continue
            params, values = {}, self._choices(entry.candidate.family)
            for name, value in _flat(entry.candidate).items():
                if name in values and value in values[name]:
                    params[name] = value
            self._study.add_trial(
                self._optuna.trial.create_trial(
                    params=params,
                    distributions={
                        name: self._optuna.distributions.CategoricalDistribution(values[name])
                        for name in params
                    },
                    value=entry.mean_score,
                )
            )

    def ask(self, n_candidates: int) -> list[Candidate]:
        """Propose candidates.

        Parameters
        ----------
        n_candidates : int
            How many.

        Returns
        -------
        candidates : list of Candidate
            Of these, `tell` expects the scores.
        """
        return [self._propose() for _ in range(n_candidates)]

    def tell(self, entries: Sequence[Entry]) -> None:
        """Learn what the proposals scored.

        Parameters
        ----------
        entries : sequence of Entry
            Of all candidates that were asked for last, in their order.
        """
        trials = list(self._asked.values())
        self._asked = {}
        for trial, entry in zip(trials, entries, strict=True):
            if entry.fits:
                self._study.tell(trial, entry.mean_score)
            else:
                self._study.tell(trial, state=self._optuna.trial.TrialState.PRUNED)

    def _propose(self) -> Candidate:
        trial = self._study.ask()
        self._asked[trial.number] = trial
        shared = {
            name: trial.suggest_categorical(name, values)
            for name, values in self._space.choices.items()
            if len(values) > 1
        }
        family = shared.get("family", self._space.families[0])
        settings = {
            name: trial.suggest_categorical(f"{family} {name}", values)
            for name, values in SPACES[family].items()
        }
        if settings.get("init", "linear") is None:
            del settings["linear_bits"]
        candidate = Candidate(
            family,
            shared["labels"],
            settings,
            shared["alpha"],
            shared.get("calibrated", False),
            shared.get("teacher", 0),
        )
        return candidate.hard_twin() if candidate.is_hard else candidate

    def _choices(self, family: str) -> dict[str, tuple[Any, ...]]:
        own = {f"{family} {name}": values for name, values in SPACES[family].items()}
        return {name: v for name, v in self._space.choices.items() if len(v) > 1} | own


def _flat(candidate: Candidate) -> dict[str, Any]:
    """Parameters of a candidate, as they are proposed."""
    params = candidate.params
    settings = params.pop("settings")
    return params | {f"{candidate.family} {name}": value for name, value in settings.items()}


def import_optuna() -> Any:
    """Import Optuna.

    Returns
    -------
    optuna : module

    Raises
    ------
    ImportError
        If it is not installed; names the extra.
    """
    try:
        import optuna
    except ImportError as error:
        raise ImportError(
            "time_limit needs Optuna: pip install 'skdistill[search]', or time_limit=None"
        ) from error
    return optuna
