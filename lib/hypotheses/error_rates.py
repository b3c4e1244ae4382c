"""What the simulation says of the rules: how often they claim falsely, and what they find."""

import pandas as pd


def simulated_error_rates(record):
    """bench/records/simulation.json as a table, a row a condition: seeds, noise (sd of ln PPL between seeds), studies,
    the lowest and highest share of intervals at a level that hold the truth, and the share of studies that claim H1 at
    some level though every true gain is the margin: by the rule, and were seed noise left out."""
    columns = ["seeds", "noise", "studies", "false_h1_anywhere", "false_h1_without_seed_noise"]
    table = pd.DataFrame(record["conditions"]).T[columns].infer_objects()
    coverage = pd.DataFrame({name: one["coverage"] for name, one in record["conditions"].items()})
    table.insert(3, "coverage_lowest", coverage.min())
    table.insert(4, "coverage_highest", coverage.max())
    return table.rename_axis("condition").reset_index()
