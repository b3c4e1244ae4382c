"""Claims about the memorisation report: weights may be shared only if all measures are below their limits."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from lib.experiment import parameters
from lib.memorisation import assessment, extraction_gap

FILE = Path("params/memorisation.yaml")
LIMITS = parameters.validate(assessment.Limits, yaml.safe_load(FILE.read_text(encoding="utf-8")), FILE)


def sums(surprisal, exact, n=60, seed=0):
    """n learners of 50 tokens and 20 words each, who differ a little."""
    rng = np.random.default_rng(seed)
    nll = 50 * (surprisal + 0.05 * rng.standard_normal(n))
    return pd.DataFrame({"nll_text": nll, "n_tokens": 50, "right": rng.binomial(20, exact, n), "words": 20})


def measured(*, gap=0.0, exact=0.0, n=60):
    return extraction_gap.gaps(sums(3.0, 0.3 + exact, n), sums(3.0 + np.log1p(gap), 0.3, n, seed=1), 0.05, 11)


@pytest.mark.parametrize(
    "gap, exact, n, expected",
    [
        (0.5, 0, 60, "must not be shared"),
        (0, 0.3, 60, "must not be shared"),
        (0.1, 0, 60, "open"),
        (0.5, 0, 19, "open"),
    ],
)
def test_weights_with_a_significant_gap_must_not_be_shared(gap, exact, n, expected):
    limits = LIMITS.model_copy(update={"without_canaries": True})
    assert assessment.verdict(measured(gap=gap, exact=exact, n=n), limits)[0] == expected


def test_sharing_without_canaries_must_be_accepted():
    found = measured(exact=-0.05)
    assert assessment.verdict(found, LIMITS)[0] == "open"
    accepted = LIMITS.model_copy(update={"without_canaries": True})
    assert assessment.verdict(found, accepted)[0] == "may be shared"


CLEAR = {"exposure": 0.1, "exposure_lo": -0.3, "exposure_hi": 0.5, "sensitive": True}


@pytest.mark.parametrize("canaries, n, expected", [
    (CLEAR, 60, "may be shared"),
    (CLEAR | {"exposure_lo": 1.2, "exposure_hi": 2.0}, 60, "must not be shared"),
    (CLEAR | {"exposure_lo": 1.2, "exposure_hi": 2.0}, 5, "must not be shared"),
    (CLEAR | {"exposure_hi": 1.5}, 60, "open"),
    (CLEAR | {"sensitive": False}, 60, "open"),
    (CLEAR, 5, "open"),
])  # fmt: skip
def test_canaries_count_in_addition_to_the_gaps(canaries, n, expected):
    assert assessment.verdict(measured(exact=-0.05, n=n) | canaries, LIMITS)[0] == expected


def test_no_verdict_is_better_than_that_of_the_base():
    reports = {
        "general/seed0": ("must not be shared", "a gap"),
        "a1_transfer/seed0": ("may be shared", ""),
        "a1/seed0": ("open", ""),
        "a2_transfer/seed0": ("may be shared", ""),
        "longer/seed0": ("open", ""),
    }
    reports = {name: dict(zip(("verdict", "reason"), report)) for name, report in reports.items()}
    bases = {"general/seed0": "gpt2/seed0", "a1_transfer/seed0": "general/seed0", "longer/seed0": "a1_transfer/seed0",
             "a2_transfer/seed0": "a1/seed0"}  # fmt: skip
    found = assessment.with_bases(reports, bases)
    assert [report["verdict"] for report in found.values()] == [
        "must not be shared",
        "must not be shared",
        "open",
        "open",
        "must not be shared",
    ]
    assert found["general/seed0"]["reason"] == "a gap" and "general/seed0" in found["a1_transfer/seed0"]["reason"]
