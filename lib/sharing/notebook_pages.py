"""Pages that hold no script, ask no network and escape what came out of a file: their frame, and notebooks as pages.

Their own Content-Security-Policy forbids scripts and the network.
"""

import re
from pathlib import Path

import jinja2
from markupsafe import Markup
from tqdm import tqdm

from lib.experiment.files import write_text

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True,
    undefined=jinja2.StrictUndefined,
)  # fmt: skip
TEMPLATES.globals["zip"] = zip
# beside those of text, which bleach allows by itself
TAGS = ["h1", "h2", "h3", "h4", "p", "br", "hr", "div", "span", "pre", "sub", "sup"]
TAGS += ["table", "thead", "tbody", "tr", "th", "td"]
ATTRIBUTES = {"*": ["class", "id"], "td": ["colspan", "rowspan"], "th": ["colspan", "rowspan", "scope"]}
STYLE = re.compile(r"<style\b.*?</style>", re.DOTALL | re.IGNORECASE)
WRITES = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # marks that turn the direction of what follows


def notebook_page(content, kicker, code=True):
    """An executed notebook as a page without scripts: HTML in its outputs is cleaned, links in them lead nowhere.

    content: as nbformat reads it. A view of a widget is shown by the static twin that stands beside it in the output.
    """
    from nbconvert import HTMLExporter
    from pygments.formatters import HtmlFormatter

    without = dict.fromkeys(["exclude_input_prompt", "exclude_output_prompt", "exclude_anchor_links"], True)
    exporter = HTMLExporter(template_name="basic", sanitize_html=True, exclude_input=not code, **without)
    exporter.register_filter("clean_html", _clean)
    body, _ = exporter.from_notebook_node(content)
    headings = (cell.source.splitlines()[0].strip("# ") for cell in content.cells if cell.source.startswith("#"))
    how = {"highlight": Markup(HtmlFormatter(style="friendly").get_style_defs(".highlight")), "kicker": kicker}
    return TEMPLATES.get_template("page.html.jinja").render(title=next(headings, kicker), body=_tame(body), **how)


def _clean(element):
    """nbconvert's filter of the same name, which would show a notebook's own headings and paragraphs as tags."""
    import bleach

    text = element.decode() if isinstance(element, bytes) else str(element)
    text = STYLE.sub("", text)  # as pandas puts before a table; a tag that is not allowed would be shown as text
    allowed = bleach.ALLOWED_ATTRIBUTES | ATTRIBUTES
    return bleach.clean(text, tags=[*bleach.ALLOWED_TAGS, *TAGS], attributes=allowed, strip_comments=True)


def _tame(body):
    """Take the targets of links and the addresses of pictures out of outputs, and whatever else could act."""
    from lxml import etree

    root = etree.fromstring(f"<div>{WRITES.sub('', body)}</div>", etree.HTMLParser(huge_tree=True))
    etree.strip_elements(root, "script", "iframe", "object", "embed", "form", "link", "meta", "base", with_tail=False)
    for node in root.iter(etree.Element):
        inside = any("output" in (above.get("class") or "") for above in node.iterancestors())
        for name in list(node.attrib):
            away = name in ("href", "action") and (inside or node.get(name).strip().lower().startswith("javascript:"))
            if name.startswith("on") or away or (name == "src" and not node.get(name).startswith("data:image/")):
                del node.attrib[name]
    return Markup("".join(etree.tostring(child, encoding="unicode", method="html") for child in root.find("body")))


def write_notebooks(run, folder, pictures=True):
    """The executed notebooks, each as name.html and, without code, name.text.html; returns how many.

    Without pictures, only what can be read as text is shown.
    """
    import nbformat

    found = sorted((run.folder / "notebooks").glob("*.ipynb"))
    for path in (bar := tqdm(found, unit=" notebooks", ncols=100, leave=False)):
        bar.set_description(path.stem)
        content = nbformat.read(path, as_version=4)
        for output in [] if pictures else [o for cell in content.cells for o in cell.get("outputs", [])]:
            for kind in [kind for kind in output.get("data", {}) if kind.startswith("image/")]:
                output["data"].pop(kind)
        for suffix, code in [(".html", True), (".text.html", False)]:
            write_text(notebook_page(content, f"{run.name}, {path.stem}", code), folder / f"{path.stem}{suffix}")
    return len(found)
