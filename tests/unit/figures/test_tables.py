"""Claims about tables on a page: what they hold stays letters, and they sort only where somebody can click."""

import pandas as pd
import pytest

from lib.figures import tables

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> $x_{ </table>"
TABLE = pd.DataFrame({"level": ["A1", HOSTILE], HOSTILE: [1234.5, None]})


@pytest.fixture
def shown(monkeypatch):
    """What `show` displays."""
    data = []
    monkeypatch.setattr(tables, "display", lambda what, raw: data.append(what))
    return data


def test_a_table_for_a_page_holds_no_script_and_none_for_a_click_unless_asked_for():
    plain, sorts = tables.html(TABLE), tables.html(TABLE, sorts=True)
    assert "onclick" not in plain and "<style" not in plain and sorts.count(' onclick="') == 1
    for page in [plain, sorts]:
        assert "<script" not in page and "<img" not in page and page.count("</table>") == 1


def test_headless_a_table_is_plain_and_before_a_reader_it_sorts(shown, monkeypatch):
    for attended in [False, True]:
        monkeypatch.setattr(tables, "attended", lambda attended=attended: attended)
        tables.show(TABLE)
    plain, sorts = (data["text/html"] for data in shown)
    assert plain == tables.html(TABLE) and sorts == tables.html(TABLE, sorts=True)
    assert "1234.5" in shown[0]["text/plain"]


def test_a_page_that_is_cleaned_keeps_the_table_without_the_click():
    from lib.sharing.notebook_pages import _clean

    page = _clean(tables.html(TABLE, sorts=True))
    assert "onclick" not in page and "cursor" not in page and page.count("<tr") == 3
