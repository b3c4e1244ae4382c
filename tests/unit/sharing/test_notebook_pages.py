"""Claims about executed notebooks as pages: what a learner typed can do nothing there."""

from lxml import etree

from lib.sharing import notebook_pages
from tests.helpers.pages import hostile_notebook, tree


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
