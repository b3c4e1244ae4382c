"""What the simulation says of the rules: how often they make false claims, and how well intervals cover the truth."""

import numpy as np
import pandas as pd
from scipy.stats import binom

from lib.formatting import Sentences

SAY = Sentences(__file__)
OF_H1 = ["false_h1_anywhere", "false_h2_anywhere", "false_h1_without_seed_noise"]
OF_H3 = ["h3_anywhere", "h3_refuted_anywhere", "longer_anywhere"]


def simulated_error_rates(record):
    """The conditions of bench/records/simulation.json in which the gain of H1 equals its margin, a row each.

    Columns: seeds; noise, the sd of ln PPL between seeds; studies; the lowest and highest share, over levels, of
    intervals that contain the truth; and shares of studies that make a false claim at some level: H1; H2, which is then
    the refutation of H1 as well; and H1 without seed noise in the standard errors.
    """
    return _table(record, OF_H1)


def h3_error_rates(record):
    """The same for the conditions in which a contrast of H3 equals its margin. False claims: H3, its refutation, and
    longer training. Coverage is over levels and the three contrasts."""
    return _table(record, OF_H3)


def _table(record, claims):
    rows = {name: found for name, found in record["conditions"].items() if claims[0] in found}
    table = pd.DataFrame(rows).T[["seeds", "noise", "studies", *claims]].infer_objects()
    coverage = [pd.json_normalize(found["coverage"]).to_numpy(float) for found in rows.values()]
    table.insert(3, "coverage_lowest", [np.min(shares) for shares in coverage])
    table.insert(4, "coverage_highest", [np.max(shares) for shares in coverage])
    return table.rename_axis("condition").reset_index()


def error_rate_sentences(rates, of_h3, alpha=0.05):
    """Markdown: the false claims of each kind with two seeds or more, and of H1 without seed noise.

    rates, of_h3: as `simulated_error_rates` and `h3_error_rates` return them.
    """
    several = rates[rates["seeds"] > 1]
    claims = [
        _false_claims("H1", several, "false_h1_anywhere", alpha),
        _false_claims("H2 at some level, or H1 refuted at some level", several, "false_h2_anywhere", alpha),
        _false_claims("H3", of_h3, "h3_anywhere", alpha),
        _false_claims("H3 refuted", of_h3, "h3_refuted_anywhere", alpha),
        _false_claims("longer training", of_h3, "longer_anywhere", alpha),
    ]
    by_condition = rates.set_index("condition")
    return SAY(
        "error_rates",
        claims=claims,
        alpha=100 * alpha,
        usual=by_condition.loc["three seeds"],
        quiet=by_condition.loc["three seeds, noise .005"],
    )


def _false_claims(claim, rates, column, alpha):
    """How often a claim is false over conditions, and in which more often than chance explains at a rate of alpha."""
    limit = binom.isf(0.025, rates["studies"].astype(int), alpha) / rates["studies"]  # exceeded in 2.5 %
    exceeding = rates[column] > limit
    facts = {"claim": claim, "lowest": 100 * rates[column].min(), "highest": 100 * rates[column].max()}
    return facts | {"n_conditions": len(rates), "exceeding": list(rates.loc[exceeding, "condition"])}
