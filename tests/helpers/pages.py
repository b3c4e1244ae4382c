"""A page as its reader's browser takes it apart, and texts that would act in one."""

import nbformat
from lxml import etree

HOSTILE = (
    "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\"> $x_{1}$ \u202e[go](http://x.y)"
)


def tree(text):
    return etree.fromstring(text, etree.HTMLParser(huge_tree=True))


def hostile_notebook():
    """A learner's text, as it may come out of a cell, in every form that is shown."""
    data = [{"text/plain": HOSTILE}, {"text/html": f"<b>{HOSTILE}</b>"}, {"text/markdown": HOSTILE},
            {"image/svg+xml": f"<svg onload=\"document.title='ran'\">{HOSTILE}</svg>"},
            {"application/javascript": "document.title='ran'"}]  # fmt: skip
    outputs = [nbformat.v4.new_output("display_data", one) for one in data]
    outputs.append(nbformat.v4.new_output("stream", text=HOSTILE))
    outputs.append(nbformat.v4.new_output("error", ename="E", evalue=HOSTILE, traceback=[HOSTILE]))
    cells = [nbformat.v4.new_markdown_cell("# Why?\n\nBecause of [this](https://aclanthology.org/)."),
             nbformat.v4.new_code_cell("secret_name = 1", outputs=outputs)]  # fmt: skip
    return nbformat.v4.new_notebook(cells=cells)
