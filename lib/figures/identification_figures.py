"""Confusion matrices of identified levels: what texts of each level were taken for."""

import numpy as np
from matplotlib.patches import Rectangle

from lib.design import LEVELS
from lib.figures.style import new_axes, seaborn

TITLE_SYSTEMS = {"specialists, calibrated": "specialists (calibrated)", "TF-IDF": "TF-IDF", "length": "length alone"}


def confusions(confusion, title):
    """A panel for each system: the number is the share of a level's texts, in per cent; the Figure.

    confusion: system, level, identified, n_texts, share (optional; else computed). A cell without a number reads n/a.
    """
    names = [name for name in dict.fromkeys(confusion["system"]) if name != "majority"]  # which has one answer
    n_rows = -(-len(names) // 2)
    axes = new_axes(title, 2.7 * n_rows, "", "", nrows=n_rows, ncols=min(2, len(names)), squeeze=False)
    for name, ax in zip(names, axes.flat):
        _panel(ax, shares(confusion[confusion["system"] == name]), name)
    for ax in list(axes.flat)[len(names) :]:
        ax.set_axis_off()
    axes[0, 0].figure.supxlabel("Identified level (framed: right), in % of the level's texts", fontsize=9)
    axes[0, 0].figure.supylabel("Level of the text", fontsize=9)
    return axes[0, 0].figure


def shares(rows):
    """levels x identified levels: per cent of a level's texts. rows: of one system."""
    if "share" in rows:
        table = rows.pivot(index="level", columns="identified", values="share")
    else:
        table = rows.pivot(index="level", columns="identified", values="n_texts")
        table = table.div(table.sum(axis=1), axis=0)
    return 100 * table.reindex(index=LEVELS, columns=LEVELS).astype(float)


def _panel(ax, cells, name):
    heatmap = {"cmap": "crest", "vmin": 0, "vmax": 100, "linewidths": 1, "cbar": False}
    seaborn().heatmap(cells, annot=cells, fmt=".0f", ax=ax, **heatmap)
    for row, column in np.argwhere(cells.isna().to_numpy()):
        ax.text(column + 0.5, row + 0.5, "n/a", ha="center", va="center", color="#666666", size=8)
    for position in range(len(LEVELS)):
        corner = (position, position)
        ax.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor="black", linewidth=1.5, clip_on=False))
    ax.grid(False)
    ax.set(xlabel="", ylabel="", title=name)
    ax.tick_params(axis="y", rotation=0)


def title(measured):
    """The accuracy of the calibrated specialists beside that of the baselines. measured: rows of measures."""
    accuracy = measured.set_index("system")["accuracy"].dropna()
    parts = [f"{100 * accuracy[name]:.1f} % by {words}" for name, words in TITLE_SYSTEMS.items() if name in accuracy]
    return f"Levels identified rightly: {', '.join(parts)}" if parts else "No level could be identified"
