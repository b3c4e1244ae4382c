"""The figures of results: each takes a tidy table and a title that states the result, and returns what it drew.

Tables have the columns of compare/*.csv; a missing number reads "n/a". A gain is how much higher, in per cent, the
perplexity of model a is than that of model b.
"""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FixedLocator, LogLocator, NullLocator

from lib.design import ALL_LEVELS, KIND, LEVELS, SPECIALIST_LEVEL, TRANSFER_LEVEL, display_name
from lib.figures.style import KIND_COLOURS, LEGEND, LEVEL_COLOURS, MARKERS, REFERENCE, new_axes, seaborn, short_label
from lib.formatting import format_values, time_unit

# values of table columns, as axes name them
AXIS_NAMES = {ALL_LEVELS: "all levels", "training_mix": "training mix", "ngram": "n-gram", "document": "whole text"}
WIDE_GAIN = 200  # per cent


def perplexity_heatmap(ppl, title):
    """Models x test sets: the number is perplexity, the colour its log ratio to the column's lowest."""
    cells = ppl[ppl.mask_type == "training_mix"].pivot(index="model", columns="test", values="ppl")
    models = [*KIND, *cells.index.difference([*KIND])]
    cells = cells.reindex(index=models, columns=[*LEVELS, ALL_LEVELS])
    ratio = cells / cells.min()
    bar = {"label": "Ratio to the lowest of the column", "ticks": np.log([1, 1.1, 1.25, 1.5, 2, 3, 5, 8])}
    bar["format"] = lambda log, _: f"× {np.exp(log):.3g}"
    style = {"cmap": "crest", "vmin": 0, "vmax": np.log(np.nanmax([1.25, min(8, ratio.max().max())]))}
    ax = new_axes(title, 1.2 + 0.27 * len(models), "", "")
    numbers = cells.map("{:.1f}".format).where(cells < 1000, cells.map("{:,.0f}".format))
    seaborn().heatmap(np.log(ratio), annot=numbers, fmt="", linewidths=1, cbar_kws=bar, ax=ax, **style)
    bar = ax.collections[0].colorbar.solids
    bar.set(rasterized=False, edgecolor="face")  # vector graphics: an SVG then holds no pixels
    for row, column in np.argwhere(cells.isna().to_numpy()):
        ax.text(column + 0.5, row + 0.5, "n/a", ha="center", va="center", color="#666666")
    for model, level in (SPECIALIST_LEVEL | TRANSFER_LEVEL).items():
        corner = LEVELS.index(level), models.index(model)
        ax.add_patch(plt.Rectangle(corner, 1, 1, fill=False, edgecolor="black", linewidth=1.8, clip_on=False))
    ax.grid(False)
    ax.set_xticks(np.arange(len(cells.columns)) + 0.5, [AXIS_NAMES.get(test, test) for test in cells.columns])
    ax.set_yticks(np.arange(len(models)) + 0.5, map(display_name, models))
    ax.set(xlabel="Test texts (framed: the model's own level)", ylabel="")
    return ax


def gains(contrasts, title, margin=0.10):
    """H1: gain_pct with 95 % intervals. contrasts: a row a level, a is general, b is the specialist."""
    return _by_level(contrasts, title, "Perplexity increase of general\nover specialist (%)", margin)


def general_vs_best(contrasts, title, margin=0.10):
    """H2: gain_pct and the equivalence band. contrasts: a row a level, a is general, b the best specialist."""
    best = contrasts.b.map(lambda model: f"best: {display_name(model)}", na_action="ignore")
    return _by_level(
        contrasts.assign(note=best), title, "Perplexity increase of general\nover best specialist (%)", margin
    )


def sample_size(mde, title):
    """Gains and minimum detectable gains. mde: rows of mde.csv."""
    rows = mde.assign(note=mde.n_learners.map("{:,.0f} learners".format, na_action="ignore"))
    return _by_level(rows, title, "Gain of specialist over general\n(% of perplexity)")


def transfer_slopes(ppl, title):
    """H3: perplexity of specialist, general and transfer model with 95 % intervals, a panel a level; the Figure."""
    table = ppl[ppl.mask_type == "training_mix"].set_index(["test", "model"])
    axes = new_axes(title, 3.0, "", "Perplexity on test texts (log scale)", ncols=len(LEVELS), sharey=True)
    colours = list(KIND_COLOURS.values())[:3]
    for level, specialist, transfer, ax in zip(LEVELS, SPECIALIST_LEVEL, TRANSFER_LEVEL, axes):
        rows = table.reindex([(level, specialist), (level, "general"), (level, transfer)])
        ax.plot(range(3), rows.ppl, color="#999999", zorder=1)
        ax.vlines(range(3), rows.ppl_lo, rows.ppl_hi, colours, linewidth=2)
        ax.scatter(range(3), rows.ppl, 36, colours, edgecolor="black", zorder=3)
        names = zip(["specialist", "general", "transfer"], format_values(rows.ppl, "{:.1f}"))
        ax.set_xticks(range(3), map(" ".join, names), rotation=40, ha="right", rotation_mode="anchor")
        ax.set(title=level, xlim=(-0.7, 2.7))
    _log_scale(axes[0], table.ppl)
    return axes[0].figure


def cost_gain(cost, contrasts, title):
    """Training time and gain. cost: model, hours (those of its base included); contrasts: a is general, b a model."""
    hours = cost.set_index("model").hours
    unit, length = time_unit(hours.max())
    hours = hours / length
    rows = contrasts.assign(hours=contrasts.b.map(hours), kind=contrasts.b.map(KIND).fillna("control"))
    ax = new_axes(title, 3.6, f"Training time ({unit})", "Perplexity increase of general\nover the model (%)")
    ax.plot(hours.get("general", np.nan), 0, "s", color=KIND_COLOURS["general"], markersize=7, label="general")
    ax.vlines(rows.hours, rows.gain_lo, rows.gain_hi, rows.level.map(LEVEL_COLOURS))
    style = {"hue": "level", "palette": LEVEL_COLOURS, "hue_order": LEVELS, "style": "kind", "markers": MARKERS}
    seaborn().scatterplot(rows, x="hours", y="gain_pct", s=60, edgecolor="black", ax=ax, **style)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    ax.set_xlim(left=0)
    return ax


def learning_curves(curves, title):
    """Thin lines: seeds; thick lines: their geometric mean. curves: model, seed, examples, valid_perplexity."""
    ax = new_axes(title, 4.0, "Training examples read", "Infill perplexity on the validation set\n(log scale)")
    curves = curves.dropna(subset="valid_perplexity")
    controls = [model for model in sorted(curves.model.unique()) if model not in KIND]
    for model in sorted(curves.model.unique(), key=lambda name: ([*KIND, name].index(name), name)):
        seeds = curves[curves.model == model].pivot(index="examples", columns="seed", values="valid_perplexity")
        style = {"color": _colour(model), "linestyle": _line(model, controls)}
        ax.plot(seeds.index, seeds, linewidth=0.5, **style)
        mean = np.exp(np.log(seeds).mean(axis=1, skipna=False))
        ax.plot(seeds.index, mean, linewidth=1.8, label=display_name(model), **style)
    _log_scale(ax, curves.valid_perplexity)
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.figure.legend(**LEGEND | {"ncols": 5})
    return ax


def _line(model, controls):
    """The line style of a model. controls: all of them in order, which differ in style since they have one colour."""
    if model in TRANSFER_LEVEL:
        return "--"
    if model in controls:
        return ["-.", ":", "-", "--"][controls.index(model) % 4]
    return "-"


def _colour(model):
    """The colour of a model's level, or else of its kind."""
    level = (SPECIALIST_LEVEL | TRANSFER_LEVEL).get(model)
    return LEVEL_COLOURS.get(level, KIND_COLOURS[KIND.get(model, "control")])


def forest(contrasts, title, by):
    """gain_pct with 95 % intervals: a panel a level, a line for each value of column `by` in its order; the Figure.

    Where an interval is wide, the axis is that of log ratios, on which a ratio and its inverse are equally long.
    """
    table = contrasts.set_index(["level", by])
    values = list(contrasts[by].unique())
    axes = new_axes(title, 1.2 + 0.25 * len(values), "", "", ncols=len(LEVELS), sharex=True, sharey=True)
    positions = range(len(values))
    for level, ax in zip(LEVELS, axes):
        rows = table.reindex([(level, value) for value in values])
        ax.axvline(0, color="black", linewidth=0.8)
        ax.hlines(positions, rows.gain_lo, rows.gain_hi, LEVEL_COLOURS[level], linewidth=2)
        ax.scatter(rows.gain_pct, positions, 30, LEVEL_COLOURS[level], edgecolor="black", zorder=3)
        for position in np.flatnonzero(rows.gain_pct.isna()):
            ax.text(0, position, " n/a", va="center", color="#666666", size=8)
        ax.set_title(level)
    if table.gain_hi.max() > WIDE_GAIN:
        axes[0].set_xscale("function", functions=(lambda gain: np.log1p(gain / 100), lambda log: 100 * np.expm1(log)))
        axes[0].xaxis.set_major_locator(FixedLocator([-75, 0, 300, 1500]))  # ratios of 1/4, 1, 4, 16
    names = [short_label(AXIS_NAMES.get(value, value)) for value in values]
    axes[0].set(yticks=positions, yticklabels=names, ylim=(len(values) - 0.5, -0.5))
    axes[0].figure.supxlabel("Gain of specialist over general (% of perplexity, 95 % interval)", fontsize=9)
    return axes[0].figure


def gain_curves(table, title):
    """The specialist's gain at equal numbers of examples, with 95 % intervals, a panel a level; the Figure.

    table: rows of gain_curve.csv.
    """
    grid = {"ncols": len(LEVELS), "sharex": True, "sharey": True}
    axes = new_axes(title, 2.6, "", "Gain of specialist over general\n(% of perplexity)", **grid)
    for level, ax in zip(LEVELS, axes):
        rows = table[table.level == level].dropna(subset="gain_pct").astype({"examples": float})
        ax.axhline(0, color="black", linewidth=0.8)
        ax.fill_between(rows.examples, rows.gain_lo, rows.gain_hi, color=LEVEL_COLOURS[level], alpha=0.25)
        ax.plot(rows.examples, rows.gain_pct, "o-", color=LEVEL_COLOURS[level], markersize=3)
        ax.set_title(level)
        if rows.empty:
            ax.text(0.5, 0.5, "n/a", transform=ax.transAxes, ha="center", color="#666666")
    if table["gain_pct"].notna().any():
        axes[0].set_xscale("log")
        axes[0].xaxis.set(major_locator=LogLocator(), major_formatter="{x:,g}", minor_locator=NullLocator())
    axes[0].figure.supxlabel("Examples that each of the two models has read (log scale, 95 % interval)", fontsize=9)
    return axes[0].figure


def _log_scale(ax, values):
    """Make y logarithmic if there are values, with ticks in plain numbers, as many as their range needs."""
    if values.notna().any():
        wide = values.max() > 30 * values.min()
        ticks = LogLocator(subs=[1, 2, 5] if wide else [1, 1.5, 2, 3, 5, 7])
        ax.set_yscale("log")
        ax.yaxis.set(major_locator=ticks, major_formatter="{x:,g}", minor_locator=NullLocator())


def _by_level(table, title, ylabel, margin=0):
    """gain_pct, gain_lo and gain_hi by level, both minimum detectable gains as lines, and below each level its note, or
    the reason why it has no gain."""
    columns = ["gain_pct", "gain_lo", "gain_hi", "mde_above_zero_pct", "mde_above_margin_pct", "note", "reason"]
    rows = table.set_index("level").reindex(LEVELS, columns=columns)
    positions = np.arange(len(LEVELS))
    colours = list(LEVEL_COLOURS.values())
    ax = new_axes(title, 3.2, "CEFR level", ylabel)
    ax.axhline(0, color="black", linewidth=0.8)
    if margin:  # as wide downwards as upwards in logarithms
        below = 100 / (1 + margin) - 100
        ax.axhspan(below, 100 * margin, color=REFERENCE, alpha=0.12, label=f"margin of {100 * margin:g} %")
    if "mde_above_zero_pct" in table:
        for column, line, bound in [("mde_above_margin_pct", "-", "the margin"), ("mde_above_zero_pct", ":", "zero")]:
            label = f"minimum detectable gain above {bound}"
            ax.hlines(rows[column], positions - 0.3, positions + 0.3, REFERENCE, linestyle=line, label=label, zorder=3)
    ax.bar(positions, rows.gain_pct, 0.6, color=colours, alpha=0.5, zorder=2)
    ax.vlines(positions, rows.gain_lo, rows.gain_hi, "black", zorder=3, label="95 % interval")
    ax.scatter(positions, rows.gain_pct, 36, colours, edgecolor="black", zorder=4)
    notes = rows.reason.where(rows.gain_pct.isna(), rows.note)
    notes = [textwrap.fill(note, 16) if isinstance(note, str) else "" for note in notes]
    labels = zip(LEVELS, format_values(rows.gain_pct, "{:+.1f} %"), notes)
    ax.set_xticks(positions, ["\n".join(label).strip() for label in labels])
    ax.set_xlim(-0.5, len(LEVELS) - 0.5)
    ax.figure.legend(**LEGEND)
    return ax
