"""The style of all figures: colours by level and by kind of model, axes, fonts, and file formats."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
from IPython import get_ipython
from matplotlib.colors import to_hex, to_rgb
from matplotlib_inline.backend_inline import set_matplotlib_formats

from lib.design import LEVELS
from lib.experiment.files import atomic_write, write_table

# From light to dark, so that the levels keep their order in grey. The kinds' colours are Okabe and Ito's.
SHADES = ["#93c47d", "#4fa88c", "#2f8e91", "#22658b", "#2a2f6e"]
KIND_COLOURS = {"specialist": "#0072b2", "general": "#222222", "transfer": "#e69f00", "control": "#999999"}
MARKERS = {"specialist": "o", "general": "s", "transfer": "D", "control": "X"}
REFERENCE = "#d55e00"  # colour of margins and of expected values
LEGEND = {"loc": "outside lower left", "ncols": 6, "frameon": False}
# by format; without dates, so that the same figure gives the same bytes
FILE_METADATA = [("png", {"Software": None}), ("svg", {"Date": None}), ("pdf", {"CreationDate": None})]


def _shades(n):
    """n colours along SHADES, from its first to its last."""
    channels = np.array([to_rgb(shade) for shade in SHADES]).T
    positions = np.linspace(0, len(SHADES) - 1, n)
    return [to_hex(rgb) for rgb in zip(*(np.interp(positions, range(len(SHADES)), channel) for channel in channels))]


LEVEL_COLOURS = dict(zip(LEVELS, _shades(len(LEVELS))))


def seaborn():
    """seaborn, imported only when a figure needs it: the import takes a second."""
    import seaborn

    return seaborn


def setup():
    """Set the style. Every figure of this room does so itself; a cell with a figure of its own calls it first."""
    # Text stays text in SVG and PDF, so it can be searched; a learner's $ starts no formula.
    files = {"svg.fonttype": "none", "pdf.fonttype": 42, "text.parse_math": False}
    lines = {"axes.grid.axis": "y", "grid.color": "#e4e4e4", "axes.spines.top": False, "axes.spines.right": False}
    plt.style.use(["seaborn-v0_8-whitegrid", "seaborn-v0_8-paper"])  # matplotlib's copy of seaborn's styles
    plt.rcParams.update(files | lines | {"figure.dpi": 100, "savefig.dpi": 300})
    if get_ipython():  # in a notebook: twice the pixels for the same width
        set_matplotlib_formats("retina")


def save(drawn, folder, name, table):
    """Write `drawn` (Axes or Figure) as name.png, .svg, .pdf and `table` as .csv; equal figures give equal bytes."""
    for suffix, metadata in FILE_METADATA:
        with atomic_write(folder / f"{name}.{suffix}") as path, plt.rc_context({"svg.hashsalt": name}):
            drawn.get_figure(root=True).savefig(path, metadata=metadata, bbox_inches="tight")
    write_table(table, folder / f"{name}.csv")


def new_axes(title, height, xlabel, ylabel, **grid):
    """Axes of a new figure, 7 inches wide like the text of a page, under a wrapped title at the left."""
    setup()
    lines = textwrap.wrap(printable(title), 84)[:8]
    figure, axes = plt.subplots(figsize=(7, height + 0.18 * len(lines)), layout="constrained", **grid)
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=10.5, fontweight="bold")
    np.ravel(axes)[0].set(xlabel=xlabel, ylabel=ylabel)
    return axes


def printable(text):
    """text from a corpus without control characters, which SVG does not allow."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def short_label(text):
    """A name from a corpus, cut to 30 characters: matplotlib fails on labels of thousands of letters."""
    return printable(text if len(text) <= 30 else text[:29] + "…")
