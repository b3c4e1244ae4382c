"""Executed notebooks as HTML pages without scripts, and the templates of all pages.

Pages escape all text that comes from files, and their Content-Security-Policy forbids scripts and network access.
"""

import json
import re
from pathlib import Path

import jinja2
from markupsafe import Markup
from tqdm import tqdm

from lib.experiment.files import write_text

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    undefined=jinja2.StrictUndefined,
)
TEMPLATES.globals["zip"] = zip
# allowed in outputs, in addition to bleach's own list of text markup
TAGS = ["h1", "h2", "h3", "h4", "p", "br", "hr", "div", "span", "pre", "sub", "sup"]
TAGS += ["table", "thead", "tbody", "tr", "th", "td"]
ATTRIBUTES = {"*": ["class", "id"], "td": ["colspan", "rowspan"], "th": ["colspan", "rowspan", "scope"]}
STYLE = re.compile(r"<style\b.*?</style>", re.DOTALL | re.IGNORECASE)
DIRECTION_MARKS = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # they change the direction of writing
ACTIVE_ELEMENTS = ["script", "iframe", "object", "embed", "form", "link", "meta", "base"]


def notebook_page(content, kicker, code=True):
    """An executed notebook as a page without scripts. HTML in outputs is cleaned, and its links are removed.

    content: as nbformat reads it. kicker: the line above the title. Widgets are shown by the static output beside them.
    """
    from nbconvert import HTMLExporter
    from pygments.formatters import HtmlFormatter

    exporter = HTMLExporter(
        template_name="basic",
        sanitize_html=True,
        exclude_input=not code,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    exporter.register_filter("clean_html", _clean)
    body, _ = exporter.from_notebook_node(content)
    headings = (cell.source.splitlines()[0].strip("# ") for cell in content.cells if cell.source.startswith("#"))
    return TEMPLATES.get_template("page.html.jinja").render(
        title=next(headings, kicker),
        body=_without_actions(body),
        highlight=Markup(HtmlFormatter(style="friendly").get_style_defs(".highlight")),
        kicker=kicker,
    )


def _clean(element):
    """Replaces nbconvert's filter of this name, which would show a notebook's own headings and paragraphs as tags."""
    import bleach

    text = element.decode() if isinstance(element, bytes) else str(element)
    text = STYLE.sub("", text)  # as pandas puts before a table; a tag that is not allowed would be shown as text
    allowed = bleach.ALLOWED_ATTRIBUTES | ATTRIBUTES
    return bleach.clean(text, tags=[*bleach.ALLOWED_TAGS, *TAGS], attributes=allowed, strip_comments=True)


def _without_actions(body):
    """The page's body without active elements, event handlers, external images, and links in outputs."""
    from lxml import etree

    root = etree.fromstring(f"<div>{DIRECTION_MARKS.sub('', body)}</div>", etree.HTMLParser(huge_tree=True))
    etree.strip_elements(root, *ACTIVE_ELEMENTS, with_tail=False)
    for node in root.iter(etree.Element):
        in_output = any("output" in (parent.get("class") or "") for parent in node.iterancestors())
        for name, value in list(node.attrib.items()):
            if _acts(name, value, in_output):
                del node.attrib[name]
    return Markup("".join(etree.tostring(child, encoding="unicode", method="html") for child in root.find("body")))


def _acts(attribute, value, in_output):
    """Whether an attribute runs a script, follows a link of an output or loads something."""
    if attribute in ("href", "action"):
        return in_output or value.strip().lower().startswith("javascript:")
    if attribute == "src":
        return not value.startswith("data:image/")
    return attribute.startswith("on")


def write_notebooks(run, folder, images=True):
    """Write the executed notebooks, each as name.html and, without code, name.text.html; returns their number.

    images: False leaves out images, whose letters cannot be checked.
    """
    import nbformat

    files = sorted((run.folder / "notebooks").glob("*.ipynb"))
    for file in (bar := tqdm(files, unit=" notebooks", ncols=100, leave=False)):
        bar.set_description(file.stem)
        content = nbformat.read(file, as_version=4)
        if not images:
            _remove_images(content)
        for suffix, code in [(".html", True), (".text.html", False)]:
            write_text(notebook_page(content, f"{run.name}, {file.stem}", code), folder / f"{file.stem}{suffix}")
    return len(files)


def write_shown(source, target):
    """Write a copy of a notebook with what its pages without images show: no images, and no metadata."""
    import nbformat

    content = nbformat.read(source, as_version=4)
    _remove_images(content)
    shown = [{key: value for key, value in cell.items() if key != "metadata"} for cell in content.cells]
    write_text(json.dumps({"cells": shown}), target)


def _remove_images(content):
    for cell in content.cells:
        for output in cell.get("outputs", []):
            for kind in [kind for kind in output.get("data", {}) if kind.startswith("image/")]:
                del output["data"][kind]
