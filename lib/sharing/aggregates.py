"""What of a study may be shown to those who may not see its corpus: aggregate tables, and figures drawn from them.

A number that rests on fewer than SMALL learners is left out, in tables and so in figures; its row says why.
"""

import numpy as np
import pandas as pd

from lib import design
from lib.design import LEVELS
from lib.evaluation import contrasts, statistics
from lib.experiment.files import read_csv, read_json
from lib.figures import result_figures, titles
from lib.hypotheses import verdict_text
from lib.hypotheses.decision_rules import HYPOTHESES

SMALL = 20  # learners
WHY = f"fewer than {SMALL} learners"
COMPARED = ["ppl_matrix", "contrasts", "by_type", "by_l1", "by_group", "word_metrics", "word_levels"]
COMPARED += ["cost", "preconditions", "clock"]
DECIDED = ["verdicts", "original_criteria", "mde"]
KEPT = {"n_learners", "seeds", "margin"}  # numbers that are not measured on a cell's learners


class Study:
    """A finished run as it may be shown. Raises MissingResult and StaleResult where it is not finished or not sound.

    Attributes: corpus, masks, advice: the reports of 01, 02 and 07; trained: {(model, seed): train.json}; tables:
    {name: frame}, COMPARED, DECIDED, levels and l1, without small cells.
    """

    def __init__(self, run):
        self.run, self.name = run, run.name
        self.corpus = run.corpus_report()
        self.masks = run.masks_report()
        self.advice = read_json(run.require(run.hypotheses("recommendation.json"), "07_hypotheses"))
        names = [run.require(run.compare(f"{name}.csv"), "06_compare") for name in COMPARED[:-1]]
        names += [
            run.compare("clock.csv"),
            *(run.require(run.hypotheses(f"{n}.csv"), "07_hypotheses") for n in DECIDED),
        ]
        self.synthetic = any("synthetic" in source["file"] for source in self.corpus["sources"])
        self.tables = {path.stem: read_csv(path) for path in names}
        self._learners()
        self.tables = {name: self._suppressed(table) for name, table in self.tables.items()}
        cost = self.tables["cost"]
        seeds = [(model, seed) for model in cost["model"] for seed in self._seeds(model)]
        self.trained = {one: read_json(run.require(run.model(*one) / "train.json", "03_train")) for one in seeds}

    def _seeds(self, model):
        return sorted(int(path.name[4:]) for path in self.run.model(model, 0).parent.glob("seed*"))

    def _learners(self):
        """Count texts, learners and words of each level and first language over all parts."""
        for by, name in [("level", "levels"), ("l1", "l1")]:
            counts = pd.DataFrame(self.corpus[f"by_{by}"])
            table = counts.groupby(by)[["n_texts", "n_learners", "n_words"]].sum().reset_index()
            self.tables[name] = table.sort_values(by if by == "level" else "n_texts", ascending=by == "level")
        parts = pd.DataFrame(self.corpus["by_level"]).pivot(index="level", columns="split", values="n_learners")
        parts = parts.reindex(LEVELS, columns=["train", "valid", "test"], fill_value=0).fillna(0)
        if not self.corpus["learners_known"]:  # then these are texts, of which a learner may have written several
            parts /= 5
        self.small = {part: set(parts.index[parts[part] < SMALL]) for part in parts}

    def _suppressed(self, table):
        """The table without numbers that rest on few learners; `why` says so."""
        table, small = table.copy(), pd.Series(False, table.index)
        if "n_learners" in table:
            counts = table.filter(like="n_learners")  # of words and of sampled fillings, in one row
            small |= (counts < SMALL * (1 if self.corpus["learners_known"] else 5)).any(axis=1)
        level = table.get("level", table.get("test"))
        if level is not None and "n_texts" not in table:
            small |= level.isin(self.small["test"])
        if "valid_perplexity" in table:
            levels = table["model"].map(design.level_of)
            small |= levels.isin(self.small["valid"])
        measured = [name for name in table.select_dtypes("number") if name not in KEPT]
        if "valid_perplexity" in table:
            measured = ["valid_perplexity", "start_perplexity"]
        table[measured] = table[measured].astype(float).mask(small)
        if "note" in table:  # tells numbers of all levels
            table = table.drop(columns="note")
        if "n_learners" in table:
            table["n_learners"] = table["n_learners"].astype(object).mask(small, f"<{SMALL}")
        if small.any() and "verdict" not in table:
            table["reason"] = (
                table.get("reason", pd.Series(index=table.index, dtype=object)).astype(object).mask(small, WHY)
            )
        return table

    def primary(self, name):
        """The contrast `name` as verdicts rest on it: training's mix of blanks, texts that nobody copied."""
        rows = contrasts.select(self.tables["contrasts"])
        return rows[rows["name"] == name]

    def curves(self):
        """Learning curves of all models that are judged on enough valid texts."""
        shown = [(m, s) for (m, s), one in self.trained.items()
                 if one["status"] == "trained" and design.level_of(m) not in self.small["valid"]]  # fmt: skip
        read = [read_csv(self.run.model(m, s) / "curve.csv").assign(model=m, seed=s) for m, s in shown]
        return pd.concat(read, ignore_index=True) if read else None

    def figures(self):
        """Yield (name, drawn, table) of each figure, in the order of CAPTIONS; titles say the result."""
        tables = self.tables
        title = {h: verdict_text.hypothesis_title(h, tables["verdicts"]) for h in HYPOTHESES}
        own, best = self.primary("general_vs_specialist"), self.primary("general_vs_best_specialist")
        yield "h1_gains", result_figures.gains(own, title["H1"]), own
        yield "h2_general_vs_best", result_figures.general_vs_best(best, title["H2"]), best
        matrix = statistics.on_training_mix(tables["ppl_matrix"])
        yield "h3_transfer", result_figures.transfer_slopes(matrix, title["H3"]), matrix
        yield "matrix", result_figures.perplexity_heatmap(matrix, titles.lowest_perplexity(matrix)), matrix
        by_type, by_l1 = (
            tables[name][tables[name]["name"] == "general_vs_specialist"] for name in ("by_type", "by_l1")
        )
        yield "by_type", result_figures.forest(by_type, titles.span_types(by_type), "mask_type"), by_type
        if by_l1["theta"].notna().any():
            by_l1 = by_l1[by_l1.groupby("l1")["theta"].transform("count") > 0]
            yield "by_l1", result_figures.forest(by_l1, titles.first_languages(by_l1), "l1"), by_l1
        mde, margin = tables["mde"], tables["verdicts"].query("hypothesis == 'H1'")["margin"].iloc[0]
        numbers = mde.assign(n_learners=pd.to_numeric(mde["n_learners"], errors="coerce"))
        drawn = result_figures.sample_size(numbers, titles.sample_size(mde, np.expm1(margin)))
        yield "sample_size", drawn, mde
        curves = self.curves()
        if curves is not None:
            yield "learning_curves", result_figures.learning_curves(curves, titles.learning_curves(curves)), curves
