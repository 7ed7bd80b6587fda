"""A small neural network of class probabilities, in integers of few bits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.model import CompactModel
from skdistill.students._student import StudentClassifierMixin
from skdistill.students.class_weight import CLASS_WEIGHT
from skdistill.students.loss import loss_parts
from skdistill.students.net._base import BaseSoftNet, Targets
from skdistill.students.training_data import ClassificationData
from skdistill.targets import EPS

_PENALTY = 0.004  # of weights, for very few rows and hard labels


class SoftNetClassifier(StudentClassifierMixin, BaseSoftNet):
    """A neural network of one or two hidden layers on soft targets, in integers of few bits.

    Inputs are int8 codes, hidden units rectified uint8, weights integers of few bits. All of
    them are rounded while the network learns [1]_ [2]_: what was trained is what runs.

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
        columns of a standard deviation of about 1. "auto" is 0.004 for very few rows and falls
        linearly to 6 % of that near 10,000 rows, equal ones counted once, and above them as
        ``1 / n_samples``. Teachers know the noise: with the soft labels of one it is
        ``(1 - alpha) ** 2`` of that. Raise it where labels are noisy.
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
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes by label, which multiply those of the rows. "balanced" is
        ``n_samples / (n_classes * mass)``, where the mass of a class is the total weight of its
        rows. A row of probabilities without label weighs ``sum_k P_ik w_k``, and gives each
        class its share of the mass. None gives every class the weight 1.
    random_state : int, RandomState instance or None, default=None
        Seed of the first weights, of the order of the rows and of those held out.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
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
    DistilledClassifier : Makes the soft targets and fits a student on them.
    SoftNetRegressor : The same for regression.
    SoftBoostingClassifier : Boosted trees: fewer instructions on a device.

    Notes
    -----
    A column with missing values (NaN) learns a code for them; in other columns NaN is read like
    the offset of the column, which is near its mean. The codes of categories start in the order
    of their mean targets.

    Hints of `SoftTargets` are learnt by further outputs, linear in the last hidden layer, that are
    dropped after training (Romero et al. 2015, "FitNets: hints for thin deep nets"). They cost no
    byte.

    Training runs on one thread and rounds in the same way everywhere: a seed gives the same
    network on every machine.

    References
    ----------
    .. [1] Jacob et al. 2018, "Quantization and training of neural networks for efficient
       integer-arithmetic-only inference", CVPR.
    .. [2] Esser et al. 2020, "Learned step size quantization", ICLR.
    .. [3] Guo & Berkhahn 2016, "Entity embeddings of categorical variables", arXiv:1604.06737.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftNetClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> net = SoftNetClassifier((8,), max_iter=20, random_state=0).fit(X, y)
    >>> net.predict(X[::50]).tolist()
    [0, 1, 2]
    """

    _accepts_hints = True
    _parameter_constraints: dict[str, list[Any]] = {
        **BaseSoftNet._parameter_constraints,
        "class_weight": CLASS_WEIGHT,
    }

    def __init__(
        self,
        hidden_layer_sizes: Any = "auto",
        *,
        n_hidden_layers: int | str = "auto",
        max_bytes: int | None = None,
        weight_bits: int | str = 4,
        output_bits: int | str = 4,
        learning_rate_init: float = 0.01,
        max_iter: int = 300,
        batch_size: int = 128,
        l2_regularization: float | str = "auto",
        n_iter_no_change: int | None = None,
        validation_fraction: float = 0.1,
        categorical_features: Any = "from_dtype",
        class_weight: dict[Any, float] | str | None = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            hidden_layer_sizes,
            n_hidden_layers=n_hidden_layers,
            max_bytes=max_bytes,
            weight_bits=weight_bits,
            output_bits=output_bits,
            learning_rate_init=learning_rate_init,
            max_iter=max_iter,
            batch_size=batch_size,
            l2_regularization=l2_regularization,
            n_iter_no_change=n_iter_no_change,
            validation_fraction=validation_fraction,
            categorical_features=categorical_features,
            random_state=random_state,
        )
        self.class_weight = class_weight

    def _learn(self, data: ClassificationData) -> None:
        if len(data.classes) == 1:
            self._keep_constant(data.single_class_model())
            return
        parts = loss_parts(data.targets, np.ones(len(data.targets)))
        temperatures, values = zip(*parts, strict=True)
        penalty = _PENALTY * _label_noise(data)
        targets = Targets(
            np.array(values), np.array(temperatures), data.n_scores, penalty, *_hints(data)
        )
        net = self._train(data, targets)
        if net is None:
            self._keep_constant(_constant_model(data))
            return
        data = replace(data, categories=net.categories)
        self.compact_ = data.model(np.rint(net.intercept / net.scale), net.scale, net.table)


def _hints(data: ClassificationData) -> tuple[NDArray[np.float64], float]:
    """Hints in units of their standard deviation, and the weight of their squared errors.

    In these units the heads learn as fast as the rest of the network, whatever the weight.
    """
    if data.targets.hints is None:
        return np.zeros((len(data.targets), 0)), 0.0
    scaled = data.targets.scaled_hints(data.targets.mixture(), data.weight)
    variance = float(np.average(scaled**2, axis=0, weights=data.weight).mean())
    if variance == 0:
        return np.zeros((len(scaled), 0)), 0.0
    return scaled / np.sqrt(variance), variance


def _label_noise(data: ClassificationData) -> float:
    """Variance that labels add to the targets, 1 where these are the labels themselves."""
    targets = data.targets
    if (targets.teacher.max(axis=1) == 1).all():
        return 1.0
    return float(np.average((1 - targets.row_alpha) ** 2, weights=data.weight))


def _constant_model(data: ClassificationData) -> CompactModel:
    """The model that gives every row the mean probabilities."""
    P = np.average(data.targets.mixture(), axis=0, weights=data.weight)
    logit = np.log(np.clip(P, EPS, 1))
    z = logit[1:] - logit[:1] if data.n_scores == 1 else logit
    return data.model(np.rint(z * 2**16), 2.0**-16)
