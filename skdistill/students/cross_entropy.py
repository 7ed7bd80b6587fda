"""The kernels of the cross-entropy: losses, gradients and Hessians of many rows of logits.

Rows lie side by side, class by class, so that vector units compute several at once; no row's sums
depend on the others. Logits of float32 take half the time of float64, and losses differ by 1e-7.
"""

from __future__ import annotations

from math import factorial

import numpy as np

from skdistill.utils.jit import njit

_TAYLOR = tuple(1 / factorial(i) for i in range(12, -1, -1))
_TAYLOR_SINGLE = tuple(np.float32(1 / factorial(i)) for i in range(7, -1, -1))
_LOG_SINGLE = tuple(
    np.float32(c)
    for c in (
        7.0376836292e-2,
        -1.1514610310e-1,
        1.1676998740e-1,
        -1.2420140846e-1,
        1.4249322787e-1,
        -1.6668057665e-1,
        2.0000714765e-1,
        -2.4999993993e-1,
        3.3333331174e-1,
    )
)
_SINGLE = np.dtype(np.float32)
_LANES = 128  # rows at a time: what is computed of them stays in the first-level cache


@njit
def add_cross_entropy(z, P, t, gradient, curvature):  # type: ignore[no-untyped-def]
    """Cross-entropy of P and softmax(z / t), summed over the rows.

    Its gradient and, unless `curvature` is empty, the diagonal of its Hessian are added to the
    arrays. P holds weighted probabilities: a row of it sums to the row's weight. A kernel for other
    kernels, too.
    """
    return cross_entropy(z, P, np.ones(len(P)), 1.0, z.shape[1], t, gradient, curvature)


@njit
def cross_entropy(  # type: ignore[no-untyped-def]
    z, P, row_weight, total_weight, n_scores, t, gradient, curvature
):
    """Cross-entropy of weighted rows, added up in their order.

    Parameters
    ----------
    z : float32 or float64 array of shape (n_rows, n_scores or more)
        Logits. All but the loss is computed in their type.
    P : float64 array of shape (n_rows, n_classes)
        Probabilities.
    row_weight : float64 array of shape (n_rows,)
        Weights of the rows.
    total_weight : float
        What weights are divided by.
    n_scores : int
        Columns of `z` that count: one a class, or one less, where the first logit is 0.
    t : float
        Temperature: `P` is compared with softmax(z / t).
    gradient : array of the type and shape of `z`
        The gradient is added to it.
    curvature : array of the type and shape of `z`, or empty
        The diagonal of the Hessian is added to it; there is no loss then.

    Returns
    -------
    loss : float
    """
    n_samples, n_classes = P.shape
    first = n_classes - n_scores  # 1 where the logit of the first of two classes is 0, not stored
    # Each has memory of its own: parts of one array might overlap, for all the compiler knows.
    p, q = np.empty((n_classes, _LANES), z.dtype), np.empty((n_classes, _LANES), z.dtype)
    slope = np.empty((n_classes, _LANES), z.dtype)
    weight, dot = np.empty(_LANES, z.dtype), np.empty(_LANES, z.dtype)
    total = np.empty(_LANES, z.dtype)
    temperature = z.dtype.type(t)
    loss = 0.0
    for start in range(0, n_samples, _LANES):
        stop = min(start + _LANES, n_samples)
        n = stop - start
        _weigh(P[start:stop], row_weight[start:stop], total_weight, p)
        _turn(z[start:stop], first, q)
        _subtract_largest(q, n)
        _divide(q, temperature, n)
        _sum_products(p, q, weight, dot, n)
        _exponentials(q, total, n)
        if len(curvature) == 0:
            loss = _add_losses(loss, weight, dot, total, n)
        else:
            _curve(q, weight, total, slope, n)
            _divide(slope, temperature**2, n)
            _add_rows(slope, first, curvature[start:stop])
        _differentiate(p, q, weight, total, slope, n)
        _divide(slope, temperature, n)
        _add_rows(slope, first, gradient[start:stop])
    return loss


@njit
def raise_to_weight(curvature, row_weight, factor):  # type: ignore[no-untyped-def]
    """Raise what is less than `factor` times the weight of its row."""
    for i in range(len(curvature)):
        least = curvature.dtype.type(factor * row_weight[i])
        for k in range(curvature.shape[1]):
            curvature[i, k] = max(curvature[i, k], least)


# Each loop has a kernel of its own: in one that is too large the compiler makes no vectors.


@njit(error_model="numpy")  # a division that may raise an error is done one row at a time
def _weigh(P, row_weight, total_weight, p):  # type: ignore[no-untyped-def]
    """Weighted probabilities, class by class."""
    for i in range(len(P)):
        share = row_weight[i] / total_weight
        for k in range(P.shape[1]):
            p[k, i] = share * P[i, k]


@njit
def _turn(z, first, q):  # type: ignore[no-untyped-def]
    """Logits, class by class; that of a class before `first` is 0."""
    if first:
        q[0] = 0
    for i in range(len(z)):
        for k in range(first, q.shape[0]):
            q[k, i] = z[i, k - first]


@njit
def _subtract_largest(q, n):  # type: ignore[no-untyped-def]
    """Subtract the largest logit of each row, so that no exponential overflows."""
    largest = np.empty(_LANES, q.dtype)
    for i in range(n):
        largest[i] = q[0, i]
    for k in range(1, q.shape[0]):
        for i in range(n):
            largest[i] = max(largest[i], q[k, i])
    for k in range(q.shape[0]):
        for i in range(n):
            q[k, i] -= largest[i]


@njit
def _divide(table, divisor, n):  # type: ignore[no-untyped-def]
    """Divide the first `n` columns; divisions by 1, which cost as much as others, are left out."""
    if divisor != 1:
        for k in range(table.shape[0]):
            for i in range(n):
                table[k, i] /= divisor


@njit
def _sum_products(p, q, weight, dot, n):  # type: ignore[no-untyped-def]
    """Sums of `p` and of ``p * q`` over the classes."""
    weight[:n] = 0
    dot[:n] = 0
    for k in range(p.shape[0]):
        for i in range(n):
            weight[i] += p[k, i]
            dot[i] += p[k, i] * q[k, i]


@njit(error_model="numpy")
def _curve(q, weight, total, slope, n):  # type: ignore[no-untyped-def]
    """Weights times ``probability * (1 - probability)``."""
    one = q.dtype.type(1)
    for k in range(q.shape[0]):
        for i in range(n):
            probability = q[k, i] / total[i]
            slope[k, i] = weight[i] * probability * (one - probability)


@njit(error_model="numpy")
def _differentiate(p, q, weight, total, slope, n):  # type: ignore[no-untyped-def]
    """Weighted probabilities minus `p`."""
    ratio = np.empty(_LANES, q.dtype)
    for i in range(n):
        ratio[i] = weight[i] / total[i]
    for k in range(q.shape[0]):
        for i in range(n):
            slope[k, i] = ratio[i] * q[k, i] - p[k, i]


@njit
def _add_rows(slope, first, out):  # type: ignore[no-untyped-def]
    """Add the classes from `first` on to rows of `out`."""
    for i in range(len(out)):
        for k in range(first, slope.shape[0]):
            out[i, k - first] += slope[k, i]


@njit
def _add_losses(loss, weight, dot, total, n):  # type: ignore[no-untyped-def]
    """Add the losses of the rows to `loss`, one after the other."""
    logarithm = np.empty(_LANES, total.dtype)
    if total.dtype == _SINGLE:
        for i in range(n):
            logarithm[i] = _log_single(total[i])
    else:
        for i in range(n):
            logarithm[i] = np.log(total[i])
    for i in range(n):
        loss += weight[i] * logarithm[i] - dot[i]
    return loss


@njit
def _exponentials(q, total, n):  # type: ignore[no-untyped-def]
    """Exponentials of numbers <= 0, and their sums over the classes."""
    for k in range(q.shape[0]):
        if q.dtype == _SINGLE:
            for i in range(n):
                q[k, i] = _exp_single(q[k, i])
        else:
            for i in range(n):
                q[k, i] = _exp(q[k, i])
    total[:n] = 0
    for k in range(q.shape[0]):
        for i in range(n):
            total[i] += q[k, i]


@njit
def _exp(x):  # type: ignore[no-untyped-def]
    """The exponential of x <= 0; unlike np.exp it lets a loop of it run on vector units.

    exp(x) = 2**m * exp(r), where m = round(x / ln 2) and |r| <= ln(2) / 2.
    """
    x = max(x, -700.0)  # below, 2**m would be subnormal
    m = np.rint(x * 1.4426950408889634)
    # ln 2 in two parts: the first has few bits, so that its products are exact.
    r = (x - m * 0.693145751953125) - m * 1.4286068203094172e-06
    power = 0.0
    for coefficient in _TAYLOR:
        power = power * r + coefficient
    # 1.5 * 2**52 + m has m in its last bits; few vector units turn float64 into int64.
    exponent = np.float64(m + 6755399441055744.0).view(np.int64) + 1023
    return power * np.int64(exponent << 52).view(np.float64)


@njit
def _exp_single(x):  # type: ignore[no-untyped-def]
    """The exponential of a float32 x <= 0, as `_exp`."""
    x = max(x, np.float32(-87.0))
    m = np.rint(x * np.float32(1.44269504))
    r = (x - m * np.float32(0.693359375)) - m * np.float32(-2.12194440e-4)
    power = np.float32(0.0)
    for coefficient in _TAYLOR_SINGLE:
        power = power * r + coefficient
    return power * np.int32((np.int32(m) + np.int32(127)) << 23).view(np.float32)


@njit
def _log_single(x):  # type: ignore[no-untyped-def]
    """The logarithm of a normal float32 above 0, by the polynomial of Cephes."""
    bits = np.float32(x).view(np.int32)
    exponent = np.int32((bits - np.int32(0x3F3504F3)) >> 23)
    f = np.int32(bits - np.int32(exponent << 23)).view(np.float32) - np.float32(1)
    power = np.float32(0)
    for coefficient in _LOG_SINGLE:
        power = power * f + coefficient
    square, e = f * f, np.float32(exponent)
    low = power * f * square + e * np.float32(-2.12194440e-4) - np.float32(0.5) * square
    return f + low + e * np.float32(0.693359375)
