"""Tables on a page. In an interactive notebook, a click on a column's header sorts them."""

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
    """Whether a user runs this notebook. Papermill, nbconvert and nbval run it without allowing input."""
    shell = get_ipython()
    return bool(shell) and shell.kernel.get_parent()["content"].get("allow_stdin", False)


def to_html(table, sorts=False):
    """The table as HTML. Text of a learner or a model is escaped, and `$` starts no formula.

    sorts: whether a click sorts it. Pages that are sanitised or not trusted lose this attribute.
    """
    with pd.option_context("display.html.use_mathjax", False, "display.max_colwidth", None):
        page = table.to_html(index=False, border=0, escape=True, na_rep="", classes="sorts" if sorts else None)
    if sorts:
        page = _STYLE + page.replace("<table", f'<table onclick="{escape(_SORT.read_text(encoding="utf-8"))}"', 1)
    return page


def show(table):
    """Display a table without its index, as HTML or else as plain text."""
    display({"text/html": to_html(table, is_interactive()), "text/plain": table.to_string(index=False)}, raw=True)
