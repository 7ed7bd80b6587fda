"""A small neural network of values, in integers of few bits."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from skdistill.model import CompactModel
from skdistill.quantization.leaf_values import as_scale, constant_scale
from skdistill.students._student import StudentRegressorMixin
from skdistill.students.net._base import BaseSoftNet, Targets
from skdistill.students.training_data import RegressionData

_PENALTY = 0.003  # of weights, for very few rows
_COARSE = 1 / 16  # standard deviations of a target that a score may stand for
_MIDDLE_MAX = 2**29  # largest score of a mean; int32 has room for the network's beside it


class SoftNetRegressor(StudentRegressorMixin, BaseSoftNet):
    """A neural network of one or two hidden layers for values, in integers of few bits.

    Inputs are int8 codes, hidden units rectified uint8, weights integers of few bits. All of
    them are rounded while the network learns [1]_ [2]_: what was trained is what runs. Several
    targets share the hidden layers. They are learnt in units of their standard deviations, and
    each has a scale of its own.

    Parameters
    ----------
    hidden_layer_sizes : "auto", int or array-like of length 1 or 2, default="auto"
        Units of the hidden layers. "auto" is as many as fit into `max_bytes`, equally many in
        each layer, and 64 a layer without `max_bytes`.
    n_hidden_layers : 1, 2 or "auto", default="auto"
        Number of layers for ``hidden_layer_sizes="auto"``. "auto" is two where one layer within
        `max_bytes` would have 64 units or more, else one. Which is better depends on the data.
    max_bytes : int or None, default=None
        Maximum ``compact_.nbytes``, for ``hidden_layer_sizes="auto"``. None sets no limit.
    weight_bits : int or "ternary", default=4
        Bits of a weight of the hidden layers, 2 to 8; "ternary" is −1, 0 or 1. Levels lie evenly
        around 0: four bits are −7 to 7.
    output_bits : int or "ternary", default=4
        Bits of a weight of the scores, likewise.
    learning_rate_init : float, default=0.01
        Largest learning rate of Adam. It rises for the first 2 % of the steps, then falls to 0
        along half a cosine.
    max_iter : int, default=300
        Number of epochs. An epoch is 100 steps, however many rows there are. Weights are real
        numbers in the first 30 % of the epochs.
    batch_size : int, default=128
        Rows of a step. If there are no more rows, equal ones counted once, a step takes them
        all.
    l2_regularization : float or "auto", default="auto"
        Penalty ``l2_regularization / 2 * sum(W ** 2)`` of all weights, beside the mean loss, on
        columns of a standard deviation of about 1. "auto" is 0.003 for very few rows and falls
        linearly to 6 % of that near 10,000 rows, equal ones counted once, and above them as
        ``1 / n_samples``. Raise it where rows are noisy.
    n_iter_no_change : int or None, default=None
        Early stopping: training ends when the loss of rows that are held out has not fallen for
        so many epochs of rounded weights, and goes back to the best of them. None trains for
        `max_iter` epochs on all rows.
    validation_fraction : float, default=0.1
        Fraction in (0, 1) of the rows that are held out for early stopping.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Columns that hold categories: names, indices or a boolean mask. "from_dtype" takes those
        of a data frame that have a categorical type or hold strings; None takes none. Each
        category learns a code [3]_.
    random_state : int, RandomState instance or None, default=None
        Seed of the first weights, of the order of the rows and of those held out.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen during `fit`, where all of them are strings.
    n_iter_ : int
        Number of epochs.
    compact_ : CompactModel
        The integer model that predicts.
    feature_importances_ : float64 array of shape (n_features,)
        Share of each column in the products of absolute weights along all paths from it to a
        score, times the standard deviation of its codes.

    See Also
    --------
    DistilledRegressor : Fits a student on a teacher's predictions.
    SoftNetClassifier : The same for classification.

    Notes
    -----
    A column with missing values (NaN) learns a code for them; in other columns NaN is read like
    the offset of the column, which is near its mean. The codes of categories start in the order
    of their mean targets.

    References
    ----------
    .. [1] Jacob et al. 2018, "Quantization and training of neural networks for efficient
       integer-arithmetic-only inference", CVPR.
    .. [2] Esser et al. 2020, "Learned step size quantization", ICLR.
    .. [3] Guo & Berkhahn 2016, "Entity embeddings of categorical variables", arXiv:1604.06737.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skdistill import SoftNetRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = SoftNetRegressor((8,), max_iter=20, random_state=0).fit(X, y)
    >>> net.score(X, y) > 0.5
    True
    """

    def _learn(self, data: RegressionData) -> None:
        deviation, tiny = data.deviation, np.finfo(np.float32).tiny
        # Scales are normal float32 numbers: a target that varies less has one value.
        constant = (np.ptp(data.y, axis=0) == 0) | (deviation < tiny)
        middle = _middle(data)
        if constant.all():
            self._keep_constant(_constant_model(data, middle))
            return
        values = np.where(constant, 0.0, (data.y - middle) / deviation)
        no_hints = np.zeros((len(values), 0))
        targets = Targets(values[None], np.zeros(0), data.y.shape[1], _PENALTY, no_hints, 0.0)
        # Int32 scores hold the mean of a target. All targets are learnt in the same steps, but
        # for those so far from 0 that they would spoil the others: these are rounded afterwards.
        least = np.maximum(np.abs(middle) / _MIDDLE_MAX, tiny) / deviation
        coarsest = max(_COARSE, least[~constant].min())
        net = self._train(data, targets, float(least[~constant & (least <= coarsest)].max()))
        if net is None:
            self._keep_constant(_constant_model(data, middle))
            return
        step = np.maximum(net.scale, least)
        scale = np.where(constant, constant_scale(middle), as_scale(step * deviation))
        value = middle + np.where(constant, 0.0, net.intercept * deviation)
        share = np.where(constant, 0.0, net.scale / step)[:, None]
        table = dataclasses.replace(net.table, weights=np.rint(net.table.weights * share))
        data = dataclasses.replace(data, categories=net.categories)
        self.compact_ = model = data.model(np.rint(value / scale), scale, table)
        data.warn_of_lost_resolution(model.bias, model.scale, model.tables)


def _middle(data: RegressionData) -> NDArray[np.float64]:
    """Means of the targets, to digits that the order of the rows does not change."""
    low, high = data.y.min(axis=0), data.y.max(axis=0)
    unit = data.deviation / 64
    share = data.weight / data.weight.sum()
    middle: NDArray[np.float64] = np.rint(share @ (data.y / unit)) * unit
    return np.where(low == high, low, middle)


def _constant_model(data: RegressionData, value: NDArray[np.float64]) -> CompactModel:
    """The model that gives every row the same value."""
    scale = constant_scale(value)
    return data.model(np.rint(value / scale), scale)
