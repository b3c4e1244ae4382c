"""Claims about executed notebooks as pages: what a learner typed can do nothing there."""

import json

import nbformat
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


def test_a_copy_of_what_pages_show_has_no_images_and_no_metadata(tmp_path):
    notebook = hostile_notebook()
    notebook.cells[1].outputs.append(nbformat.v4.new_output("display_data", {"image/png": "AAAA", "text/plain": "one"}))
    notebook.cells[1].metadata["note"] = notebook.metadata["note"] = "not shown"
    nbformat.write(notebook, tmp_path / "a.ipynb")
    notebook_pages.write_shown(tmp_path / "a.ipynb", tmp_path / "b.ipynb")
    text = (tmp_path / "b.ipynb").read_text()
    assert "not shown" not in text and "AAAA" not in text
    assert json.loads(text)["cells"][1]["outputs"][-1]["data"] == {"text/plain": "one"}
