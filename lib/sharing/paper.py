"""What a paper takes from a finished run: methods and data statement in words, booktabs tables, figures, references."""

import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import yaml

from lib import design
from lib.design import LEVELS
from lib.evaluation.statistics import on_training_mix
from lib.experiment.files import write_text
from lib.experiment.folders import existing_experiment
from lib.figures import style
from lib.figures.captions import CAPTIONS
from lib.formatting import Sentences, format_number, join_names
from lib.hypotheses import decision_rules
from lib.sharing.aggregates import SMALL, Study

SAY = Sentences(__file__)
WORDS = {"level", "model", "l1", *decision_rules.HYPOTHESES}  # columns of a table that stand at the left
ESCAPES = str.maketrans({c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"$<$", ">": r"$>$",
    "θ": r"$\theta$", "−": "$-$", "±": r"$\pm$", "≥": r"$\geq$", "–": "--"})  # fmt: skip


def data_sentences(study):
    """What the texts are, in sentences: a data statement (after Bender & Friedman, TACL 2018) as far as a run knows."""
    report, levels, l1 = study.corpus, study.tables["levels"], study.tables["l1"]
    large = l1.loc[l1["n_texts"].notna() & (l1["l1"] != ""), "l1"].head(10)
    whom = "learners whom the corpus does not name"
    if report["learners_known"]:
        whom = f"{sum(report['texts_per_learner'].values()):,} learners"
    told = {"files": join_names([_line(source["file"]) for source in report["sources"]]), "l1s": [*map(_line, large)]}
    told["levels"] = [f"{row.level} {row.n_texts:,.0f}" for row in levels.itertuples()]
    told["gone"] = [f"{n:,} {reason}" for reason, n in report["dropped"].items() if n]
    return SAY("data", report=report, whom=whom, small=SMALL, **told).split("\n")


def _line(text):
    return text.replace("\n", " ")


def methods(study):
    """The methods section as paragraphs of plain text, every number read from the run."""
    parts, rules = study.corpus["parameters"], study.advice["parameters"]
    parts = parts | {"train": 1 - parts["valid_share"] - parts["test_share"]}
    hypotheses = decision_rules.HYPOTHESES.items()
    told = {"asked": [f"{name} asks for {one.requires.format(m=rules[one.margin])}" for name, one in hypotheses]}
    told |= {"drawing": study.masks["parameters"], "masks": study.masks["mask_hash"]["test"], "models": _models(study)}
    return SAY("methods", corpus=study.corpus, parts=parts, rules=rules, **told).split("\n")


def _models(study):
    """How the models were trained, as `methods` tells it."""
    trained = [one for one in study.trained.values() if one["status"] == "trained"]
    each = pd.DataFrame([one["parameters"] for one in trained])
    each = each.assign(**{name: [one[name] for one in trained] for name in ["examples_seen", "parameters_total"]})
    seen = each.groupby(each["model"].map(design.kind))["examples_seen"].agg(["min", "max"])
    starts = join_names(sorted(set(each.loc[~each["init_from"].isin(each["model"]), "init_from"])))
    told = {name: [f"{x:g}" for x in sorted(set(each[name]))] for name in ("learning_rate", "examples_per_step")}
    told["seen"] = [f"{kind} {low:,.0f}" + (f" to {high:,.0f}" if high > low else "")
                    for kind, low, high in seen.itertuples()]  # fmt: skip
    told |= {"number": each["model"].nunique(), "millions": each["parameters_total"].median() / 1e6}
    told["seeds"] = list(map(str, sorted({one["seed"] for one in trained})))
    return told | {"starts": "from scratch" if starts == "scratch" else f"from {starts}"}


def results(study):
    """A row a level: own, general and transfer perplexity, and the own model's gain with its interval."""
    ppl = on_training_mix(study.tables["ppl_matrix"]).set_index(["test", "model"])["ppl"]
    own = study.primary("general_vs_specialist").set_index("level").reindex(LEVELS)
    rows = {"level": LEVELS, "learners": [str(n) for n in own["n_learners"].fillna("n/a")]}
    for whose in design.KINDS:
        models = [design.compared_at(level)[whose] for level in LEVELS]
        rows[whose] = [format_number(ppl.get(cell, np.nan)) for cell in zip(LEVELS, models)]
    rows["gain, %"] = [format_number(gain, "{:+.1f}") for gain in own["gain_pct"]]
    low, high = ([format_number(gain, "{:+.1f}") for gain in own[end]] for end in ("gain_lo", "gain_hi"))
    rows["95 % interval"] = [a if a == "n/a" else f"{a} to {b}" for a, b in zip(low, high)]
    return pd.DataFrame(rows)


def verdicts(study):
    """Verdicts in words, levels by hypotheses, the overall ones last."""
    table = study.tables["verdicts"].pivot(index="level", columns="hypothesis", values="verdict")
    return table.reindex([*LEVELS, decision_rules.OVERALL]).fillna("n/a").reset_index().rename_axis(columns=None)


def matrix(study):
    """Perplexities as text, models by test texts."""
    cells = on_training_mix(study.tables["ppl_matrix"]).pivot(index="model", columns="test", values="ppl")
    rows = [*design.KIND, *cells.index.difference([*design.KIND])]
    cells = cells.reindex(index=rows, columns=[*LEVELS, design.ALL_LEVELS])
    return cells.map(format_number).rename_axis("model").reset_index()


def counts(study, by="levels"):
    table = study.tables[by].drop(columns="reason", errors="ignore")
    names = {"n_texts": "texts", "n_learners": "learners", "n_words": "words"}
    return table.map(lambda x: x if isinstance(x, str) else format_number(x, "{:,.0f}")).rename(columns=names)


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
    figures = []
    for name, drawn, table in study.figures():
        style.save(drawn, folder / "figures", name, table)
        plt.close(drawn.get_figure(root=True))
        figures.append(_figure(name, CAPTIONS[name]))
    document = (Path(__file__).parent / "templates/study.tex").read_text(encoding="utf-8")
    texts = {
        "methods.tex": "\n\n".join(map(latex, methods(study))),
        "data_statement.tex": "\n".join(map(latex, data_sentences(study))),
        "table_data.tex": booktabs(counts(study), "Texts, learners and words by CEFR level.", "data"),
        "table_results.tex": booktabs(results(study), "Perplexity on test texts; gain of the own model.", "results"),
        "table_verdicts.tex": booktabs(verdicts(study), "Verdicts by CEFR level.", "verdicts"),
        "table_matrix.tex": booktabs(matrix(study), "Perplexity of each model on each level's texts.", "matrix"),
        "references.bib": bibliography(yaml.safe_load(citation)),
        "CITATION.cff": citation,
        "study.tex": document.replace("%FIGURES%", "\n".join(figures)),
    }  # fmt: skip
    for name, text in texts.items():
        write_text(text.rstrip() + "\n", folder / name)


def _figure(name, caption):
    return ("\\begin{figure}[tb]\n\\centering\n"
            f"\\includegraphics[width=\\linewidth]{{figures/{name}.pdf}}\n"
            f"\\caption{{{latex(caption)}}}\n\\label{{fig:{name}}}\n\\end{{figure}}")  # fmt: skip


def build(experiment):
    """Write runs/<experiment>/paper/ anew."""
    run = existing_experiment(experiment)
    shutil.rmtree(run.folder / "paper", ignore_errors=True)
    write(Study(run), run.folder / "paper")
    print(f"{run.folder}/paper: study.tex inputs methods, data statement, tables and figures; references.bib")
