"""What of a study may be shown to those who may not see its corpus: aggregate tables, and figures drawn from them.

Numbers of few learners, and those that would reveal one, are left out (small_cells.py), in tables and so in figures.
"""

import numpy as np
import pandas as pd

from lib import design
from lib.design import LEVELS
from lib.evaluation import contrasts, statistics
from lib.experiment.files import read_csv, read_json
from lib.figures import result_figures, titles
from lib.hypotheses import verdict_text
from lib.hypotheses.decision_rules import ALL_ROWS, HYPOTHESES
from lib.sharing import small_cells
from lib.sharing.small_cells import SMALL

COMPARED = ["ppl_matrix", "contrasts", "by_type", "by_l1", "by_group", "word_metrics", "word_levels"]
COMPARED += ["cost", "preconditions"]
DECIDED = ["verdicts", "original_criteria", "mde"]
TEXTS_PER_LEARNER = 5  # assumed where learners are unknown: SMALL learners then count as 5 SMALL texts
PRIMARY = "without_copies"


class Study:
    """A finished run as it may be shown. Raises MissingResult and StaleResult where it is not finished or not valid.

    Attributes: corpus, masks, advice: the reports of 01, 02 and 07; trained: {(model, seed): train.json}; tables:
    {name: frame}, COMPARED, DECIDED, clock, levels and l1, without small cells; small: {split: levels with few
    learners}.
    """

    def __init__(self, run):
        self.run, self.name = run, run.name
        self.corpus = run.corpus_report()
        self.masks = run.masks_report()
        self.advice = read_json(run.require(run.hypotheses("recommendation.json"), "07_hypotheses"))
        self.synthetic = any("synthetic" in source["file"] for source in self.corpus["sources"])
        self.count_learners()
        self.tables = self._read_tables()
        self._suppress()
        models = self.tables["cost"]["model"]
        trained = [(model, seed) for model in models for seed in self._seeds(model)]
        self.trained = {key: read_json(run.require(run.model(*key) / "train.json", "03_train")) for key in trained}

    def _read_tables(self):
        files = [self.run.require(self.run.compare(f"{name}.csv"), "06_compare") for name in COMPARED]
        files += [self.run.require(self.run.hypotheses(f"{name}.csv"), "07_hypotheses") for name in DECIDED]
        files.append(self.run.compare("clock.csv"))
        return {file.stem: read_csv(file) for file in files}

    def _seeds(self, model):
        return sorted(int(path.name[4:]) for path in self.run.model(model, 0).parent.glob("seed*"))

    def count_learners(self):
        """Set `small`, the levels with few learners in each split."""
        counts = pd.DataFrame(self.corpus["by_level"]).pivot(index="level", columns="split", values="n_learners")
        counts = counts.reindex(LEVELS, columns=["train", "valid", "test"], fill_value=0).fillna(0)
        if not self.corpus["learners_known"]:  # then these are texts, of which a learner may have written several
            counts /= TEXTS_PER_LEARNER
        self.small = {split: set(counts.index[counts[split] < SMALL]) for split in counts}

    def _group_counts(self, column):
        """Texts, learners and words of each level or first language over all splits."""
        counts = pd.DataFrame(self.corpus[f"by_{column}"])
        table = counts.groupby(column)[["n_texts", "n_learners", "n_words"]].sum().reset_index()
        by_level = column == "level"
        table = table.sort_values(column if by_level else "n_texts", ascending=by_level, ignore_index=True)
        return small_cells.count_groups(table, column, ordered=by_level)

    def _suppress(self):
        """Leave out small cells in all tables, then those that would reveal one, and round counts."""
        tables = {name: self._without_small(table) for name, table in self.tables.items()}
        contrast_table = tables["contrasts"]
        tables["contrasts"] = small_cells.hide(contrast_table, small_cells.hide_subsets(contrast_table, PRIMARY))
        tables["by_l1"] = self._without_hidden_groups(tables["by_l1"], ["name", "level"])
        tables["by_group"] = self._without_hidden_groups(tables["by_group"], ["name", "level", "by"])
        matrix = tables["ppl_matrix"]
        margin = small_cells.hide_margin(matrix)
        tables["ppl_matrix"] = small_cells.hide(matrix, margin)
        if margin.any():
            criteria = tables["original_criteria"]
            combined = (criteria["level"] == design.ALL_LEVELS) & ~criteria["criterion"].str.contains("validation")
            tables["original_criteria"] = small_cells.hide(criteria, combined, ["value"])
        if self.small["test"]:
            tables["verdicts"] = self._without_overall_numbers(tables["verdicts"])
        if self.small["valid"]:
            cost = tables["cost"]
            continued = cost["init_from"].isin(cost["model"])  # they begin with the perplexity of another model
            tables["cost"] = small_cells.hide(cost, continued, ["start_perplexity"])
        self.tables = {name: small_cells.round_counts(table) for name, table in tables.items()}
        self.tables["levels"], self.tables["l1"] = self._group_counts("level"), self._group_counts("l1")

    def _without_small(self, table):
        """The table without numbers that rest on fewer than SMALL learners."""
        small = pd.Series(False, table.index)
        if "n_learners" in table:
            least = SMALL if self.corpus["learners_known"] else SMALL * TEXTS_PER_LEARNER
            counts = table.filter(like="n_learners")  # of words and of sampled fillings, in one row
            small |= (counts < least).any(axis=1)
        level = table.get("level", table.get("test"))
        if level is not None:
            small |= level.isin(self.small["test"])
        columns = small_cells.measured(table)
        if "valid_perplexity" in table:
            small |= table["model"].map(design.level_of).isin(self.small["valid"])
            columns = ["valid_perplexity", "start_perplexity"]
        if "note" in table:  # contains numbers of all levels
            table = table.drop(columns="note")
        return small_cells.hide(table, small, columns)

    def _without_hidden_groups(self, table, by):
        """Rows of groups that may be shown; other groups are left out with their labels.

        by: columns that are the same in a partition of a level's texts.
        """
        primary = contrasts.select(self.tables["contrasts"])
        wholes = primary[["name", "level", "n_learners", "n_tokens"]]
        if "by" in by:
            wholes = wholes.merge(table[["by"]].drop_duplicates(), how="cross")
            wholes = wholes[wholes["by"] != "copies"]  # with these, texts with copies are whole, and they are left out
        over_levels = table["level"] == design.ALL_LEVELS
        before = None
        hidden = table["theta"].isna() | ~(table["n_learners"] >= SMALL)
        while before is None or (hidden != before).any():  # a level's partition, then a group's partition by level
            before = hidden
            hidden = small_cells.hide_in_partitions(table, by, wholes, hidden)
            if over_levels.any():
                sums = table[over_levels & ~hidden][["name", "l1", "n_learners", "n_tokens"]]
                rest = small_cells.hide_in_partitions(table[~over_levels], ["name", "l1"], sums, hidden[~over_levels])
                hidden = rest.reindex(table.index).fillna(hidden).astype(bool)
        return table[~hidden].reset_index(drop=True)

    def _without_overall_numbers(self, verdicts):
        """Verdicts without the numbers over all levels, which are those of one level, and without corrected p-values,
        which depend on the ranks of all levels."""
        overall = verdicts["level"] == ALL_ROWS
        verdicts = small_cells.hide(verdicts, overall)
        hidden_level = verdicts["level"].isin(self.small["test"])
        return verdicts.assign(p_holm=np.nan, reason=verdicts["reason"].astype(object).mask(hidden_level))

    def primary(self, name):
        """The contrast `name` on which verdicts rest: the training mix of span types, texts without copies."""
        rows = contrasts.select(self.tables["contrasts"])
        return rows[rows["name"] == name]

    def curves(self):
        """Learning curves of all models that are evaluated on enough learners of the validation set, or None."""
        shown = [key for key, report in self.trained.items()
                 if report["status"] == "trained" and design.level_of(key[0]) not in self.small["valid"]]  # fmt: skip
        tables = [self._curve(model, seed) for model, seed in shown]
        return pd.concat(tables, ignore_index=True) if tables else None

    def _curve(self, model, seed):
        """A learning curve; where a level is small, without the start of models that continue another one."""
        curve = read_csv(self.run.model(model, seed) / "curve.csv").assign(model=model, seed=seed)
        continued = self.trained[model, seed]["init_from"] in set(self.tables["cost"]["model"])
        return curve.iloc[1:] if continued and self.small["valid"] else curve

    def figures(self):
        """Yield (name, Axes or Figure, table) of each figure, in the order of CAPTIONS; titles state the result."""
        tables = self.tables
        title = {name: verdict_text.hypothesis_title(name, tables["verdicts"]) for name in HYPOTHESES}
        specialist = self.primary("general_vs_specialist")
        yield "h1_gains", result_figures.gains(specialist, title["H1"]), specialist
        best = self.primary("general_vs_best_specialist")
        yield "h2_general_vs_best", result_figures.general_vs_best(best, title["H2"]), best
        matrix = statistics.on_training_mix(tables["ppl_matrix"])
        yield "h3_transfer", result_figures.transfer_slopes(matrix, title["H3"]), matrix
        yield "matrix", result_figures.perplexity_heatmap(matrix, titles.lowest_perplexity(matrix)), matrix
        by_type = _against_specialist(tables["by_type"])
        yield "by_type", result_figures.forest(by_type, titles.span_types(by_type), "mask_type"), by_type
        by_l1 = _against_specialist(tables["by_l1"])
        if by_l1["theta"].notna().any():
            yield "by_l1", result_figures.forest(by_l1, titles.first_languages(by_l1), "l1"), by_l1
        mde = tables["mde"]
        margin = tables["verdicts"].query("hypothesis == 'H1'")["margin"].iloc[0]
        yield "needed_sample", result_figures.sample_size(mde, titles.sample_size(mde, np.expm1(margin))), mde
        curves = self.curves()
        if curves is not None:
            yield "learning_curves", result_figures.learning_curves(curves, titles.learning_curves(curves)), curves


def _against_specialist(table):
    return table[table["name"] == "general_vs_specialist"]
