"""An ONNX file as a teacher, run by ONNX Runtime."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.dataframe import take_rows
from skdistill.teachers._prefit import BasePrefitTeacher

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
ZIPMAP = "seq(map("
"""Start of the type of an output that holds a dictionary {class: probability} for each row."""
OUTPUT_NAMES = {"predict_proba": ("prob",), "decision_function": ("score", "margin", "logit")}
"""Parts of names by which exporters call the output, by `response_method`."""


class OnnxTeacher(BasePrefitTeacher):
    """An ONNX file of any framework as a teacher; needs the extra `onnx`.

    A single input takes all columns, in its own type. Several inputs take the columns of their
    names; where `X` has no such names, they take the columns in order, as many as each is wide.

    Parameters
    ----------
    path : str or path-like
        The file. It is read once, by `fit`; pickles contain its bytes. Models with external
        data are not supported.
    classes : array-like of shape (n_classes,), default=None
        Labels in the order of the columns. None means the keys of a graph with a ZipMap,
        else the sorted classes of `y`, or 0, 1, … without `y`.
    output : str, default=None
        Name of the output to read. None takes the only output that is a ZipMap or a table
        of floats; of several, the one with "prob" in its name ("score", "margin" or "logit"
        for margins).
    response_method : {"predict_proba", "decision_function"}, default="predict_proba"
        What the output holds: probabilities, or margins, of which the softmax is taken (of
        one column the sigmoid).

    Attributes
    ----------
    classes_ : array of shape (n_classes,) or None
        Labels; None where values are predicted.
    content_ : bytes
        Content of the file.

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

    _parameter_constraints = {
        **BasePrefitTeacher._parameter_constraints,
        "path": [str, PathLike],
        "output": [str, None],
    }

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

    def _load(self) -> None:
        self.content_ = Path(self.path).read_bytes()
        self._session = None
        self._open_session()

    def _open_session(self) -> Any:
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
        state: dict[str, Any] = super().__getstate__().copy()
        state.pop("_session", None)  # cannot be pickled
        return state

    def _title(self) -> str:
        return f"the teacher {Path(self.path).name}"

    def _raw_response(self, X: Any) -> Any:
        session = self._open_session()
        output = self._select_output(session)
        (response,) = session.run([output.name], self._input_feed(session.get_inputs(), X))
        if isinstance(response, list):  # a ZipMap: a dictionary for each row, keys in one order
            return np.array([list(row.values()) for row in response])
        return response

    def _own_classes(self, X: Any) -> ArrayLike | None:
        session = self._open_session()
        output = self._select_output(session)
        if X is None or not output.type.startswith(ZIPMAP):
            return None
        feed = self._input_feed(session.get_inputs(), take_rows(X, [0]))
        (response,) = session.run([output.name], feed)
        return list(response[0])

    def _select_output(self, session: Any) -> Any:
        outputs = {output.name: output for output in session.get_outputs()}
        listed = ", ".join(f"{name} {o.type} {o.shape}" for name, o in outputs.items())
        if self.output is not None:
            if self.output not in outputs:
                raise ValueError(f"output={self.output!r} is none of {self._title()}: {listed}")
            return outputs[self.output]
        candidates = [
            output
            for output in outputs.values()
            if output.type.startswith(ZIPMAP) or (output.type in FLOATS and len(output.shape) <= 2)
        ]
        if len(candidates) > 1:
            parts = OUTPUT_NAMES[self.response_method]
            named = [o for o in candidates if any(part in o.name.lower() for part in parts)]
            candidates = named or candidates
        if len(candidates) != 1:
            raise ValueError(
                f"{self._title()} has {'no' if not candidates else 'several'} outputs that may "
                f"hold the response, name one as output: {listed}"
            )
        return candidates[0]

    def _input_feed(self, inputs: list[Any], X: Any) -> dict[str, NDArray[Any]]:
        """The columns of `X` by the name of the input that takes them."""
        listed = ", ".join(f"{i.name} {i.type} {i.shape}" for i in inputs)
        n_samples, n_features = np.shape(X)
        for node in inputs:
            if node.type not in DTYPES or len(node.shape) != 2:
                raise ValueError(f"{self._title()} has an input that takes no table: {listed}")
            if isinstance(node.shape[0], int) and node.shape[0] != n_samples:
                raise ValueError(
                    f"{self._title()} takes {node.shape[0]} rows a call: export it with a dynamic "
                    f"first dimension; its inputs are {listed}"
                )
        names = [node.name for node in inputs]
        if len(inputs) > 1 and hasattr(X, "columns") and set(names) <= set(X.columns):
            return {node.name: self._cast(X[[node.name]], node) for node in inputs}
        fixed = [node.shape[1] for node in inputs if isinstance(node.shape[1], int)]
        widths = [n_features] if len(inputs) == 1 and not fixed else fixed
        if len(widths) != len(inputs) or sum(widths) != n_features:
            raise ValueError(f"{self._title()} takes {listed}; X has {n_features} columns")
        ends = np.cumsum(widths)
        columns = [np.arange(end - width, end) for end, width in zip(ends, widths, strict=True)]
        return {
            node.name: self._cast(
                X.iloc[:, at] if hasattr(X, "iloc") else np.asarray(X)[:, at], node
            )
            for node, at in zip(inputs, columns, strict=True)
        }

    def _cast(self, table: Any, node: Any) -> NDArray[Any]:
        """Columns in the type of an input; integer inputs take integral values only."""
        dtype: np.dtype[Any] = np.dtype(DTYPES[node.type])
        values = np.asarray(table)
        if dtype == np.object_:
            return values.astype(str).astype(object)
        try:
            numbers = values.astype(np.float64 if dtype.kind in "biu" else dtype)
        except ValueError as error:
            raise ValueError(
                f"input {node.name} of {self._title()} takes {node.type}: {error}"
            ) from error
        if dtype.kind not in "biu":
            return numbers
        low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        with np.errstate(invalid="ignore"):
            integral = (np.rint(numbers) == numbers) & (numbers >= low) & (numbers < high + 1.0)
        if not integral.all():
            raise ValueError(
                f"input {node.name} of {self._title()} takes {node.type}, X holds "
                f"{numbers[~integral][0]:g}: leave out transfer rows between whole numbers, or "
                "export the model with float inputs"
            )
        return numbers.astype(dtype)
