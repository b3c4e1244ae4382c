"""Claims that only a browser can test: JupyterLab with the notebooks of the demo, in headless Chromium (make browser).

Screenshots of what was seen go to runs/browser/, to be looked at.
"""

import re

import pytest

from tests.helpers import lab

SIX = ["a1", "a2", "b1", "b2", "c1", "general"]
HOSTILE = "<img src=x onerror=alert(1)> $x_{ \u202e"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """05_infill in JupyterLab, all of it run."""
    with lab.served(lab.prepared(tmp_path_factory.mktemp("lab"))) as address, lab.chromium() as browser:
        page = lab.page_of(browser, address)
        lab.ready(page, "01_extract.ipynb")  # which make lab opens, and which would come to the front later
        lab.open_notebook(page, "05_infill.ipynb")
        lab.run_all(page)
        page.wait_for_selector(".jupyter-widgets textarea")
        yield page


def shot(page, name):
    lab.shot(page, name, page.locator(".jupyter-widgets textarea"))


def write(page, text):
    page.locator(".jupyter-widgets textarea").fill(text)
    page.locator(".jupyter-widgets textarea").blur()


def answers(page):
    """The table of the explorer, once all models have answered."""
    page.wait_for_function("!document.querySelector('.jupyter-widgets button.mod-primary').disabled")
    rows = page.locator(".widget-html-content table").first.locator("tbody tr")
    return [row.locator("td").all_inner_texts() for row in rows.all()]


def test_a_sentence_is_typed_a_blank_is_clicked_and_six_models_answer(page):
    write(page, "Yesterday I eat pasta with my friend.")
    page.get_by_role("button", name="pasta", exact=True).click()
    page.wait_for_function("document.querySelector('.jupyter-widgets textarea').value.includes('[pasta]')")
    page.get_by_role("button", name="Fill the blanks").click()
    page.get_by_text(re.compile(r"(\d+) of \1 models have answered")).wait_for()
    found = answers(page)
    shot(page, "fillings")
    assert {*SIX} <= {row[0] for row in found} and all("%" in row[2] for row in found)


def test_all_models_show_perplexities_and_are_no_graders(page):
    page.get_by_role("button", name="Which model predicts this text best?").click()
    page.get_by_text("This is not a grader", exact=False).first.wait_for()
    page.get_by_text("Lowest perplexity", exact=False).first.wait_for()
    found = answers(page)
    shot(page, "whose")
    assert {*SIX} <= {row[0] for row in found} and all(float(row[-1].replace(",", "")) > 1 for row in found)


def test_what_a_learner_typed_does_nothing(page):
    write(page, f"I eat _ {HOSTILE}")
    page.get_by_role("button", name="onerror", exact=True).click()
    page.get_by_role("button", name="Fill the blanks").click()
    page.get_by_text(re.compile(r"(\d+) of \1 models have answered")).wait_for()
    answers(page)
    shot(page, "hostile")
    assert page.locator("img[src=x]").count() == 0 and page.locator(".jupyter-widgets mjx-container").count() == 0


def test_the_curve_of_a_training_is_redrawn_while_it_goes_on(page):
    lab.open_notebook(page, "03_train.ipynb")
    lab.run_all(page)
    training = page.locator(".jp-CodeCell", has_text="losses_in_memory[seed] = train_seed")
    training.locator(".jp-OutputArea-output img").first.wait_for()  # one a seed
    lab.shot(page, "training", training)


def test_the_browser_has_nothing_to_complain_of(page):
    assert page.complaints == []
