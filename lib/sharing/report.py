"""The whole study as one page that opens anywhere, and the executed notebooks as pages beside it (notebook_pages.py).

report.html is drawn from aggregates (aggregates.py); the notebooks' pages show what the notebooks show, so those of
a real corpus stay with its holder.
"""

import base64
import io
import re

import matplotlib.pyplot as plt
import pandas as pd

from lib import design, formatting
from lib.design import LEVELS
from lib.experiment import manifest
from lib.experiment.files import read_yaml, write_text
from lib.experiment.folders import existing_experiment
from lib.figures.captions import CAPTIONS
from lib.hypotheses import decision_rules, robustness, verdict_text
from lib.hypotheses.decision_rules import HOLDS, HYPOTHESES, NOT_SUPPORTED, outcome
from lib.sharing import notebook_pages, paper
from lib.sharing.aggregates import SMALL, Study

QUESTION = "Does a language model for one CEFR level beat one for all?"
SECTIONS = {"question": "Question", "verdicts": "Verdicts", "data": "Data", "results": "Results", "methods": "Methods",
            "limits": "Limits", "provenance": "Provenance"}  # fmt: skip
UNITS = re.compile(r"(?<=\d) (?=%|MB)")  # a number and its unit stay on one line


def page(study):
    """report.html as text."""
    template, tables = notebook_pages.TEMPLATES.get_template("report.html.jinja"), study.tables
    verdicts = [_hypothesis(tables["verdicts"], name) for name in HYPOTHESES]
    context = {
        "study": study, "question": QUESTION, "sections": SECTIONS.items(), "levels": LEVELS, "small": SMALL,
        "hypotheses": verdicts, "contradicted": _analyses(tables["verdicts"], robustness.CONTRADICTS),
        "undecided": _analyses(tables["verdicts"], robustness.CANNOT_TELL),
        "untested": verdict_text.untested_analyses(tables["verdicts"]), "data": paper.data_sentences(study),
        "methods": paper.methods(study),
        "counts": paper.counts(study), "results": paper.results(study),
        "by_l1": paper.counts(study, "l1").rename(columns={"l1": "first language"}),
        "matrix": paper.matrix(study), "words": _words(tables["word_metrics"]), "cost": _cost(study),
        "preconditions": tables["preconditions"][["check", "holds", "detail"]].replace({True: "yes", False: "no"}),
        "criteria": _criteria(tables["original_criteria"]), "figures": [_figure(*one) for one in study.figures()],
        "weights": [one for one in study.trained.values() if one["status"] == "trained"],
        "citations": read_yaml(study.run.root / "CITATION.cff")["references"],
    } | _provenance(study)  # fmt: skip
    return UNITS.sub("\u00a0", notebook_pages.WRITES.sub("", template.render(context)))


def _hypothesis(verdicts, name):
    words = verdicts[verdicts["hypothesis"] == name].set_index("level")["verdict"]
    colour = {NOT_SUPPORTED: "no"} | dict.fromkeys(HOLDS, "yes")
    words = words.str.replace(r" \((?!provisional).*?\)", "", regex=True)  # the title names the levels
    rows = [{"word": words.get(level, "n/a"), "colour": colour.get(outcome(words.get(level, "n/a")), "open")}
            for level in [*LEVELS, decision_rules.OVERALL]]  # fmt: skip
    title = verdict_text.hypothesis_title(name, verdicts)
    return {"name": name, "claim": HYPOTHESES[name].claim, "title": title, "verdicts": rows}


def _analyses(verdicts, result):
    """The verdicts of levels that alternative analyses contradict, or about which they cannot tell, a phrase each."""
    phrases = []
    for row in verdicts[verdicts["level"] != decision_rules.OVERALL].itertuples():
        analyses = robustness.robust_parts(row.robust)[result]
        if analyses:
            phrases.append(f"{row.hypothesis} at {row.level} ({', '.join(analyses)})")
    return phrases


def _words(table):
    """Rates of the models of a level; None where all of them rest on few learners."""
    if table["exact"].isna().all():
        return None
    shown = table[["level", "model", "n", "exact", "top5"]].sort_values(["level", "model"])
    shown = shown[design.in_level(shown["model"], shown["level"])]
    shown = shown.assign(n=shown["n"].map(lambda n: formatting.format_number(n, "{:,.0f}")))
    shown[["exact", "top5"]] = (100 * shown[["exact", "top5"]]).map(
        lambda share: formatting.format_number(share, "{:.0f}")
    )
    return shown.rename(columns={"n": "words asked", "exact": "exact, %", "top5": "first five, %"})


def _cost(study):
    table = study.tables["cost"].merge(study.tables["clock"][["model", "hours"]], on="model")
    return pd.DataFrame({
        "model": table["model"], "kind": table["kind"], "starts from": table["init_from"],
        "examples": table["examples_seen"].map(lambda n: formatting.format_number(n, "{:,.0f}")),
        "minutes": (60 * table["hours"]).map(formatting.format_number),
        "valid perplexity": table["valid_perplexity"].map(formatting.format_number),
    })  # fmt: skip


def _criteria(table):
    keys = ["criterion", "model"] if "model" in table else ["criterion"]  # 07 named no model before 2026-11-23
    if "model" in table:
        table = table.assign(model=[design.kind(model) for model in table["model"]])
    at = table.groupby([*keys, "passed"], sort=False)["level"].agg(lambda rows: ", ".join(dict.fromkeys(rows)))
    at = at.unstack(sort=False).reindex(columns=["pass", "fail"]).fillna("–").reset_index()
    return at.rename(columns={"pass": "passes at", "fail": "fails at"})


def _figure(name, drawn, _):
    """A drawing inside the page: SVG, whose letters are letters, as an image, in which no script would run."""
    figure, file = drawn.get_figure(root=True), io.BytesIO()
    with plt.rc_context({"svg.hashsalt": name}):
        figure.savefig(file, format="svg", metadata={"Date": None}, bbox_inches="tight")
    title = figure.get_suptitle().replace("\n", " ")
    plt.close(figure)
    uri = "data:image/svg+xml;base64," + base64.b64encode(file.getvalue()).decode()
    return {"name": name, "caption": CAPTIONS[name], "alt": f"{title}. {CAPTIONS[name]}", "uri": uri}


def _provenance(study):
    """What the results were made from, and with: facts of the table of provenance."""
    runs = [*study.trained.values(), study.advice]
    folders = {"corpus": "01 extract", "masks": "02 mask", "compare": "06 compare", "hypotheses": "07 hypotheses"}
    facts = {"commits": {one["commit"] or "unknown" for one in runs}, "machines": {one["machine"] for one in runs}}
    facts["seeds"] = {seed for _, seed in study.trained}
    manifests = {name: manifest.digest(study.run.folder / at / manifest.MANIFEST) for at, name in folders.items()}
    return {name: sorted(values) for name, values in facts.items()} | {"manifests": manifests}


def write(study, folder):
    """report.html in `folder`; returns its path."""
    write_text(page(study), folder / "report.html")
    return folder / "report.html"


def build(experiment):
    """Write runs/<experiment>/report/: the page, and the executed notebooks as pages."""
    run = existing_experiment(experiment)
    print(f"{write(Study(run), run.folder / 'report')}: opens by a double-click, without network", flush=True)
    n = notebook_pages.write_notebooks(run, run.folder / "report/notebooks")
    print(f"{run.folder / 'report/notebooks'}: {n} notebooks with code, and as *.text.html without")
