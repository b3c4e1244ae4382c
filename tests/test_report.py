"""Claims about what is shown and what leaves: the page, notebooks as pages, the paper kit, the shared folder."""

import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest
import yaml
from lxml import etree

from lib import errors
from lib.experiment.files import write_json
from lib.experiment.folders import Experiment
from lib.hypotheses import original_criteria
from lib.sharing import bundle, notebook_pages, paper, report
from lib.sharing.aggregates import SMALL, Study

HOSTILE = (
    "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\"> $x_{1}$ \u202e[go](http://x.y)"
)


@pytest.fixture(scope="module")
def study():
    return Study(Experiment("demo", root="."))


@pytest.fixture(scope="module")
def page(study):
    return report.page(study)


def tree(text):
    return etree.fromstring(text, etree.HTMLParser(huge_tree=True))


def test_the_page_asks_no_network_and_holds_no_script(page):
    html = tree(page)
    assert not list(html.iter("script", "link", "iframe", "object"))
    assert all(node.get("src").startswith("data:image/svg+xml") for node in html.iter("img"))
    assert all(node.get("href").startswith("#") for node in html.iter("a"))
    assert "default-src 'none'" in html.find("head/meta[@http-equiv]").get("content")


def test_the_page_shows_every_figure_with_words_for_who_cannot_see_it(page, study):
    pictures = list(tree(page).iter("img"))
    assert len(pictures) >= 7 and all(len(picture.get("alt")) > 40 for picture in pictures)


def test_the_page_names_what_it_rests_on(page, study):
    known = [study.corpus["split_id"], study.masks["mask_hash"]["test"], study.corpus["sources"][0]["sha256"]]
    known += [one["fingerprint"] for one in study.trained.values()] + [study.advice["versions"]["torch"]]
    assert all(name in page for name in known)


def test_the_criteria_name_the_model_and_no_level_both_passes_and_fails():
    matrix = pd.DataFrame({"model": ["a1"], "test": ["A1"], "mask_type": ["mix"], "ppl": [9.0]})
    finals = {"a1": 12.0, "a1_transfer": 60.0, "b1": 55.0, "b1_transfer": 30.0, "general": 70.0}
    table = report._criteria(original_criteria.plan_criteria(matrix, finals))
    rows = table[table["criterion"] == "Final validation perplexity < 50"].set_index("model")
    assert rows[["passes at", "fails at"]].T.to_dict("list") == {
        "own": ["A1", "B1"], "transfer": ["B1", "A1"], "general": ["–", "mixed"]}  # fmt: skip


def test_a_table_of_which_nothing_may_be_shown_says_so_in_its_place(study, page, monkeypatch):
    assert study.tables["word_metrics"]["exact"].isna().all(), "the demo has too few learners for it"
    assert "<b>Table 6.</b> One missing word: left out" in page and "first five, %" not in page
    known = study.tables["word_metrics"].assign(n=100.0, exact=0.5, top5=0.75)
    monkeypatch.setitem(study.tables, "word_metrics", known)
    monkeypatch.setattr(study, "figures", list)  # they take seconds
    more = report.page(study)
    assert "left out, since" not in more and "first five, %" in more and ">75<" in more


def test_small_cells_are_in_no_table(study):
    for name, table in study.tables.items():
        few = table.get("why", table.iloc[:, 0]).astype(str).str.startswith(f"fewer than {SMALL} learners")
        numbers = table[few].select_dtypes("number").drop(columns=["seeds", "margin"], errors="ignore")
        numbers = numbers if name != "cost" else numbers[["valid_perplexity", "start_perplexity"]]
        assert numbers.isna().all(axis=None), name
    assert study.small["test"], "the demo has levels with few test learners: else this claims nothing"


def test_names_from_a_corpus_are_shown_as_text(study, monkeypatch):
    monkeypatch.setitem(study.corpus["sources"][0], "file", HOSTILE)
    monkeypatch.setattr(study, "figures", list)  # they take seconds, and show no file name
    html = tree(report.page(study))
    assert not list(html.iter("script")) and not html.xpath("//*[@onerror]")
    assert "\u202e" not in etree.tostring(html, encoding=str), "a mark would turn what follows it"


def hostile_notebook():
    """A learner's text, as it may come out of a cell, in every form that is shown."""
    data = [{"text/plain": HOSTILE}, {"text/html": f"<b>{HOSTILE}</b>"}, {"text/markdown": HOSTILE},
            {"image/svg+xml": f"<svg onload=\"document.title='ran'\">{HOSTILE}</svg>"},
            {"application/javascript": "document.title='ran'"}]  # fmt: skip
    outputs = [nbformat.v4.new_output("display_data", one) for one in data]
    outputs.append(nbformat.v4.new_output("stream", text=HOSTILE))
    outputs.append(nbformat.v4.new_output("error", ename="E", evalue=HOSTILE, traceback=[HOSTILE]))
    cells = [nbformat.v4.new_markdown_cell("# Why?\n\nBecause of [this](https://aclanthology.org/)."),
             nbformat.v4.new_code_cell("secret_name = 1", outputs=outputs)]  # fmt: skip
    return nbformat.v4.new_notebook(cells=cells)


def test_a_learners_text_in_an_output_can_do_nothing():
    html = tree(notebook_pages.notebook_page(hostile_notebook(), "tiny"))
    acting = [name for node in html.iter(etree.Element) for name in node.attrib if name.startswith("on")]
    links = [node.get("href") for node in html.iter("a") if node.get("href")]
    assert not acting and not list(html.iter("script", "iframe"))
    assert links == ["https://aclanthology.org/"], "the notebook's own link stays, the learner's does not"
    assert html.find("body//h1") is not None, "the notebook's own headings stay headings"


def test_a_notebook_without_code_shows_none():
    with_and_without = [notebook_pages.notebook_page(hostile_notebook(), "tiny", code) for code in (True, False)]
    assert ["secret_name" in one for one in with_and_without] == [True, False]


def test_tables_for_latex_have_rules_and_no_active_letters(study):
    table = paper.results(study).assign(note=r"50% of x_1 & \input{a} $ {#}")
    text = paper.booktabs(table, "100 % & more", "t")
    assert all(rule in text for rule in [r"\toprule", r"\midrule", r"\bottomrule"])
    assert r"50\% of x\_1 \& \textbackslash{}input\{a\} \$ \{\#\}" in text and r"\caption{100 \% \& more}" in text


def test_methods_tell_the_runs_own_numbers(study):
    text = " ".join(paper.methods(study) + paper.data_sentences(study))
    assert study.corpus["split_id"] in text and study.masks["mask_hash"]["test"] in text
    assert f"{study.corpus['rows_out']:,}" in text and f"{study.advice['parameters']['bootstrap']:,}" in text


def test_references_are_those_of_the_citation_file():
    citation = yaml.safe_load(Path("CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    keys = re.findall(r"@\w+\{(\w+),", paper.bibliography(citation))
    assert keys == ["donahue2020", "geertzen2013", "shatz2020"]
    cited = re.findall(r"\\cite\{(\w+)\}", Path("lib/sharing/templates/study.tex").read_text(encoding="utf-8"))
    assert set(cited) == set(keys)


def test_weights_stay_unless_a_memorisation_report_lets_these_very_ones_go(tmp_path):
    run = Experiment("study", tmp_path)
    write_json({}, run.model("a1", 0) / bundle.WEIGHTS)
    known = {"weights": bundle.digest(run.model("a1", 0) / bundle.WEIGHTS), "why": "a gap"}
    for told in [{}, {"a1/seed0": known | {"weights": "other", "verdict": bundle.MAY}},
                 {"a1/seed0": known | {"verdict": "must stay"}}]:  # fmt: skip
        write_json({"models": told}, run.folder / "memorisation/memorisation.json")
        with pytest.raises(errors.LeakFound):
            bundle._may_leave(run, "a1", 0)
    allowed = {"models": {"a1/seed0": known | {"verdict": bundle.MAY}}}
    write_json(allowed, run.folder / "memorisation/memorisation.json")
    bundle._may_leave(run, "a1", 0)
