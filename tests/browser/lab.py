"""Claims about JupyterLab as `make lab` starts it, tested in headless Chromium (make browser).

Screenshots of what was seen go to runs/browser/, to be looked at.
"""

import pytest

from tests.helpers import lab
from tests.helpers.workspace import NOTEBOOKS
from tests.study.test_alone import NEEDS

NAMES = [path.name for path in NOTEBOOKS]


@pytest.fixture(scope="module")
def chromium():
    with lab.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(chromium, tmp_path_factory):
    """JupyterLab over the demo's results."""
    with lab.served(lab.prepared(tmp_path_factory.mktemp("lab"))) as address:
        yield lab.page_of(chromium, address)


@pytest.fixture(scope="module")
def bare(chromium, tmp_path_factory):
    """JupyterLab where nothing has run yet."""
    with lab.served(lab.prepared(tmp_path_factory.mktemp("bare"), demo=False)) as address:
        yield lab.page_of(chromium, address)


def test_make_lab_opens_at_the_first_notebook(page):
    lab.ready(page, NAMES[0])


@pytest.mark.parametrize("name", NAMES)
def test_run_all_works_with_the_defaults_within_a_minute(page, name, capsys):
    lab.open_notebook(page, name)
    clock, computing = lab.run_all(page)
    with capsys.disabled():
        print(f" {name}: {clock:.0f} s by the clock, {computing:.0f} s of computing")
    stopped = [output["evalue"] for output in lab.outputs(page) if output["output_type"] == "error"]
    cells = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell")
    for place, n in {"1_top": 0, "2_middle": cells.count() // 2, "3_bottom": cells.count() - 1}.items():
        lab.shot(page, f"{name[:2]}_{place}", cells.nth(n))
    lab.close(page)
    assert not stopped and computing < 60


def test_a_click_on_a_header_sorts_a_table_by_size_and_another_turns_it_round(page):
    lab.open_notebook(page, "04_evaluate.ipynb")
    lab.run_all(page)
    table = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) table.sorts")
    header = table.get_by_role("columnheader", name="nll_text")
    column = 1 + table.locator("th").all_inner_texts().index("nll_text")
    found = []
    for _ in range(2):
        header.click()
        found.append([float(cell) for cell in table.locator(f"td:nth-child({column})").all_inner_texts()])
        lab.shot(page, f"sorted_{len(found)}", header)
    lab.close(page)
    assert found == [sorted(found[0]), sorted(found[0], reverse=True)] and len(set(found[0])) > 5
    assert sorted(found[0], key=str) != found[0], "as text the order would have been another one"


def test_the_browser_has_nothing_to_complain_of(page):
    assert page.complaints == []


@pytest.mark.parametrize("name", NAMES)
def test_run_alone_where_nothing_is_it_says_what_it_needs(bare, name):
    lab.open_notebook(bare, name)
    lab.run_all(bare)
    (said,) = [output for output in lab.outputs(bare) if output["output_type"] == "error"]
    lab.shot(bare, f"alone_{name[:2]}", bare.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea").nth(0))
    lab.close(bare)
    file, made_by = NEEDS[name[:-6]]
    assert file in said["evalue"] and made_by in said["evalue"] and len(said["traceback"]) == 1
