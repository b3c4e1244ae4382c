"""What a paper takes from a finished run: methods and data statement in words, booktabs tables, figures, references."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from lib import design
from lib.design import LEVELS
from lib.evaluation.statistics import on_mix
from lib.experiment.files import atomic
from lib.experiment.folders import existing
from lib.figures import style
from lib.figures.captions import CAPTIONS
from lib.formatting import listed, number
from lib.hypotheses import decision_rules
from lib.sharing.aggregates import SMALL, Study

TYPED = {"text": "as learners typed them, errors included", "text_corrected": "after automatic spelling correction"}
WORDS = {"level", "model", "l1", *decision_rules.HYPOTHESES}  # columns of a table that stand at the left
ESCAPES = str.maketrans({c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"$<$", ">": r"$>$",
    "θ": r"$\theta$", "−": "$-$", "±": r"$\pm$", "≥": r"$\geq$", "–": "--"})  # fmt: skip


def data_sentences(study):
    """What the texts are, in sentences: a data statement (after Bender & Friedman, TACL 2018) as far as a run knows."""
    report, levels = study.corpus, study.tables["levels"]
    files = listed([source["file"] for source in report["sources"]])
    gone = "; ".join(f"{n:,} {reason}" for reason, n in report["dropped"].items() if n) or "none"
    whom = "learners whom the corpus does not name"
    if report["learners_known"]:
        whom = f"{sum(report['texts_per_learner'].values()):,} learners"
    shares = ", ".join(f"{row.level} {row.n_texts:,.0f}" for row in levels.itertuples())
    l1 = study.tables["l1"]
    large = l1[l1["n_texts"].notna() & (l1["l1"] != "")]
    return [
        f"The texts come from {files}: {report['rows_out']:,} of {report['rows_in']:,} rows, by {whom} of English.",
        f"They were used {TYPED[report['text_column']]} (column {report['text_column']}).",
        f"Texts by CEFR level of the course they were written in: {shares}.",
        f"First languages, the most frequent first: {', '.join(large['l1'].head(10)) or 'not known'}.",
        f"Rows left out, by reason: {gone}.",
        "The corpus may not be passed on; no text, no learner and no number that rests on fewer than "
        f"{SMALL} learners is in what is shared.",
    ]


def methods(study):
    """The methods section as paragraphs of plain text, every number read from the run."""
    corpus, drawing = study.corpus["parameters"], study.masks["parameters"]
    rules, split_id = study.advice["parameters"], study.corpus["split_id"]
    held = study.corpus["copied"].get("test", 0)
    whose = "learner" if study.corpus["learners_known"] else "group of near duplicates (learners are not known)"
    train = 1 - corpus["valid_share"] - corpus["test_share"]
    hypotheses = decision_rules.HYPOTHESES.items()
    asked = [f"{name} asks for {one.asks.format(m=rules[one.margin])}" for name, one in hypotheses]
    return [
        f"One split serves all models: {train:.0%} of texts for training, {corpus['valid_share']:.0%} for validation, "
        f"{corpus['test_share']:.0%} for testing, balanced over levels and first languages, with no {whose} in two "
        f"parts (split {split_id}). Test texts with at least {corpus['copied_share']:.0%} of their word 8-grams in "
        f"training texts ({held:,}) are left out of primary results.",
        f"Blanks are drawn as by Donahue, Lee and Liang (2020): documents, paragraphs, sentences, and words become "
        f"blanks with probability {drawing['p']:g}, and {drawing['ngram_share']:.0%} of those at words are n-grams of "
        f"up to {drawing['max_ngram']} words. Test blanks ({drawing['mix_sets']} sets a text) are frozen, and all "
        f"models fill the same ones (masks {study.masks['mask_hash']['test']}).",
        _models(study),
        "Perplexity is e to the mean surprisal of answer tokens. Models are compared at a level by theta, the "
        "difference of ln perplexity on the same blanks, averaged over seeds; its standard error joins a bootstrap "
        f"over learners ({rules['bootstrap']:,} resamples) with the variance between seeds, and intervals are t "
        f"intervals with Satterthwaite's degrees of freedom. {', '.join(asked)}, at "
        f"a level of {rules['alpha']:g}, for H1 and H3 with Holm's correction over CEFR levels.",
    ]  # fmt: skip


def _models(study):
    trained = [one for one in study.trained.values() if one["status"] == "trained"]
    seeds = sorted({one["seed"] for one in trained})
    each = pd.DataFrame([
        one["parameters"]
        | {"seen": one["examples_seen"], "size": one["parameters_total"], "kind": design.kind(one["model"])}
        for one in trained
    ])  # fmt: skip
    seen = [f"{kind} {low:,.0f}" + (f" to {high:,.0f}" if high > low else "")
            for kind, low, high in each.groupby("kind")["seen"].agg(["min", "max"]).itertuples()]  # fmt: skip
    starts = listed(sorted(set(each.loc[~each["init_from"].isin(each["model"]), "init_from"])))
    starts = "from scratch" if starts == "scratch" else f"from {starts}"
    used = [sorted(set(each[name])) for name in ("learning_rate", "examples_per_step")]
    rate, per_step = (listed([f"{x:g}" for x in values]) for values in used)
    return (
        f"{each['model'].nunique()} models of {each['size'].median() / 1e6:,.1f} million parameters were trained with "
        f"seeds {listed(list(map(str, seeds)))}, those of one level and the general one starting {starts}, transfer "
        "models and the general model that is trained for longer from the general model. Examples seen: "
        f"{'; '.join(seen)}. The optimiser is AdamW with learning rate {rate} and {per_step} examples a step; "
        "weights kept are those with the least validation loss."
    )


def results(study):
    """A row a level: own, general and transfer perplexity, and the own model's gain with its interval."""
    ppl = on_mix(study.tables["ppl_matrix"]).set_index(["test", "model"])["ppl"]
    own = study.primary("general-own").set_index("level").reindex(LEVELS)
    rows = {"level": LEVELS, "learners": [str(n) for n in own["n_learners"].fillna("n/a")]}
    for whose in design.WHOSE.values():
        models = [design.judged(level)[whose] for level in LEVELS]
        rows[whose] = [number(ppl.get(cell, np.nan)) for cell in zip(LEVELS, models)]
    rows["gain, %"] = [number(gain, "{:+.1f}") for gain in own["gain_pct"]]
    rows["95 % interval"] = ["n/a" if np.isnan(low) else f"{number(low, '{:+.1f}')} to {number(high, '{:+.1f}')}"
                             for low, high in zip(own["gain_lo"], own["gain_hi"])]  # fmt: skip
    return pd.DataFrame(rows)


def verdicts(study):
    """Verdicts in words, levels by hypotheses, the overall ones last."""
    table = study.tables["verdicts"].pivot(index="level", columns="hypothesis", values="verdict")
    return table.reindex([*LEVELS, decision_rules.ALL]).fillna("n/a").reset_index().rename_axis(columns=None)


def matrix(study):
    """Perplexities as text, models by test texts."""
    cells = on_mix(study.tables["ppl_matrix"]).pivot(index="model", columns="test", values="ppl")
    rows = [*design.KIND, *cells.index.difference([*design.KIND])]
    cells = cells.reindex(index=rows, columns=[*LEVELS, design.MIXED])
    return cells.map(number).rename_axis("model").reset_index()


def counts(study, by="levels"):
    table = study.tables[by].drop(columns="why", errors="ignore")
    names = {"n_texts": "texts", "n_learners": "learners", "n_words": "words"}
    return table.map(lambda x: x if isinstance(x, str) else number(x, "{:,.0f}")).rename(columns=names)


def latex(text):
    """Plain text as LaTeX shows it."""
    return str(text).translate(ESCAPES)


def booktabs(table, caption, label):
    """A frame of text as a LaTeX table with booktabs' rules; every cell escaped."""
    escaped = table.map(latex).rename(columns=latex)
    how = {"hrules": True, "position": "tb", "position_float": "centering", "caption": latex(caption)}
    align = "".join("l" if name in WORDS else "r" for name in table)
    return escaped.style.hide(axis="index").to_latex(label=f"tab:{label}", column_format=align, **how)


def bibliography(citation):
    """CITATION.cff's references as BibTeX. citation: its content."""
    entries = []
    for work in citation["references"]:
        names = " and ".join(f"{a['family-names']}, {a['given-names']}" for a in work["authors"])
        kind, place = ("article", "journal") if "journal" in work else ("inproceedings", "booktitle")
        fields = {"author": names, "title": f"{{{work['title']}}}", "year": work["year"],
                  place: work.get("journal") or work["collection-title"], "volume": work.get("volume"),
                  "number": work.get("issue"), "pages": f"{work['start']}--{work['end']}",
                  "publisher": work.get("publisher", {}).get("name"), "doi": work.get("doi")}  # fmt: skip
        lines = [f"  {key} = {{{value}}}," for key, value in fields.items() if value]
        key = f"{work['authors'][0]['family-names'].lower()}{work['year']}"
        entries.append("\n".join([f"@{kind}{{{key},", *lines, "}"]))
    return "\n\n".join(entries) + "\n"


def write(study, folder):
    """The kit in `folder`: methods, data statement, tables, figures, references, CITATION.cff, study.tex."""
    folder.mkdir(parents=True, exist_ok=True)
    citation = (study.run.root / "CITATION.cff").read_text(encoding="utf-8")
    shown = [(name, drawn) for name, drawn, table in _saved(study, folder / "figures")]
    texts = {
        "methods.tex": "\n\n".join(map(latex, methods(study))),
        "data_statement.tex": "\n".join(map(latex, data_sentences(study))),
        "table_data.tex": booktabs(counts(study), "Texts, learners and words by CEFR level.", "data"),
        "table_results.tex": booktabs(results(study), "Perplexity on test texts; gain of the own model.", "results"),
        "table_verdicts.tex": booktabs(verdicts(study), "Verdicts by CEFR level.", "verdicts"),
        "table_matrix.tex": booktabs(matrix(study), "Perplexity of each model on each level's texts.", "matrix"),
        "references.bib": bibliography(yaml.safe_load(citation)),
        "CITATION.cff": citation,
        "study.tex": (Path(__file__).parent / "templates/study.tex").read_text(encoding="utf-8").replace(
            "%FIGURES%", "\n".join(_figure(name, CAPTIONS[name]) for name, _ in shown)),
    }  # fmt: skip
    for name, text in texts.items():
        with atomic(folder / name) as temporary:
            temporary.write_text(text.rstrip() + "\n", encoding="utf-8")


def _saved(study, folder):
    import matplotlib.pyplot as plt

    for name, drawn, table in study.figures():
        style.save(drawn, folder, name, table)
        plt.close(drawn.get_figure(root=True))
        yield name, drawn, table


def _figure(name, caption):
    return ("\\begin{figure}[tb]\n\\centering\n"
            f"\\includegraphics[width=\\linewidth]{{figures/{name}.pdf}}\n"
            f"\\caption{{{latex(caption)}}}\n\\label{{fig:{name}}}\n\\end{{figure}}")  # fmt: skip


def build(experiment):
    """Write runs/<experiment>/paper/ anew."""
    run = existing(experiment)
    shutil.rmtree(run.folder / "paper", ignore_errors=True)
    write(Study(run), run.folder / "paper")
    print(f"{run.folder}/paper: study.tex inputs methods, data statement, tables and figures; references.bib")
