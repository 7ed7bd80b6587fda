"""A search under way: candidates are evaluated split by split, ranked, and the best refitted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import joblib
import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from skdistill.model_selection.budget import Budget, Device
from skdistill.model_selection.data import SearchData
from skdistill.model_selection.evaluation import (
    BudgetExceededError,
    FittedCandidate,
    TrainingSet,
    evaluate,
    fit_within,
    training_set,
)
from skdistill.model_selection.portfolio import Candidate
from skdistill.model_selection.results import Record, scores_of
from skdistill.model_selection.splits import Splits
from skdistill.model_selection.storage import Storage
from skdistill.model_selection.teachers import Labeller

_TWINS = 3  # of a hold-out: only twins of so many of the best students on soft labels are fitted


class SearchRun(NamedTuple):
    """Everything that a search needs while it runs.

    Attributes
    ----------
    data : SearchData
        All rows.
    splits : Splits
        Which rows are held out.
    labeller : Labeller
        What teachers say.
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

    def evaluate_all(
        self, candidates: list[Candidate]
    ) -> tuple[list[Candidate], list[list[Record]]]:
        """Evaluate the candidates on all splits.

        With several splits these are all. With a hold-out, students on hard labels are fitted
        for the best three on soft labels only.

        Parameters
        ----------
        candidates : list of Candidate
            From `portfolio`.

        Returns
        -------
        evaluated : list of Candidate
            Those that were tried.
        records : list of lists of dict
            For each of them one for each split.
        """
        soft = [each for each in candidates if not each.is_hard]
        hard = [each for each in candidates if each.is_hard]
        if soft:
            self.labeller.label_splits(munge=any(each.labels == "munge" for each in soft))
        if len(self.splits) > 1 or not soft:
            return candidates, self._evaluate(candidates)
        records = self._evaluate(soft)
        twins: list[Candidate] = []
        for i in rank(soft, records):
            if soft[i].hard_twin() not in twins and len(twins) < _TWINS:
                twins.append(soft[i].hard_twin())
        twins = twins or hard
        return soft + twins, records + self._evaluate(twins)

    def refit(
        self, candidates: list[Candidate], records: list[list[Record]]
    ) -> tuple[int, FittedCandidate]:
        """Fit the best candidate on all rows; the next one where no size of it fits any more.

        Parameters
        ----------
        candidates, records
            From `evaluate_all`.

        Returns
        -------
        index : int
            Which candidate it is.
        fitted : FittedCandidate
            Within the budget.

        Raises
        ------
        ValueError
            If nothing is within the budget; it names the smallest model that was found.
        """
        smallest = [
            record["smallest"] for each in records for record in each if "smallest" in record
        ]
        for i in rank(candidates, records):
            training = self._training_set(candidates[i], None)
            start = records[i][0]["max_bytes"]
            try:
                fitted = fit_within(
                    candidates[i],
                    training,
                    self.budget,
                    self.device,
                    seed=self.seed,
                    max_bytes=start,
                )
            except BudgetExceededError as error:
                smallest.append(error.smallest)
                continue
            return i, fitted
        if not smallest:
            raise ValueError(
                "all candidates failed: the warnings above say why; check scoring and families"
            )
        raise ValueError(
            f"no candidate is within the budget {self.budget}: the smallest model found takes "
            f"{min(smallest)} bytes of flash; raise the budget, or allow more families"
        )

    def _evaluate(self, candidates: list[Candidate]) -> list[list[Record]]:
        """A record of each candidate on each split; what is stored is not fitted again."""
        records: dict[tuple[int, int], Record] = {}
        total = len(candidates) * len(self.splits)
        with tqdm(total=total, desc="students", disable=self.verbose <= 0) as progress:
            for k in range(len(self.splits)):
                pending = []
                for i, candidate in enumerate(candidates):
                    record = self.storage.read(_name(candidate, k))
                    if record is None and k > 0 and records[i, 0]["status"] != "fits":
                        record = records[i, 0]
                    if record is None:
                        pending.append(i)
                    else:
                        records[i, k] = record
                        progress.update()
                starts = {i: records[i, 0]["max_bytes"] if k > 0 else None for i in pending}
                work = Parallel(n_jobs=self.n_jobs, return_as="generator_unordered")(
                    self._tasks(candidates, pending, k, starts)
                )
                for i, record in work:
                    if record["status"] != "failed":  # by chance, perhaps: tried again
                        self.storage.write(_name(candidates[i], k), record)
                    records[i, k] = record
                    progress.update()
        return [[records[i, k] for k in range(len(self.splits))] for i in range(len(candidates))]

    def _tasks(
        self,
        candidates: list[Candidate],
        pending: list[int],
        split: int,
        starts: dict[int, int | None],
    ) -> Iterator[Any]:
        """Evaluations that are left to do on a split."""
        test = self.splits.test(split)
        held_out = self.data.rows.take(test)
        for i in pending:
            candidate = candidates[i]
            teacher = None
            if not candidate.is_hard:
                teacher = self.labeller.held_out(candidate.teacher, split)
            yield delayed(_numbered)(
                i,
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
                max_bytes=starts[i],
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


def rank(candidates: list[Candidate], records: list[list[Record]]) -> list[int]:
    """Candidates within the budget on all splits, the best first.

    Parameters
    ----------
    candidates : list of Candidate
        What was tried.
    records : list of lists of dict
        For each of them one for each split.

    Returns
    -------
    order : list of int
        By mean score; of equal ones those on hard labels first, then the smaller ones.
    """
    means = [float(scores_of(each).mean()) for each in records]
    fits = [i for i, mean in enumerate(means) if np.isfinite(mean)]

    def key(i: int) -> tuple[float, bool, float]:
        sizes = [record["flash"] for record in records[i]]
        return -means[i], not candidates[i].is_hard, float(np.mean(sizes))

    return sorted(fits, key=key)


def _name(candidate: Candidate, split: int) -> str:
    return f"student-{joblib.hash(candidate.params)[:16]}-split{split}"


def _numbered(i: int, *arguments: Any, **keywords: Any) -> tuple[int, Record]:
    """A record, and the number of its candidate."""
    return i, evaluate(*arguments, **keywords)
