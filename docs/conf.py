"""The site that `make docs` builds from docs/, CONTRIBUTING.md and the notebooks, with Sphinx and MyST-NB.

The source folder is the repository, so that links are the same on GitHub and on the site. Notebooks are shown with
their committed outputs. Nothing is executed, and neither the build nor a reader's browser needs a network.
"""

PAGES = {
    "The study": ["docs/method", "docs/demo_results", "docs/corpora"],
    "Notebooks": [
        "notebooks/01_extract",
        "notebooks/02_mask",
        "notebooks/03_train",
        "notebooks/04_evaluate",
        "notebooks/05_infill",
        "notebooks/06_compare",
        "notebooks/07_hypotheses",
    ],
    "Validity": ["docs/error_rates", "docs/known_answers", "docs/decisions"],
    "Operation": ["docs/running", "docs/recovery", "docs/bases", "docs/clusters", "docs/performance"],
    "Use": ["docs/explorer_and_export", "docs/sharing", "docs/papermill_and_nbval"],
    "Code": ["docs/architecture", "CONTRIBUTING"],
}

project = "One language model per CEFR level, or one for all?"
extensions = ["myst_nb"]
root_doc = "docs/index"
include_patterns = ["docs/*.md", "notebooks/0*.ipynb", "CONTRIBUTING.md"]
nb_execution_mode = "off"
nb_ipywidgets_js = {}  # scripts from a server; the committed outputs hold no live widgets
myst_heading_anchors = 3
html_theme = "furo"
html_title = project
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False


def add_navigation(app, docname, source):
    """The table of contents of the site, which GitHub would show as code if it stood in docs/index.md."""
    if docname == root_doc:
        for caption, pages in PAGES.items():
            lines = "\n".join(f"/{page}" for page in pages)
            source[0] += f"\n\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{lines}\n```\n"


def setup(app):
    app.connect("source-read", add_navigation)
