"""Claims about the report: it is one page without scripts or network that names what its numbers rest on."""

import pandas as pd
import pytest
from lxml import etree

from lib.hypotheses import original_criteria
from lib.sharing import paper, report
from tests.helpers.pages import HOSTILE, tree


@pytest.fixture(scope="module")
def page(study):
    return report.page(study)


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
    known += [report["fingerprint"] for report in study.trained.values()] + [study.advice["versions"]["torch"]]
    assert all(name in page for name in known)


def test_the_criteria_name_the_model_and_judge_each_level_once():
    matrix = pd.DataFrame({"model": ["a1"], "test": ["A1"], "mask_type": ["training_mix"], "ppl": [9.0]})
    finals = {"a1": 12.0, "a1_transfer": 60.0, "b1": 55.0, "b1_transfer": 30.0, "general": 70.0}
    table = report._criteria(original_criteria.plan_criteria(matrix, finals))
    rows = table[table["criterion"] == "Final validation perplexity < 50"].set_index("model")
    assert rows[["passes at", "fails at"]].T.to_dict("list") == {
        "specialist": ["A1", "B1"], "transfer": ["B1", "A1"], "general": ["–", "all_levels"]}  # fmt: skip


def test_a_table_of_which_nothing_may_be_shown_says_so_in_its_place(study, page, monkeypatch):
    assert study.tables["word_metrics"]["exact"].isna().all(), "the demo has too few learners for it"
    assert "<b>Table 6.</b> Accuracy on single words: left out" in page and "top five, %" not in page
    known = study.tables["word_metrics"].assign(n=100.0, exact=0.5, top5=0.75)
    monkeypatch.setitem(study.tables, "word_metrics", known)
    monkeypatch.setattr(study, "figures", list)  # they take seconds
    more = report.page(study)
    assert "left out, because" not in more and "top five, %" in more and ">75<" in more


def test_names_from_a_corpus_are_shown_as_text(study, monkeypatch):
    monkeypatch.setitem(study.corpus["sources"][0], "file", HOSTILE)
    monkeypatch.setattr(study, "figures", list)  # they take seconds, and show no file name
    html = tree(report.page(study))
    assert not list(html.iter("script")) and not html.xpath("//*[@onerror]")
    assert "\u202e" not in etree.tostring(html, encoding=str), "a mark would turn what follows it"


def test_a_verdict_without_its_number_says_which_rule_hides_it(study, page):
    shown = paper.results(study).set_index("level")
    verdicts = study.tables["verdicts"].query("hypothesis == 'H1'").set_index("level")["verdict"]
    hidden = [level for level in shown.index if shown.loc[level, "gain, %"] == paper.WITHHELD]
    assert hidden == ["B2", "C1"] and verdicts["C1"] == "supported"
    assert "Verdicts follow another rule: they need 5 learners" in page and "B2 and C1 have verdicts without" in page
    assert set(paper.matrix(study)["C1"]) == {paper.WITHHELD}


def test_criteria_of_the_plan_and_hashes_are_in_an_appendix(study, page):
    body, appendix = page.split('<h2 id="appendix">')
    assert "Specialization Gain" in appendix and "Specialization Gain" not in body
    hashes = [study.corpus["sources"][0]["sha256"], *report._provenance(study)["manifests"].values()]
    assert all(one in appendix and one not in body for one in hashes)
    assert "decide no verdict" in appendix and "Those who repeat the study can compare" in appendix


def test_on_a_narrow_page_wide_tables_have_a_hint(page):
    html = tree(page)
    hinted = [hint.getnext().getchildren()[0] for hint in html.xpath("//p[@class='hint']")]
    tables = {cell.text for table in hinted for cell in table.iter("th")}
    assert {"transfer", "all_levels", "validation perplexity"} <= tables
    levels = [cell.get("data-level") for cell in html.xpath("//table[@class='verdicts']//td[@data-level]")]
    assert levels[:6] == ["A1", "A2", "B1", "B2", "C1", "all"] and len(levels) == 18
