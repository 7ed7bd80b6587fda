"""The best student within a budget."""

from __future__ import annotations

import time
from numbers import Integral, Real
from os import PathLike
from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state

import skdistill
from skdistill.model_selection.best_model import BestModelMixin
from skdistill.model_selection.budget import Device, check_device, parse_budget
from skdistill.model_selection.data import SearchData, check_whole_rows, read_data
from skdistill.model_selection.gate import gain_of
from skdistill.model_selection.optimizer import Optimizer, SearchSpace
from skdistill.model_selection.out_of_fold import out_of_fold
from skdistill.model_selection.portfolio import FAMILIES, Candidate, check_families, portfolio
from skdistill.model_selection.results import make_results
from skdistill.model_selection.run import SearchRun
from skdistill.model_selection.splits import make_splits
from skdistill.model_selection.storage import Storage
from skdistill.model_selection.teachers import Labeller, make_teachers, with_classes_of
from skdistill.students import SoftTreeClassifier, SoftTreeRegressor
from skdistill.utils._sklearn_compat import (
    CallbackSupportMixin,
    FitTasks,
    HasMethods,
    Interval,
    StrOptions,
    _fit_context,
    with_callbacks,
)


class BudgetSearchCV(BestModelMixin, CallbackSupportMixin, MetaEstimatorMixin, BaseEstimator):
    """Search the best student within a budget of flash, memory and time.

    Students of several families are made as large as the budget allows, on the soft labels of a
    teacher and on the hard labels alone. The one that scores best in cross-validation is fitted
    again, on all rows, and checked against the budget once more. It is
    `best_estimator_`; all predictions and exports are those of its integer model.

    Parameters
    ----------
    teacher : estimator or other teacher, list of these, or None, default=None
        What students learn from, as in `DistilledClassifier`. Each of a list is a teacher of its
        own, and every student is tried with each. None is a committee of extremely randomized
        trees, two gradient boosters, of LightGBM where it is installed, and scikit-learn's
        neural network, weighed by their out-of-fold predictions.
    budget : int, str or dict, default="4KB"
        Bytes of flash, as "4KB" (1 KB is 1,024 B). Or a dict with some of these limits: "flash"
        and "ram" (stack included) in bytes, "instructions" and "time", as "2ms@48MHz", both of
        which no input exceeds, and "features", the number of columns that are read. No limit
        is exceeded.
    task : {"classification", "regression"}, default="classification"
        What is predicted.
    target : str or None, default=None
        Device, one of `skdistill.device.cores.TARGETS`. Flash is then what the compiler makes of
        the model, which needs the extra "device". None takes the bytes of the tables and an
        estimate of the code, see Notes; bounds are then those of a Cortex-M0.
    input_dtype : str, default="float32"
        Type of the inputs, as in `to_c`. An integer type needs whole numbers in `X`. "float32"
        stands for the type that a model declares, which is int32 for trees on an int32 `X`.
    output : str, default="label"
        What the exported model answers, as in `to_c`. "label" stands for "scores" in a regression.
    layout : {"auto", "table", "code"}, default="auto"
        As in `to_c`. "auto" is "table", and "code" where a `target` is named and only that is
        within the budget.
    families : "auto" or list of str, default="auto"
        Some of "tree", "boosted", "linear", "net" and "pruned"; "auto" are all. Pruned ensembles
        are for classes, and for columns of numbers only.
    scoring : str, callable or None, default=None
        What is compared, as in scikit-learn's searches. None is the accuracy, or R².
    cv : "auto", int, splitter or iterable of splits, default="auto"
        How rows are held out to score students. "auto" is five shuffled folds up to 10,000 rows,
        above a fifth of the rows; stratified for classes, and by group where there are `groups`.
    time_limit : float or None, default=None
        Seconds, apart from the last fit on all rows. The portfolio is tried in any case. In the
        time that is left Optuna proposes further candidates, which needs the extra "search". None
        tries the portfolio alone.
    storage : str, path-like or None, default=None
        A folder for the results. A search that was interrupted, in whatever way, goes on from it
        when the same call is made again, and ends as an undisturbed one. With a larger `time_limit`
        it goes on from where it ended. Optuna's journal is there, too.
    memory : str, joblib.Memory or None, default=None
        Caches the fits of teachers, for searches over the same rows with other budgets.
    random_state : int, RandomState instance or None, default=None
        Seeds the splits, teachers without a seed, synthetic rows and students.
    n_jobs : int or None, default=None
        Number of fits that run in parallel.
    verbose : int, default=0
        Above 0, progress bars tell what is done and the time left.

    Attributes
    ----------
    best_estimator_ : fitted student
        The best student, fitted on all rows. It holds no teacher.
    best_index_ : int
        Its number in `cv_results_`. It has the best score, unless its refit on all rows exceeded
        the budget.
    best_params_ : dict
        Its family, labels and parameters.
    best_score_ : float
        Its mean score on held-out rows.
    compact_ : CompactModel
        Its integer model.
    footprint_ : Footprint
        What it takes: `flash`, `ram`, `instructions`, `features`; its `profile` tells more.
    cv_results_ : dict of str to array or list
        A row for each candidate, with the names of scikit-learn's searches. `status` is "fits",
        "dropped" after `n_splits` splits, "too large" or "failed".
    pareto_ : pandas.DataFrame
        Candidates within the budget, the best first.
    distillation_gain_ : DistillationGain
        What soft labels score above hard ones: `difference`, paired `interval` and `sentence`.
        Where the difference is not above 0, a student on hard labels is returned.
    out_of_fold_ : Predictions
        Of the best student, the teacher and the best student on hard labels, for held-out rows.
    out_of_fold_rows_ : int array of shape (n_held_out,)
        Which rows these are.
    classes_ : array of shape (n_classes,)
        Sorted labels; of a classification only.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : array of shape (n_features_in_,)
        Column names; only where all of them are strings.

    See Also
    --------
    best_under : Picks within a budget for scikit-learn's searches.
    DistilledClassifier : Distils into a student that one has chosen.

    Notes
    -----
    The estimate of code is the most that clang made, at ``-Os`` for a Cortex-M0, of models of up
    to 3.5 KB, as `to_c` exports them with ``optimize="size"``: 230 bytes for a single tree, 380 for
    several, 290 for a linear part, 470 for a net, and 60 more for one that reads at most 7 columns.
    Trees of whole thresholds that read floats take 170 more; columns of categories 120 to 250 more;
    scores of a single tree 70 more; values and probabilities 400 more. On integers, see
    `input_dtype`, a net takes 430, trees 230, categories 20 to 80 more. The compiler's routines for
    floats, 0.6 to 0.8 KB on a core that has none, are not in it. With a `target` they are.

    In each split a teacher labels the training rows out of fold, by three folds of their own, and a
    teacher of all training rows labels everything else: four fits a split, which all students
    share. Labels that all splits share would take fewer fits, but they know the rows held out.

    After each split the better half of the candidates goes on, two at the least. Students on hard
    labels are tried in the form of the four best on soft labels, and race among themselves.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdistill.model_selection import BudgetSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = BudgetSearchCV(LogisticRegression(), "300B", families=["tree"], random_state=0)
    >>> search = search.fit(X, y)
    >>> search.predict(X[::50]).tolist(), search.footprint_.flash <= 300
    ([0, 1, 2], True)
    """

    _parameter_constraints: dict[str, Any] = {
        "teacher": "no_validation",  # `as_teacher` does it
        "budget": "no_validation",  # `parse_budget` does it
        "task": [StrOptions({"classification", "regression"})],
        "target": [str, None],
        "input_dtype": [str],
        "output": [str],
        "layout": [StrOptions({"auto", "table", "code"})],
        "families": [StrOptions({"auto"}), list, tuple],
        "scoring": [str, callable, None],
        "cv": [StrOptions({"auto"}), "cv_object"],
        "time_limit": [Interval(Real, 0, None, closed="neither"), None],
        "storage": [str, PathLike, None],
        "memory": [str, HasMethods(["cache"]), None],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        teacher: Any = None,
        budget: Any = "4KB",
        *,
        task: str = "classification",
        target: str | None = None,
        input_dtype: str = "float32",
        output: str = "label",
        layout: str = "auto",
        families: Any = "auto",
        scoring: Any = None,
        cv: Any = "auto",
        time_limit: float | None = None,
        storage: str | PathLike[str] | None = None,
        memory: Any = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.teacher = teacher
        self.budget = budget
        self.task = task
        self.target = target
        self.input_dtype = input_dtype
        self.output = output
        self.layout = layout
        self.families = families
        self.scoring = scoring
        self.cv = cv
        self.time_limit = time_limit
        self.storage = storage
        self.memory = memory
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_unlabeled: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> BudgetSearchCV:
        """Search, and fit the best student on all rows.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            Numbers, NaN where a value is missing. A data frame may hold categories.
        y : array-like of shape (n_samples,), or (n_samples, n_outputs) for a regression
            Labels or values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows for teachers and students. Scores are without weights.
        X_unlabeled : data frame or array-like of shape (n_rows, n_features), default=None
            Further rows, which the teacher labels.
        groups : array-like of shape (n_samples,), default=None
            Group of each row, for `cv`.

        Returns
        -------
        self : BudgetSearchCV
            The fitted search.

        Raises
        ------
        ImportError
            With a `target`, without the extra "device"; with a `time_limit`, without the extra
            "search".
        ValueError
            If parameters or data are out of range, and if no candidate is within the budget: then
            the smallest model that was tried is named.
        """
        started = time.perf_counter()
        run = self._begin(X, y, sample_weight, X_unlabeled, groups)
        candidates, optimizer = self._candidates(run), self._optimizer(run)
        tasks = FitTasks(self, 3)
        with tasks.task("label the rows"):
            if optimizer is not None or not all(each.is_hard for each in candidates):
                munge = optimizer is not None or any(each.labels == "munge" for each in candidates)
                run.labeller.label_splits(munge)
        with tasks.task("score the students"):
            entries = run.race(candidates)
            if optimizer is not None and self.time_limit is not None:
                seconds = run.storage.seconds("portfolio", started)
                entries = run.optimize(entries, optimizer, seconds, self.time_limit)
        self.cv_results_ = make_results(entries, len(run.splits))
        with tasks.task("fit the best student"):
            best, fitted = run.refit(entries)
        self.out_of_fold_rows_, self.out_of_fold_ = out_of_fold(
            run.data, run.splits.test, run.labeller.held_out, best, entries
        )
        self.best_index_ = entries.index(best)
        self.best_params_ = self.cv_results_["params"][self.best_index_]
        self.best_score_ = best.mean_score
        self.distillation_gain_ = gain_of(entries, run.splits.overlap)
        self.best_estimator_, self.footprint_ = fitted.student, fitted.footprint
        self.compact_ = self.best_estimator_.compact_
        if run.data.classes is not None:
            self.classes_ = run.data.classes
        elif hasattr(self, "classes_"):  # the task was another one
            del self.classes_
        tasks.end()
        return self

    def _begin(
        self, X: Any, y: Any, sample_weight: Any, X_unlabeled: Any, groups: Any
    ) -> SearchRun:
        """Validate everything; nothing is fitted yet."""
        budget = parse_budget(self.budget)
        output = None if self.output == "label" else self.output
        input_dtype = None if self.input_dtype == "float32" else self.input_dtype
        device = Device(self.target, input_dtype, output, self.layout)
        check_device(budget, device, self.task)
        check_families(self.families)
        data = read_data(self, X, y, sample_weight, X_unlabeled)
        if input_dtype not in (None, "codes"):
            check_whole_rows(data.rows, input_dtype, "X")
            if data.unlabeled is not None:
                check_whole_rows(data.unlabeled, input_dtype, "X_unlabeled")
        teachers = make_teachers(self.teacher, data)
        data = with_classes_of(teachers, data)
        random_state = None if self.random_state is None else _seed(self.random_state)
        storage = Storage(self.storage, self._call(random_state, teachers, data, groups))
        seed = _stored_seed(storage, random_state)
        splits = make_splits(
            self.cv,
            data.rows.native,
            data.y,
            groups,
            data.weight,
            classifier=data.classes is not None,
            seed=seed,
        )
        labeller = Labeller(
            teachers,
            data,
            splits,
            storage,
            memory=self.memory,
            seed=seed,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        )
        self.scorer_ = self._scorer()
        return SearchRun(
            data,
            splits,
            labeller,
            self.scorer_,
            budget,
            device,
            storage,
            seed,
            self.n_jobs,
            self.verbose,
        )

    def _candidates(self, run: SearchRun) -> list[Candidate]:
        """The portfolio for the data."""
        classes = run.data.classes
        return portfolio(
            check_families(self.families),
            n_classes=None if classes is None else len(classes),
            has_categories=bool(run.data.rows.has_labels.any()),
            n_teachers=run.labeller.n_teachers,
            n_samples=run.data.rows.n_samples,
            flash=run.budget.flash,
        )

    def _optimizer(self, run: SearchRun) -> Optimizer | None:
        """What proposes candidates after those of the portfolio."""
        if self.time_limit is None:
            return None
        families = {each.family for each in self._candidates(run)}
        return Optimizer(
            SearchSpace(
                tuple(each for each in FAMILIES if each in families),
                run.labeller.n_teachers,
                run.data.classes is not None,
            ),
            run.seed,
            run.storage.path("optuna.journal"),
        )

    def _scorer(self) -> Any:
        student = SoftTreeClassifier() if self.task == "classification" else SoftTreeRegressor()
        return check_scoring(student, self.scoring)

    def _call(
        self, random_state: int | None, teachers: list[Any], data: SearchData, groups: Any
    ) -> dict[str, Any]:
        """What makes two calls the same."""
        ignored = {"storage", "memory", "n_jobs", "verbose", "random_state", "time_limit"}
        parameters = self.get_params(deep=False)
        call = {name: value for name, value in parameters.items() if name not in ignored}
        # Teachers as they are loaded: the path of a file stays when its model is replaced.
        call |= {"teacher": teachers, "data": data, "groups": groups, "seed": random_state}
        return call | {"version": skdistill.__version__}


def _seed(random_state: Any) -> int:
    return int(check_random_state(random_state).randint(2**31 - 1))


def _stored_seed(storage: Storage, seed: int | None) -> int:
    """The seed; without one, that of the call that goes on."""
    if seed is not None:
        return seed
    stored = storage.read("seed")
    if stored is None:
        stored = {"seed": _seed(None)}
        storage.write("seed", stored)
    return int(stored["seed"])
