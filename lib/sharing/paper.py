"""Parts of a paper from a finished run: methods and data statement as text, booktabs tables, figures, references."""

import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import yaml

from lib import design
from lib.design import LEVELS
from lib.evaluation.statistics import on_training_mix
from lib.experiment.files import file_hash, read_json, write_json, write_text
from lib.experiment.folders import existing_experiment
from lib.figures import style
from lib.figures.captions import CAPTIONS
from lib.formatting import Sentences, format_number, join_names
from lib.hypotheses import decision_rules
from lib.sharing.aggregates import Study
from lib.sharing.small_cells import OTHER, REASON, SMALL, round_count

SAY = Sentences(__file__)
LEFT_ALIGNED = {"level", "model", "l1", *decision_rules.HYPOTHESES}  # columns of tables
WITHHELD = "withheld"  # instead of a number of few learners
DRAWN = "drawn_figures.json"  # in the run's folder: hashes of the images that `write` drew last
ESCAPES = str.maketrans({c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"$<$", ">": r"$>$",
    "θ": r"$\theta$", "−": "$-$", "±": r"$\pm$", "≥": r"$\geq$", "–": "--"})  # fmt: skip


def data_sentences(study):
    """What the texts are, in sentences: a data statement (after Bender & Friedman, TACL 2018) as far as a run knows."""
    report, levels, l1 = study.corpus, study.tables["levels"], study.tables["l1"]
    named = l1["n_texts"].notna() & ~l1["l1"].isin(["", OTHER])
    writers = "learners whom the corpus does not name"
    if report["learners_known"]:
        writers = f"{n_learners(study):,} learners"
    dropped = {reason: round_count(n) for reason, n in report["dropped"].items()}
    facts = {
        "files": join_names([_line(source["file"]) for source in report["sources"]]),
        "writers": writers,
        "n_texts": round_count(report["rows_out"]),
        "levels": [f"{row.level} {format_number(row.n_texts, '{:,.0f}')}" for row in levels.itertuples()],
        "first_languages": [_line(name) for name in l1.loc[named, "l1"].head(10)],
        "dropped": [f"{n:,} {reason}" for reason, n in dropped.items() if n],
    }
    return SAY("data", report=report, small=SMALL, **facts).split("\n")


def n_learners(study):
    """Learners of the corpus, rounded as in tables."""
    return round_count(sum(study.corpus["texts_per_learner"].values()))


def _line(text):
    return text.replace("\n", " ")


def methods(study):
    """The methods section as paragraphs of plain text, every number read from the run."""
    splits, rules = study.corpus["parameters"], study.advice["parameters"]
    splits = splits | {"train": 1 - splits["valid_share"] - splits["test_share"]}
    claims = [f"{name} requires {hypothesis.requires.format(m=rules[hypothesis.margin])}"
              for name, hypothesis in decision_rules.HYPOTHESES.items()]  # fmt: skip
    facts = {"corpus": study.corpus, "splits": splits, "rules": rules, "claims": claims, "models": _models(study)}
    facts |= {"mask_settings": study.masks["parameters"], "mask_id": study.masks["mask_hash"]["test"]}
    facts["n_copied"] = round_count(study.corpus["copied"].get("test", 0))
    return SAY("methods", **facts).split("\n")


def _models(study):
    """Facts on the training of the models, for `methods`."""
    reports = [report for report in study.trained.values() if report["status"] == "trained"]
    runs = pd.DataFrame([report["parameters"] for report in reports])
    for name in ["examples_seen", "parameters_total"]:
        runs[name] = [report[name] for report in reports]
    seen = runs.groupby(runs["model"].map(design.kind))["examples_seen"].agg(["min", "max"])
    bases = join_names(sorted(set(runs.loc[~runs["init_from"].isin(runs["model"]), "init_from"])))
    return {
        "number": runs["model"].nunique(),
        "millions": runs["parameters_total"].median() / 1e6,
        "seeds": [str(seed) for seed in sorted({report["seed"] for report in reports})],
        "init": "from scratch" if bases == "scratch" else f"from {bases}",
        "examples_seen": [f"{kind} {_range(low, high)}" for kind, low, high in seen.itertuples()],
        "learning_rates": [f"{rate:g}" for rate in sorted(set(runs["learning_rate"]))],
        "batch_sizes": [f"{size:g}" for size in sorted(set(runs["examples_per_step"]))],
    }


def _range(low, high):
    return f"{low:,.0f} to {high:,.0f}" if high > low else f"{low:,.0f}"


def results(study):
    """A row for each level: perplexity of specialist, general and transfer model; the specialist's gain, interval."""
    cells = on_training_mix(study.tables["ppl_matrix"]).set_index(["test", "model"])
    gain = study.primary("general_vs_specialist").set_index("level").reindex(LEVELS)
    rows = {"level": LEVELS, "learners": _column(gain, "n_learners", "{:,.0f}")}
    for kind in design.KINDS:
        models = [design.compared_at(level)[kind] for level in LEVELS]
        rows[kind] = _column(cells.reindex(zip(LEVELS, models)), "ppl")
    rows["gain, %"] = _column(gain, "gain_pct", "{:+.1f}")
    intervals = [_interval(low, high) for low, high in zip(gain["gain_lo"], gain["gain_hi"])]
    rows["95 % interval"] = [WITHHELD if hidden else text for hidden, text in zip(is_withheld(gain), intervals)]
    return pd.DataFrame(rows)


def is_withheld(table):
    """Of each row: are its numbers known, and left out because of few learners? bool [rows]."""
    return (table["reason"] == REASON).to_numpy() if "reason" in table else np.zeros(len(table), bool)


def _column(table, name, form="{:.1f}"):
    """A column of numbers as text; what is withheld says so."""
    texts = [format_number(number, form) for number in table[name]]
    return [WITHHELD if hidden else text for hidden, text in zip(is_withheld(table), texts)]


def withheld_note(study):
    """Why a level has a verdict and no number, in a sentence; nothing where no number is withheld."""
    gain = study.primary("general_vs_specialist").set_index("level")
    levels = [level for level in LEVELS if level in gain.index[is_withheld(gain)]]
    if not levels:
        return ""
    rule = study.advice["parameters"]["min_learners"]
    return SAY("withheld", levels=levels, min_learners=rule, small=SMALL)


def _interval(low, high):
    if np.isnan(low):
        return "n/a"
    return f"{format_number(low, '{:+.1f}')} to {format_number(high, '{:+.1f}')}"


def verdicts(study):
    """Verdicts in words, levels by hypotheses, the overall ones last."""
    table = study.tables["verdicts"].pivot(index="level", columns="hypothesis", values="verdict")
    return table.reindex([*LEVELS, decision_rules.OVERALL]).fillna("n/a").reset_index().rename_axis(columns=None)


def matrix(study):
    """Perplexities as text, models by test texts."""
    table = on_training_mix(study.tables["ppl_matrix"])
    cells = table.assign(text=_column(table, "ppl")).pivot(index="model", columns="test", values="text")
    rows = [*design.KIND, *cells.index.difference([*design.KIND])]
    cells = cells.reindex(index=rows, columns=[*LEVELS, design.ALL_LEVELS])
    return cells.fillna("n/a").rename_axis("model").reset_index()


def counts(study, by="levels"):
    """Texts, learners and words as text, a row for each level or, by="l1", first language."""
    table = study.tables[by].drop(columns="reason", errors="ignore")
    names = {"n_texts": "texts", "n_learners": "learners", "n_words": "words"}
    return table.map(lambda x: x if isinstance(x, str) else format_number(x, "{:,.0f}")).rename(columns=names)


def latex(text):
    """Plain text as LaTeX shows it."""
    return str(text).translate(ESCAPES)


def booktabs(table, caption, label):
    """A frame of text as a LaTeX table with booktabs' rules; every cell escaped."""
    escaped = table.map(latex).rename(columns=latex)
    alignment = "".join("l" if name in LEFT_ALIGNED else "r" for name in table)
    return escaped.style.hide(axis="index").to_latex(
        hrules=True,
        position="tb",
        position_float="centering",
        caption=latex(caption),
        label=f"tab:{label}",
        column_format=alignment,
    )


def bibliography(citation):
    """CITATION.cff's references as BibTeX. citation: its content."""
    entries = []
    for work in citation["references"]:
        names = " and ".join(f"{a['family-names']}, {a['given-names']}" for a in work["authors"])
        kind, container = ("article", "journal") if "journal" in work else ("inproceedings", "booktitle")
        fields = {"author": names, "title": f"{{{work['title']}}}", "year": work["year"],
                  container: work.get("journal") or work["collection-title"], "volume": work.get("volume"),
                  "number": work.get("issue"), "pages": f"{work['start']}--{work['end']}",
                  "publisher": work.get("publisher", {}).get("name"), "doi": work.get("doi")}  # fmt: skip
        lines = [f"  {key} = {{{value}}}," for key, value in fields.items() if value]
        key = f"{work['authors'][0]['family-names'].lower()}{work['year']}"
        entries.append("\n".join([f"@{kind}{{{key},", *lines, "}"]))
    return "\n\n".join(entries) + "\n"


def write(study, folder):
    """Write methods, data statement, tables, figures, references, CITATION.cff and study.tex to `folder`.

    The hashes of the images go to DRAWN in the run's folder: the share check accepts only these.
    """
    folder.mkdir(parents=True, exist_ok=True)
    citation = (study.run.root / "CITATION.cff").read_text(encoding="utf-8")
    figures = []
    hashes = {}
    for name, drawn, table in study.figures():
        style.save(drawn, folder / "figures", name, table)
        plt.close(drawn.get_figure(root=True))
        figures.append(_figure(name, CAPTIONS[name]))
        hashes[f"{name}.png"] = file_hash(folder / f"figures/{name}.png")
    write_json(hashes, study.run.folder / DRAWN)
    note = withheld_note(study)
    document = (Path(__file__).parent / "templates/study.tex").read_text(encoding="utf-8")
    texts = {
        "methods.tex": "\n\n".join(map(latex, methods(study))),
        "data_statement.tex": "\n".join(map(latex, data_sentences(study))),
        "table_data.tex": booktabs(counts(study), "Texts, learners and words by CEFR level.", "data"),
        "table_results.tex": booktabs(results(study), f"Perplexity and gain over the general model. {note}", "results"),
        "table_verdicts.tex": booktabs(verdicts(study), f"Verdicts by CEFR level. {note}", "verdicts"),
        "table_matrix.tex": booktabs(matrix(study), f"Perplexity of each model at each level. {note}", "matrix"),
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


def drawn_hashes(run):
    """Hashes of the images that `write` drew last for this run."""
    file = run.folder / DRAWN
    return set(read_json(file).values()) if file.exists() else set()


def build(experiment):
    """Rebuild runs/<experiment>/paper/."""
    run = existing_experiment(experiment)
    shutil.rmtree(run.folder / "paper", ignore_errors=True)
    write(Study(run), run.folder / "paper")
    print(f"{run.folder}/paper: study.tex inputs methods, data statement, tables and figures; references.bib")
