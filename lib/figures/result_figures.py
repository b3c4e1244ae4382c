"""The figures of results: each takes a tidy table and a title that says the result, and returns what it drew.

Tables have the columns of compare/*.csv; what has no number reads "n/a". A gain: a's perplexity above b's, in %.
"""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogLocator, NullLocator

from lib.design import KIND, LEVELS, SPECIALIST_LEVEL, TRANSFER_LEVEL
from lib.figures.style import KIND_COLOURS, LEGEND, LEVEL_COLOURS, MARKERS, REFERENCE, new_axes, seaborn, short_label
from lib.formatting import format_values, time_unit


def perplexity_heatmap(ppl, title):
    """Models x tests: the number is perplexity, the colour its log ratio to the column's best."""
    cells = ppl[ppl.mask_type == "training_mix"].pivot(index="model", columns="test", values="ppl")
    rows = [*KIND, *cells.index.difference([*KIND])]
    cells = cells.reindex(index=rows, columns=[*LEVELS, "all_levels"])
    ratio = cells / cells.min()
    bar = {"label": "Ratio to the column's best", "ticks": np.log([1, 1.1, 1.25, 1.5, 2, 3, 5, 8])}
    bar["format"] = lambda log, _: f"× {np.exp(log):.3g}"
    style = {"cmap": "crest", "vmin": 0, "vmax": np.log(np.nanmax([1.25, min(8, ratio.max().max())]))}
    ax = new_axes(title, 1.2 + 0.27 * len(rows), "", "")
    seaborn().heatmap(np.log(ratio), annot=cells, fmt=".1f", linewidths=1, cbar_kws=bar, ax=ax, **style)
    bar = ax.collections[0].colorbar.solids
    bar.set(rasterized=False, edgecolor="face")  # no pixels: what an SVG shows can be searched
    for row, column in np.argwhere(cells.isna().to_numpy()):
        ax.text(column + 0.5, row + 0.5, "n/a", ha="center", va="center", color="#666666")
    for model, level in (SPECIALIST_LEVEL | TRANSFER_LEVEL).items():
        corner = LEVELS.index(level), rows.index(model)
        ax.add_patch(plt.Rectangle(corner, 1, 1, fill=False, edgecolor="black", linewidth=1.8, clip_on=False))
    ax.grid(False)
    ax.set(xlabel="Test texts (framed: the model's own level)", ylabel="")
    return ax


def gains(contrasts, title, margin=0.10):
    """H1: gain_pct, 95 % intervals. contrasts: a row a level, a is general, b is the level's own model."""
    return _by_level(contrasts, title, "Perplexity of general above\nthat of the own model (%)", margin)


def general_vs_best(contrasts, title, margin=0.10):
    """H2: gain_pct and the equivalence band. contrasts: a row a level, a is general, b the best specialist."""
    rows = contrasts.assign(note=contrasts.b.map("best: {}".format, na_action="ignore"))
    return _by_level(rows, title, "Perplexity of general above\nthat of the best specialist (%)", margin)


def sample_size(mde, title):
    """Gains and minimum detectable gains. mde: rows of mde.csv."""
    rows = mde.assign(note=mde.n_learners.map("{:,.0f} learners".format, na_action="ignore"))
    return _by_level(rows, title, "Gain (% of perplexity)")


def transfer_slopes(ppl, title):
    """H3: perplexity of own, general, transfer model, 95 % intervals, a panel a level; gives the Figure."""
    table = ppl[ppl.mask_type == "training_mix"].set_index(["test", "model"])
    axes = new_axes(title, 3.0, "", "Perplexity on test texts (log scale)", ncols=len(LEVELS), sharey=True)
    colours = list(KIND_COLOURS.values())[:3]
    for level, own, transfer, ax in zip(LEVELS, SPECIALIST_LEVEL, TRANSFER_LEVEL, axes):
        rows = table.reindex([(level, own), (level, "general"), (level, transfer)])
        ax.plot(range(3), rows.ppl, color="#999999", zorder=1)
        ax.vlines(range(3), rows.ppl_lo, rows.ppl_hi, colours, linewidth=2)
        ax.scatter(range(3), rows.ppl, 36, colours, edgecolor="black", zorder=3)
        names = zip(["specialist", "general", "transfer"], format_values(rows.ppl, "{:.1f}"))
        ax.set_xticks(range(3), map(" ".join, names), rotation=40, ha="right", rotation_mode="anchor")
        ax.set(title=level, xlim=(-0.7, 2.7))
    _log(axes[0], table.ppl)
    return ax.figure


def cost_gain(cost, contrasts, title):
    """Training time and gain. cost: model, hours (all it took); contrasts: a is general, b a model."""
    hours = cost.set_index("model").hours
    unit, size = time_unit(hours.max())
    hours = hours / size
    rows = contrasts.assign(hours=contrasts.b.map(hours), kind=contrasts.b.map(KIND).fillna("control"))
    ax = new_axes(title, 3.6, f"Training time ({unit})", "Perplexity of general above\nthat of the model (%)")
    ax.plot(hours.get("general", np.nan), 0, "s", color=KIND_COLOURS["general"], markersize=7, label="general")
    ax.vlines(rows.hours, rows.gain_lo, rows.gain_hi, rows.level.map(LEVEL_COLOURS))
    style = {"hue": "level", "palette": LEVEL_COLOURS, "hue_order": LEVELS, "style": "kind", "markers": MARKERS}
    seaborn().scatterplot(rows, x="hours", y="gain_pct", s=60, edgecolor="black", ax=ax, **style)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    ax.set_xlim(left=0)
    return ax


def learning_curves(curves, title):
    """Thin: seeds, thick: their geometric mean. curves: model, seed, examples, valid_perplexity (of infills)."""
    ax = new_axes(title, 4.0, "Training examples seen", "Infill perplexity on valid texts (log scale)")
    curves = curves.dropna(subset="valid_perplexity")
    for model in sorted(curves.model.unique(), key=lambda name: ([*KIND, name].index(name), name)):
        seeds = curves[curves.model == model].pivot(index="examples", columns="seed", values="valid_perplexity")
        colour = LEVEL_COLOURS.get(
            (SPECIALIST_LEVEL | TRANSFER_LEVEL).get(model), KIND_COLOURS[KIND.get(model, "control")]
        )
        style = {"color": colour, "linestyle": "--" if model in TRANSFER_LEVEL else "-"}
        ax.plot(seeds.index, seeds, linewidth=0.5, **style)
        mean = np.exp(np.log(seeds).mean(axis=1, skipna=False))
        ax.plot(seeds.index, mean, linewidth=1.8, label=model, **style)
    _log(ax, curves.valid_perplexity)
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.figure.legend(**LEGEND)
    return ax


def forest(contrasts, title, by):
    """gain_pct, 95 % intervals, a panel a level, a line a value of column `by` as met; gives the Figure."""
    table = contrasts.set_index(["level", by])
    values = list(contrasts[by].unique())
    axes = new_axes(title, 1.2 + 0.25 * len(values), "", "", ncols=len(LEVELS), sharex=True, sharey=True)
    for level, ax in zip(LEVELS, axes):
        rows, places = table.reindex([(level, value) for value in values]), range(len(values))
        ax.axvline(0, color="black", linewidth=0.8)
        ax.hlines(places, rows.gain_lo, rows.gain_hi, LEVEL_COLOURS[level], linewidth=2)
        ax.scatter(rows.gain_pct, places, 30, LEVEL_COLOURS[level], edgecolor="black", zorder=3)
        for place in np.flatnonzero(rows.gain_pct.isna()):
            ax.text(0, place, " n/a", va="center", color="#666666", size=8)
        ax.set_title(level)
    ax.set(yticks=places, yticklabels=map(short_label, values), ylim=(len(values) - 0.5, -0.5))
    ax.figure.supxlabel("Gain (% of perplexity, 95 % interval)", fontsize=9)
    return ax.figure


def _log(ax, values):
    """Make y logarithmic, if there are values at all, with ticks in plain numbers, as many as their range needs."""
    if values.notna().any():
        wide = values.max() > 30 * values.min()
        ticks = LogLocator(subs=[1, 2, 5] if wide else [1, 1.5, 2, 3, 5, 7])
        ax.set_yscale("log")
        ax.yaxis.set(major_locator=ticks, major_formatter="{x:,g}", minor_locator=NullLocator())


def _by_level(table, title, ylabel, margin=0):
    """gain_pct, gain_lo, gain_hi over the levels, both minimum detectable gains as lines; a note, or why it has no
    gain."""
    columns = ["gain_pct", "gain_lo", "gain_hi", "mde_above_zero_pct", "mde_above_margin_pct", "note", "reason"]
    rows = table.set_index("level").reindex(LEVELS, columns=columns)
    places, colours = np.arange(len(LEVELS)), list(LEVEL_COLOURS.values())
    ax = new_axes(title, 3.2, "CEFR level", ylabel)
    ax.axhline(0, color="black", linewidth=0.8)
    if margin:  # reaches equally far in logarithms
        ax.axhspan(100 / (1 + margin) - 100, 100 * margin, color=REFERENCE, alpha=0.12, label=f"within {100 * margin:g} %")
    if "mde_above_zero_pct" in table:
        for column, line, what in [("mde_above_margin_pct", "-", "the margin"), ("mde_above_zero_pct", ":", "zero")]:
            label = f"least true gain shown above {what}"
            ax.hlines(rows[column], places - 0.3, places + 0.3, REFERENCE, linestyle=line, label=label, zorder=3)
    ax.bar(places, rows.gain_pct, 0.6, color=colours, alpha=0.5, zorder=2)
    ax.vlines(places, rows.gain_lo, rows.gain_hi, "black", zorder=3, label="95 % interval")
    ax.scatter(places, rows.gain_pct, 36, colours, edgecolor="black", zorder=4)
    notes = rows.reason.where(rows.gain_pct.isna(), rows.note)
    notes = [textwrap.fill(note, 16) if isinstance(note, str) else "" for note in notes]
    labels = zip(LEVELS, format_values(rows.gain_pct, "{:+.1f} %"), notes)
    ax.set_xticks(places, ["\n".join(label).strip() for label in labels])
    ax.set_xlim(-0.5, len(LEVELS) - 0.5)
    ax.figure.legend(**LEGEND)
    return ax
