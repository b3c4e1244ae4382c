"""The figures and tables of docs/first_study.md, as numbers only: tools/first_study.py EXPERIMENT [FOLDER]

After `make run EXPERIMENT=…`. Writes tables.md with Markdown tables and copies of the figures to FOLDER, which is
docs/first_study by default, and the numbers to bench/records/first_study.json. Levels with few learners are shown too:
this is for corpora that may be shared, not for EFCAMDAT.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.design import LEVELS, display_name, level_of
from lib.experiment.files import read_csv, read_json, write_json, write_text
from lib.experiment.folders import existing_experiment

FIGURES = ["h1_gains", "h2_general_vs_best", "h3_transfer", "decomposition", "gain_curve", "learning_curves", "matrix"]
RECORD = Path("bench/records/first_study.json")
DIGITS = {"Fillings": 3}
INITIAL = "initial"  # the base before any training
FILLINGS = ["exact", "top5", "unigram_overlap", "bigram_overlap", "nonwords", "true_nonwords", "error_preservation"]
COMPARED = ["ppl_matrix", "contrasts", "decomposition", "gain_curve", "word_metrics", "cost", "clock"]


def markdown(table, digits=1):
    """A table as Markdown, with n/a for what is missing."""
    head = "| " + " | ".join(map(str, table.columns)) + " |"
    rule = "|" + "---|" * len(table.columns)
    lines = ["| " + " | ".join(_cell(value, digits) for value in row) + " |" for row in table.itertuples(index=False)]
    return "\n".join([head, rule, *lines])


def _cell(value, digits):
    if value is None or isinstance(value, float) and np.isnan(value):
        return "n/a"
    return f"{value:,.{digits}f}" if isinstance(value, float) else str(value)


def gain(row):
    """A gain with its interval, in per cent."""
    if np.isnan(row["gain_pct"]):
        return None
    return f"{row['gain_pct']:+.1f} ({row['gain_lo']:+.1f} to {row['gain_hi']:+.1f})"


def perplexities(matrix):
    """Test perplexity of each model on the training mix, by level of the texts; the base before training last."""
    rows = matrix[matrix["mask_type"] == "training_mix"].pivot(index="model", columns="test", values="ppl")
    levels = [level for level in LEVELS if rows.get(level, pd.Series(dtype=float)).notna().any()]
    order = sorted(rows.index, key=lambda model: (model == INITIAL, LEVELS.index(level_of(model) or "A1"), model))
    rows = rows.loc[order, levels].reset_index()
    return rows.assign(model=rows["model"].map(display_name))


def gains(contrasts):
    """The gains on which the verdicts rest, a row a level."""
    primary = contrasts[(contrasts["mask_type"] == "training_mix") & (contrasts["subset"] == "without_copies")]
    names = ["general_vs_specialist", "general_vs_best_specialist", "general_vs_transfer", "specialist_vs_transfer"]
    found = primary[primary["name"].isin(names)].assign(gain=primary.apply(gain, axis=1))
    by_level = found.pivot(index="level", columns="name", values="gain").reindex(columns=names)
    return by_level.dropna(how="all").reset_index()


def parts(table):
    """The parts of each specialist's gain, a row a level."""
    found = table.assign(gain=table.apply(gain, axis=1)).dropna(subset="gain")
    order = list(dict.fromkeys(found["name"]))
    by_level = found.pivot(index="level", columns="name", values="gain").reindex(columns=order)
    return by_level.rename_axis("at").reset_index()  # one of the parts is called level


def curve(table):
    """The gain after each number of examples, a column a level."""
    found = table.assign(gain=table.apply(gain, axis=1)).dropna(subset="gain")
    return found.pivot(index="examples", columns="level", values="gain").reset_index()


def fillings(table):
    """05's fillings by level and model, in numbers."""
    columns = [name for name in FILLINGS if name in table]
    rows = table[["level", "model", *columns]].sort_values(["level", "model"])
    return rows.assign(model=rows["model"].map(display_name)).dropna(how="all", subset=columns)


def training(cost):
    """What each model read and took, and its validation perplexity before the first step and at the end."""
    columns = ["model", "examples_seen", "start_perplexity", "valid_perplexity", "still_improving", "hours"]
    return cost[columns].assign(model=cost["model"].map(display_name))


def main(experiment, folder="docs/first_study"):
    run = existing_experiment(experiment)
    tables = study_tables(run)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    sections = [f"## {title}\n\n{markdown(table, DIGITS.get(title, 1))}" for title, table in tables.items()]
    write_text("\n\n".join(sections) + "\n", folder / "tables.md")
    for name in FIGURES:
        source = run.figures / f"{name}.png"
        if source.exists():
            shutil.copy(source, folder / source.name)
    advice = read_json(run.hypotheses("recommendation.json"))
    record = {name: advice[name] for name in ["budget_limited", "provisional", "valid"]}
    record["recommendation"] = {level: found["sentence"] for level, found in advice["levels"].items()}
    for title, table in tables.items():
        record[title] = table.astype(object).where(table.notna(), None).to_dict("records")
    write_json(record, RECORD)
    print(f"{folder}/tables.md, {len(tables)} tables; {RECORD}")


def study_tables(run):
    """{title: table} of the page."""
    compared = {name: read_csv(run.compare(f"{name}.csv")) for name in COMPARED}
    cost = compared["cost"].merge(compared["clock"][["model", "hours"]], on="model")
    verdicts = read_csv(run.hypotheses("verdicts.csv"))
    return {
        "Verdicts": verdicts.pivot(index="hypothesis", columns="level", values="verdict").reset_index(),
        "Perplexity on test texts": perplexities(compared["ppl_matrix"]),
        "Gains, % (95 % interval)": gains(compared["contrasts"]),
        "Parts of the specialists' gain, %": parts(compared["decomposition"]),
        "Gain after equal numbers of examples, %": curve(compared["gain_curve"]),
        "Fillings": fillings(compared["word_metrics"]),
        "Training": training(cost),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
