"""Threads for compiled loops: who gets them, and that models do not depend on their number."""

from __future__ import annotations

import multiprocessing
import os
import threading
from functools import partial

import numba
import numpy as np
import pytest
from joblib import Parallel, delayed

from skdistill import (
    Munge,
    SoftBoostingClassifier,
    SoftBoostingRegressor,
    SoftTreeClassifier,
    SoftTreeRegressor,
)
from skdistill.compact import evaluate
from skdistill.students.boosting import leaf_sums
from skdistill.students.tree import growth
from skdistill.utils.threads import blocks, even_slices, run_tasks, thread_count


def on_threads(monkeypatch, n_threads):
    """As on a machine of so many cores."""
    monkeypatch.setattr(numba, "get_num_threads", lambda: n_threads)


def test_models_and_answers_are_the_same_bits_on_1_2_and_8_threads(monkeypatch):
    monkeypatch.setattr(growth, "_LARGE", 1 << 15)  # so that few rows are many
    monkeypatch.setattr(growth, "_ROWS", 1 << 10)
    monkeypatch.setattr(leaf_sums, "_MANY", 1 << 14)  # float32, of which another order shows
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 6)).astype(np.float32)
    X[::7, 0] = np.nan
    P = rng.dirichlet(np.ones(3), len(X)) * (1 + (X[:, [1, 2, 3]] > 0))
    P /= P.sum(axis=1, keepdims=True)
    boosting = partial(SoftBoostingClassifier, 3, random_state=0)
    students = [
        (SoftTreeClassifier(max_leaf_nodes=20, min_samples_leaf=5), P),
        (
            SoftTreeRegressor(max_leaf_nodes=20, monotonic_cst=[0, 1, -1, 0, 0, 0]),
            X[:, 1] * X[:, 2],
        ),
        (boosting(), P),
        (boosting(init="linear", subsample=0.7), P),
        (boosting(binning="quantile", n_iter_no_change=2), P[:, 0] > 0.5),
        (SoftBoostingRegressor(3, random_state=0), X[:, 1:3] * X[:, 2:4]),
    ]
    munge = Munge(n_per_sample=1)
    expected = None
    for n_threads in (1, 2, 8):
        on_threads(monkeypatch, n_threads)
        models = [student.fit(X, y).compact_ for student, y in students]
        numbers = [model.scores(X) for model in models]
        numbers += [evaluate.leaves(model, X) for model in models]
        numbers.append(munge.sample(X[:2000], random_state=0))
        expected = expected or (models, numbers)
        assert all(one.equals(other) for one, other in zip(models, expected[0], strict=True))
        for one, other in zip(numbers, expected[1], strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.fixture
def four_threads(monkeypatch):
    on_threads(monkeypatch, 4)


def test_each_task_runs_once_and_on_several_threads(four_threads):
    met, names, lock = threading.Barrier(2, timeout=60), [], threading.Lock()

    def task(number):
        if number < 2:
            met.wait()  # passes only if two threads are here at once
        with lock:
            names.append((number, threading.current_thread().name))

    run_tasks(task, range(20))
    assert sorted(number for number, _ in names) == list(range(20))
    assert 2 <= len({name for _, name in names}) <= 4


def test_one_task_and_serial_tasks_stay_in_the_thread_of_the_caller(four_threads):
    names = []
    for arguments, serial in ((range(1), False), (range(5), True)):
        run_tasks(lambda _: names.append(threading.current_thread()), arguments, serial=serial)
    assert set(names) == {threading.current_thread()}


def test_tasks_of_tasks_have_no_threads_of_their_own(four_threads):
    counts = []

    def outer(_):
        here = threading.current_thread()
        counts.append(thread_count())
        run_tasks(lambda _: counts.append(1 if threading.current_thread() is here else 2), range(3))

    run_tasks(outer, range(8))
    assert set(counts) == {1}
    assert thread_count() == 4


def test_callers_in_several_threads_use_no_more_threads_than_one(four_threads):
    at_work, most, lock = [0], [0], threading.Lock()
    pause = threading.Event()

    def task(_):
        with lock:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        pause.wait(0.002)
        with lock:
            at_work[0] -= 1

    callers = [threading.Thread(target=run_tasks, args=(task, range(30))) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert most[0] <= 4 + 2  # the first may have started its helpers before the others came


def test_an_error_of_a_task_reaches_the_caller_and_leaves_the_threads_usable(four_threads):
    for bad in (0, 7):
        with pytest.raises(ZeroDivisionError):
            run_tasks(lambda number, bad=bad: 1 // (number - bad), range(8))
    assert thread_count() == 4
    done = []
    run_tasks(done.append, range(8))
    assert sorted(done) == list(range(8))


def test_the_caller_does_not_wait_for_helpers_that_others_keep(four_threads):
    run_tasks(lambda _: None, range(4))
    release, done = threading.Event(), []
    busy = threading.Thread(target=run_tasks, args=(lambda _: release.wait(60), range(4)))
    busy.start()
    try:
        run_tasks(done.append, range(10))
    finally:
        release.set()
        busy.join()
    assert sorted(done) == list(range(10))


def fitted(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(40_000, 16)).astype(np.float32)
    return SoftTreeClassifier(max_leaf_nodes=6).fit(X, X[:, 1] > 0).compact_


def _send(queue):
    queue.put(fitted().nbytes)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own(four_threads):
    expected = fitted().nbytes  # the parent's threads have started
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=_send, args=(queue,))
    process.start()
    assert queue.get(timeout=60) == expected
    process.join(60)
    assert process.exitcode == 0


def test_students_in_several_threads_are_those_of_one(four_threads):
    expected = [fitted(seed) for seed in range(4)]
    models = Parallel(n_jobs=4, backend="threading")(delayed(fitted)(seed) for seed in range(4))
    assert all(one.equals(other) for one, other in zip(models, expected, strict=True))


def test_workers_of_joblib_have_one_thread_each_where_they_are_as_many_as_the_cores(monkeypatch):
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)  # joblib would pass it on
    counts = Parallel(n_jobs=os.cpu_count(), backend="loky")(
        delayed(_threads_of_a_worker)() for _ in range(2)
    )
    assert set(counts) == {1}


def _threads_of_a_worker():
    from skdistill.utils.threads import thread_count

    return thread_count()


@pytest.mark.parametrize("n", [0, 1, 5, 6, 7])
def test_slices_cover_all_rows(n, four_threads):
    for slices in (blocks(n, 3), even_slices(n, 3)):
        assert [i for part in slices for i in range(n)[part]] == list(range(n))
        assert all(part.stop - part.start <= 3 for part in slices)
    assert len(even_slices(100, 60)) == 4


def test_a_student_learns_the_same_on_few_rows_at_a_time(monkeypatch):
    """Blocks of rows are where threads divide, and where sums could change."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 5)).astype(np.float32)
    P = rng.dirichlet(np.ones(3), len(X))
    student = SoftBoostingClassifier(3, random_state=0)
    expected = student.fit(X, P).compact_
    monkeypatch.setattr(leaf_sums, "ROWS", 64)
    assert student.fit(X, P).compact_.equals(expected)
