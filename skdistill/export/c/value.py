"""C that makes the values of a regression of its scores: in float, or in integers.

A value is a score times its scale. ``value_q16`` has 16 bits after the point: the integer is the
value times 2^16, rounded to the nearest one.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.model_tables import ModelTables
from skdistill.export.c.text import CSource, block, number

VALUES = ("value", *(f"value_q{bits}" for bits in range(31)))
"""What `output` may be for a value: float, or an integer with so many bits after the point."""


class Factor(NamedTuple):
    """``s * scale * 2^bits`` for integers s ≥ 0 as ``(s * factor) >> shift``, in 64 bits."""

    factor: int
    shift: int


def fraction_bits(output: str) -> int | None:
    """Bits after the point of an output.

    Parameters
    ----------
    output : str
        One of `VALUES`.

    Returns
    -------
    bits : int or None
        None for float.
    """
    match = re.fullmatch(r"value_q(\d+)", output)
    return int(match[1]) if match else None


def check_value(model: ModelTables, output: str) -> None:
    """Refuse an output that does not hold the largest value.

    Parameters
    ----------
    model : ModelTables
        A regression.
    output : str
        One of `VALUES`.

    Raises
    ------
    ValueError
        If a value may leave float32 or 32 bits; the message names what holds it. And for the link
        "exp", for the file has no exponential function.
    """
    if model.link == "exp":
        raise ValueError(
            f"output={output!r} does not suit link 'exp': take 'scores', a value is expf of a "
            "score times its scale"
        )
    bits, most = fraction_bits(output), float((model.score_bound * _scales(model)).max())
    if bits is None:
        if most > float(np.finfo(np.float32).max):
            raise ValueError(f"output='value' is float32, which does not hold values of {most:.3g}")
        return
    fitting = [n for n in range(31) if most * 2.0**n < 2**31 - 2]
    if bits not in fitting:
        remedy = f"take 'value_q{fitting[-1]}' or fewer bits" if fitting else "take 'value'"
        raise ValueError(
            f"output={output!r} holds numbers below {2 ** (31 - bits):,}, and the values of this "
            f"model reach {most:.6g}: {remedy}"
        )


def value_error(model: ModelTables, output: str) -> float:
    """Bound of the difference between a value in C and in Python.

    Parameters
    ----------
    model : ModelTables
        A regression.
    output : str
        One of `VALUES`.

    Returns
    -------
    error : float
        For float that of the scale and of two roundings; else a half of the last bit, and what
        the factor is off.
    """
    bits, scales = fraction_bits(output), _scales(model)
    bound = model.score_bound.astype(np.float64)
    if bits is None:
        off = np.abs(np.float64(np.float32(scales)) - scales)
        return float((bound * (off + scales * 2.0**-23)).max()) + 2.0**-149
    off = np.array(
        [
            abs(factor / 2.0**shift - scale * 2.0**bits)
            for scale, (factor, shift) in zip(scales, _factors(model, bits), strict=True)
        ]
    )
    # Python's own product is off in its last bit.
    return float(((0.5 + bound * off) / 2.0**bits + bound * scales * 2.0**-52).max())


def value_tables(model: ModelTables, output: str) -> dict[str, NDArray[np.generic]]:
    """Tables that the function needs: factors and shifts, where scores have scales of their own.

    Parameters
    ----------
    model : ModelTables
        A regression.
    output : str
        One of `VALUES`.

    Returns
    -------
    tables : dict of str to array
    """
    bits = fraction_bits(output)
    if bits is None or isinstance(model.scale, float):
        return {}
    factors, shifts = zip(*_factors(model, bits), strict=True)
    return {
        "value_factors": np.array(factors, np.uint32),
        "value_shifts": np.array(shifts, np.uint8),
    }


def value(source: CSource, output: str) -> str:
    """The function of the values.

    Parameters
    ----------
    source : CSource
        Of a regression.
    output : str
        One of `VALUES`.

    Returns
    -------
    text : str
    """
    model, bits = source.layout.model, fraction_bits(output)
    parts = {"name": source.name, "T": source.x_type, "S": model.n_scores, "output": output}
    if bits is None:
        scale = f"{source.name}_scale[k]"
        if isinstance(model.scale, float):
            scale = number(model.scale)
        return block(
            """
            void @name@_value(const @T@ *x, float *y)
            {
                int32_t s[@S@];
                unsigned k;
                @name@_scores(x, s);
                for (k = 0; k < @S@; k++)
                    y[k] = (float)s[k] * @scale@;
            }
            """,
            scale=scale,
            **parts,
        )
    factor, shift = _factors(model, bits)[0]
    declared, texts = "", (f"{factor}u", str(shift))
    half = f"((uint64_t)1 << {shift - 1})"
    if "value_factors" in source.layout.tables:
        declared = f"const unsigned n = {source.get('value_shifts', 'k')};"
        texts = (source.get("value_factors", "k"), "n")
        half = "((uint64_t)1 << (n - 1u))"
    return block(
        """
        void @name@_@output@(const @T@ *x, int32_t *y)
        {
            unsigned k;
            @name@_scores(x, y);
            for (k = 0; k < @S@; k++) {
                @declared@
                const uint32_t s = y[k] < 0 ? 0u - (uint32_t)y[k] : (uint32_t)y[k];
                const int32_t q = (int32_t)(((uint64_t)s * @factor@ + @half@) >> @shift@);
                y[k] = y[k] < 0 ? -q : q;
            }
        }
        """,
        declared=declared,
        factor=texts[0],
        half=half,
        shift=texts[1],
        **parts,
    )


def _scales(model: ModelTables) -> NDArray[np.float64]:
    return np.broadcast_to(np.asarray(model.scale, np.float64), model.n_scores)


def _factors(model: ModelTables, bits: int) -> list[Factor]:
    """The factor of each score: 32 bits, or as many as a shift of 62 leaves."""
    factors, bound = [], model.score_bound
    if isinstance(model.scale, float):
        bound = np.full_like(bound, bound.max())
    for scale, most in zip(_scales(model).tolist(), bound.tolist(), strict=True):
        product = scale * 2.0**bits if most else 0.0  # a score of 0 may have any scale
        shift = min(62, 31 - math.floor(math.log2(product))) if product else 1
        factors.append(Factor(min(round(product * 2.0**shift), 2**32 - 1), shift))
    return factors
