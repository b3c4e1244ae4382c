"""The whole study on one page that opens anywhere, and the executed notebooks as pages beside it (notebook_pages.py).

report.html shows aggregates only (aggregates.py). The notebooks' pages show all that the notebooks show, so those of a
real corpus must stay with its holder.
"""

import base64
import io
import re

import matplotlib.pyplot as plt
import pandas as pd

from lib import design, formatting
from lib.design import LEVELS
from lib.experiment import manifest
from lib.experiment.files import file_hash, read_yaml, write_text
from lib.experiment.folders import existing_experiment
from lib.figures.captions import CAPTIONS
from lib.hypotheses import decision_rules, robustness, verdict_text
from lib.hypotheses.decision_rules import HOLDS, HYPOTHESES, NOT_SUPPORTED, outcome
from lib.sharing import notebook_pages, paper
from lib.sharing.aggregates import Study
from lib.sharing.small_cells import SMALL, round_count

QUESTION = "Does a language model for one CEFR level beat one for all?"
SECTIONS = {  # anchors and their names in the page's navigation
    "question": "Question",
    "verdicts": "Verdicts",
    "data": "Corpus",
    "results": "Results",
    "methods": "Methods",
    "limits": "Limitations",
    "provenance": "Provenance",
    "appendix": "Appendix",
}
BEFORE_UNIT = re.compile(r"(?<=\d) (?=%|MB)")  # a number and its unit stay on one line


def page(study):
    """report.html as text."""
    verdicts = study.tables["verdicts"]
    preconditions = study.tables["preconditions"][["check", "holds", "detail"]]
    context = {
        "study": study,
        "question": QUESTION,
        "sections": SECTIONS.items(),
        "levels": LEVELS,
        "small": SMALL,
        "n_texts": round_count(study.corpus["rows_out"]),
        "n_learners": paper.n_learners(study),
        "hypotheses": [_hypothesis(verdicts, name) for name in HYPOTHESES],
        "contradicted": _analyses(verdicts, robustness.CONTRADICTS),
        "undecided": _analyses(verdicts, robustness.CANNOT_TELL),
        "untested": verdict_text.untested_analyses(verdicts),
        "data": paper.data_sentences(study),
        "methods": paper.methods(study),
        "counts": paper.counts(study),
        "by_l1": paper.counts(study, "l1").rename(columns={"l1": "first language"}),
        "withheld": paper.withheld_note(study),
        "results": paper.results(study),
        "matrix": paper.matrix(study),
        "word_metrics": _word_metrics(study.tables["word_metrics"]),
        "cost": _cost(study),
        "preconditions": preconditions.replace({True: "yes", False: "no"}),
        "criteria": _criteria(study.tables["original_criteria"]),
        "figures": [_figure(*figure) for figure in study.figures()],
        "weights": [report for report in study.trained.values() if report["status"] == "trained"],
        "citations": read_yaml(study.run.root / "CITATION.cff")["references"],
    }
    template = notebook_pages.TEMPLATES.get_template("report.html.jinja")
    text = template.render(context | _provenance(study))
    return BEFORE_UNIT.sub("\u00a0", notebook_pages.DIRECTION_MARKS.sub("", text))


def _hypothesis(verdicts, name):
    """Name, claim, title and verdicts of a hypothesis: a word and a CSS class for each level and overall."""
    words = verdicts[verdicts["hypothesis"] == name].set_index("level")["verdict"]
    words = words.str.replace(r" \((?!provisional).*?\)", "", regex=True)  # the title names the levels
    colours = {NOT_SUPPORTED: "no"} | dict.fromkeys(HOLDS, "yes")
    cells = []
    for level in [*LEVELS, decision_rules.OVERALL]:
        word = words.get(level, "n/a")
        cells.append({"level": level, "word": word, "colour": colours.get(outcome(word), "open")})
    title = verdict_text.hypothesis_title(name, verdicts)
    return {"name": name, "claim": HYPOTHESES[name].claim, "title": title, "verdicts": cells}


def _analyses(verdicts, result):
    """The verdicts of levels that alternative analyses contradict, or about which they cannot tell, a phrase each."""
    phrases = []
    for row in verdicts[verdicts["level"] != decision_rules.OVERALL].itertuples():
        analyses = robustness.robust_parts(row.robust)[result]
        if analyses:
            phrases.append(f"{row.hypothesis} at {row.level} ({', '.join(analyses)})")
    return phrases


def _word_metrics(table):
    """Accuracy of in-level models on single words; None where all of it rests on few learners."""
    if table["exact"].isna().all():
        return None
    rows = table[["level", "model", "n", "exact", "top5"]].sort_values(["level", "model"])
    rows = rows[design.in_level(rows["model"], rows["level"])]
    per_cent = (100 * rows[["exact", "top5"]]).map(lambda rate: formatting.format_number(rate, "{:.0f}"))
    rows = rows.assign(n=rows["n"].map(lambda n: formatting.format_number(n, "{:,.0f}")), **per_cent)
    return rows.rename(columns={"n": "blanks", "exact": "exact, %", "top5": "top five, %"})


def _cost(study):
    table = study.tables["cost"].merge(study.tables["clock"][["model", "hours"]], on="model")
    return pd.DataFrame({
        "model": table["model"], "kind": table["kind"], "initialised from": table["init_from"],
        "examples": table["examples_seen"].map(lambda n: formatting.format_number(n, "{:,.0f}")),
        "minutes": (60 * table["hours"]).map(formatting.format_number),
        "validation perplexity": table["valid_perplexity"].map(formatting.format_number),
    })  # fmt: skip


def _criteria(table):
    """The levels at which each criterion of the original plan passes and fails."""
    keys = ["criterion", "model"] if "model" in table else ["criterion"]  # 07 named no model before 2026-11-23
    if "model" in table:
        table = table.assign(model=[design.kind(model) for model in table["model"]])
    levels = table.groupby([*keys, "passed"], sort=False)["level"].agg(lambda rows: ", ".join(dict.fromkeys(rows)))
    levels = levels.unstack(sort=False).reindex(columns=["pass", "fail"]).fillna("–").reset_index()
    return levels.rename(columns={"pass": "passes at", "fail": "fails at"})


def _figure(name, drawn, _):
    """A figure as an SVG image inside the page. Its letters remain text, and no script can run in an image."""
    figure = drawn.get_figure(root=True)
    file = io.BytesIO()
    with plt.rc_context({"svg.hashsalt": name}):
        figure.savefig(file, format="svg", metadata={"Date": None}, bbox_inches="tight")
    title = figure.get_suptitle().replace("\n", " ")
    plt.close(figure)
    uri = "data:image/svg+xml;base64," + base64.b64encode(file.getvalue()).decode()
    return {"name": name, "caption": CAPTIONS[name], "alt": f"{title}. {CAPTIONS[name]}", "uri": uri}


def _provenance(study):
    """Commits, machines, seeds and manifest hashes for the table of provenance."""
    reports = [*study.trained.values(), study.advice]
    folders = {"corpus": "01 extract", "masks": "02 mask", "compare": "06 compare", "hypotheses": "07 hypotheses"}
    return {
        "commits": sorted({report["commit"] or "unknown" for report in reports}),
        "machines": sorted({report["machine"] for report in reports}),
        "seeds": sorted({seed for _, seed in study.trained}),
        "manifests": {title: file_hash(study.run.folder / name / manifest.MANIFEST) for name, title in folders.items()},
    }


def write(study, folder):
    """Write report.html to `folder`; returns its path."""
    write_text(page(study), folder / "report.html")
    return folder / "report.html"


def build(experiment):
    """Write runs/<experiment>/report/: the page, and the executed notebooks as pages."""
    run = existing_experiment(experiment)
    print(f"{write(Study(run), run.folder / 'report')}: opens with a double-click, without network", flush=True)
    n_notebooks = notebook_pages.write_notebooks(run, run.folder / "report/notebooks")
    print(f"{run.folder / 'report/notebooks'}: {n_notebooks} notebooks with code, and as *.text.html without code")
