"""What the simulation says of the rules: how often they make false claims, and how well intervals cover the truth."""

import pandas as pd
from scipy.stats import binom

from lib.formatting import Sentences

SAY = Sentences(__file__)


def simulated_error_rates(record):
    """bench/records/simulation.json as a table, a row a condition.

    Columns: seeds; noise, the sd of ln PPL between seeds; studies; the lowest and highest share, over levels, of
    intervals that contain the truth; and the share of studies that claim H1 at some level although every true gain
    equals the margin, by the rule and without seed noise in the standard errors.
    """
    columns = ["seeds", "noise", "studies", "false_h1_anywhere", "false_h1_without_seed_noise"]
    table = pd.DataFrame(record["conditions"]).T[columns].infer_objects()
    coverage = pd.DataFrame({name: condition["coverage"] for name, condition in record["conditions"].items()})
    table.insert(3, "coverage_lowest", coverage.min())
    table.insert(4, "coverage_highest", coverage.max())
    return table.rename_axis("condition").reset_index()


def error_rate_sentences(rates, alpha=0.05):
    """Markdown: the false claims of H1 with two seeds or more, and without seed noise. rates: as
    `simulated_error_rates` returns it."""
    several = rates[rates["seeds"] > 1]
    false = several["false_h1_anywhere"]
    limit = binom.isf(0.025, several["studies"], alpha) / several["studies"]  # what a true alpha exceeds in 2.5 %
    by_condition = rates.set_index("condition")
    return SAY(
        "error_rates",
        lowest=100 * false.min(),
        highest=100 * false.max(),
        n_conditions=len(several),
        n_exceeding=int((false > limit).sum()),
        alpha=100 * alpha,
        usual=by_condition.loc["three seeds"],
        quiet=by_condition.loc["three seeds, noise .005"],
    )
