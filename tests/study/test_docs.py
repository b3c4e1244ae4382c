"""Claims about the README and the documentation: what they name exists, and what they show is short."""

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lib.experiment import parameters
from lib.experiment.files import read_csv
from lib.experiment.schemas import Column, Corpus

PAGES = [Path("README.md"), Path("CONTRIBUTING.md"), *sorted(Path("docs").glob("*.md"))]
README = PAGES[0].read_text(encoding="utf-8")
SENTENCES = runpy.run_path("tools/sentences.py")
FENCED = re.compile(r"^```.*?^```", re.M | re.S)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.M)
CODE = re.compile(r"`[^`\n]+`|^(?: {4}|\t).*$", re.M)
FILE = re.compile(r"(?<![\w./<-])(?:lib|tests|bench|params|notebooks|docs|tools|figures|profiles)/[\w./-]*(?![\w<>*])")
MODULE = re.compile(r"(?<=-m )lib(?:\.\w+)+")
NOT_HERE = re.compile("/mine|/$|figures/(?!demo)")  # examples of a user's own folders; folders named in words

of_a_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def code_of(text):
    """Code spans and code blocks, as one text."""
    blocks = FENCED.findall(text)
    return "\n".join([*blocks, *CODE.findall(FENCED.sub("", text))])


def anchors(page):
    """The anchors of a page's headings, as GitHub and MyST make them."""
    headings = HEADING.findall(FENCED.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def navigation():
    """The pages that docs/conf.py lists, as paths without suffix."""
    tree = ast.parse(Path("docs/conf.py").read_text(encoding="utf-8"))
    (listed,) = [n.value for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == "PAGES"]
    return [page for pages in ast.literal_eval(listed).values() for page in pages]


def test_the_readme_has_at_most_150_lines():
    assert len(README.splitlines()) <= 150


@of_a_page
def test_links_lead_to_files_and_headings_that_exist(page):
    for link in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        if not link.startswith(("http://", "https://")):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@of_a_page
def test_every_make_target_that_is_named_exists(page):
    targets = set(re.findall(r"^([a-z][a-z-]*):", Path("Makefile").read_text(encoding="utf-8"), re.M))
    named = re.findall(r"\bmake ([a-z][a-z-]*)", code_of(page.read_text(encoding="utf-8")))
    assert set(named) <= targets


@of_a_page
def test_every_file_and_module_that_is_named_exists(page):
    code = code_of(page.read_text(encoding="utf-8"))
    named = {found.rstrip(".") for found in FILE.findall(code)} - {""}
    named |= {f"{module.replace('.', '/')}.py" for module in MODULE.findall(code)}
    assert [name for name in sorted(named) if not NOT_HERE.search(name) and not Path(name).exists()] == []


def test_the_names_of_files_are_found_where_they_are():
    code = code_of("See `lib/a.py` and `python -m lib.b.c x`.\n\n    make b bench/d.py\n\n```\ntests/e.py\n```\n")
    assert set(FILE.findall(code)) == {"lib/a.py", "bench/d.py", "tests/e.py"}
    assert MODULE.findall(code) == ["lib.b.c"]


@of_a_page
def test_sentences_are_short(page):
    _, mean, most, longest = SENTENCES["statistics"](page.read_text(encoding="utf-8"))
    assert mean < 22 and most <= 45, longest


def test_sentences_are_counted_without_code_and_tables():
    text = "# A title\n\nOne two `a b`. Three\nfour.\n\n| a | b |\n\n    code here\n\n- Five, e.g. six\n  seven[^a]\n"
    assert SENTENCES["sentences"](text) == ["One two CODE.", "Three four.", "Five, e.g. six seven"]


def test_the_corpus_example_of_the_readme_is_valid():
    example = yaml.safe_load("\n".join(re.findall(r"^    ((?:columns|levels): .*)$", README, re.M)))
    settings = parameters.load_file("params/demo/corpus.yaml").model_dump() | example
    assert parameters.validate(Corpus, settings, "README.md").levels["A2.i"] == "A2"
    assert set(example["columns"]) == set(Column.__args__) - {"nationality"}  # which no study needs


def test_the_gains_in_the_docs_are_those_of_the_figure():
    page = Path("docs/demo_results.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([A-C][12]) \| ([+-][\d.]+) % \(", page, re.M)
    drawn = read_csv("figures/demo/h1_gains.csv").set_index("level")["gain_pct"]
    assert {level: float(gain) for level, gain in rows} == drawn.round(1).to_dict()


def test_the_navigation_lists_every_page_and_notebook():
    pages = [*PAGES[1:], *Path("notebooks").glob("0*.ipynb")]
    assert sorted(navigation()) == sorted(page.with_suffix("").as_posix() for page in pages if page.stem != "index")


def test_the_index_links_every_page_and_notebook():
    index = Path("docs/index.md").read_text(encoding="utf-8")
    linked = {(Path("docs") / link).resolve().with_suffix("") for link in LINK.findall(index)}
    assert {Path(page).resolve() for page in navigation()} <= linked


def test_the_site_builds_without_warnings_or_network(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-c", "docs"]
    built = subprocess.run([*command, "-d", tmp_path / "trees", ".", tmp_path / "html"], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    pages = list(tmp_path.glob("html/**/*.html"))
    assert len(pages) > len(navigation())
    loaded = r"<(?:script|img|link|iframe)[^>]+(?:src|href)=\"(?:https?:)?//"
    assert [page.name for page in pages if re.search(loaded, page.read_text(encoding="utf-8"))] == []
