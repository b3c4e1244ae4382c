"""Tables on a page. Where somebody sits before the notebook, a click on a column's header sorts them."""

from html import escape
from pathlib import Path

import pandas as pd
from IPython import get_ipython
from IPython.display import display

_SORT = Path(__file__).with_name("sort.js")
_STYLE = """<style>
.sorts th { cursor: pointer; } .sorts th[aria-sort=ascending]::after { content: " \u25b2"; }
.sorts th[aria-sort=descending]::after { content: " \u25bc"; }
</style>"""


def is_interactive():
    """Does somebody sit before this notebook? Papermill, nbconvert and nbval run it without a way to be asked."""
    shell = get_ipython()
    return bool(shell) and shell.kernel.get_parent()["content"].get("allow_stdin", False)


def to_html(table, sorts=False):
    """The table for a page: whatever a learner or a model has written stays letters there, and `$` no formula.

    sorts: by a click. That is an attribute of the table, which a page that is cleaned, or not trusted, goes without.
    """
    with pd.option_context("display.html.use_mathjax", False, "display.max_colwidth", None):
        page = table.to_html(index=False, border=0, escape=True, na_rep="", classes="sorts" if sorts else None)
    if sorts:
        page = _STYLE + page.replace("<table", f'<table onclick="{escape(_SORT.read_text(encoding="utf-8"))}"', 1)
    return page


def show(table):
    """Display a table without its index: HTML, and plain text where there is none."""
    display({"text/html": to_html(table, is_interactive()), "text/plain": table.to_string(index=False)}, raw=True)
