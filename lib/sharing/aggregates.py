"""What of a study may be shown to those who may not see its corpus: aggregate tables, and figures drawn from them.

Numbers of few learners, and those that would reveal one, are left out (small_cells.py), in tables and so in figures.
"""

import numpy as np
import pandas as pd

from lib import design
from lib.design import LEVELS
from lib.evaluation import contrasts, statistics
from lib.evaluation.attribution import decomposition, gain_curves
from lib.experiment.files import read_csv, read_json
from lib.experiment.folders import OWN_TEXTS
from lib.figures import identification_figures, result_figures, titles
from lib.hypotheses import verdict_text
from lib.hypotheses.decision_rules import HYPOTHESES
from lib.sharing import identified_levels, small_cells
from lib.sharing.small_cells import SMALL

COMPARED = ["ppl_matrix", "contrasts", "by_type", "by_l1", "by_group", "word_metrics", "word_levels"]
COMPARED += ["decomposition", "gain_curve", "cost", "preconditions"]
DECIDED = ["verdicts", "original_criteria", "mde"]


class Study:
    """A finished run as it may be shown. Raises MissingResult and StaleResult where it is not finished or not valid.

    Attributes: corpus, masks, advice: the reports of 01, 02 and 07; trained: {(model, seed): train.json}; tables:
    {name: frame}, COMPARED, DECIDED, clock, levels and l1, without small cells, and where make identify was run
    identification and identified_levels; not_identified: {name of texts: why its results are left out}; small: {split:
    levels with few learners}.
    """

    def __init__(self, run):
        self.run, self.name = run, run.name
        self.corpus = run.corpus_report()
        self.masks = run.masks_report()
        self.advice = read_json(run.require(run.hypotheses("recommendation.json"), "07_hypotheses"))
        self.synthetic = any("synthetic" in source["file"] for source in self.corpus["sources"])
        self.count_learners()
        self.tables = small_cells.protect(self._read_tables(), self.small, self.corpus["learners_known"])
        self.tables["levels"], self.tables["l1"] = self._group_counts("level"), self._group_counts("l1")
        identified, self.not_identified = identified_levels.read(run)
        if identified:
            self.tables["identification"], self.tables["identified_levels"] = identified_levels.shared(identified)
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
            counts /= small_cells.TEXTS_PER_LEARNER
        self.small = {split: set(counts.index[counts[split] < SMALL]) for split in counts}

    def _group_counts(self, column):
        """Texts, learners and words of each level or first language over all splits."""
        counts = pd.DataFrame(self.corpus[f"by_{column}"])
        table = counts.groupby(column)[["n_texts", "n_learners", "n_words"]].sum().reset_index()
        by_level = column == "level"
        table = table.sort_values(column if by_level else "n_texts", ascending=by_level, ignore_index=True)
        return small_cells.count_groups(table, column, ordered=by_level)

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
        return curve.iloc[1:] if self.start_is_hidden(model, seed) else curve

    def start_is_hidden(self, model, seed):
        """Whether the model began with another model's perplexity, and this would reveal a small level."""
        continued = self.trained[model, seed]["init_from"] in set(self.tables["cost"]["model"])
        return continued and bool(self.small["valid"])

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
        parts = tables["decomposition"]
        if parts["theta"].notna().any():
            yield "decomposition", result_figures.forest(parts, decomposition.title(parts), "name"), parts
        curve = tables["gain_curve"]
        if curve["theta"].notna().any():
            yield "gain_curve", result_figures.gain_curves(curve, gain_curves.title(curve)), curve
        by_l1 = _against_specialist(tables["by_l1"])
        if by_l1["theta"].notna().any():
            yield "by_l1", result_figures.forest(by_l1, titles.first_languages(by_l1), "l1"), by_l1
        mde = tables["mde"]
        margin = tables["verdicts"].query("hypothesis == 'H1'")["margin"].iloc[0]
        numbers = mde.assign(n_learners=pd.to_numeric(mde["n_learners"], errors="coerce"))
        drawn = result_figures.sample_size(numbers, titles.sample_size(mde, np.expm1(margin)))
        yield "sample_size", drawn, mde
        curves = self.curves()
        if curves is not None:
            yield "learning_curves", result_figures.learning_curves(curves, titles.learning_curves(curves)), curves
        cells = self.shown_confusions()
        if len(cells):
            measures = tables["identification"].query("texts == @OWN_TEXTS")
            stated = identification_figures.title(measures)
            yield "identified_levels", identification_figures.confusions(cells, stated), cells

    def shown_confusions(self):
        """The confusion matrices of the study's own test texts; without rows where no cell may be shown."""
        cells = self.tables.get("identified_levels", pd.DataFrame(columns=["texts", "share"]))
        own = cells[cells["texts"] == OWN_TEXTS]
        return own if own["share"].notna().any() else own.iloc[:0]


def _against_specialist(table):
    return table[table["name"] == "general_vs_specialist"]
