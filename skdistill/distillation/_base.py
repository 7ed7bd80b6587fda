"""What both distillers share: parameters, reading the rows, metadata routing, tags."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn import get_config
from sklearn.base import MetaEstimatorMixin
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils import Tags, get_tags
from sklearn.utils.metadata_routing import UNUSED, MetadataRouter, MethodMapping, process_routing

from skdistill.dataframe import EncodedTable, is_frame, numeric_table
from skdistill.distillation.labelling import LabellingTask, seeded
from skdistill.students._base import CompactMixin
from skdistill.students._validation import check_rows, compared_values, read_rows
from skdistill.teachers import (
    as_ensemble,
    as_teacher,
    is_frozen,
    notes_on_fit,
    refitted,
    teacher_tags,
    without_encoding,
)
from skdistill.transfer import Pool
from skdistill.utils._sklearn_compat import (
    CallbackSupportMixin,
    HasMethods,
    Interval,
    StrOptions,
    visual_steps,
)
from skdistill.utils.jit import compilation_message

_SPARSE = "Sparse data was passed for X, but dense data is required"  # as in scikit-learn
PARAMETERS: dict[str, Any] = {
    "teacher": "no_validation",  # `as_teacher` does it
    "student": [HasMethods(["fit"]), None],
    "alpha": [Interval(Real, 0, 1, closed="both")],
    "cv": [StrOptions({"auto"}), "cv_object"],
    "transfer_set": [StrOptions({"munge"}), HasMethods(["sample"]), None],
    "transfer_weight": [Interval(Real, 0, None, closed="left"), None],
    "memory": [str, HasMethods(["cache"]), None],
    "random_state": ["random_state"],
    "n_jobs": [Integral, None],
    "verbose": ["verbose"],
}


class DistillerMixin(CallbackSupportMixin, MetaEstimatorMixin):
    """Meta-estimator that teaches a student what a teacher knows.

    A class has the parameters above and below, `_teacher_output`, the name of the argument of
    `fit` that stands for the teacher's answers, and `_new_student()`, the student to be cloned.
    """

    _teacher_output: str
    _new_student: Callable[[], Any]
    _passes_weights_on = True  # to a teacher inside; see `fit_with_weights`
    # `groups` are for the splitter, which requests them by itself.
    __metadata_request__fit = {"groups": UNUSED}

    teacher: Any
    student: Any
    alpha: float
    cv: Any
    transfer_set: Any
    transfer_weight: float | None
    memory: Any
    random_state: Any
    n_jobs: int | None
    verbose: int
    student_: Any
    teacher_: Any
    _labelled_teacher: Any

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        """Importances of the student's columns, float64 array of shape (n_features,)."""
        importances: NDArray[np.float64] = self.student_.feature_importances_
        return importances

    def _sk_visual_block_(self) -> Any:
        """Teacher, student and bytes, one after the other, in notebooks."""
        teacher = getattr(self, "teacher_", self.teacher)
        student = self._new_student() if self.student is None else self.student
        steps = [("student: " + type(student).__name__, getattr(self, "student_", student))]
        if teacher is not None:
            shown = teacher if hasattr(teacher, "get_params") else type(teacher).__name__
            steps.insert(0, ("teacher: " + type(teacher).__name__, shown))
        if hasattr(self, "compact_"):
            nbytes = f"{self.compact_.nbytes:,} bytes"
            steps.append((nbytes, nbytes))
        return visual_steps(steps)

    def get_metadata_routing(self) -> MetadataRouter:
        """What is requested of `fit`: by the distiller itself, the teacher and the splitter.

        The distiller uses `sample_weight` for the rows of its student; requests of the student
        do not count, because it learns from other rows as well, all of which have a weight.

        Returns
        -------
        routing : MetadataRouter
            With the children `teacher`, where it will be fitted, and `splitter`. ``cv="auto"``
            requests `groups`, as scikit-learn's splitters by group do.
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        if self.teacher is not None and self.alpha > 0:
            mapping = MethodMapping().add(caller="fit", callee="fit")
            router.add(teacher=as_ensemble(self.teacher), method_mapping=mapping)
        splitter = StratifiedGroupKFold() if isinstance(self.cv, str) else self.cv
        mapping = MethodMapping().add(caller="fit", callee="split")
        return router.add(splitter=splitter, method_mapping=mapping)

    def _route(
        self, sample_weight: Any, groups: Any, fit_params: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Parameters of the teacher's `fit`, and of the splitter's `split`."""
        passed = {"sample_weight": sample_weight, "groups": groups} | fit_params
        passed = {name: value for name, value in passed.items() if value is not None}
        if not get_config()["enable_metadata_routing"]:
            split_params = {"groups": passed.pop("groups")} if "groups" in passed else {}
            return passed, split_params
        try:
            routed = process_routing(self, "fit", **passed)
        except UnsetMetadataPassedError as error:
            if getattr(self, "class_weight", None) is None:
                raise
            raise UnsetMetadataPassedError(
                message=f"class_weight of {type(self).__name__} reaches the teacher as "
                f"sample_weight. {error}",
                unrequested_params=error.unrequested_params,
                routed_params=error.routed_params,
            ) from error
        teacher = routed.get("teacher", {"fit": {}})
        return dict(teacher["fit"]), dict(routed["splitter"]["split"])

    def _read_rows(self, X: Any, student: Any) -> EncodedTable:
        """Validated rows, for the teacher as they are and for the student as numbers.

        Arrays of numbers are cast to what the student compares: the teacher has to see what the
        student sees. Data frames, and arrays with categories, are not.
        """
        if issparse(X):
            return self._read_sparse_rows(X, student)
        return read_training_rows(self, X, _categorical_features(student))

    def _read_sparse_rows(self, X: Any, student: Any) -> EncodedTable:
        """Validated sparse rows, as CSR of float32 numbers; refused where dense ones are needed."""
        if not get_tags(student).input_tags.sparse:
            raise TypeError(
                f"{_SPARSE} by {type(student).__name__}: pass X.toarray(), or a linear student"
            )
        if not self._takes_sparse_rows():
            raise TypeError(
                f"{_SPARSE} by transfer_set={self.transfer_set!r}: set transfer_set=None or "
                "Pool(rows), or pass X.toarray()"
            )
        numbers, _ = check_rows(self, X, allow_nan=True, categorical_features=None, sparse=True)
        # What the student sees, in the type of X: solvers for sparse rows are coarse in float32.
        return numeric_table(numbers.astype(np.result_type(X.dtype, np.float32)))

    def _takes_sparse_rows(self) -> bool:
        """Whether no rows are made of the training rows, which may then be sparse."""
        return self.alpha == 0 or self.transfer_set is None or isinstance(self.transfer_set, Pool)

    def _ready_teacher(self, X: Any, y: Any, *, regression: bool) -> Any:
        """The teacher as an estimator; None where none is needed."""
        if self.teacher is None or self.alpha == 0:
            return None
        teacher = as_teacher(
            self.teacher,
            X,
            y,
            regression=regression,
            response_method=self._response_method(),
        )
        if self.verbose:
            for line in notes_on_fit(self.teacher, teacher, y):
                print(f"teacher: {line}")
        return teacher

    def _require_a_source(self, teacher: Any, y: Any, output: Any) -> None:
        """Refuse to learn from nothing; `output` are the teacher's answers, if they were passed."""
        name = self._teacher_output
        if self.alpha > 0 and teacher is None:
            if output is None:
                raise ValueError(f"teacher=None needs {name}, or alpha=0 for a plain student")
            if self.transfer_set is not None:
                raise ValueError("teacher=None cannot label further rows: set transfer_set=None")
        has_soft_targets = isinstance(teacher, FrozenEstimator) or output is not None
        if y is None and (self.alpha == 0 or not has_soft_targets):
            fitted = ", ".join(dict.fromkeys(type(one).__name__ for one in refitted(self.teacher)))
            remedy = f": wrap the fitted {fitted} in a FrozenEstimator" if fitted else ""
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None; only "
                f"a FrozenEstimator or {name} can teach without it{remedy}"
            )

    def _labelling_task(
        self, student: Any, rng: np.random.RandomState, **data: Any
    ) -> LabellingTask:
        """What the teacher is asked, from the parameters and from the data of `fit`."""
        return LabellingTask(
            **data,
            response_method=self._response_method(),
            hints=getattr(self, "hints", None),
            cv=self.cv,
            transfer_set=self.transfer_set,
            categorical_features=_categorical_features(student),
            memory=self.memory,
            random_state=rng,
            seed_teacher=self.random_state is not None,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        )

    def _fit_student(
        self,
        student: Any,
        rng: np.random.RandomState,
        rows: EncodedTable,
        *arguments: Any,
        **keywords: Any,
    ) -> None:
        # Seeded last: a teacher and its rows are the same for all students of a search.
        if self.random_state is not None:
            student = seeded(student, rng)
        # Students of users do not know tables, and arrays of numbers need none around them.
        reads_tables = isinstance(student, CompactMixin) and rows.values is not rows.native
        X = rows if reads_tables else rows.native
        with compilation_message(self.verbose):
            self.student_ = student.fit(X, *arguments, **keywords)
        self.compact_ = self.student_.compact_

    def _keep_teacher(self, teacher: Any) -> None:
        """Store the fitted teacher; where there is none forget that of an earlier fit."""
        if teacher is not None:
            # What is asked knows the labels; what the user passed may be inside it.
            self._labelled_teacher, self.teacher_ = teacher, without_encoding(teacher)
        elif hasattr(self, "teacher_"):
            del self.teacher_, self._labelled_teacher

    def _further_weights(self, n_further: int, unit: float) -> NDArray[np.float64]:
        """Weights of further rows; their unit is the mean weight of the training rows."""
        if self.transfer_weight is None or n_further == 0:
            return np.full(n_further, unit)
        return np.full(n_further, unit * self.transfer_weight / n_further)

    def _response_method(self) -> str:
        return getattr(self, "response_method", "auto")

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        student = get_tags(self._new_student()).input_tags
        tags.input_tags.allow_nan = student.allow_nan
        # Teachers' tags do not tell whether they read categories: those of Pipelines and of
        # HistGradientBoosting deny it.
        tags.input_tags.categorical = student.categorical
        tags.input_tags.string = student.string
        tags.input_tags.sparse = student.sparse and self._takes_sparse_rows()
        if self.teacher is not None and self.alpha > 0:
            tags.input_tags.allow_nan &= teacher_tags(self.teacher).input_tags.allow_nan
        tags.target_tags.required = not is_frozen(self.teacher)
        return tags


def read_training_rows(estimator: Any, X: Any, categorical_features: Any) -> EncodedTable:
    """Validated dense rows, for a teacher as they are and for students as numbers.

    Parameters
    ----------
    estimator : estimator
        Gets ``n_features_in_`` and ``feature_names_in_``.
    X : data frame or array-like of shape (n_samples, n_features)
        Rows.
    categorical_features : "from_dtype", None or array-like
        Columns that hold categories.

    Returns
    -------
    rows : EncodedTable
        Arrays of numbers are cast to what students compare: a teacher has to see what they see.
    """
    table = read_rows(estimator, X, allow_nan=True, categorical_features=categorical_features)
    numbers = compared_values(table)
    if is_frame(table.native) or table.has_labels.any():
        return table
    return numeric_table(numbers)


def mean_weight(sample_weight: NDArray[np.float64]) -> float:
    """Mean weight of the rows that count.

    Parameters
    ----------
    sample_weight : float64 array of shape (n_samples,)
        Not all 0.

    Returns
    -------
    mean : float
        Of the positive weights.
    """
    return float(sample_weight[sample_weight > 0].mean())


def _categorical_features(student: Any) -> Any:
    return getattr(student, "categorical_features", None)
