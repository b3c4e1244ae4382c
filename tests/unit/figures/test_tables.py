"""Claims about tables on a page: what they hold stays letters, and they sort only where somebody can click."""

import pandas as pd
import pytest
from hypothesis import given

from lib.figures import tables
from tests.helpers.any_text import TEXTS, quickly

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> $x_{ </table>"
TABLE = pd.DataFrame({"level": ["A1", HOSTILE], HOSTILE: [1234.5, None]})


@pytest.fixture
def shown(monkeypatch):
    """What `show` displays."""
    data = []
    monkeypatch.setattr(tables, "display", lambda what, raw: data.append(what))
    return data


def test_a_table_for_a_page_holds_a_script_only_when_asked_for():
    plain, sorts = tables.to_html(TABLE), tables.to_html(TABLE, sorts=True)
    assert "onclick" not in plain and "<style" not in plain and sorts.count(' onclick="') == 1
    for page in [plain, sorts]:
        assert "<script" not in page and "<img" not in page and page.count("</table>") == 1


def test_headless_a_table_is_plain_and_before_a_reader_it_sorts(shown, monkeypatch):
    for attended in [False, True]:
        monkeypatch.setattr(tables, "is_interactive", lambda attended=attended: attended)
        tables.show(TABLE)
    plain, sorts = (data["text/html"] for data in shown)
    assert plain == tables.to_html(TABLE) and sorts == tables.to_html(TABLE, sorts=True)
    assert "1234.5" in shown[0]["text/plain"]


def test_a_page_that_is_cleaned_keeps_the_table_without_the_click():
    from lib.sharing.notebook_pages import _clean

    page = _clean(tables.to_html(TABLE, sorts=True))
    assert "onclick" not in page and "cursor" not in page and page.count("<tr") == 3


@quickly
@given(TEXTS, TEXTS)
def test_a_table_shows_any_text(name, cell):
    table = pd.DataFrame({name: [cell, cell]})
    assert tables.to_html(table, sorts=True).count("</table>") == 1
    assert table.to_string(index=False)


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> $x_{ [a](http://b) \u202e</table>"


def test_what_a_learner_typed_stays_letters():
    page = tables.to_html(pd.DataFrame({"model": [HOSTILE], HOSTILE: ["a"]}))
    assert "<script" not in page and "<img" not in page and page.count("</table>") == 1
    assert "mathjax_ignore" in page
