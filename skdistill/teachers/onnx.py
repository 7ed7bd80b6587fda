"""An ONNX file as a teacher, run by ONNX Runtime."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from skdistill.dataframe import take_rows
from skdistill.teachers._prefit import PrefitTeacherMixin

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(int16)": np.int16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}
FLOATS = ("tensor(float)", "tensor(double)", "tensor(float16)")
USUAL_NAMES = {"predict_proba": ("prob",), "decision_function": ("score", "margin", "logit")}


class OnnxTeacher(PrefitTeacherMixin, BaseEstimator):
    """An ONNX file of any framework as a teacher; needs the extra `onnx`.

    One input takes all columns, in its own type. Several take the columns that have their
    names, or, where `X` has no such names, as many columns as they are wide, in order.

    Parameters
    ----------
    path : str or path-like
        The file, read once by `fit`; copies and pickles carry what it held. Weights must
        lie in it, not beside it.
    classes : array-like of shape (K,), default=None
        Labels in the order of the columns. None are the keys of a graph with a zipmap,
        else the sorted classes of `y`, or 0, 1, … without `y`.
    output : str, default=None
        Name of the output to read. None takes the only output that is a zipmap or a table
        of floats; of several the one with "prob" in its name ("score", "margin" or
        "logit" for margins).
    response_method : {"predict_proba", "decision_function"}, default="predict_proba"
        What the output holds: probabilities, or margins, of which the softmax is taken (of
        one column the sigmoid).

    Attributes
    ----------
    classes_ : array of shape (K,), or None where values are predicted
    content_ : bytes
        What the file holds.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skl2onnx import to_onnx
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdistill import DistilledClassifier, OnnxTeacher
    >>> X, y = load_iris(return_X_y=True)
    >>> model = to_onnx(LogisticRegression(max_iter=500).fit(X, y), X[:1].astype(np.float32))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "big.onnx"
    ...     _ = path.write_bytes(model.SerializeToString())
    ...     distilled = DistilledClassifier(OnnxTeacher(path), random_state=0).fit(X)
    >>> distilled.predict(X[::50]).tolist()
    [0, 1, 2]
    """

    def __init__(
        self,
        path: str | PathLike[str],
        classes: ArrayLike | None = None,
        *,
        output: str | None = None,
        response_method: str = "predict_proba",
    ) -> None:
        self.path = path
        self.classes = classes
        self.output = output
        self.response_method = response_method

    def _open(self) -> None:
        self.content_ = Path(self.path).read_bytes()
        self._session = None
        self._running()

    def _running(self) -> Any:
        """The session; made anew after unpickling."""
        if getattr(self, "_session", None) is None:
            try:
                import onnxruntime
            except ImportError as error:
                raise ImportError(
                    "OnnxTeacher needs onnxruntime: pip install 'skdistill[onnx]'"
                ) from error
            try:
                self._session = onnxruntime.InferenceSession(
                    self.content_, providers=["CPUExecutionProvider"]
                )
            except Exception as error:
                raise ValueError(
                    f"path={str(self.path)!r} holds no model that ONNX Runtime can run: {error}"
                ) from error
        return self._session

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__().copy()
        state.pop("_session", None)  # cannot be pickled
        return state

    def _title(self) -> str:
        return f"the teacher {Path(self.path).name}"

    def _respond(self, X: Any) -> Any:
        session = self._running()
        output = self._chosen_output(session)
        (answer,) = session.run([output.name], self._feed(session.get_inputs(), X))
        if isinstance(answer, list):  # a zipmap: a dictionary for each row, keys in one order
            return np.array([list(row.values()) for row in answer])
        return answer

    def _own_classes(self, X: Any) -> ArrayLike | None:
        session = self._running()
        output = self._chosen_output(session)
        if X is None or not output.type.startswith("seq(map("):
            return None
        row = self._feed(session.get_inputs(), take_rows(X, [0]))
        (answer,) = session.run([output.name], row)
        return list(answer[0])

    def _chosen_output(self, session: Any) -> Any:
        outputs = {output.name: output for output in session.get_outputs()}
        listed = ", ".join(f"{name} {o.type} {o.shape}" for name, o in outputs.items())
        if self.output is not None:
            if self.output not in outputs:
                raise ValueError(f"output={self.output!r} is none of {self._title()}: {listed}")
            return outputs[self.output]
        fitting = [
            output
            for output in outputs.values()
            if output.type.startswith("seq(map(")
            or (output.type in FLOATS and len(output.shape) <= 2)
        ]
        if len(fitting) > 1:
            wanted = USUAL_NAMES[self.response_method]
            named = [o for o in fitting if any(part in o.name.lower() for part in wanted)]
            fitting = named or fitting
        if len(fitting) != 1:
            raise ValueError(
                f"{self._title()} has {'no' if not fitting else 'several'} outputs that may be "
                f"the answer, name one as output: {listed}"
            )
        return fitting[0]

    def _feed(self, inputs: list[Any], X: Any) -> dict[str, NDArray[Any]]:
        listed = ", ".join(f"{i.name} {i.type} {i.shape}" for i in inputs)
        d = np.shape(X)[1]
        for given in inputs:
            if given.type not in DTYPES or len(given.shape) != 2:
                raise ValueError(
                    f"{self._title()} has an input that no table can be given to: {listed}"
                )
            if isinstance(given.shape[0], int) and given.shape[0] != np.shape(X)[0]:
                raise ValueError(
                    f"{self._title()} takes {given.shape[0]} rows a call: export it with a dynamic "
                    f"first dimension; its inputs are {listed}"
                )
        names = [given.name for given in inputs]
        if len(inputs) > 1 and hasattr(X, "columns") and set(names) <= set(X.columns):
            return {i.name: self._cast(X[[i.name]], i) for i in inputs}
        widths = [i.shape[1] if isinstance(i.shape[1], int) else None for i in inputs]
        if len(inputs) == 1 and widths[0] is None:
            widths = [d]
        if None in widths or sum(widths) != d:
            raise ValueError(f"{self._title()} takes {listed}; X has {d} columns")
        ends = np.cumsum(widths)
        columns = [np.arange(end - width, end) for end, width in zip(ends, widths, strict=True)]
        return {
            i.name: self._cast(X.iloc[:, at] if hasattr(X, "iloc") else np.asarray(X)[:, at], i)
            for i, at in zip(inputs, columns, strict=True)
        }

    def _cast(self, table: Any, given: Any) -> NDArray[Any]:
        """Columns in the type of an input; only whole numbers become integers."""
        dtype = np.dtype(DTYPES[given.type])
        values = np.asarray(table)
        if dtype == np.object_:
            return values.astype(str).astype(object)
        try:
            numbers = values.astype(np.float64 if dtype.kind in "biu" else dtype)
        except ValueError as error:
            raise ValueError(
                f"input {given.name} of {self._title()} takes {given.type}: {error}"
            ) from error
        if dtype.kind not in "biu":
            return numbers
        low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        with np.errstate(invalid="ignore"):
            whole = (np.rint(numbers) == numbers) & (numbers >= low) & (numbers < high + 1.0)
        if not whole.all():
            raise ValueError(
                f"input {given.name} of {self._title()} takes {given.type}, X holds "
                f"{numbers[~whole][0]:g}: leave out transfer rows between whole numbers, or "
                "export the model with float inputs"
            )
        return numbers.astype(dtype)
