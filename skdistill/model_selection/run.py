"""A search under way: candidates race from split to split, and the best is fitted again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import joblib
import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from skdistill.model_selection.budget import Budget, Device
from skdistill.model_selection.data import SearchData
from skdistill.model_selection.evaluation import evaluate
from skdistill.model_selection.fit_within import (
    BudgetExceededError,
    FittedCandidate,
    fit_within,
    lowest,
)
from skdistill.model_selection.optimizer import Optimizer
from skdistill.model_selection.out_of_fold import Answers
from skdistill.model_selection.portfolio import Candidate
from skdistill.model_selection.racing import (
    Entry,
    Record,
    competes,
    n_running,
    rank,
    rounds,
)
from skdistill.model_selection.splits import Splits
from skdistill.model_selection.storage import Storage
from skdistill.model_selection.teachers import Labeller
from skdistill.model_selection.training_set import TrainingSet, training_set

_TWINS = 4  # on hard labels, of the best on soft labels
_BATCH = 4  # candidates that an optimiser proposes at a time
_IDLE = 20  # batches without a new candidate, after which there is none left


class NoCandidateError(ValueError):
    """Nothing that a search tried can be used; the message says why."""


class SearchRun(NamedTuple):
    """Everything that a search needs while it runs.

    Attributes
    ----------
    data : SearchData
        All rows.
    splits : Splits
        Which rows are held out.
    labeller : Labeller
        Labels of teachers.
    scorer : callable
        Called as ``scorer(student, X, y)``.
    budget : Budget
        The limits.
    device : Device
        Where models run.
    storage : Storage
        Keeps records.
    seed : int
        Of the students.
    n_jobs : int or None
        Fits that run at a time.
    verbose : int
        Above 0, a progress bar counts the fits.
    """

    data: SearchData
    splits: Splits
    labeller: Labeller
    scorer: Callable[..., float]
    budget: Budget
    device: Device
    storage: Storage
    seed: int
    n_jobs: int | None
    verbose: int

    def race(self, candidates: list[Candidate]) -> list[Entry]:
        """Score the candidates on one split after the other; after each the better half goes on.

        Students on hard labels are scored where they are twins of the best on soft labels.

        Parameters
        ----------
        candidates : list of Candidate
            From `portfolio`. Those on soft labels need `Labeller.label_splits` before.

        Returns
        -------
        entries : list of Entry
            Of those that were tried, in the order in which they were.
        """
        soft = [Entry(each) for each in candidates if not each.is_hard]
        self._race(soft, "students on soft labels")
        hard = twins(soft) or [Entry(each) for each in candidates if each.is_hard]
        self._race(hard, "students on hard labels")
        return soft + hard

    def optimize(
        self, entries: list[Entry], optimizer: Optimizer, seconds: float, time_limit: float
    ) -> list[Entry]:
        """Try what an optimiser proposes, as long as there is time.

        A proposal goes on from split to split while it is among the best two.

        Parameters
        ----------
        entries : list of Entry
            From `race`.
        optimizer : Optimizer
            Without any trial.
        seconds : float
            What the search has taken so far.
        time_limit : float
            Seconds after which nothing more is proposed.

        Returns
        -------
        entries : list of Entry
            Those passed, those proposed, and the hard twin of the best.
        """
        optimizer.add(entries)
        known = {str(each.candidate.params): each for each in entries}
        n_batches = n_idle = 0
        with tqdm(total=time_limit, desc="seconds", disable=self.verbose <= 0) as progress:
            progress.update(min(seconds, time_limit))
            while seconds < time_limit and n_idle < _IDLE:
                started = time.perf_counter()
                asked = [Entry(each) for each in optimizer.ask(_BATCH)]
                new = {str(each.candidate.params): each for each in asked}
                new = {name: each for name, each in new.items() if name not in known}
                for split in range(len(self.splits)):
                    running = [e for e in new.values() if competes(e, known.values(), split)]
                    for _ in self._score(running, [split]):
                        pass
                known |= new
                optimizer.tell([known[str(each.candidate.params)] for each in asked])
                taken = self.storage.seconds(f"batch{n_batches}", started)
                progress.update(min(taken, time_limit - seconds))
                seconds += taken
                n_batches += 1
                n_idle = 0 if new else n_idle + 1
        best = twins(each for each in known.values() if not each.candidate.is_hard)[:1]
        twin = [each for each in best if str(each.candidate.params) not in known]
        self._race(twin, "students on hard labels")
        return [*known.values(), *twin]

    def refit(self, entries: list[Entry]) -> tuple[Entry, FittedCandidate]:
        """Fit the best candidate on all rows; the next one where no size of it fits any more.

        Parameters
        ----------
        entries : list of Entry
            From `race`.

        Returns
        -------
        entry : Entry
            The best.
        fitted : FittedCandidate
            Within the budget.

        Raises
        ------
        NoCandidateError
            If nothing is within the budget; it names the smallest model that was tried.
        """
        exceeding = [
            record["least"] for each in entries for record in each.records if "least" in record
        ]
        for entry in rank(entries):
            try:
                return entry, self.fit(entry)
            except BudgetExceededError as error:
                exceeding.append(error.least)
        if not exceeding:
            reasons = [each["reason"] for entry in entries for each in entry.records]
            raise NoCandidateError(f"all candidates failed; the first by {reasons[0]}")
        raise NoCandidateError(
            f"no candidate is within the budget {self.budget}: the smallest model that was tried "
            f"takes {_in_words(lowest(exceeding))}, and on other rows perhaps a little more; raise "
            "the budget, or allow more families"
        )

    def fit(self, entry: Entry) -> FittedCandidate:
        """Fit a candidate on all rows, within the budget.

        Parameters
        ----------
        entry : Entry
            From `race`.

        Returns
        -------
        fitted : FittedCandidate

        Raises
        ------
        BudgetExceededError
            If no size fits that was tried.
        """
        return fit_within(
            entry.candidate,
            self._training_set(entry.candidate, None),
            self.budget,
            self.device,
            seed=self.seed,
            max_bytes=entry.start,
            grow=True,
        )

    def _race(self, entries: list[Entry], title: str) -> None:
        sizes = n_running(len(entries), len(self.splits))
        with tqdm(total=sum(sizes), desc=title, disable=self.verbose <= 0) as progress:
            for splits in rounds(sizes):
                running = entries if 0 in splits else rank(entries)[: sizes[splits[0]]]
                for _ in self._score(running, splits):
                    progress.update()

    def _score(self, entries: list[Entry], splits: Sequence[int]) -> Iterator[None]:
        """Add a record of each split to each; what is stored is not fitted again."""
        scored: dict[tuple[int, int], tuple[Record, Answers]] = {}
        pending = []
        for split, i in product(splits, range(len(entries))):
            name = _name(entries[i].candidate, split)
            record = self.storage.read(name)
            if record is None:
                pending.append((i, split))
            else:
                scored[i, split] = record, self.storage.read_arrays(name) or {}
                yield
        work = Parallel(n_jobs=self.n_jobs, return_as="generator_unordered")(
            self._tasks(entries, pending)
        )
        for (i, split), (record, answers) in work:
            if record["status"] != "failed":  # by chance, perhaps: tried again
                name = _name(entries[i].candidate, split)
                self.storage.write_arrays(name, answers)  # the record after it: both are there
                self.storage.write(name, record)
            scored[i, split] = record, answers
            yield
        for split, (i, entry) in product(splits, enumerate(entries)):
            record, answers = scored[i, split]
            entry.records.append(record)
            entry.answers.append(answers)

    def _tasks(self, entries: list[Entry], pending: list[tuple[int, int]]) -> Iterator[Any]:
        """Evaluations that are left to do: of entries, by their numbers, on splits."""
        for i, split in pending:
            test = self.splits.test(split)
            held_out = self.data.rows.take(test)
            entry = entries[i]
            candidate, teacher = entry.candidate, None
            if not candidate.is_hard:
                teacher = self.labeller.held_out(candidate.teacher, split)
            yield delayed(_numbered)(
                (i, split),
                candidate,
                self._training_set(candidate, split),
                held_out,
                self.data.y[test],
                teacher,
                self.splits.parts(split, self.seed),
                self.scorer,
                self.budget,
                self.device,
                seed=self.seed,
                max_bytes=entry.start,
            )

    def _training_set(self, candidate: Candidate, split: int | None) -> TrainingSet:
        """What a candidate learns from, on a split or on all rows."""
        train = np.arange(self.data.rows.n_samples)
        if split is not None:
            train = self.splits.train(split)
        if candidate.is_hard:
            return training_set(candidate, self.data, train, None, [])
        response = self.labeller.training(candidate.teacher, split)
        munge = candidate.labels == "munge"
        further = self.labeller.further(candidate.teacher, split, munge)
        return training_set(candidate, self.data, train, response, further)


def twins(entries: Iterable[Entry]) -> list[Entry]:
    """Students on hard labels of the form of the best on soft labels.

    Parameters
    ----------
    entries : iterable of Entry
        On soft labels, scored.

    Returns
    -------
    twins : list of Entry
        At most `_TWINS`, not scored, to start with the bytes of those on soft labels.
    """
    distinct: dict[str, Entry] = {}
    for each in rank(entries):
        twin = each.candidate.hard_twin()
        distinct.setdefault(str(twin.params), Entry(twin, each.start))
    return list(distinct.values())[:_TWINS]


def _name(candidate: Candidate, split: int) -> str:
    return f"student-{joblib.hash(candidate.params)[:16]}-split{split}"


def _in_words(least: dict[str, float]) -> str:
    """The least of each limit, which need not be of one model."""
    texts = {
        "flash": "{:.0f} bytes of flash",
        "ram": "{:.0f} bytes of RAM",
        "instructions": "{:.0f} instructions",
        "time": "{:.3g} seconds",
        "features": "{:.0f} columns",
    }
    words = [text.format(least[name]) for name, text in texts.items() if name in least]
    each = "" if len(words) == 1 else ", each the least of all models"
    return f"{', '.join(words)}{each}"


def _numbered(
    key: tuple[int, int], *arguments: Any, **keywords: Any
) -> tuple[tuple[int, int], tuple[Record, Answers]]:
    """A record and answers, and the numbers of their candidate and their split."""
    return key, evaluate(*arguments, **keywords)
