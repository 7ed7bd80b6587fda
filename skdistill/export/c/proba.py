"""C that makes probabilities of scores: in float, or in integers by a table.

A logit z is a score times the scale. Powers of e are powers of 2: ``e^-z = 2^-(score * c)`` with
``c = scale / log(2)``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.model_tables import ModelTables
from skdistill.export.c.text import CSource, block, number

ONE = 1 << 15  # a probability of 1 as an integer, in Q15
FLOAT_ERROR = 1e-6
_PIECES = 32  # of [0, 1], between which 2^-x is a straight line
_DEEPEST = 17  # 2^-17 is no longer seen


class Factor(NamedTuple):
    """``d * c`` for integers d ≥ 0 as ``((d >> drop) * factor) >> fraction``, up to `most`.

    Attributes
    ----------
    factor, drop, fraction : int
        Multiplier, bits of d that are dropped before, bits of the product after the point.
    most : int
        From this ``d >> drop`` on the product is at least the largest one that matters.
    relative, lost : float
        Errors: in proportion to the product where it is above 1, and by what is dropped.
    """

    factor: int
    drop: int
    fraction: int
    most: int
    relative: float
    lost: float


def integer_factor(c: float, top: float) -> Factor:
    """Integers that multiply by a real number without leaving 32 bits.

    Parameters
    ----------
    c : float
        The real number, positive.
    top : float
        Largest product that matters.

    Returns
    -------
    factor : Factor
    """
    fraction = 31 - math.ceil(math.log2(top))
    drop = min(31, max(0, 14 - fraction - math.floor(math.log2(c))))
    step = c * 2.0**drop
    if step >= top:  # a single step is more than all that can be seen
        return Factor(math.ceil(top) << fraction, drop, fraction, 1, 0.0, 0.0)
    factor = round(step * 2.0**fraction)
    most = min(math.ceil(top / step), (2**32 - 1) // max(factor, 1))
    off = abs(factor / (step * 2.0**fraction) - 1)
    return Factor(factor, drop, fraction, most, off * min(1.0, c * 2.0**32), step * (drop > 0))


def powers() -> NDArray[np.uint16]:
    """2^-x at the ends of the pieces of [0, 1]: what it is above 1/2, in units of 2^-16.

    Returns
    -------
    table : uint16 array of shape (33,)
        1/2 is left out so that 2^0 fits uint16.
    """
    x = np.arange(_PIECES + 1) / _PIECES
    return np.rint(2.0**16 * 2.0**-x - 2.0**15).astype(np.uint16)


def q15_error(model: ModelTables) -> float:
    """Bound of the error of a Q15 probability.

    A power of 2 is off by the straight line in its place, its rounding and that of the exponent.
    One power over the sum of all is off by at most half the relative error, for numerator and
    denominator err alike, and by the absolute errors of all.

    Parameters
    ----------
    model : ModelTables
        With classes.

    Returns
    -------
    error : float
    """
    K, unit = model.n_classes, 1 / ONE
    if K == 1:
        return 0.0
    scale = float(model.scale)
    if model.link == "normalize":
        if model.n_scores == 1:
            factor = integer_factor(scale * ONE, ONE / 2)
            return (factor.relative * ONE / 2 + factor.lost + 2) * unit
        return (K + 2) * 2.0**-16 + unit
    factor = integer_factor(scale / math.log(2), _DEEPEST)
    line = (math.log(2) / _PIECES) ** 2 / 8
    exponent = factor.relative + factor.lost
    relative = line + exponent * math.log(2) + 2.0**-factor.fraction
    return relative / 2 + (K + 1) * 1.5 * 2.0**-16 + unit


def probability_error(model: ModelTables, output: str) -> float:
    """Bound of the difference between a probability in C and in Python.

    Parameters
    ----------
    model : ModelTables
        With classes.
    output : {"proba_float", "proba_q15"}
        Which probabilities.

    Returns
    -------
    error : float
    """
    if output != "proba_float":
        return q15_error(model)
    return FLOAT_ERROR + (model.n_scores - 1) * 2.0**-24  # each addition to the sum is rounded


def proba_float(source: CSource) -> str:
    """The function of float probabilities, without libm.

    Parameters
    ----------
    source : CSource
        With classes.

    Returns
    -------
    text : str
    """
    model, name = source.layout.model, source.name
    K, S = model.n_classes, model.n_scores
    scale = number(float(model.scale))
    parts = []
    if model.link in ("softmax", "sigmoid") and K > 1:
        parts.append(
            block(
                """
                /* 2^-y for y >= 0: a polynomial for its fraction, the exponent for the rest. */
                static float @name@_power(float y)
                {
                    uint32_t bits;
                    int32_t n;
                    float f, p;
                    if (!(y < 125.0f))
                        return 0.0f;
                    n = (int32_t)(y + 0.5f);
                    f = (float)n - y;
                    p = 1.0f + f * (0.6931472f + f * (0.24022651f + f * (0.055503327f
                        + f * (0.0096160797f + f * (0.0013266752f + f * 0.00014316266f)))));
                    @M@_COPY(&bits, &p, sizeof bits);
                    bits -= (uint32_t)n << 23;
                    @M@_COPY(&p, &bits, sizeof p);
                    return p;
                }
                """,
                name=name,
                M=source.macro,
            )
        )
    most = float(np.finfo(np.float32).max)
    log2e = number(float(np.float32(min(float(model.scale) / math.log(2), most))))
    if K == 1:
        body = "(void)x;\np[0] = 1.0f;"
    elif model.link == "sigmoid":
        body = block(
            """
            int32_t s[1];
            float e;
            @name@_scores(x, s);
            e = @name@_power((float)(s[0] < 0 ? 0u - (uint32_t)s[0] : (uint32_t)s[0]) * @log2e@);
            e = e / (1.0f + e);
            p[0] = s[0] < 0 ? 1.0f - e : e;
            p[1] = 1.0f - p[0];
            """,
            name=name,
            log2e=log2e,
        )
    elif model.link == "softmax":
        body = block(
            """
            int32_t s[@S@];
            float sum = 0.0f;
            int best = 0, k;
            @name@_scores(x, s);
            for (k = 1; k < @S@; k++)
                if (s[k] > s[best])
                    best = k;
            for (k = 0; k < @S@; k++) {
                p[k] = @name@_power((float)((uint32_t)s[best] - (uint32_t)s[k]) * @log2e@);
                sum += p[k];
            }
            for (k = 0; k < @S@; k++)
                p[k] /= sum;
            """,
            name=name,
            log2e=log2e,
            S=S,
        )
    elif S == 1:
        body = block(
            """
            int32_t s[1];
            @name@_scores(x, s);
            p[1] = 0.5f + (float)s[0] * @scale@;
            p[1] = p[1] < 0.0f ? 0.0f : p[1] > 1.0f ? 1.0f : p[1];
            p[0] = 1.0f - p[1];
            """,
            name=name,
            scale=scale,
        )
    else:
        body = block(
            """
            int32_t s[@S@];
            float sum = 0.0f;
            int k;
            @name@_scores(x, s);
            for (k = 0; k < @S@; k++)
                sum += s[k] > 0 ? (float)s[k] : 0.0f;
            for (k = 0; k < @S@; k++)
                p[k] = !(sum > 0.0f) ? @even@ : s[k] > 0 ? (float)s[k] / sum : 0.0f;
            """,
            name=name,
            S=S,
            even=number(float(np.float32(1 / S))),
        )
    head = f"void {name}_proba(const {source.x_type} *x, float *p)"
    return "\n".join([*parts, block("@head@\n{\n    @body@\n}", head=head, body=body)])


def proba_q15(source: CSource) -> str:
    """The function of Q15 probabilities: no float, no division but of integers.

    Parameters
    ----------
    source : CSource
        With classes.

    Returns
    -------
    text : str
    """
    model, name = source.layout.model, source.name
    K, S = model.n_classes, model.n_scores
    parts = []
    if "powers" in source.layout.tables:
        parts.append(_integer_power(source))
    if K == 1:
        body = f"(void)x;\np[0] = {ONE}u;"
    elif model.link == "sigmoid":
        body = block(
            """
            int32_t s[1];
            uint32_t e;
            @name@_scores(x, s);
            e = @name@_power(s[0] < 0 ? 0u - (uint32_t)s[0] : (uint32_t)s[0]);
            e = ((e << 15) + ((65536u + e) >> 1)) / (65536u + e);
            p[0] = (uint16_t)(s[0] < 0 ? 32768u - e : e);
            p[1] = (uint16_t)(32768u - p[0]);
            """,
            name=name,
        )
    elif model.link == "softmax":
        body = block(
            """
            int32_t s[@S@];
            uint32_t sum = 0, e;
            int best = 0, k;
            @name@_scores(x, s);
            for (k = 1; k < @S@; k++)
                if (s[k] > s[best])
                    best = k;
            for (k = 0; k < @S@; k++)
                sum += @name@_power((uint32_t)s[best] - (uint32_t)s[k]);
            for (k = 0; k < @S@; k++) {
                e = @name@_power((uint32_t)s[best] - (uint32_t)s[k]);
                p[k] = (uint16_t)(((e << 15) + (sum >> 1)) / sum);
            }
            """,
            name=name,
            S=S,
        )
    elif S == 1:
        c = integer_factor(float(model.scale) * ONE, ONE / 2)
        body = block(
            """
            int32_t s[1];
            uint32_t d;
            @name@_scores(x, s);
            d = s[0] < 0 ? 0u - (uint32_t)s[0] : (uint32_t)s[0];
            d >>= @drop@;
            d = d >= @most@u ? 16384u : (d * @factor@u + @half@u) >> @fraction@;
            if (d > 16384u)
                d = 16384u;
            p[0] = (uint16_t)(s[0] < 0 ? 16384u + d : 16384u - d);
            p[1] = (uint16_t)(32768u - p[0]);
            """,
            name=name,
            drop=c.drop,
            most=c.most,
            factor=c.factor,
            fraction=c.fraction,
            half=(1 << c.fraction) >> 1,
        )
    else:
        most = sum(int(b) for b in model.score_bound)
        body = block(
            """
            int32_t s[@S@];
            uint32_t sum = 0;
            int k, drop = 0;
            @name@_scores(x, s);
            @before@
            for (k = 0; k < @S@; k++)
                sum += s[k] > 0 ? (uint32_t)s[k] >> drop : 0u;
            for (; sum >= 131072u; drop++)
                sum >>= 1;
            if (sum == 0)
                for (k = 0, sum = @S@u, drop = 0; k < @S@; k++)
                    s[k] = 1;
            for (k = 0; k < @S@; k++) {
                const uint32_t v = s[k] > 0 ? (uint32_t)s[k] >> drop : 0u;
                p[k] = v >= sum ? (uint16_t)32768u : (uint16_t)(((v << 15) + (sum >> 1)) / sum);
            }
            """,
            name=name,
            S=S,
            before=_room(S) if most >= 2**32 else "",
        )
    head = f"void {name}_proba_q15(const {source.x_type} *x, uint16_t *p)"
    return "\n".join([*parts, block("@head@\n{\n    @body@\n}", head=head, body=body)])


def _room(S: int) -> str:
    """Statements that drop bits of large scores, so that 32 bits hold their sum."""
    return block(
        """
        for (k = 0; k < @S@; k++)
            sum |= s[k] > 0 ? (uint32_t)s[k] : 0u;
        for (; sum >> @free@ != 0; drop++)
            sum >>= 1;
        sum = 0;
        """,
        S=S,
        free=32 - (S - 1).bit_length(),
    )


def _integer_power(source: CSource) -> str:
    c = integer_factor(float(source.layout.model.scale) / math.log(2), _DEEPEST)
    bits = c.fraction - 5
    return block(
        """
        /* 2^-(d c) in units of 2^-16, for c = @c@: whole steps shift, a table of @pieces@
           pieces and straight lines between its entries do the rest. */
        static uint32_t @name@_power(uint32_t d)
        {
            uint32_t y, a, b;
            @drop@
            if (d >= @most@u)
                return 0u;
            y = d * @factor@u;
            d = (y >> @bits@) & 31u;
            a = (uint32_t)32768 + @a@;
            b = (uint32_t)32768 + @b@;
            a -= ((a - b) * ((y >> @low@) & 2047u) + 1024u) >> 11;
            return a >> (y >> @fraction@);
        }
        """,
        name=source.name,
        c=f"{float(source.layout.model.scale) / math.log(2):.6g}",
        pieces=_PIECES,
        drop=f"d >>= {c.drop};" if c.drop else "",
        most=c.most,
        factor=c.factor,
        bits=bits,
        low=bits - 11,
        fraction=c.fraction,
        a=source.get("powers", "d"),
        b=source.get("powers", "d + 1u"),
    )
