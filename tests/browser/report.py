"""Claims that Chromium must confirm, run by make browser: pages from a file, without network, do nothing but show."""

import shutil
import subprocess

import pypdf
import pytest

from lib.experiment.folders import Experiment
from lib.sharing import notebook_pages, report
from lib.sharing.aggregates import Study
from tests.helpers.pages import HOSTILE, hostile_notebook

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000",
         "--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:1"]  # fmt: skip


def loaded(page, folder, how="--dump-dom"):
    """What Chromium says after it has loaded the page from a file of a folder of its own: its DOM."""
    (folder / "page.html").write_text(page, encoding="utf-8")
    words = [CHROMIUM, *QUIET, f"--user-data-dir={folder}/profile", how, f"file://{folder}/page.html"]
    return subprocess.run(words, capture_output=True, text=True, timeout=120).stdout


@pytest.fixture(scope="module", autouse=True)
def _chromium():
    assert CHROMIUM, "make browser needs Chromium: install chromium, or google-chrome"


def test_chromium_would_run_such_a_script(tmp_path):
    """The opposite case: without what is done about it, the text acts, so the claims below can fail."""
    page = "<title>still</title><img src=x onerror=\"document.title='ran'\">"
    assert "<title>ran</title>" in loaded(page, tmp_path)


def test_a_learners_text_does_nothing_in_a_notebooks_page(tmp_path):
    dom = loaded(notebook_pages.notebook_page(hostile_notebook(), "tiny"), tmp_path)
    assert "<title>Why?</title>" in dom and "<script" not in dom and "MathJax" not in dom


def test_a_learners_text_does_nothing_even_where_cleaning_failed(tmp_path):
    page = notebook_pages.notebook_page(hostile_notebook(), "tiny")
    page = page.replace("</main>", f"{HOSTILE}</main>")
    assert "<script>" in page
    assert "<title>Why?</title>" in loaded(page, tmp_path), "the page's own policy forbids scripts"


def test_the_report_opens_from_a_file_with_every_figure(tmp_path):
    page = report.page(Study(Experiment("demo", root=".")))
    seen = page.replace("</body>", "<script>document.title = [...document.images].every(i => i.complete && "
                        "i.naturalWidth > 300) + ' ' + document.images.length</script></body>")  # fmt: skip
    seen = seen.replace("default-src 'none'", "default-src 'none'; script-src 'unsafe-inline'")
    assert f"<title>true {page.count('<img ')}</title>" in loaded(seen, tmp_path) and page.count("<img ") >= 7


def test_printed_the_report_is_whole(tmp_path):
    """Also what is folded up on the screen, and no table but the long one in it is torn from its caption."""
    study = Study(Experiment("demo", root="."))
    loaded(report.page(study), tmp_path, f"--print-to-pdf={tmp_path}/report.pdf")
    sheets = [sheet.extract_text() for sheet in pypdf.PdfReader(tmp_path / "report.pdf").pages]
    prints = [one["fingerprint"] for one in study.trained.values() if one["status"] == "trained"]
    assert 5 < len(sheets) < 15 and all(one in "".join(sheets) for one in prints)
    (costs,) = [sheet for sheet in sheets if "Table 8." in sheet]
    assert all(model in costs.split("Table 8.")[1] for model in study.tables["cost"]["model"])
