"""The gain of distillation and its interval."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_rel

from skdistill.model_selection.gate import distillation_gain

SOFT, HARD = np.array([0.9, 0.8, 0.85, 0.95, 0.7]), np.array([0.8, 0.82, 0.8, 0.9, 0.71])


def test_without_overlap_it_is_the_interval_of_a_paired_t_test():
    gain = distillation_gain(SOFT, HARD, 0.0)
    interval = ttest_rel(SOFT, HARD).confidence_interval(0.95)
    assert gain.difference == pytest.approx(0.034)
    assert gain.interval == pytest.approx((interval.low, interval.high))
    assert gain.sentence == (
        "Soft labels score 0.0340 more than hard labels (95 % interval "
        f"{interval.low:.3g} to {interval.high:.3g}): this may be chance."
    )


def test_overlap_widens_the_interval():
    narrow, wide = (distillation_gain(SOFT, HARD, overlap) for overlap in (0.0, 0.25))
    half = [gain.interval[1] - gain.difference for gain in (narrow, wide)]
    assert half[1] / half[0] == pytest.approx(np.sqrt((0.2 + 0.25) / 0.2))


@pytest.mark.parametrize(
    ("gain", "scores", "verdict"),
    [
        (0.02, "0.0200 more than", ": distillation helps."),
        (0.002, "0.0020 more than", ": this may be chance."),
        (0.0, "the same as", "."),
        (-0.002, "0.0020 less than", ": this may be chance."),
        (-0.02, "0.0200 less than", ": distillation does not help."),
    ],
)
def test_the_sentence_claims_only_what_the_interval_allows(gain, scores, verdict):
    noise = np.array([-0.0078125, -0.00390625, 0.0, 0.00390625, 0.0078125])
    sentence = distillation_gain(noise + gain, np.zeros(5), 0.0).sentence
    assert sentence.startswith(f"Soft labels score {scores} hard labels (95 % interval ")
    returned = "" if gain > 0 else " A student on hard labels is returned."
    assert sentence.endswith(f"){verdict}{returned}")


def test_nothing_to_compare():
    gain = distillation_gain(None, HARD, 0.0)
    assert np.isnan(gain.difference)
    assert "Only students on hard labels" in gain.sentence
    assert distillation_gain(SOFT[:1], HARD[:1], 0.0).interval == (-np.inf, np.inf)
