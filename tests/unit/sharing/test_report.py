"""Claims about the report: it is one page without scripts or network that names what its numbers rest on."""

import pandas as pd
import pytest
from lxml import etree

from lib.hypotheses import original_criteria
from lib.sharing import report
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
