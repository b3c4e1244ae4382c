"""The whole study as one page that opens anywhere, and the executed notebooks as pages with and without code.

    python -m lib.report EXPERIMENT     # writes runs/<experiment>/report/

Pages hold no script, ask no network (their own Content-Security-Policy forbids both) and escape whatever came out of a
file. report.html is drawn from aggregates (lib/aggregate.py); the notebooks' pages show what the notebooks show, so
those of a real corpus stay with its holder.
"""

import base64
import io
import re
import sys
from pathlib import Path

import jinja2
import matplotlib.pyplot as plt
import pandas as pd
import yaml
from markupsafe import Markup

from lib import hypotheses, manifest, paper, wording
from lib.aggregate import CAPTIONS, SMALL, Study
from lib.hypotheses import HOLDS, NOT, outcome
from lib.runs import LEVELS, Experiment, Missing, atomic

QUESTION = "Does a language model for one CEFR level beat one for all?"
SECTIONS = {"question": "Question", "verdicts": "Verdicts", "data": "Data", "results": "Results", "methods": "Methods",
            "limits": "Limits", "provenance": "Provenance"}  # fmt: skip
CLAIMS = {"H1": "specialisation matters", "H2": "the general model suffices", "H3": "transfer is best"}
TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True,
    undefined=jinja2.StrictUndefined,
)  # fmt: skip
TEMPLATES.globals["zip"] = zip
TAGS = ["h1", "h2", "h3", "h4", "p", "br", "hr", "div", "span", "pre", "sub", "sup", "table", "thead", "tbody", "tr",
        "th", "td"]  # beside those of text, which bleach allows by itself
ATTRIBUTES = {"*": ["class", "id"], "td": ["colspan", "rowspan"], "th": ["colspan", "rowspan", "scope"]}
UNITS = re.compile(r"(?<=\d) (?=%|MB)")  # a number and its unit stay on one line
WRITES = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # marks that turn the direction of what follows


def page(study):
    """report.html as text."""
    template, tables = TEMPLATES.get_template("report.html.jinja"), study.tables
    verdicts = [_hypothesis(tables["verdicts"], name) for name in CLAIMS]
    context = {
        "study": study, "question": QUESTION, "sections": SECTIONS.items(), "levels": LEVELS, "small": SMALL,
        "hypotheses": verdicts, "advice": _advice(study), "robust": _robust(tables["verdicts"]),
        "keys": _keys(study), "data": paper.data_sentences(study), "methods": paper.methods(study),
        "counts": paper.counts(study), "results": paper.results(study),
        "by_l1": paper.counts(study, "l1").rename(columns={"l1": "first language"}),
        "matrix": paper.matrix(study), "words": _words(tables["word_metrics"]), "cost": _cost(study),
        "preconditions": tables["preconditions"][["check", "holds", "detail"]].replace({True: "yes", False: "no"}),
        "criteria": _criteria(tables["seed_criteria"]), "figures": [_figure(*one) for one in study.figures()],
        "provenance": _provenance(study), "weights": [t for t in study.trained.values() if t["status"] == "trained"],
        "citations": _citations(study.run.root / "CITATION.cff"),
    }  # fmt: skip
    return UNITS.sub("\u00a0", WRITES.sub("", template.render(context)))


def _hypothesis(verdicts, name):
    words = verdicts[verdicts["hypothesis"] == name].set_index("level")["verdict"]
    colour = {NOT: "no"} | dict.fromkeys(HOLDS, "yes")
    words = words.str.replace(r" \((?!provisional).*?\)", "", regex=True)  # the title names the levels
    rows = [{"word": words.get(level, "n/a"), "colour": colour.get(outcome(words.get(level, "n/a")), "open")}
            for level in [*LEVELS, hypotheses.ALL]]  # fmt: skip
    return {"name": name, "claim": CLAIMS[name], "title": wording.title(name, verdicts), "verdicts": rows}


def _robust(verdicts):
    """What the other ways of asking say of the verdicts that were decided."""
    told = verdicts[~verdicts["robust"].isin([hypotheses.NA]) & (verdicts["level"] != hypotheses.ALL)]
    against = told[told["robust"].str.startswith("no")]
    lines = [f"{row.hypothesis} at {row.level} is contradicted {row.robust.split('; ')[0].removeprefix('no: ')}"
             for row in against.itertuples()]  # fmt: skip
    untested = sorted({part for text in told["robust"] if "untested: " in text
                       for part in text.split("untested: ")[1].split(", ")})  # fmt: skip
    said = "; ".join(lines) if lines else "no verdict is contradicted"
    return said + (f". Untested: {', '.join(untested)}." if untested else ".")


def _advice(study):
    """A sentence a level; where few learners were asked, without its numbers."""
    sentences = [(level, one["sentence"]) for level, one in study.advice["levels"].items()]
    return [text.split("; gain")[0] + "." if level in study.small["test"] else text for level, text in sentences]


def _keys(study):
    report = study.corpus
    learners = f"{sum(report['texts_per_learner'].values()):,}" if report["learners_known"] else "unknown"
    seeds = sorted({seed for _, seed in study.trained})
    return [("texts", f"{report['rows_out']:,}"), ("learners", learners), ("models", f"{len(study.tables['cost'])}"),
            ("seeds each", str(len(seeds))), ("text read", report["text_column"])]  # fmt: skip


def _words(table):
    shown = table[["level", "model", "n", "exact", "top5"]].sort_values(["level", "model"])
    home = [model in (level.lower(), f"{level.lower()}_transfer", "general") for level, model in
            zip(shown["level"], shown["model"])]  # fmt: skip
    shown = shown[home].assign(n=shown["n"].map(lambda n: paper.number(n, "{:,.0f}")))
    shown[["exact", "top5"]] = (100 * shown[["exact", "top5"]]).map(lambda share: paper.number(share, "{:.0f}"))
    return shown.rename(columns={"n": "words asked", "exact": "exact, %", "top5": "first five, %"})


def _cost(study):
    table = study.tables["cost"].merge(study.tables["clock"][["model", "hours"]], on="model")
    return pd.DataFrame({
        "model": table["model"], "kind": table["kind"], "starts from": table["init_from"],
        "examples": table["examples_seen"].map(lambda n: paper.number(n, "{:,.0f}")),
        "minutes": (60 * table["hours"]).map(paper.number),
        "valid perplexity": table["valid_perplexity"].map(paper.number),
    })  # fmt: skip


def _criteria(table):
    levels = table.groupby(["criterion", "passed"], sort=False)["level"]
    at = levels.agg(lambda rows: ", ".join(dict.fromkeys(rows)))
    at = at.unstack().reindex(columns=["pass", "fail"]).fillna("–").reset_index()
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
    advice, trained = study.advice, list(study.trained.values())
    files = {f"source {source['file']}": f"{source['shape']}, {source['rows']:,} rows, SHA-256 {source['sha256']}"
             for source in study.corpus["sources"]}  # fmt: skip
    folders = {"corpus": "01 extract", "masks": "02 mask", "compare": "06 compare", "hypotheses": "07 hypotheses"}
    vouched = {f"{name}, manifest": manifest.digest(study.run.folder / folder / manifest.NAME)
               for folder, name in folders.items()}  # fmt: skip
    commits = sorted({one["commit"] or "unknown" for one in [*trained, advice]})
    rows = {"experiment": study.name, "text column": study.corpus["text_column"], "split id": study.corpus["split_id"],
            "mask id": study.masks["mask_hash"]["test"], **files, "code, commit": ", ".join(commits),
            "training seeds": ", ".join(str(s) for s in sorted({s for _, s in study.trained})),
            "other seeds": f"split {study.corpus['parameters']['split_seed']}, masks "
            f"{study.masks['parameters']['mask_seed']}, analysis {advice['parameters']['analysis_seed']}",
            "versions": ", ".join(f"{name} {version}" for name, version in advice["versions"].items()),
            "machine": "; ".join(sorted({one["machine"] for one in [*trained, advice]})), **vouched}  # fmt: skip
    return list(rows.items())


def _citations(path):
    works = yaml.safe_load(path.read_text(encoding="utf-8"))["references"]
    return [f"{', '.join(a['family-names'] for a in work['authors'])} ({work['year']}). {work['title']}. "
            f"{work.get('journal') or work['collection-title']}." for work in works]  # fmt: skip


def notebook_page(content, kicker, code=True):
    """An executed notebook as a page without scripts: HTML in its outputs is cleaned, links in them lead nowhere.

    content: as nbformat reads it. A view of a widget is shown by the static twin that stands beside it in the output.
    """
    from nbconvert import HTMLExporter
    from pygments.formatters import HtmlFormatter

    without = dict.fromkeys(["exclude_input_prompt", "exclude_output_prompt", "exclude_anchor_links"], True)
    exporter = HTMLExporter(template_name="basic", sanitize_html=True, exclude_input=not code, **without)
    exporter.register_filter("clean_html", _clean)
    body, _ = exporter.from_notebook_node(content)
    headings = (cell.source.splitlines()[0].strip("# ") for cell in content.cells if cell.source.startswith("#"))
    how = {"highlight": Markup(HtmlFormatter(style="friendly").get_style_defs(".highlight")), "kicker": kicker}
    return TEMPLATES.get_template("page.html.jinja").render(title=next(headings, kicker), body=_tame(body), **how)


def _clean(element):
    """nbconvert's filter of the same name, which would show a notebook's own headings and paragraphs as tags."""
    import bleach

    text = element.decode() if isinstance(element, bytes) else str(element)
    allowed = bleach.ALLOWED_ATTRIBUTES | ATTRIBUTES
    return bleach.clean(text, tags=[*bleach.ALLOWED_TAGS, *TAGS], attributes=allowed, strip_comments=True)


def _tame(body):
    """Take the targets of links and the addresses of pictures out of outputs, and whatever else could act."""
    from lxml import etree

    root = etree.fromstring(f"<div>{WRITES.sub('', body)}</div>", etree.HTMLParser(huge_tree=True))
    etree.strip_elements(root, "script", "iframe", "object", "embed", "form", "link", "meta", "base", with_tail=False)
    for node in root.iter(etree.Element):
        inside = any("output" in (above.get("class") or "") for above in node.iterancestors())
        for name in list(node.attrib):
            away = name in ("href", "action") and (inside or node.get(name).strip().lower().startswith("javascript:"))
            if name.startswith("on") or away or (name == "src" and not node.get(name).startswith("data:image/")):
                del node.attrib[name]
    return Markup("".join(etree.tostring(child, encoding="unicode", method="html") for child in root.find("body")))


def write(study, folder):
    """report.html in `folder`; returns its path."""
    with atomic(folder / "report.html") as temporary:
        temporary.write_text(page(study), encoding="utf-8")
    return folder / "report.html"


def write_notebooks(run, folder, pictures=True):
    """The executed notebooks, each as name.html and, without code, name.text.html; returns how many.

    Without pictures, only what can be read as text is shown.
    """
    import nbformat

    found = sorted((run.folder / "notebooks").glob("*.ipynb"))
    for path in found:
        content = nbformat.read(path, as_version=4)
        for output in [] if pictures else [o for cell in content.cells for o in cell.get("outputs", [])]:
            for kind in [kind for kind in output.get("data", {}) if kind.startswith("image/")]:
                output["data"].pop(kind)
        for suffix, code in [(".html", True), (".text.html", False)]:
            with atomic(folder / f"{path.stem}{suffix}") as temporary:
                temporary.write_text(notebook_page(content, f"{run.name}, {path.stem}", code), encoding="utf-8")
    return len(found)


if __name__ == "__main__":
    try:
        run = Experiment(Path(sys.argv[1]).name, root=".")
        print(f"{write(Study(run), run.folder / 'report')}: opens by a double-click, without network")
        n = write_notebooks(run, run.folder / "report/notebooks")
        print(f"{run.folder / 'report/notebooks'}: {n} notebooks with code, and as *.text.html without")
    except (Missing, manifest.Stale) as error:
        sys.exit(str(error))
